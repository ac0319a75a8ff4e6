"""Rows 7 to 9: workers that are stopped or killed, in mid-upload and all at once."""

import threading

import pytest
from support.images import Images
from support.stack import POOLS
from support.wait import until


class Upload(threading.Thread):
    """An upload that runs beside the test."""

    def __init__(self, ledger, member, image):
        super().__init__()
        self.send = lambda: ledger.try_upload(member, image.data)
        self.answer = None

    def run(self):
        self.answer = self.send()

    def status(self):
        self.join(30)
        assert self.answer is not None, "no answer within 30 s"
        return self.answer.status_code


@pytest.fixture
def held(stack, ledger, member):
    """An upload that a worker has in hand, held up by a store that stands still."""
    image = Images.noise(2800, 2800)  # 23 MB: more than socket buffers take
    idle = {worker.pid: worker.descriptors for worker in stack.workers("uploader")}

    def busy():
        """The workers with more descriptors: those of the gateway's and the store's connection."""
        return [worker.pid for worker in stack.workers("uploader")
                if worker.descriptors > idle[worker.pid]]

    stack.pause("storage")
    upload = Upload(ledger, member, image)
    upload.start()
    try:
        upload.pids = until(busy, 20, "a worker has the upload in hand")
        yield upload
    finally:
        if stack.inspect("storage")["State"]["Paused"]:
            stack.unpause("storage")
        upload.join(60)


def test_row_7_stopped_in_mid_upload(stack, held, recovers):
    """`docker stop`: the worker finishes what it has in hand, then leaves."""
    before = len(stack.workers("uploader"))
    stopping = threading.Thread(target=stack.stop, args=("uploader",))
    stopping.start()
    until(lambda: len(stack.workers("uploader")) < before, 20, "the idle workers leave")
    stack.unpause("storage")
    status = held.status()
    stopping.join(60)
    stack.start("uploader")
    recovers()
    assert status == 201, "the request in hand was to be finished"


def test_row_8_killed_in_mid_upload(stack, held, recovers):
    before = len(stack.workers("uploader"))
    stack.kill_workers("uploader", held.pids)
    assert held.status() == 503
    stack.unpause("storage")
    until(lambda: len(stack.workers("uploader")) == before, 20, "the pool is refilled")
    recovers()


@pytest.mark.parametrize("pool", POOLS)
def test_row_9_all_killed_five_times(stack, recovers, pool):
    before = len(stack.workers(pool))
    for _ in range(5):
        killed = stack.workers(pool)
        stack.kill_workers(pool)
        pids = {worker.pid for worker in killed}
        until(lambda: len(alive := stack.workers(pool)) == before
              and pids.isdisjoint(worker.pid for worker in alive), 20, f"{pool} is refilled")
    recovers()

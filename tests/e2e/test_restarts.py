"""Restarting loses nothing."""

from concurrent.futures import ThreadPoolExecutor

import requests
from support.client import bearer
from support.images import Images
from support.second import second
from support.stack import SERVICES
from support.wait import until


def test_every_container_at_once(stack, client, ledger, member, recovers):
    image = Images.noise(300, 300)
    name = ledger.upload(member, image)
    newcomer = ledger.register()
    stack.restart(*SERVICES)
    recovers()
    assert client.get(f"/v1/user/{name}", headers=newcomer.headers).content == image.data
    assert ledger.login(newcomer)
    ledger.verify()


def test_the_gateway_alone(stack, ledger, recovers):
    stack.restart("gateway")
    recovers()
    ledger.verify_images()


def refuses(url):
    try:
        requests.get(f"{url}/livez", timeout=5)
    except requests.ConnectionError:
        return True
    return False


def test_down_in_mid_upload(stack, mint):
    """An upload that a worker has in hand, held up by a store that stands still, is finished before the store goes."""
    image = Images.noise(2800, 2800)  # 23 MB: more than socket buffers take
    with second(stack) as another, ThreadPoolExecutor(2) as beside:
        headers = bearer(mint.token("0" * 16))
        idle = {worker.pid: worker.descriptors for worker in another.workers("uploader")}
        another.pause("storage")
        upload = beside.submit(another.client.post, "/v1/upload", data=image.data, headers=headers, timeout=90)
        until(lambda: any(worker.descriptors > idle[worker.pid] for worker in another.workers("uploader")), 20,
              "a worker has the upload in hand")
        down = beside.submit(another.script, "down")
        until(lambda: refuses(another.base_url), 20, "the gateway takes nothing more")
        another.unpause("storage")
        answer = upload.result()
        assert answer.status_code == 201, answer.text
        assert down.result().returncode == 0
        another.start()
        assert another.client.get(answer.headers["Location"], headers=headers).content == image.data

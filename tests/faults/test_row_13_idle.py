"""Row 13: the store closes connections that are idle for 30 s; the next upload must not be lost."""

import time

from support.images import Images

IDLE = 35  # seconds


def test_idle(stack, ledger, member):
    workers = len(stack.workers("uploader"))
    for _ in range(4 * workers):
        ledger.upload(member, Images.noise())
    time.sleep(IDLE)  # nothing happens, which is the point
    for _ in range(2 * workers):
        ledger.upload(member, Images.noise())
        ledger.upload(member, Images.noise(300, 300))

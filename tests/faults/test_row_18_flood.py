"""
Row 18: a flood of logins is limited by address, what the pool cannot do in time is refused, readers
and uploaders do not notice, and the gateway stays ready.
"""

import time
from concurrent.futures import ThreadPoolExecutor

from support.client import Client
from support.images import Images
from support.stack import seconds

READ_WITHIN = 5  # seconds: of somebody who reads or uploads meanwhile
SLACK = 15  # seconds: what a hash and the machine take beyond the limit of the wait


def burst(stack):
    return int(stack.setting("gateway", "LOGIN_BURST", "100"))


def check_usable(client, ledger, member, stored):
    """Assert that one image can be read and another one stored."""
    name, image = stored
    read = client.get(f"/v1/user/{name}", headers=member.headers, timeout=READ_WITHIN)
    assert read.content == image.data
    ledger.upload(member, Images.noise())
    assert client.get("/readyz").status_code == 200


def test_flood_without_hashing(stack, client, ledger, member, stored):
    impatient = Client(stack.base_url, patient=False)

    def login(_):
        """Too malformed to cost a hash; the limit counts it all the same."""
        return impatient.post("/v1/token", data=b"{", headers={"Content-Type": "application/json"})

    with ThreadPoolExecutor(8) as pool:
        flood = [pool.submit(login, number) for number in range(2 * burst(stack))]
        for _ in range(5):
            check_usable(client, ledger, member, stored)
    assert {answer.result().status_code for answer in flood} == {400, 429}


def test_flood_of_hashes(stack, client, ledger, member, stored, recovers):
    """
    All at the same time, twice what the gateway lets an address begin, which is many times what
    the pool can hash in a second.
    """
    size = 2 * burst(stack)
    limit = seconds(stack.setting("security", "ACCOUNTS_WAIT", "3s")) + SLACK
    impatient = Client(stack.base_url, patient=False)

    def login(number):
        """A login of its own, so that nothing but the flood itself limits it."""
        start = time.monotonic()
        answer = impatient.post("/v1/token", json={"login": f"flood.{number}",
                                                   "password": "not the password"})
        return answer.status_code, time.monotonic() - start

    with ThreadPoolExecutor(size) as pool:
        flood = [pool.submit(login, number) for number in range(size)]
        rounds = 0
        while rounds < 3 or not all(login.done() for login in flood):
            check_usable(client, ledger, member, stored)
            rounds += 1
    statuses = [login.result()[0] for login in flood]
    assert set(statuses) <= {401, 429, 503}
    assert 401 in statuses and 429 in statuses
    assert max(login.result()[1] for login in flood) < limit
    recovers()
    ledger.login(member)

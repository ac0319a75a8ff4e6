"""Row 18: a flood of logins is limited by address, and readers do not notice."""

from concurrent.futures import ThreadPoolExecutor

from support.client import Client


def test_flood(stack, client, member, stored):
    name, image = stored
    impatient = Client(stack.base_url, patient=False)
    flood_size = 2 * int(stack.setting("gateway", "LOGIN_BURST", "100"))

    def login(_):
        """Too malformed to cost a hash; the limit counts it all the same."""
        return impatient.post("/v1/token", data=b"{", headers={"Content-Type": "application/json"})

    with ThreadPoolExecutor(8) as pool:
        flood = [pool.submit(login, number) for number in range(flood_size)]
        for _ in range(5):
            read = client.get(f"/v1/user/{name}", headers=member.headers, timeout=2)
            assert read.content == image.data
    assert {answer.result().status_code for answer in flood} == {400, 429}

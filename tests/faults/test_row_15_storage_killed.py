"""Row 15: the store killed right after a 201."""

from support.images import Images


def test_what_was_confirmed_is_there(stack, client, ledger, member, recovers):
    image = Images.noise(300, 300)
    name = ledger.upload(member, image)
    stack.kill("storage")
    stack.start("storage")
    recovers()
    answer = client.get(f"/v1/user/{name}", headers=member.headers)
    assert answer.content == image.data

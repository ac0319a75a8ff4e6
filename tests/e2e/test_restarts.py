"""Restarting loses nothing."""

from support.images import Images
from support.stack import SERVICES


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

"""Row 17: many registers of one login at the same time."""

import secrets
from concurrent.futures import ThreadPoolExecutor

from support.client import Client
from support.ledger import Account

TRIES = 50


def test_one_wins(stack, ledger):
    login = f"Racer.{secrets.token_hex(6)}"

    def register(number):
        account = Account(login if number % 2 else login.lower(), f"password of racer {number}")
        return account, ledger.try_register(account, Client(stack.base_url)).status_code

    with ThreadPoolExecutor(TRIES) as pool:
        results = list(pool.map(register, range(TRIES)))
    statuses = [status for _, status in results]
    assert statuses.count(201) == 1
    assert statuses.count(409) == TRIES - 1
    winner, = [account for account, status in results if status == 201]
    assert ledger.login(winner)
    loser = next(account for account, status in results if status == 409)
    assert ledger.try_login(loser).status_code == 401

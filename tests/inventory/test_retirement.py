"""How long what was replaced is still good for."""

from typing import Any

import pytest
from tests.support.inventory import account, credential, device, inventory_of, line

from offhook.inventory.models import CredentialState
from offhook.inventory.retirement import OVERLAP_SECONDS, Sightings, find_deadline, find_retirement

NOW = 1000.0


@pytest.mark.parametrize(
    ("retire_at", "superseded", "fetched", "expected"),
    [
        (9000.0, set(), set(), 9000.0),
        (9000.0, {1}, set(), NOW),
        (9000.0, set(), {1}, NOW + OVERLAP_SECONDS),
        (NOW + 10, set(), {1}, NOW + 10),
        (500.0, set(), {1}, 500.0),
        (None, set(), set(), NOW),
        (9000.0, {2}, {2}, 9000.0),
    ],
)
def test_the_deadline(retire_at: float | None, superseded: set[int], fetched: set[int], expected: float) -> None:
    retiring = credential(1, state=CredentialState.RETIRING, retire_at=retire_at)
    inventory = inventory_of(account(), device(), line(), retiring)
    assert find_deadline(inventory, retiring, superseded, fetched, NOW) == expected


def test_what_is_over_is_found_and_nothing_else() -> None:
    spent: dict[str, Any] = {"former_token_digest": b"former", "former_token_until": NOW}
    inventory = inventory_of(
        account(1, former_domains=("old.test",), **spent),
        account(2, former_domains=("older.test",), **{**spent, "former_token_until": NOW + 1}),
        account(3),
        device(),
        line(),
        credential(1),
        credential(2, state=CredentialState.RETIRING, retire_at=NOW),
        credential(3, state=CredentialState.RETIRING, retire_at=NOW + 10),
        credential(4, state=CredentialState.RETIRING, retire_at=9000.0),
    )
    sightings = Sightings(fetched=frozenset({1}))
    over = find_retirement(inventory, [4, 3, 2], sightings, lambda _, account: account.id == 2, NOW)
    assert (over.credentials, over.domains, over.tokens) == ((2, 4), ((1, ("old.test",)),), (1,))
    assert over
    assert not find_retirement(inventory, [3], Sightings(), lambda _, account: True, NOW - 1)

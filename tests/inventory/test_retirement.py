"""How long a replaced credential is still good for."""

import pytest
from tests.support.inventory import account, credential, device, inventory_of, line

from offhook.inventory.models import CredentialState
from offhook.inventory.retirement import OVERLAP_SECONDS, find_deadline

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

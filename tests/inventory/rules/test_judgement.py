"""A draft is judged by what it changes."""

from tests.support.inventory import account, device, inventory_of, line, number, user
from tests.support.workbench import VENDORS

from offhook.inventory.rules import find_breaches


def test_what_was_there_is_not_judged() -> None:
    broken = inventory_of(account(), user(1, extension="2001"), user(2, extension="2001"))
    assert find_breaches(broken.draft(), VENDORS) == []


def test_everything_is_of_one_account() -> None:
    draft = inventory_of(account(), account(2), user(1, account_id=2)).draft()
    draft.put(device(1))
    draft.put(line(1, user_id=1))
    draft.put(number(1, user_id=1))
    assert [breach.message for breach in find_breaches(draft, VENDORS)] == ["user user1 belongs to another account"] * 2

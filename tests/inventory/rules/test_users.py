"""One device per user."""

from tests.support.inventory import account, device, inventory_of, line, number, user
from tests.support.workbench import VENDORS

from offhook.inventory.rules import find_breaches


def test_a_second_device_is_refused_with_the_name_of_the_first() -> None:
    draft = inventory_of(account(), user(1), device(1, name="Desk"), device(2), line(1, user_id=1)).draft()
    draft.put(line(2, device_id=2, user_id=1))
    [breach] = find_breaches(draft, VENDORS)
    assert (breach.entity, breach.field, breach.is_conflict) == (device(2), "user", True)
    assert breach.rule == "one device per user (R10)"
    assert str(breach) == (
        "user user1 has Desk (00:15:65:12:34:56) already, and a user has one device at a time; "
        "--confirm-moves moves the user and releases the old device"
    )
    draft.put(line(1))
    assert find_breaches(draft, VENDORS) == []


def test_beside_their_own_phone_a_user_is_logged_in_to_one() -> None:
    numbers = [number(n, user_id=1) for n in (1, 2)]
    devices = [device(n) for n in (1, 2, 3)]
    draft = inventory_of(account(), user(1), *numbers, *devices, line(1, user_id=1)).draft()
    draft.put(line(2, device_id=2, number_id=1, logged_in_at=1000.0))
    assert find_breaches(draft, VENDORS) == []
    draft.put(line(3, device_id=3, number_id=2, logged_in_at=1001.0))
    [breach] = find_breaches(draft, VENDORS)
    assert (breach.rule, breach.is_conflict) == ("a user is logged in to one device at a time (R10)", True)
    assert str(breach) == (
        "numbers of user user1 are logged in to 00:15:65:12:34:57 and 00:15:65:12:34:58; log the others out"
    )

"""Only active numbers that are not the main number are assigned, logged in or given features (E1)."""

from typing import Any

import pytest
from tests.support.inventory import account, device, inventory_of, line, location, number, user
from tests.support.workbench import VENDORS

from offhook.inventory.models import Features, Number, NumberStatus, StationType
from offhook.inventory.rules import default_extension, find_breaches

IDLE: list[dict[str, Any]] = [
    {"status": NumberStatus.RESERVED},
    {"status": NumberStatus.PENDING},
    {"is_main": True},
]
FORWARDED = Features(forward_always="+4930123456")


def test_the_extension_is_by_default_the_last_four_digits() -> None:
    assert default_extension("+12125550101") == "0101"


@pytest.mark.parametrize("state", IDLE)
def test_what_is_not_active_or_the_main_number_is_created_with_nothing(state: dict[str, Any]) -> None:
    draft = inventory_of(account()).draft()
    draft.put(number(extension="0001", display_first="Front", **state))
    assert find_breaches(draft, VENDORS) == []


@pytest.mark.parametrize("before", [None, {}])
@pytest.mark.parametrize("state", IDLE)
@pytest.mark.parametrize(("field", "changes"), [("user", {"user_id": 1}), ("features", {"features": FORWARDED})])
def test_it_is_neither_assigned_nor_given_features(
    before: dict[str, Any] | None, state: dict[str, Any], field: str, changes: dict[str, Any]
) -> None:
    was = [number(**state, **before)] if before is not None else []
    draft = inventory_of(account(), user(), *was).draft()
    draft.put(number(**state, **changes))
    [breach] = find_breaches(draft, VENDORS)
    assert (breach.field, breach.is_conflict, breach.rule) == (field, False, "active and not the main number (E1)")
    what = "the main number" if "is_main" in state else state["status"].value
    assert f"number +12125550001 is {what}: only active numbers" in breach.message
    assert breach.remedy == ("choose another number" if "is_main" in state else "set it to active first")


@pytest.mark.parametrize("state", IDLE)
def test_it_is_not_put_on_a_line(state: dict[str, Any]) -> None:
    draft = inventory_of(account(), device(), line(), number(extension="0001", **state)).draft()
    draft.put(line(number_id=1))
    [breach] = find_breaches(draft, VENDORS)
    assert (breach.entity, breach.field) == (line(number_id=1), "number")


def test_activating_and_assigning_can_be_one_change() -> None:
    draft = inventory_of(account(), user(), device(), line(), number(**IDLE[0])).draft()
    draft.put(number(extension="0001", user_id=1, features=FORWARDED))
    draft.put(line(number_id=1))
    assert find_breaches(draft, VENDORS) == []


@pytest.mark.parametrize(
    ("held", "words"),
    [
        ({"user_id": 1}, "is assigned to user user1"),
        ({"features": FORWARDED}, "has features set"),
        ({"user_id": 1, "features": FORWARDED}, "is assigned to user user1 and has features set"),
    ],
)
@pytest.mark.parametrize(
    ("state", "field", "becomes"),
    [
        (IDLE[0], "status", "be set back to reserved"),
        (IDLE[1], "status", "be set back to pending"),
        (IDLE[2], "main", "become the main number"),
    ],
)
def test_who_has_a_number_keeps_it_active(
    held: dict[str, Any], words: str, state: dict[str, Any], field: str, becomes: str
) -> None:
    draft = inventory_of(account(), user(), number(**held)).draft()
    draft.put(number(**held, **state))
    [breach] = find_breaches(draft, VENDORS)
    assert (breach.field, breach.is_conflict) == (field, True)
    assert str(breach) == (
        f"number +12125550001 {words}, so it cannot {becomes}; unassign it and clear its features first"
    )
    draft.put(number(**state))
    assert find_breaches(draft, VENDORS) == []


def test_so_does_a_line_even_when_it_changes_otherwise() -> None:
    draft = inventory_of(account(), device(), number(extension="0001"), line(number_id=1)).draft()
    draft.put(number(extension="0001", **IDLE[0]))
    draft.put(line(number_id=1, label="Gate"))
    [breach] = find_breaches(draft, VENDORS)
    assert "is assigned to line 1 of 00:15:65:12:34:56, so it cannot be set back to reserved" in breach.message
    draft.put(line())
    assert find_breaches(draft, VENDORS) == []


def test_a_number_that_moves_to_another_line_while_it_is_set_back_is_refused_there() -> None:
    base = inventory_of(
        account(), device(), device(2), number(extension="0001"), line(number_id=1), line(2, device_id=2)
    )
    draft = base.draft()
    draft.put(number(extension="0001", **IDLE[0]))
    draft.put(line())
    draft.put(line(2, device_id=2, number_id=1))
    assert [breach.field for breach in find_breaches(draft, VENDORS)] == ["number"]


def test_what_stood_there_before_the_rule_may_change_otherwise() -> None:
    main = number(user_id=1, is_main=True)
    draft = inventory_of(account(), user(), main).draft()
    draft.put(number(user_id=1, is_main=True, display_first="Front"))
    assert find_breaches(draft, VENDORS) == []


def main(number_id: int, **changes: Any) -> Number:
    return number(number_id, is_main=True, **changes)


def test_a_location_has_one_main_number() -> None:
    base = inventory_of(account(), account(2), location(1), location(2), main(1, location_id=1))
    draft = base.draft()
    draft.put(main(2, location_id=2))
    draft.put(main(3))
    draft.put(main(4, account_id=2))
    assert find_breaches(draft, VENDORS) == []
    draft.put(main(5, location_id=1))
    [breach] = find_breaches(draft, VENDORS)
    assert (breach.entity.id, breach.field, breach.is_conflict) == (5, "main", True)
    assert breach.message == "the location has a main number already: by number +12125550001"


def test_of_the_numbers_without_a_location_one_is_the_accounts_main_number() -> None:
    draft = inventory_of(account(), main(1)).draft()
    draft.put(main(2))
    assert [breach.rule for breach in find_breaches(draft, VENDORS)] == ["one main number per location (E1)"]


def test_a_number_has_user_and_station_type_of_its_account() -> None:
    kind = StationType(id=1, account_id=2, name="Premium")
    draft = inventory_of(account(), account(2), user(account_id=2), kind).draft()
    draft.put(number(user_id=1, station_type_id=1))
    assert [breach.message for breach in find_breaches(draft, VENDORS)] == [
        "user user1 belongs to another account",
        "station type Premium belongs to another account",
    ]

"""Rules judge a draft, name who is at fault, and say when it is a conflict rather than a mistake."""

from tests.support.inventory import account, device, inventory_of, line, location, number, user

from offhook.inventory.models import DeviceType, Line, Number, Plan, User
from offhook.inventory.rules import describe, find_breaches, users_concerned


def test_what_was_there_is_not_judged() -> None:
    broken = inventory_of(account(), user(1, extension="2001"), user(2, extension="2001"))
    assert find_breaches(broken.draft()) == []


def test_of_two_the_one_that_changed_is_at_fault() -> None:
    draft = inventory_of(account(), user(1, extension="2001"), user(2, extension="2002")).draft()
    draft.put(user(1, extension="2002"))
    [breach] = find_breaches(draft)
    assert (breach.entity, breach.field, breach.is_conflict) == (user(1, extension="2002"), "extension", True)
    assert breach.message == "the extension 2002 is taken: by user user2"


def test_of_two_that_changed_the_new_one_is_at_fault() -> None:
    draft = inventory_of(account(), user(1, extension="2001")).draft()
    draft.put(user(1, extension="2005"))
    draft.put(line(9, extension="2005"))
    draft.put(device(1))
    [breach] = find_breaches(draft)
    assert isinstance(breach.entity, Line)


def test_extensions_are_unique_within_an_account_alone() -> None:
    draft = inventory_of(account(), account(2), user(1, extension="2001")).draft()
    draft.put(user(2, account_id=2, extension="2001"))
    assert find_breaches(draft) == []


def test_the_extension_of_a_number_rests_while_a_user_has_the_number() -> None:
    draft = inventory_of(account(), user(1, extension="2001")).draft()
    draft.put(number(1, extension="2001", user_id=1))
    assert find_breaches(draft) == []
    draft.put(number(1, extension="2001"))
    assert [breach.field for breach in find_breaches(draft)] == ["extension"]


def test_a_number_is_logged_in_on_one_line_and_needs_an_extension() -> None:
    draft = inventory_of(account(), device(1), device(2), number(1)).draft()
    draft.put(line(1, number_id=1))
    assert [breach.message for breach in find_breaches(draft)] == ["number +12125550001 has no extension: give it one"]
    draft.put(number(1, extension="0001"))
    draft.put(line(2, device_id=2, number_id=1))
    assert [breach.message for breach in find_breaches(draft)] == [
        "the number is logged in on another line already: by line 1 of 00:15:65:12:34:56"
    ]


def test_the_plan_of_a_numbers_user_counts_too() -> None:
    base = inventory_of(account(), device(1), user(1, plan=Plan.BASIC), number(1), line(1, number_id=1))
    draft = base.draft()
    draft.put(number(1, user_id=1))
    assert [breach.message for breach in find_breaches(draft)] == [
        "user user1 has plan basic, which allows no physical phone; change the plan to plus or pro"
    ]


def test_everything_is_of_one_account() -> None:
    draft = inventory_of(account(), account(2), location(1, account_id=2), user(1, account_id=2)).draft()
    draft.put(device(1, location_id=1))
    draft.put(line(1, user_id=1))
    draft.put(number(1, user_id=1))
    assert sorted(breach.message for breach in find_breaches(draft)) == [
        "location place 1 belongs to another account",
        "user user1 belongs to another account",
        "user user1 belongs to another account",
    ]


def test_softphones_are_told_apart_by_name() -> None:
    one = device(1, type=DeviceType.SOFTPHONE, mac=None, name="PC")
    draft = inventory_of(account(), account(2), one).draft()
    draft.put(device(2, type=DeviceType.SOFTPHONE, mac=None, name="pc", account_id=2))
    assert find_breaches(draft) == []
    draft.put(device(3, type=DeviceType.SOFTPHONE, mac=None, name="pc"))
    assert [breach.message for breach in find_breaches(draft)] == ["the account has a softphone pc already"]


def test_users_are_concerned_by_their_lines_and_numbers() -> None:
    base = inventory_of(account(), device(1), user(1), user(2), user(3), number(1, user_id=2))
    draft = base.draft()
    draft.put(line(1, number_id=1))
    assert users_concerned(draft) == [2]
    draft.put(line(1, user_id=1))
    draft.put(user(3, first_name="Jo"))
    assert users_concerned(draft) == [1, 3]


def test_things_are_described_by_kind_and_key() -> None:
    inventory = inventory_of(account(), device(1, name="Desk"), line(1))
    assert [describe(entity, inventory) for entity in (account(), user(), number(), device(1), line(1))] == [
        "account acme",
        "user user1",
        "number +12125550001",
        "device 00:15:65:12:34:56",
        "line 1 of Desk (00:15:65:12:34:56)",
    ]
    assert describe(line(2, device_id=9), inventory) == "line 1 of a deleted device"
    assert (inventory.count(User), inventory.count(Number)) == (0, 0)

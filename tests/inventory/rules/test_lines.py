"""What a line can be assigned to."""

from tests.support.inventory import account, device, inventory_of, line, number, user
from tests.support.workbench import VENDORS

from offhook.inventory.models import DeviceType, Plan
from offhook.inventory.rules import find_breaches


def test_a_number_needs_an_extension() -> None:
    draft = inventory_of(account(), device(1), number(1)).draft()
    draft.put(line(1, number_id=1))
    assert [str(breach) for breach in find_breaches(draft, VENDORS)] == [
        "number +12125550001 has no extension; give it one"
    ]
    draft.put(number(1, extension="0001"))
    assert find_breaches(draft, VENDORS) == []


def test_the_plan_of_a_numbers_user_counts_too() -> None:
    base = inventory_of(account(), device(1), user(1, plan=Plan.BASIC), number(1), line(1, number_id=1))
    draft = base.draft()
    draft.put(number(1, user_id=1))
    [breach] = find_breaches(draft, VENDORS)
    assert (breach.field, breach.rule) == ("number", "plan (U2)")
    assert str(breach) == "user user1 has plan basic, which allows no physical phone; change the plan to plus or pro"
    plus = user(1, plan=Plan.PLUS)
    draft.put(plus)
    assert find_breaches(draft, VENDORS) == []


def test_a_line_has_one_assignment() -> None:
    draft = inventory_of(account(), device(1), user(1)).draft()
    draft.put(line(1, user_id=1, extension="2090"))
    assert [breach.rule for breach in find_breaches(draft, VENDORS)] == ["one assignment per line (T2)"]


def test_an_extension_of_its_own_waits_below_a_number_that_is_logged_in() -> None:
    numbered = number(1, extension="0001")
    draft = inventory_of(account(), device(1), user(1), numbered).draft()
    draft.put(line(1, number_id=1, extension="2090", logged_in_at=1000.0))
    assert find_breaches(draft, VENDORS) == []
    draft.put(line(1, number_id=1, extension="2090"))
    assert [breach.rule for breach in find_breaches(draft, VENDORS)] == ["one assignment per line (T2)"]
    draft.put(line(1, number_id=1, user_id=1, logged_in_at=1000.0))
    assert [breach.rule for breach in find_breaches(draft, VENDORS)] == ["one assignment per line (T2)"]


def test_a_base_has_no_line_and_a_handset_one() -> None:
    base = device(1, type=DeviceType.DECT_BASE)
    handset = device(2, type=DeviceType.DECT_HANDSET, mac=None, ipei="065850047939", base_id=1)
    draft = inventory_of(account(), base, handset).draft()
    draft.put(line(1, extension="2090"))
    draft.put(line(2, device_id=2, index=2, extension="2091"))
    assert [str(breach) for breach in find_breaches(draft, VENDORS)] == [
        "a DECT base has no lines of its own; give them to its handsets",
        "a handset has one line, with index 1; drop the others",
    ]

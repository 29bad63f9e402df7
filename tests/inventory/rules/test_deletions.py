"""What is in use stays."""

from tests.support.inventory import account, inventory_of, location, number
from tests.support.workbench import VENDORS

from offhook.inventory.models import StationType
from offhook.inventory.rules import find_breaches


def test_a_location_in_use_is_not_deleted() -> None:
    place = location(1, name="HQ")
    draft = inventory_of(account(), place, number(1, location_id=1)).draft()
    draft.delete(place)
    [breach] = find_breaches(draft, VENDORS)
    assert (breach.entity, breach.is_conflict) == (place, True)
    assert str(breach) == ("location HQ is used by number +12125550001, so it cannot be deleted; move them first")
    draft.put(number(1))
    assert find_breaches(draft, VENDORS) == []


def test_a_station_type_in_use_is_not_deleted() -> None:
    kind = StationType(id=1, account_id=1, name="Premium")
    draft = inventory_of(account(), kind, *(number(n, station_type_id=1) for n in range(1, 8))).draft()
    draft.delete(kind)
    [breach] = find_breaches(draft, VENDORS)
    assert (breach.entity, breach.is_conflict, breach.rule) == (kind, True, "a station type in use stays (T1)")
    assert breach.message.startswith("station type Premium is used by number +12125550001, ")
    assert str(breach).endswith("and 2 more, so it cannot be deleted; give them another one first")
    for n in range(1, 8):
        draft.put(number(n))
    assert find_breaches(draft, VENDORS) == []

"""Of two that are to be unique, the newcomer is at fault."""

import pytest
from tests.support.inventory import account, device, inventory_of, line, location, number, user
from tests.support.workbench import VENDORS

from offhook.inventory.indexes import UNIQUE
from offhook.inventory.models import DectSystem, DeviceType, Entity, Line, StationType
from offhook.inventory.rules import find_breaches
from offhook.inventory.rules.duplicates import find_duplicates


def test_of_two_the_one_that_changed_is_at_fault() -> None:
    draft = inventory_of(account(), user(1, extension="2001"), user(2, extension="2002")).draft()
    draft.put(user(1, extension="2002"))
    [breach] = find_breaches(draft, VENDORS)
    assert (breach.entity, breach.field, breach.is_conflict) == (user(1, extension="2002"), "extension", True)
    assert breach.message == "the extension 2002 is taken: by user user2"
    assert (breach.rule, breach.remedy) == ("extension is unique (N2)", "choose another extension")


def test_of_two_that_changed_the_new_one_is_at_fault() -> None:
    draft = inventory_of(account(), user(1, extension="2001")).draft()
    draft.put(user(1, extension="2005"))
    draft.put(line(9, extension="2005"))
    draft.put(device(1))
    [breach] = find_breaches(draft, VENDORS)
    assert isinstance(breach.entity, Line)


def test_extensions_are_unique_within_an_account_alone() -> None:
    draft = inventory_of(account(), account(2), user(1, extension="2001")).draft()
    draft.put(user(2, account_id=2, extension="2001"))
    assert find_breaches(draft, VENDORS) == []


@pytest.mark.parametrize("other", [user(2, extension="2001"), number(2, extension="2001"), line(2, extension="2001")])
@pytest.mark.parametrize("one", [user(1, extension="2001"), number(1, extension="2001"), line(1, extension="2001")])
def test_an_extension_is_unique_over_users_numbers_and_lines(one: Entity, other: Entity) -> None:
    draft = inventory_of(account(), device(1), one).draft()
    draft.put(other if not isinstance(other, Line) else line(2, index=2, extension="2001"))
    [breach] = find_breaches(draft, VENDORS)
    assert (breach.entity.id, breach.field, breach.rests_on) == (2, "extension", (1, 2))


def test_the_extension_of_a_number_rests_while_a_user_has_the_number() -> None:
    draft = inventory_of(account(), user(1, extension="2001")).draft()
    draft.put(number(1, extension="2001", user_id=1))
    assert find_breaches(draft, VENDORS) == []
    draft.put(number(1, extension="2001"))
    assert [breach.field for breach in find_breaches(draft, VENDORS)] == ["extension"]


def test_a_number_is_logged_in_on_one_line() -> None:
    draft = inventory_of(account(), device(1), device(2), number(1, extension="0001"), line(1, number_id=1)).draft()
    draft.put(line(2, device_id=2, number_id=1))
    assert [breach.message for breach in find_breaches(draft, VENDORS)] == [
        "the number is logged in on another line already: by line 1 of 00:15:65:12:34:56"
    ]


TWICE: dict[str, tuple[Entity, Entity]] = {
    "account.name": (account(1, name="acme"), account(2, name="ACME")),
    "account.domain": (account(1), account(2, sip_domain="acme.test")),
    "location.name": (location(1, name="HQ"), location(2, name="hq")),
    "station_type.name": (
        StationType(id=1, account_id=1, name="Premium"),
        StationType(id=2, account_id=1, name="premium"),
    ),
    "user.username": (user(1, username="jane"), user(2, username="JANE")),
    "number.number": (number(1, number="+12125550101"), number(2, number="+12125550101")),
    "number.main": (number(1, is_main=True), number(2, is_main=True)),
    "system.name": (DectSystem(id=1, account_id=1, name="DECT"), DectSystem(id=2, account_id=1, name="dect")),
    "device.mac": (device(1), device(2, mac="001565123456")),
    "device.ipei": (
        device(1, type=DeviceType.DECT_HANDSET, mac=None, ipei="065850047939"),
        device(2, type=DeviceType.DECT_HANDSET, mac=None, ipei="065850047939"),
    ),
    "device.phone_id": (device(1), device(2, phone_id="100001")),
    "line.place": (line(1), line(2)),
    "line.number": (line(1, number_id=1), line(2, index=2, number_id=1)),
    "extension": (user(1, extension="2001"), user(2, extension="2001")),
}


@pytest.mark.parametrize("key", sorted(UNIQUE))
def test_whatever_is_unique_is_refused_twice_with_a_remedy(key: str) -> None:
    one, two = TWICE[key]
    draft = inventory_of(one).draft()
    draft.put(two)
    [breach] = find_duplicates(draft)
    assert (breach.entity, breach.is_conflict) == (two, True)
    assert all((breach.rule, breach.remedy, breach.field))

"""What an address must have to be sent to, and its standard spelling."""

from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offhook.inventory.address import CivicAddress
from offhook.inventory.emergency.countries import (
    SharedBuildings,
    check_address,
    check_inside,
    clean,
    is_post_office_box,
    judge_address,
    normalise,
)

EMPIRE = CivicAddress(
    country="US",
    state="NY",
    city="New York",
    house_number="350",
    street="Fifth",
    suffix="Ave",
    postal_code="10118",
    floor="21",
)
OTTAWA = CivicAddress(
    country="CA", state="ON", city="Ottawa", house_number="111", street="Wellington", suffix="St", postal_code="K1A 0A9"
)


def faulty(address: CivicAddress) -> list[str]:
    return [fault.element for fault in check_address(address)]


def test_a_good_address_has_no_faults_and_is_normal() -> None:
    for address in (EMPIRE, OTTAWA):
        assert faulty(address) == []
        assert normalise(address) == address


def test_what_is_remembered_of_an_address_is_what_is_found() -> None:
    for address in (EMPIRE, replace(EMPIRE, house_number=""), EMPIRE, replace(EMPIRE, street="PO Box 5")):
        assert judge_address(address) == tuple(check_address(address))


def test_every_missing_element_is_named_with_its_remedy() -> None:
    faults = check_address(CivicAddress(country="US"))
    assert [fault.element for fault in faults] == ["state", "city", "house_number", "street", "postal_code"]
    assert str(faults[-1]) == "the ZIP code is missing: add the ZIP code"
    assert "province" in check_address(CivicAddress(country="CA"))[0].message


@pytest.mark.parametrize(
    ("changes", "element"),
    [
        ({"state": "ON"}, "state"),
        ({"state": "AE"}, "state"),
        ({"postal_code": "1011"}, "postal_code"),
        ({"pre_directional": "Up"}, "pre_directional"),
        ({"post_directional": "NS"}, "post_directional"),
        ({"suffix": "Strasse"}, "suffix"),
        ({"house_number": "350-360"}, "house_number"),
        ({"house_number": "Three"}, "house_number"),
        ({"house_suffix": "0/0"}, "house_suffix"),
        ({"street": "P.O. Box 12"}, "street"),
        ({"location_text": "PO BOX 7"}, "location_text"),
        ({"floor": "2\n1"}, "floor"),
        ({"city": "x" * 256}, "city"),
        ({"city": "é" * 128}, "city"),
        ({"country": "USA"}, "country"),
        ({"country": ""}, "country"),
    ],
)
def test_one_thing_wrong_is_one_fault(changes: dict[str, str], element: str) -> None:
    assert faulty(replace(EMPIRE, **changes)) == [element]


def test_spelling_is_forgiven_and_made_standard() -> None:
    typed = CivicAddress(
        country="us",
        state=" new york ",
        city="New  York",
        house_number="350 1/2",
        pre_directional="North",
        street="Fifth",
        suffix="avenue",
        post_directional="s.w.",
        postal_code="101180001",
    )
    assert faulty(typed) == []
    assert normalise(typed) == CivicAddress(
        country="US",
        state="NY",
        city="New York",
        house_number="350",
        house_suffix="1/2",
        pre_directional="N",
        street="Fifth",
        suffix="Ave",
        post_directional="SW",
        postal_code="10118-0001",
    )


def test_a_house_number_given_twice_is_not_overwritten() -> None:
    given_twice = replace(EMPIRE, house_number="350A", house_suffix="B")
    assert normalise(given_twice) == given_twice
    assert faulty(given_twice) == ["house_number"]


def test_possessions_with_a_country_code_are_states() -> None:
    address = replace(EMPIRE, country="PR", state="", city="San Juan", postal_code="00901")
    assert (normalise(address).country, normalise(address).state) == ("US", "PR")
    assert faulty(address) == []


def test_elsewhere_only_the_form_is_known() -> None:
    assert faulty(CivicAddress(country="DE", city="Berlin", street="Unter den Linden", house_number="77")) == []
    assert faulty(CivicAddress(country="DE", city="Berlin", landmark="Brandenburger Tor")) == []
    assert faulty(CivicAddress(country="DE")) == ["city", "street"]
    assert faulty(CivicAddress(country="DE", city="Berlin")) == ["street"]
    assert faulty(CivicAddress(country="XX", city="X", street="Y")) == ["country"]
    assert faulty(CivicAddress(country="DE", city="Ber\x00lin")) == ["city"]


@pytest.mark.parametrize(
    "text",
    ["PO Box 12", "p.o. box 1", "P. O. Box 1", "Post Office Box 9", "POB 1", "RR 2 Box 7", "Case postale 4"],
)  # fmt: skip
def test_post_office_boxes(text: str) -> None:
    assert is_post_office_box(text)


def test_general_delivery_is_no_place_either() -> None:
    assert is_post_office_box("General Delivery")


@pytest.mark.parametrize("text", ["12 Box Hill Rd", "1 Poe Box St", "Post St", "RR 2", "12 Post Office Sq"])
def test_no_post_office_boxes(text: str) -> None:
    assert not is_post_office_box(text)


def test_inside_a_building_known_to_be_large() -> None:
    lobby = replace(EMPIRE, floor="")
    assert [fault.element for fault in check_inside(lobby, is_multi_floor=True)] == ["floor"]
    assert [fault.element for fault in check_inside(EMPIRE, is_multi_unit=True)] == ["unit"]
    assert check_inside(replace(EMPIRE, unit="Ste 1"), is_multi_unit=True, is_multi_floor=True) == []
    assert check_inside(lobby) == []


def test_an_address_in_use_tells_that_its_building_has_several_floors() -> None:
    shared = SharedBuildings([EMPIRE])
    shared.add([replace(OTTAWA, unit="Unit 4")])
    assert [fault.element for fault in shared.check(replace(EMPIRE, floor="", city="NEW YORK"))] == ["floor"]
    assert [fault.element for fault in shared.check(OTTAWA)] == ["unit"]
    assert shared.check(EMPIRE) == []
    assert shared.check(replace(EMPIRE, floor="", house_number="352")) == []


addresses = st.builds(
    CivicAddress,
    country=st.sampled_from(["US", "CA", "us", "PR", "DE", "", "x"]),
    **{field.name: st.text(max_size=12) for field in fields(CivicAddress) if field.name != "country"},
)


@given(addresses)
@settings(max_examples=100, deadline=None)
def test_normalising_twice_is_normalising_once(address: CivicAddress) -> None:
    once = normalise(address)
    assert normalise(once) == once
    check_address(address)


@given(st.text(max_size=40))
@settings(deadline=None)
def test_clean_text_is_one_line_and_stays_so(text: str) -> None:
    cleaned = clean(text)
    assert cleaned == clean(cleaned)
    assert cleaned.isprintable()

"""Addresses as they are sent: by elements or in one line, and what is said of those that cannot be taken."""

from dataclasses import replace
from typing import Any

import pytest
from tests.support.validator import RENO

from offhook.admin.api.addresses import (
    AddressInput,
    Entered,
    offer,
    read_input,
    refuse_unclear,
    refuse_verdict,
    view_address,
)
from offhook.errors import AddressRefused, AddressUnclear, Invalid
from offhook.inventory.address import AddressState, CheckedBy, EmergencyAddress
from offhook.inventory.emergency.parse import parse_address
from offhook.inventory.emergency.validator import Check, Corrected, Refused

ELEMENTS = {**RENO.elements(), "suffix": "Street", "state": "Nevada"}


def test_elements_are_taken_in_standard_spelling() -> None:
    assert read_input(AddressInput.model_validate(ELEMENTS)) == Entered(RENO)


def test_one_line_is_read_and_kept() -> None:
    text = "1 Main Street, Reno, NV 89501"
    assert read_input(AddressInput(text=text)) == Entered(RENO, text)
    assert read_input(AddressInput(text="1 Main St, Banff, AB T1L 1A1", country="CA")).civic.country == "CA"


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["country"]),
        ({"text": "1 Main St, Reno, NV 89501", "floor": "2"}, ["text"]),
        ({**ELEMENTS, "suffix": "Strasse", "pre_directional": "up"}, ["pre_directional", "suffix"]),
        ({**ELEMENTS, "street": "PO Box 12"}, ["street"]),
        ({"country": "US"}, ["state", "city", "house_number", "street", "postal_code"]),
    ],
)
def test_what_breaks_a_rule_names_its_elements(body: dict[str, Any], fields: list[str]) -> None:
    with pytest.raises(Invalid) as caught:
        read_input(AddressInput.model_validate(body))
    assert caught.value.field == fields[0]
    assert caught.value.rule
    assert caught.value.remedy
    assert [fault.path for fault in caught.value.faults] in ([], fields)


def test_a_text_with_several_readings_is_asked_about_with_the_readings() -> None:
    with pytest.raises(AddressUnclear) as caught:
        read_input(AddressInput(text="12 Avenue B, New York, NY 10009"))
    error = caught.value
    assert "Avenue" in error.message
    assert "choose one of the alternatives" in error.remedy
    assert len(error.alternatives) > 1
    for choice in error.alternatives:
        assert read_input(AddressInput.model_validate(dict(choice.elements))).civic.street in (
            "B",
            "Avenue B",
            "Avenue",
        )


def test_a_text_that_lacks_something_is_asked_to_be_completed() -> None:
    with pytest.raises(AddressUnclear) as caught:
        refuse_unclear(parse_address("1 Main St, Reno"))
    assert "complete it" in caught.value.remedy
    assert caught.value.alternatives == ()
    refuse_unclear(parse_address("1 Main St, Reno, NV 89501"))


def test_a_refusal_names_what_to_check_by_element() -> None:
    with pytest.raises(AddressRefused) as caught:
        refuse_verdict(Refused(RENO, (Check.DIRECTIONAL, Check.SUFFIX, Check.UNIT), "no such street"))
    error = caught.value
    assert (error.message, error.remedy) == ("no such street", "check the directional, suffix, unit")
    assert [fault.path for fault in error.faults] == ["pre_directional", "suffix", "unit"]
    with pytest.raises(AddressRefused, match="was not found") as caught:
        refuse_verdict(Refused(RENO))
    assert caught.value.remedy == "check every part of it"


def test_a_correction_is_offered_and_not_taken() -> None:
    meant = replace(RENO, suffix="Ave")
    with pytest.raises(AddressRefused, match="1 Main Ave, Reno") as caught:
        refuse_verdict(Corrected(RENO, (meant,)))
    assert caught.value.alternatives == (offer(meant),)
    assert dict(caught.value.alternatives[0].elements) == meant.elements()


def test_the_view_tells_what_is_entered_and_what_is_in_force_by_whom() -> None:
    assert view_address(None) is None
    address = EmergencyAddress(
        entered=replace(RENO, house_number="9"),
        state=AddressState.REJECTED,
        in_force=RENO,
        message="no such number",
        in_force_at=0.0,
        in_force_by=CheckedBy.HTTP,
    )
    view = view_address(address)
    assert view is not None
    assert (view.state, view.text, view.in_force_text) == (
        "rejected",
        "9 Main St, Reno, NV 89501",
        "1 Main St, Reno, NV 89501",
    )
    assert (view.in_force_at, view.in_force_by, view.checked_at) == ("1970-01-01T00:00:00.000Z", "http", None)

"""Addresses in a document: drafts, faults with their lines, and warnings where a floor is wanted."""

import pytest
from tests.support.workbench import JANE, Workbench

from offhook.errors import Invalid
from offhook.inventory.address import AddressState
from offhook.inventory.apply_addresses import RULE
from offhook.inventory.models import Location
from offhook.inventory.parts import apply_part
from offhook.yamldoc import Value

HERE = "country: US, state: New York, city: New York, house_number: '350', street: Fifth, suffix: Avenue"


def site(locations: str, rest: str = "") -> str:
    return f"accounts:\n- name: acme\n  sip_domain: acme.test\n  locations:\n{locations}\n{rest}"


async def test_an_address_is_entered_as_a_draft_in_standard_spelling_and_twice_is_once() -> None:
    bench = Workbench()
    document = site(f"  - {{name: HQ, address: {{{HERE}, postal_code: 10118}}}}")
    assert (await bench.apply(document)).warnings == ()
    [location] = bench.inventory.all(Location)
    assert location.address is not None
    assert (location.address.state, location.address.in_force) == (AddressState.DRAFT, None)
    assert (location.address.entered.state, location.address.entered.suffix) == ("NY", "Ave")
    assert (await bench.apply(document)).differences == ()


async def test_what_breaks_the_form_of_its_country_is_a_fault_with_its_line() -> None:
    locations = f"""\
  - name: HQ
    address: {{{HERE}, postal_code: 1011}}
  - name: Depot
    address:
      country: CA
      state: Ontari
      city: Toronto
      house_number: "1"
      street: PO Box 7
      postal_code: M5V 2T6"""
    users = "  users:\n  - {username: kim, offsite_address: {country: US, state: NY}}"
    devices = "  devices:\n  - {mac: 001565000001, type: deskphone, address: {country: FR}}"
    faults = await Workbench().faults(site(locations, f"{users}\n{devices}"))
    assert faults == [
        "6: '1011' is no ZIP code; use 5 or 9 digits, such as 10118",
        "10: there is no province 'Ontari'; use the two letters of the province",
        "13: a post office box is no place to send help to; give the street address",
        "16: the city is missing; add the city",
        "16: the house number is missing; add the house number",
        "16: the street is missing; add the street",
        "16: the ZIP code is missing; add the ZIP code",
        "18: the city is missing; name city, street and house number",
        "18: nothing says where in the city it is; name street and house number",
    ]


async def test_where_others_name_a_floor_one_without_is_warned_about() -> None:
    bench = Workbench()
    upstairs = f"  - {{name: Upstairs, address: {{{HERE}, postal_code: 10118, floor: 21}}}}"
    plan = await bench.apply(site(upstairs + f"\n  - {{name: Lobby, address: {{{HERE}, postal_code: 10118}}}}"))
    assert [(fault.line, fault.path) for fault in plan.warnings] == [(6, "accounts[0].locations[1].address")]
    assert "add the floor, the unit or the room" in plan.warnings[0].message
    again = await bench.apply(site(f"  - {{name: Annex, address: {{{HERE}, postal_code: 10118}}}}"))
    assert [fault.path for fault in again.warnings] == ["accounts[0].locations[0].address"]


async def test_a_part_of_the_api_names_the_element() -> None:
    bench = Workbench()
    await bench.apply("accounts: [{name: acme, sip_domain: acme.test}]")
    part: dict[str, Value] = {
        "name": "HQ",
        "address": {"country": "US", "state": "NY", "city": "Albany", "house_number": "1"},
    }
    with pytest.raises(Invalid) as caught:
        await bench.service.change(lambda editor: apply_part(editor, "acme", "locations", part), JANE)
    assert [(fault.path, fault.rule) for fault in caught.value.faults] == [
        ("address.street", RULE),
        ("address.postal_code", RULE),
    ]
    assert bench.inventory.count(Location) == 0

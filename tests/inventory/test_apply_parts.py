"""Accounts, locations, users and numbers in a document."""

import pytest
from tests.inventory.test_apply import JANE, site
from tests.support.workbench import K2, Workbench

from offhook.inventory.address import AddressState
from offhook.inventory.models import Location, NumberStatus


async def test_a_user_without_an_extension_gets_the_last_four_digits_of_the_number() -> None:
    bench = Workbench()
    document = site(users="{username: jane}", numbers='{number: "+1 212 555 0101", user: jane}')
    await bench.apply(document)
    assert bench.user("jane").extension == "0101"
    await bench.apply(site(users='{username: jane, extension: "4711"}'))
    await bench.apply(document)
    assert bench.user("jane").extension == "4711"


async def test_a_default_extension_that_is_taken_is_refused() -> None:
    [fault] = await Workbench().faults(
        site(
            users='{username: jane}, {username: kim, extension: "0101"}', numbers='{number: "+12125550101", user: jane}'
        )
    )
    assert "the extension 0101 is taken" in fault


async def test_a_user_with_a_phone_needs_an_extension() -> None:
    [fault] = await Workbench().faults(
        site(users="{username: jane}", devices="{type: deskphone, mac: 001565000001, user: jane}")
    )
    assert "user jane has no extension: give the user one, or a number" in fault


async def test_the_extension_of_a_user_with_a_phone_is_not_cleared() -> None:
    bench = Workbench()
    await bench.apply(site(users=JANE, devices="{type: deskphone, mac: 001565000001, user: jane}"))
    [fault] = await bench.faults(site(users="{username: jane, extension: null}"))
    assert "user jane has no extension" in fault


async def test_the_plan_of_a_user_with_a_phone_does_not_become_basic() -> None:
    bench = Workbench()
    await bench.apply(site(users=JANE, devices="{type: deskphone, mac: 001565000001, user: jane}"))
    [fault] = await bench.faults(site(users="{username: jane, plan: basic}"))
    assert "plan basic, which allows no physical phone" in fault


async def test_a_basic_user_may_have_a_softphone() -> None:
    await Workbench().apply(
        site(
            users='{username: jane, plan: basic, extension: "2001"}', devices="{type: softphone, name: PC, user: jane}"
        )
    )


@pytest.mark.parametrize(
    ("lists", "message"),
    [
        ({"users": f"{JANE}, {JANE}"}, "user jane is stated twice, first in line 1"),
        ({"users": f'{JANE}, {{username: kim, extension: "2001"}}'}, "the extension 2001 is taken: by user jane"),
        ({"users": JANE, "numbers": '{number: "+12125552001"}'}, "the extension 2001 is taken: by user jane"),
        ({"numbers": '{number: "+12125552001", user: kim}'}, "there is no user 'kim'"),
        ({"users": "{username: jane, location: HQ}"}, "account acme has no location 'HQ'; add it under locations"),
    ],
)
async def test_contradictions_are_named(lists: dict[str, str], message: str) -> None:
    [fault] = await Workbench().faults(site(**lists))
    assert message in fault


async def test_a_user_name_is_unique_in_the_daemon() -> None:
    bench = Workbench()
    await bench.apply(site(users=JANE))
    assert await bench.faults("accounts: [{name: globex, sip_domain: globex.test, users: [{username: JANE}]}]") == [
        "1: user jane belongs to account acme"
    ]


async def test_a_domain_belongs_to_one_account_even_after_it_was_left() -> None:
    bench = Workbench()
    await bench.apply(site())
    await bench.apply("accounts: [{name: acme, sip_domain: new.test}]")
    [fault] = await bench.faults("accounts: [{name: globex, sip_domain: ACME.test}]")
    assert "the SIP domain acme.test belongs to another account already: by account acme" in fault


async def test_an_edited_address_is_a_draft_and_an_equal_one_is_left_alone() -> None:
    bench = Workbench()
    await bench.apply(K2)
    [location] = bench.inventory.all(Location)
    assert location.address is not None
    assert location.address.state is AddressState.DRAFT
    assert (await bench.plan(K2)).differences == ()
    plan = await bench.plan(K2.replace('"350"', '"351"'))
    assert [difference.key for difference in plan.differences] == ["location HQ"]


async def test_everything_about_a_number_is_taken_over() -> None:
    bench = Workbench()
    await bench.apply(
        site(
            numbers='{number: "+12125550101", status: reserved, main: true, station_type: premium, extension: null,'
            " display_name: {first: Front, last: Desk}}"
        )
    )
    number = bench.inventory.find_number("+12125550101")
    assert number is not None
    assert (number.status, number.is_main, number.station_type) == (NumberStatus.RESERVED, True, "premium")
    assert (number.display_name, number.extension) == ("Front Desk", None)
    await bench.apply(site(numbers='{number: "+12125550101", display_name: null}'))
    number = bench.inventory.find_number("+12125550101")
    assert number is not None
    assert number.display_name == ""

"""Accounts, locations, users and numbers in a document."""

import pytest
from tests.inventory.test_apply import JANE, site
from tests.support.workbench import K2, Workbench

from offhook.errors import DocumentError
from offhook.inventory.address import AddressState
from offhook.inventory.models import Features, Location, NumberStatus, StationType


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
    assert "user jane has no extension; give the user one, or a number" in fault


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
        "1: user jane belongs to account acme; delete it there first"
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
            " display_name: {first: Front, last: Desk}}",
            station_types="{name: Premium, features: [voicemail]}",
        )
    )
    number = bench.inventory.find_number("+12125550101")
    assert number is not None
    assert (number.status, number.is_main) == (NumberStatus.RESERVED, True)
    [premium] = bench.inventory.all(StationType)
    assert (number.station_type_id, premium.features) == (premium.id, ("voicemail",))
    assert (number.display_name, number.extension) == ("Front Desk", None)
    await bench.apply(site(numbers='{number: "+12125550101", display_name: null}'))
    number = bench.inventory.find_number("+12125550101")
    assert number is not None
    assert number.display_name == ""


# -- numbers: state, station type and features ----------------------------------------------------------------------

PREMIUM = "{name: Premium, features: [voicemail, voicemail_to_email, forward_busy, forward_no_answer]}"
MAILED = '{number: "+12125550101", user: jane, features: {voicemail: true, voicemail_to_email: true}}'
MAILING_JANE = '{username: jane, extension: "2001", email: jane@acme.test}'


@pytest.mark.parametrize(
    ("part", "path", "message"),
    [
        (
            "features: {forward_always: 2001}, station_type: Premium",
            "features.forward_always",
            "station type Premium does not allow forward_always; "
            "clear it, allow it in the station type, or choose another station type",
        ),
        (
            "features: {forward_busy: 2001}",
            "features.forward_busy",
            "forwarding on busy and call waiting exclude each other; turn call_waiting off, or clear forward_busy",
        ),
        (
            "features: {caller_identity: '+12125550199'}",
            "features.caller_identity",
            "+12125550199 is no number of the account, and the caller identity is an active number of the same "
            "location; choose another number, or clear caller_identity",
        ),
        (
            "user: jane, status: reserved",
            "user",
            "number +12125550101 is reserved: only active numbers that are not the main number can be acted on; "
            "set it to active first",
        ),
    ],
)
async def test_a_number_at_fault_is_told_with_place_rule_and_remedy(part: str, path: str, message: str) -> None:
    document = site(users=JANE, station_types=PREMIUM, numbers=f"{{number: '+12125550101', {part}}}")
    with pytest.raises(DocumentError) as refusal:
        await Workbench().apply(document)
    [fault] = refusal.value.faults
    assert (fault.path, f"{fault.message}; {fault.remedy}") == (f"accounts[0].numbers[0].{path}", message)
    assert fault.rule
    assert not fault.is_conflict


async def test_a_station_type_in_use_is_not_pruned() -> None:
    bench = Workbench()
    await bench.apply(site(station_types=PREMIUM, numbers='{number: "+12125550101", station_type: Premium}'))
    assert await bench.faults(site(numbers='{number: "+12125550101"}'), prune=True) == [
        "1: station type Premium is used by number +12125550101, so it cannot be deleted; give them another one first"
    ]
    await bench.apply(site(numbers='{number: "+12125550101", station_type: null}'), prune=True, yes=True)
    assert bench.inventory.count(StationType) == 0


async def test_what_a_faulty_part_may_have_is_not_held_against_a_forwarding() -> None:
    numbers = '{number: "+12125550101", features: {forward_always: "2001", caller_identity: "+12125550102"}}'
    assert await Workbench().faults(site(users='{username: jane, extension: "2001", plan: gold}', numbers=numbers)) == [
        "1: wants one of 'pro', 'plus' or 'basic', not 'gold'"
    ]


async def test_a_number_that_is_unassigned_sends_no_voicemail_to_who_had_it() -> None:
    bench = Workbench()
    await bench.apply(site(users=MAILING_JANE, numbers=MAILED))
    await bench.apply(site(numbers='{number: "+12125550101", user: null}'))
    number = bench.inventory.find_number("+12125550101")
    assert number is not None
    assert number.features == Features(voicemail=True)
    [fault] = await bench.faults(site(numbers='{number: "+12125550101", features: {voicemail_to_email: true}}'))
    assert "is assigned to nobody" in fault
    both = '{number: "+12125550101", user: null, features: {voicemail: true, voicemail_to_email: true}}'
    assert len(await bench.faults(site(numbers=both))) == 1


async def test_a_display_name_leaves_the_assignment_alone() -> None:
    bench = Workbench()
    await bench.apply(site(users=MAILING_JANE, numbers=MAILED))
    await bench.apply(site(numbers='{number: "+12125550101", display_name: {first: Front, last: Desk}}'))
    number = bench.inventory.find_number("+12125550101")
    assert number is not None
    assert (number.display_name, number.user_id) == ("Front Desk", bench.user("jane").id)
    assert number.features.voicemail_to_email


async def test_users_swap_extensions_that_numbers_forward_to() -> None:
    users = '{{username: jane, extension: "{}"}}, {{username: kim, extension: "{}"}}'
    bench = Workbench()
    number = '{number: "+12125550101", features: {forward_always: "2001"}}'
    await bench.apply(site(users=users.format(2001, 2002), numbers=number))
    await bench.apply(site(users=users.format(2002, 2001)))
    [fault] = await bench.faults(site(users=users.format(2002, 2003)))
    assert fault == (
        "1: extension 2001 is where number +12125550101 would forward to, so it cannot be taken away; "
        "forward elsewhere first"
    )

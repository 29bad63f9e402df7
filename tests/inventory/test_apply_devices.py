"""Devices and lines in a document: what identifies them, what they refer to, what may not be."""

import pytest
from tests.inventory.test_apply import JANE, ROBIN, site
from tests.support.workbench import K2, Workbench, devices_of_type

from offhook.inventory.models import DeviceType

BASE = "type: dect_base, mac: 000413000001"
HANDSET = 'type: dect_handset, ipei: "0658500479393"'


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ("{type: deskphone}", "a device is known by its mac, a handset by its ipei, a softphone by its name"),
        ("{type: deskphone, name: Desk}", "a deskphone needs its MAC; copy it from the label"),
        ("{mac: 001565000001}", "a new device needs a type; state one of deskphone"),
        ("{type: dect_handset, name: H}", "a DECT handset needs its IPEI"),
        (f"{{{HANDSET}, mac: 001565000001}}", "a DECT handset has an IPEI and no MAC"),
        (f"{{{HANDSET}, location: HQ}}", "a handset has the location of its base; leave it out"),
        (
            f"{{{HANDSET}, address: {{country: FR, city: P, street: R}}}}",
            "a handset has the emergency address of its base",
        ),
        (f"{{{HANDSET}, base: 001565999999}}", "there is no base '001565999999'"),
        (f"{{{HANDSET}, lines: [{{index: 2}}]}}", "a handset has one line, with index 1"),
        (f"{{{HANDSET}, role: member}}", "only DECT bases belong to a DECT system"),
        ('{type: deskphone, mac: 001565000001, ipei: "0658500479393"}', "only DECT handsets have an IPEI"),
        ("{type: softphone, name: Laptop, mac: 001565000001}", "a softphone has no MAC; leave it out"),
        (f"{{{BASE}, user: jane}}", "a DECT base has no lines of its own; give them to its handsets"),
        (f"{{{BASE}, system: Nothing}}", "there is no DECT system 'Nothing'; add it under dect_systems"),
        ("{type: ata, mac: 001565000001, user: jane, lines: [{index: 1, user: robin}]}", "line 1 is assigned twice"),
        ("{type: ata, mac: 001565000001, lines: [{index: 1}, {index: 1}]}", "line 1 is stated twice"),
        (
            '{type: ata, mac: 001565000001, lines: [{index: 1, user: jane, extension: "2099"}]}',
            "a line has one assignment: a user, a number, or an extension of its own",
        ),
        (
            '{type: ata, mac: 001565000001, lines: [{index: 1, number: "+12125550000"}]}',
            "there is no number +12125550000; add it under numbers of account acme",
        ),
        (
            '{type: dect_handset, ipei: "0658500479394"}',
            "IPEI '0658500479394' has check digit 4, but 3 is expected; one of the digits was misread",
        ),
    ],
)
async def test_what_may_not_be_is_refused_with_the_reason(device: str, message: str) -> None:
    faults = await Workbench().faults(site(locations="{name: HQ}", users=f"{JANE}, {ROBIN}", devices=device))
    assert len(faults) == 1
    assert message in faults[0]


async def test_a_device_of_another_account_is_not_taken() -> None:
    bench = Workbench()
    await bench.apply(K2)
    document = "accounts: [{name: globex, sip_domain: globex.test, devices: [{type: deskphone, mac: 001565123456}]}]"
    assert await bench.faults(document) == [
        "1: Reception (00:15:65:12:34:56) belongs to account acme; delete it there first"
    ]


async def test_a_user_of_another_account_is_not_assigned() -> None:
    bench = Workbench()
    await bench.apply(K2)
    device = "{type: deskphone, mac: 001565000009, user: jsmith}"
    [fault] = await bench.faults(
        f"accounts: [{{name: globex, sip_domain: globex.test, devices: [{device}]}}]", confirm_moves=True
    )
    assert "user jsmith belongs to another account" in fault


async def test_the_vendor_is_told_by_the_mac_unless_it_is_stated() -> None:
    bench = Workbench()
    document = site(
        devices="{type: deskphone, mac: 001565000001}, {type: deskphone, mac: 001565000002, vendor: Snom},"
        " {type: deskphone, mac: 001565000003, vendor: null}"
    )
    plan = await bench.apply(document)
    vendors = [device.vendor for device in devices_of_type(bench.inventory, DeviceType.DESKPHONE)]
    assert vendors == ["yealink", "snom", None]
    assert [warning.message for warning in plan.warnings] == ["00:15:65:00:00:03: there are no templates for None"]
    assert (await bench.plan(document)).differences == ()


async def test_a_base_is_named_by_mac_or_by_its_name() -> None:
    bench = Workbench()
    await bench.apply(site(devices=f"{{{HANDSET}, base: Floor 2}}, {{{BASE}, name: Floor 2}}"))
    [handset] = devices_of_type(bench.inventory, DeviceType.DECT_HANDSET)
    assert handset.base_id == bench.phone("000413000001").id


async def test_a_name_that_two_bases_share_asks_for_the_mac() -> None:
    bases = f"{{{BASE}, name: Hall}}, {{type: dect_base, mac: 000413000002, name: Hall}}"
    [fault] = await Workbench().faults(site(devices=f"{bases}, {{{HANDSET}, base: Hall}}"))
    assert "2 devices are called 'Hall'; name the base by its MAC" in fault


async def test_a_handset_is_not_paired_with_a_desk_phone() -> None:
    faults = await Workbench().faults(
        site(devices=f"{{type: deskphone, mac: 001565000001, name: Desk}}, {{{HANDSET}, base: Desk}}")
    )
    assert len(faults) == 1
    assert "Desk (00:15:65:00:00:01) is a deskphone, not a DECT base" in faults[0]


async def test_the_master_of_a_system_carries_the_lines_of_all_its_handsets() -> None:
    bench = Workbench()
    await bench.apply(
        site(
            dect_systems="{name: Plant}",
            users=f"{JANE}, {ROBIN}",
            devices="{type: dect_base, mac: 000413000001, system: Plant, role: member},"
            " {type: dect_base, mac: 000413000002, system: Plant, role: master},"
            ' {type: dect_handset, ipei: "065850047939", base: 000413000001, user: jane},'
            ' {type: dect_handset, ipei: "002020807544", base: 000413000002, user: robin}',
        )
    )
    member, master = bench.phone("000413000001"), bench.phone("000413000002")
    carried = bench.inventory.carried_devices(master)
    assert [device.ipei for device in carried] == [None, "065850047939", "002020807544"]
    assert [device.slot for device in carried] == [None, 1, 2]
    assert bench.inventory.carried_devices(member) == (member,)
    assert all(bench.inventory.carrier_of(handset) == master for handset in carried[1:])


async def test_without_its_master_each_base_carries_its_own_handsets() -> None:
    bench = Workbench()
    await bench.apply(
        site(
            dect_systems="{name: Plant}",
            devices=f"{{{BASE}, system: Plant, role: member}}, {{{HANDSET}, base: 000413000001}}",
        )
    )
    member = bench.phone("000413000001")
    [handset] = bench.inventory.handsets_of(member.id)
    assert bench.inventory.carrier_of(handset) == member
    assert bench.inventory.carried_devices(member) == (member, handset)


@pytest.mark.parametrize(
    ("roles", "message"),
    [
        (("master", "master"), "a DECT system has one base that is single or master"),
        (("single", "member"), "the DECT system has 2 bases, so this one is master or member, not single"),
    ],
)
async def test_a_system_has_one_leader_and_a_single_base_stands_alone(roles: tuple[str, str], message: str) -> None:
    devices = ", ".join(
        f"{{type: dect_base, mac: {0x000413000001 + i:012x}, system: Plant, role: {role}}}"
        for i, role in enumerate(roles)
    )
    faults = await Workbench().faults(site(dect_systems="{name: Plant}", devices=devices))
    assert any(message in fault for fault in faults)


async def test_a_handset_keeps_its_slot_and_gets_another_under_another_carrier() -> None:
    bench = Workbench()
    other = "{type: dect_base, mac: 000413000002}"
    second = 'type: dect_handset, ipei: "002020807544"'
    await bench.apply(
        site(devices=f"{{{BASE}}}, {other}, {{{HANDSET}, base: 000413000001}}, {{{second}, base: 000413000001}}")
    )
    await bench.apply(site(devices=f"{{{HANDSET}, base: 000413000002}}"))
    assert (bench.phone("065850047939").slot, bench.phone("002020807544").slot) == (1, 2)
    await bench.apply(site(devices=f"{{{second}, base: 000413000002}}"))
    assert (bench.phone("065850047939").slot, bench.phone("002020807544").slot) == (1, 2)
    await bench.apply(site(devices=f"{{{HANDSET}, base: 000413000001}}"))
    await bench.apply(site(devices=f"{{{second}, base: 000413000001}}"))
    assert (bench.phone("065850047939").slot, bench.phone("002020807544").slot) == (1, 2)
    await bench.apply(site(devices=f"{{{HANDSET}, base: null}}"))
    assert bench.phone("065850047939").slot is None


async def test_the_type_of_a_device_does_not_change() -> None:
    bench = Workbench()
    await bench.apply(site(devices="{type: deskphone, mac: 001565000001}"))
    [fault] = await bench.faults(site(devices="{type: ata, mac: 001565000001}"))
    assert "is a deskphone; a device's type does not change; delete it and add it anew" in fault


async def test_a_line_whose_user_is_cleared_keeps_an_extension_of_its_own() -> None:
    bench = Workbench()
    await bench.apply(K2)
    await bench.apply(
        'accounts: [{name: acme, devices: [{mac: "ec:74:d7:00:00:01", user: null, lines: [{index: 2, number: null}]}]}]'
    )
    [ata] = devices_of_type(bench.inventory, DeviceType.ATA)
    assert [line.extension for line in bench.inventory.lines_of(ata.id)] == ["2090", "2091"]


async def test_a_new_assignment_takes_the_place_of_the_old() -> None:
    bench = Workbench()
    await bench.apply(K2)
    await bench.apply(
        'accounts: [{name: acme, devices: [{mac: 001565123456, lines: [{index: 1, extension: "2050"}]}]}]'
    )
    [line] = bench.inventory.lines_of(bench.phone("001565123456").id)
    assert (line.user_id, line.extension) == (None, "2050")


async def test_an_idle_phone_has_a_service_address() -> None:
    bench = Workbench()
    await bench.apply(site(devices="{type: deskphone, mac: 001565000001}"))
    phone = bench.phone("001565000001")
    [line] = bench.inventory.lines_of(phone.id)
    assert bench.inventory.address_of_record(line) == f"sip:dev-{phone.phone_id}@acme.test"
    assert bench.inventory.active_credential(line.id) is not None


async def test_two_softphones_of_an_account_do_not_share_a_name() -> None:
    bench = Workbench()
    await bench.apply(site(devices="{type: softphone, name: Laptop}, {type: softphone, name: Tablet}"))
    [fault] = await bench.faults(site(devices="{name: Laptop}, {name: LAPTOP}"))
    assert "is stated twice, first in line 1" in fault

"""Handsets change bases, bases change systems and roles, and one base leads."""

import pytest
from tests.support.workbench import Workbench

from offhook.errors import Conflict, Invalid
from offhook.inventory.models import BaseRole, Carrier, DectSystem, Device
from offhook.inventory.pairing import move_base, pair, set_role, unpair

MASTER, MEMBER, LONE, HANDSET, PHONE = (
    "000413000001", "000413000002", "000413000003", "065850047939", "001565000001"
)  # fmt: skip
DOCUMENT = f"""
accounts:
  - name: acme
    sip_domain: acme.test
    dect_systems: [{{name: Plant}}, {{name: Mill}}]
    users: [{{username: jane, extension: "2001"}}]
    locations: [{{name: HQ}}]
    devices:
      - {{type: dect_base, mac: {MASTER}, system: Plant, role: master, name: Master, location: HQ}}
      - {{type: dect_base, mac: {MEMBER}, system: Plant, role: member, name: Member}}
      - {{type: dect_base, mac: {LONE}, name: Lone}}
      - {{type: dect_handset, ipei: "{HANDSET}", base: Member, user: jane}}
      - {{type: deskphone, mac: {PHONE}, name: Desk}}
"""


@pytest.fixture
async def bench() -> Workbench:
    bench = Workbench()
    await bench.apply(DOCUMENT)
    return bench


def system(bench: Workbench, name: str) -> DectSystem:
    return next(system for system in bench.inventory.all(DectSystem) if system.name == name)


def roles(bench: Workbench, name: str) -> dict[str | None, BaseRole | None]:
    return {base.name: base.role for base in bench.inventory.bases_of(system(bench, name).id)}


def carrier(bench: Workbench) -> Device | None:
    return bench.inventory.carrier_of(bench.phone(HANDSET))


async def test_a_handset_changes_bases_and_keeps_its_user(bench: Workbench) -> None:
    assert carrier(bench) == bench.phone(MASTER)
    await bench.change(lambda editor: pair(editor, bench.phone(HANDSET), bench.phone(LONE)))
    handset = bench.phone(HANDSET)
    assert (handset.base_id, handset.slot, carrier(bench)) == (bench.phone(LONE).id, 1, bench.phone(LONE))
    assert bench.events[-1].revised == {bench.phone(MASTER).id, bench.phone(LONE).id}
    [line] = bench.inventory.lines_of(handset.id)
    assert line.user_id == bench.user("jane").id


async def test_an_unpaired_handset_stands_by_itself(bench: Workbench) -> None:
    await bench.change(lambda editor: unpair(editor, bench.phone(HANDSET)))
    handset = bench.phone(HANDSET)
    assert (handset.base_id, handset.slot, carrier(bench)) == (None, None, None)
    with pytest.raises(Conflict, match="is not paired"):
        await bench.change(lambda editor: unpair(editor, handset))
    await bench.change(lambda editor: pair(editor, handset, bench.phone(MEMBER)))
    assert bench.phone(HANDSET).slot == 1


async def test_only_handsets_are_paired_and_only_with_bases(bench: Workbench) -> None:
    desk, base, handset = bench.phone(PHONE), bench.phone(LONE), bench.phone(HANDSET)
    with pytest.raises(Invalid, match=r"Desk .* is a deskphone, not a dect_handset") as told:
        await bench.change(lambda editor: pair(editor, desk, base))
    assert told.value.field == "device"
    with pytest.raises(Invalid, match=r"Desk .* is a deskphone, not a dect_base") as told:
        await bench.change(lambda editor: pair(editor, handset, desk))
    assert told.value.field == "base"
    for edit in (lambda editor: unpair(editor, base), lambda editor: set_role(editor, desk, BaseRole.SINGLE)):
        with pytest.raises(Invalid):
            await bench.change(edit)
    with pytest.raises(Invalid):
        await bench.change(lambda editor: move_base(editor, handset, system(bench, "Mill")))


async def test_a_new_master_takes_the_lead_and_the_lines(bench: Workbench) -> None:
    await bench.change(lambda editor: set_role(editor, bench.phone(MEMBER), BaseRole.MASTER))
    assert roles(bench, "Plant") == {"Master": BaseRole.MEMBER, "Member": BaseRole.MASTER}
    assert carrier(bench) == bench.phone(MEMBER)
    assert bench.inventory.get(Carrier, bench.phone(MASTER).id).revision == 2


@pytest.mark.parametrize(
    ("mac", "role", "message"),
    [
        (MASTER, BaseRole.MEMBER, "without Master .* the DECT system has no base that leads it"),
        (MASTER, BaseRole.SINGLE, "the DECT system of Master .* has 1 more bases, so it cannot be single"),
        (MEMBER, BaseRole.SINGLE, "the DECT system of Member .* has 1 more bases"),
        (LONE, BaseRole.MASTER, "Lone .* belongs to no DECT system, so it has no role"),
    ],
)
async def test_a_role_that_leaves_no_leader_or_two_is_refused(
    bench: Workbench, mac: str, role: BaseRole, message: str
) -> None:
    with pytest.raises(Conflict, match=message) as told:
        await bench.change(lambda editor: set_role(editor, bench.phone(mac), role))
    assert (told.value.field, bool(told.value.remedy)) == ("role", True)


async def test_a_role_that_it_has_already_changes_nothing(bench: Workbench) -> None:
    await bench.change(lambda editor: set_role(editor, bench.phone(MASTER), BaseRole.MASTER))
    await bench.change(lambda editor: set_role(editor, bench.phone(MEMBER), BaseRole.MEMBER))
    assert len(bench.events) == 1


async def test_the_first_base_of_a_system_is_single_and_the_second_makes_it_master(bench: Workbench) -> None:
    await bench.change(lambda editor: move_base(editor, bench.phone(LONE), system(bench, "Mill")))
    assert roles(bench, "Mill") == {"Lone": BaseRole.SINGLE}
    await bench.change(lambda editor: move_base(editor, bench.phone(MEMBER), system(bench, "Mill")))
    assert roles(bench, "Mill") == {"Lone": BaseRole.MASTER, "Member": BaseRole.MEMBER}
    assert roles(bench, "Plant") == {"Master": BaseRole.MASTER}
    assert carrier(bench) == bench.phone(LONE)
    await bench.change(lambda editor: set_role(editor, bench.phone(MASTER), BaseRole.SINGLE))
    assert roles(bench, "Plant") == {"Master": BaseRole.SINGLE}


async def test_a_base_may_arrive_as_master(bench: Workbench) -> None:
    await bench.change(lambda editor: move_base(editor, bench.phone(LONE), system(bench, "Plant"), BaseRole.MASTER))
    assert roles(bench, "Plant") == {"Master": BaseRole.MEMBER, "Member": BaseRole.MEMBER, "Lone": BaseRole.MASTER}


async def test_who_leads_others_does_not_leave_them(bench: Workbench) -> None:
    with pytest.raises(Conflict, match=r"Master .* leads a DECT system with 1 more bases") as told:
        await bench.change(lambda editor: move_base(editor, bench.phone(MASTER), system(bench, "Mill")))
    assert "make another its master first, e.g. Member" in told.value.remedy
    with pytest.raises(Conflict, match=r"Master .* leads a DECT system"):
        await bench.change(lambda editor: move_base(editor, bench.phone(MASTER), None))
    await bench.change(lambda editor: move_base(editor, bench.phone(MEMBER), None))
    await bench.change(lambda editor: move_base(editor, bench.phone(MASTER), None))
    assert bench.phone(MASTER).role is None
    assert carrier(bench) == bench.phone(MEMBER)


async def test_a_base_does_not_arrive_in_a_role_that_does_not_fit(bench: Workbench) -> None:
    with pytest.raises(Conflict, match="has no base that leads it"):
        await bench.change(lambda editor: move_base(editor, bench.phone(LONE), system(bench, "Mill"), BaseRole.MEMBER))
    with pytest.raises(Conflict, match="so it cannot be single"):
        await bench.change(lambda editor: move_base(editor, bench.phone(LONE), system(bench, "Plant"), BaseRole.SINGLE))


async def test_a_system_without_its_master_is_led_by_the_next_that_comes(bench: Workbench) -> None:
    await bench.change(lambda editor: editor.delete(bench.phone(MASTER)))
    await bench.change(lambda editor: move_base(editor, bench.phone(LONE), system(bench, "Plant")))
    assert roles(bench, "Plant") == {"Member": BaseRole.MEMBER, "Lone": BaseRole.MASTER}


async def test_a_system_of_another_account_is_refused(bench: Workbench) -> None:
    await bench.apply("accounts: [{name: globex, sip_domain: globex.test, dect_systems: [{name: Other}]}]")
    with pytest.raises(Invalid, match="DECT system Other belongs to another account"):
        await bench.change(lambda editor: move_base(editor, bench.phone(LONE), system(bench, "Other")))

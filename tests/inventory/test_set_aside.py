"""A part at fault hides no other fault, and none is told that follows from it alone."""

import pytest
from tests.inventory.test_apply import JANE, PHONE_1, PHONE_2, ROBIN, site, two_phones
from tests.support.workbench import Workbench

from offhook.inventory.reading import SetAside
from offhook.inventory.set_aside import StatedNames

PLACE = ("accounts", 0)


@pytest.mark.parametrize(
    ("kind", "value", "name"),
    [
        ("users", {"username": "Jane", "plan": "gold"}, "jane"),
        ("users", {"username": "j smith"}, "jsmith"),
        ("users", {"user_name": "jane"}, "jane"),
        ("users", {"jane": {"plan": "pro"}}, "jane"),
        ("users", "jane", "jane"),
        ("numbers", {"number": "2125550101"}, "+12125550101"),
        ("devices", {"mac": "00:04:13:aa:bb:cc", "name": "Floor 2"}, "000413AABBCC"),
        ("devices", {"mac": "00:04:13:aa:bb:cc", "name": "Floor 2"}, "floor 2"),
        ("devices", {"type": "dect_base", "mac": "00:04:13"}, "000413aabbcc"),
        ("locations", {"name": "HQ\x07"}, "HQ"),
    ],
)
def test_what_a_part_would_have_stated_is_known(kind: str, value: object, name: str) -> None:
    assert StatedNames([SetAside(kind, PLACE, value)]).has(kind, name)  # type: ignore[arg-type]


def test_what_a_part_refers_to_is_not_what_it_states() -> None:
    names = StatedNames([SetAside("numbers", PLACE, {"number": "12", "location": "Nowhere", "user": "jane"})])
    assert not names.has("locations", "Nowhere")
    assert not names.has("users", "jane")
    assert not names.has("numbers", "Nowhere")
    assert not names.has("numbers", "+12125550112")


async def test_faults_of_every_kind_are_told_at_once() -> None:
    faults = await Workbench().faults("""\
accounts:
  - name: acme
    acces: lan
    locations:
      - {name: HQ, timezone: Mars/Olympus}
    users:
      - {username: kim, location: Nowhere}
      - {username: lou, plan: gold, extension: "2001", location: HQ}
      - {username: bea, plan: gold, location: Elsewhere}
      - {username: eve, username: eva}
    numbers:
      - {number: "12", location: Nowhere}
      - {number: "+12125550101", user: lou}
    devices:
      - {vendor: yealink}
      - {type: dect_base, mac: 000413aabbcc, role: boss}
      - {type: dect_handset, ipei: "0658500479393", base: 000413aabbcc, user: nobody}
      - {mac: 001565000001, user: lou}
      - {type: deskphone, mac: 001565000002, user: eva}
      - {type: deskphone, mac: 001565000002}
      - {type: deskphone, mac: 001565000003, user: nobody, lines: [{index: 0, user: noone}]}
""")
    assert [fault.partition(": ")[::2] for fault in faults] == [
        ("2", "account acme is new and has no sip_domain; state one"),
        ("3", "unknown key; did you mean 'access'?"),
        ("5", "'Mars/Olympus' is not a time zone; write it like America/New_York"),
        ("7", "account acme has no location 'Nowhere'; add it under locations"),
        ("8", "wants one of 'pro', 'plus' or 'basic', not 'gold'"),
        ("9", "wants one of 'pro', 'plus' or 'basic', not 'gold'"),
        ("9", "account acme has no location 'Elsewhere'; add it under locations"),
        ("10", "the key stands twice, first in line 10; remove one"),
        ("12", "'12' is not a number in E.164; write it like +12125550101"),
        ("12", "account acme has no location 'Nowhere'; add it under locations"),
        ("15", "a device is known by its mac, a handset by its ipei, a softphone by its name; state it"),
        ("16", "wants one of 'single', 'master' or 'member', not 'boss'"),
        ("17", "there is no user 'nobody'; add the user under users of account acme"),
        ("18", "a new device needs a type; state one of deskphone, dect_base, dect_handset, ata, softphone, generic"),
        ("20", "device 00:15:65:00:00:02 is stated twice, first in line 19; drop one of the two"),
        ("21", "there is no user 'nobody'; add the user under users of account acme"),
        ("21", "must be at least 1, not '0'"),
        ("21", "there is no user 'noone'; add the user under users of account acme"),
    ]


@pytest.mark.parametrize(
    "lists",
    [
        {"users": JANE.replace("}", ", plan: gold}"), "devices": f"{{{PHONE_1}, user: jane}}"},
        {"users": "{username: jane}", "numbers": '{number: "+1212555O101", user: jane}',
         "devices": f"{{{PHONE_1}, user: jane}}"},
        {"numbers": '{number: "2125550101"}',
         "devices": f'{{{PHONE_1}, lines: [{{index: 1, number: "+12125550101"}}]}}'},
        {"dect_systems": "{name: S, vendor: '!'}", "devices": "{type: dect_base, mac: 000413000001, system: S}"},
        {"users": f'{JANE.replace("}", ", plan: gold}")}, {{username: bea, extension: "0101"}}',
         "numbers": '{number: "+12125550101", user: jane}'},
        {"devices": '{type: dect_base, mac: "0004130"},'
                    ' {type: dect_handset, ipei: "0658500479393", base: 000413000001}'},
        {"devices": '{type: dect_bose, mac: 000413000001, name: Base},'
                    ' {type: dect_handset, ipei: "0658500479393", base: base}'},
    ],
)  # fmt: skip
async def test_nothing_is_told_that_follows_from_another_fault(lists: dict[str, str]) -> None:
    assert len(await Workbench().faults(site(**lists))) == 1


@pytest.mark.parametrize(
    "lists",
    [
        {"users": '{username: jane, extension: "2005", plan: gold}, {username: robin, extension: "2001"}'},
        {"devices": f"{{{PHONE_1}, user: null, model: ''}}, {{{PHONE_2}, user: jane}}"},
        {"devices": f"{{{PHONE_1}, lines: [{{index: 1, user: robin, label: ''}}]}}, {{{PHONE_2}, user: jane}}"},
        {"users": "{username: joan, rename_from: jane, plan: gold}", "devices": f"{{{PHONE_2}, user: joan}}"},
        {"users": "{username: jill, plan: gold}",
         "devices": f"{{{PHONE_1}, user: jill}}, {{{PHONE_2}, user: jane}}"},
        {"devices": f"{{{PHONE_1.replace('deskphone', 'ata')}, user: null}}, {{{PHONE_2}, user: jane}}"},
    ],
)  # fmt: skip
async def test_what_was_there_is_not_judged_while_the_document_says_more_of_it(lists: dict[str, str]) -> None:
    bench = await two_phones()
    assert len(await bench.faults(site(**lists))) == 1


async def test_what_would_be_deleted_is_not_told_while_parts_are_at_fault() -> None:
    bench = await two_phones()
    assert len(await bench.faults(site(users=f"{JANE}, {ROBIN[:-1]}, plan: gold}}"), prune=True)) == 1


async def test_a_line_whose_user_is_at_fault_lets_the_former_user_go() -> None:
    bench = await two_phones()
    faults = await bench.faults(site(devices=f"{{{PHONE_1}, user: nobody}}, {{{PHONE_2}, user: jane}}"))
    assert [fault.partition(";")[0] for fault in faults] == ["1: there is no user 'nobody'"]


async def test_faults_are_told_of_an_account_that_lacks_its_domain_or_has_a_wrong_one() -> None:
    for domain in ("", "sip_domain: a b, ", "sip_domian: acme.test, ", "sip_domain: null, "):
        faults = await Workbench().faults(f"accounts: [{{name: acme, {domain}users: [{{username: a, location: X}}]}}]")
        assert len(faults) == 2, domain
        assert "no location 'X'" in faults[1]

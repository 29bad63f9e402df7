"""Lines are assigned and users moved, one at a time, and a move is confirmed."""

import pytest
from tests.support.workbench import Workbench

from offhook.errors import Conflict, Invalid
from offhook.inventory.assigning import assign_line, move_user
from offhook.inventory.models import Line, Number

DESK, OTHER, ATA, BASE = "001565000001", "001565000002", "ec74d7000001", "000413000001"
DOCUMENT = f"""
accounts:
  - name: acme
    sip_domain: acme.test
    users:
      - {{username: jane, extension: "2001"}}
      - {{username: robin, extension: "2002"}}
      - {{username: kim, extension: "2003", plan: basic}}
    numbers: [{{number: "+12125550104", user: robin}}, {{number: "+12125550105"}}]
    devices:
      - {{type: deskphone, mac: {DESK}, name: Desk, user: jane}}
      - {{type: deskphone, mac: {OTHER}, name: Other}}
      - {{type: ata, mac: {ATA}, vendor: grandstream, model: HT802, lines: [{{index: 1, extension: "2090"}}]}}
      - {{type: softphone, name: PC}}
      - {{type: dect_base, mac: {BASE}}}
"""


@pytest.fixture
async def bench() -> Workbench:
    bench = Workbench()
    await bench.apply(DOCUMENT)
    return bench


def line(bench: Workbench, mac: str, index: int = 1) -> Line:
    return next(line for line in bench.inventory.lines_of(bench.phone(mac).id) if line.index == index)


def number(bench: Workbench, text: str) -> Number:
    found = bench.inventory.find_number(text)
    assert found is not None
    return found


def extension(bench: Workbench, mac: str, index: int = 1) -> str | None:
    return bench.inventory.extension_of(line(bench, mac, index))


async def test_an_unconfirmed_move_names_the_device_and_changes_nothing(bench: Workbench) -> None:
    with pytest.raises(Conflict, match=r"user jane has Desk .* already, and a user has one device at a time") as told:
        await bench.change(lambda editor: move_user(editor, bench.user("jane"), bench.phone(OTHER), confirm=False))
    assert (told.value.field, told.value.rule) == ("user", "one device per user (R10)")
    assert told.value.remedy == "confirm the move (--confirm-moves): that device is released then"
    assert (extension(bench, DESK), extension(bench, OTHER)) == ("2001", None)


async def test_a_confirmed_move_releases_the_old_device(bench: Workbench) -> None:
    await bench.change(lambda editor: move_user(editor, bench.user("jane"), bench.phone(OTHER), confirm=True))
    assert (extension(bench, DESK), extension(bench, OTHER)) == (None, "2001")


async def test_a_move_to_where_one_is_needs_no_confirmation(bench: Workbench) -> None:
    await bench.change(lambda editor: move_user(editor, bench.user("jane"), line(bench, DESK), confirm=False))
    assert len(bench.events) == 1


async def test_a_phone_is_given_to_another_user(bench: Workbench) -> None:
    await bench.change(lambda editor: assign_line(editor, line(bench, DESK), user=bench.user("robin")))
    assert extension(bench, DESK) == "2002"
    assert bench.inventory.lines_of_user(bench.user("jane").id) == ()


async def test_a_softphone_is_beside_the_phone(bench: Workbench) -> None:
    [softphone] = bench.inventory.devices_named("PC")
    await bench.change(lambda editor: move_user(editor, bench.user("jane"), softphone, confirm=False))
    assert len(bench.inventory.lines_of_user(bench.user("jane").id)) == 2


async def test_several_lines_of_a_device_are_one_device(bench: Workbench) -> None:
    ata = bench.phone(ATA)
    await bench.change(lambda editor: assign_line(editor, line(bench, ATA), user=bench.user("robin")))
    await bench.change(lambda editor: assign_line(editor, editor.create_line(ata, 2), user=bench.user("robin")))
    assert (extension(bench, ATA, 1), extension(bench, ATA, 2)) == ("2002", "2002")


async def test_the_number_of_a_user_moves_the_user(bench: Workbench) -> None:
    await bench.change(lambda editor: move_user(editor, bench.user("robin"), bench.phone(ATA), confirm=False))
    owned = number(bench, "+12125550104")
    with pytest.raises(Conflict, match="user robin has ec:74:d7:00:00:01 already"):
        await bench.change(lambda editor: assign_line(editor, line(bench, OTHER), number=owned))
    await bench.change(lambda editor: assign_line(editor, line(bench, OTHER), number=owned, confirm_moves=True))
    assert (extension(bench, ATA), extension(bench, OTHER)) == (None, "2002")
    await bench.change(lambda editor: assign_line(editor, line(bench, OTHER), user=bench.user("robin")))
    assert line(bench, OTHER).number_id is None


async def test_a_number_moves_where_that_is_confirmed(bench: Workbench) -> None:
    lobby = number(bench, "+12125550105")
    await bench.change(lambda editor: assign_line(editor, line(bench, ATA), number=lobby))
    assert extension(bench, ATA) == "0105"
    with pytest.raises(Conflict, match=r"number \+12125550105 is on ec:74:d7:00:00:01 already") as told:
        await bench.change(lambda editor: assign_line(editor, line(bench, OTHER), number=lobby))
    assert told.value.field == "number"
    await bench.change(lambda editor: assign_line(editor, line(bench, OTHER), number=lobby, confirm_moves=True))
    assert (extension(bench, ATA), extension(bench, OTHER)) == (None, "0105")
    await bench.change(lambda editor: assign_line(editor, line(bench, OTHER), number=lobby))
    assert extension(bench, OTHER) == "0105"


async def test_a_line_is_given_an_extension_of_its_own_or_nothing(bench: Workbench) -> None:
    await bench.change(lambda editor: assign_line(editor, line(bench, DESK), extension="2070"))
    assert (line(bench, DESK).user_id, extension(bench, DESK)) == (None, "2070")
    await bench.change(lambda editor: assign_line(editor, line(bench, DESK)))
    assert extension(bench, DESK) is None


async def test_a_line_has_one_assignment(bench: Workbench) -> None:
    with pytest.raises(Invalid, match="a line has one assignment"):
        await bench.change(
            lambda editor: assign_line(editor, line(bench, DESK), user=bench.user("robin"), extension="2070")
        )


async def test_the_rules_are_asked_as_ever(bench: Workbench) -> None:
    with pytest.raises(Invalid, match="user kim has plan basic, which allows no physical phone"):
        await bench.change(lambda editor: move_user(editor, bench.user("kim"), bench.phone(OTHER), confirm=True))


async def test_a_base_has_no_lines_to_give(bench: Workbench) -> None:
    with pytest.raises(Invalid, match="is a DECT base, which has no lines of its own"):
        await bench.change(lambda editor: move_user(editor, bench.user("jane"), bench.phone(BASE), confirm=True))


async def test_a_device_without_its_first_line_gets_one(bench: Workbench) -> None:
    await bench.change(lambda editor: editor.delete(line(bench, OTHER)))
    await bench.change(lambda editor: move_user(editor, bench.user("robin"), bench.phone(OTHER), confirm=False))
    assert extension(bench, OTHER) == "2002"

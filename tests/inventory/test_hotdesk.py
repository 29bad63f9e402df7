"""A number is logged in by the phone ID on the screen, and out again; a log-in is no assignment (E5)."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.inventory.test_apply import site
from tests.support.workbench import JANE as ACTOR
from tests.support.workbench import Workbench

from offhook.errors import Conflict, Invalid, InventoryError, NotFound
from offhook.inventory.editor import Editor
from offhook.inventory.hotdesk import LogIn, find_log_in, log_in, log_out
from offhook.inventory.models import Carrier, Credential, CredentialState, Device, DeviceState, Line, Number, Plan, User

USERS = '{username: jane, extension: "2001"}, {username: robin, extension: "2002"}'
NUMBERS = (
    '{number: "+12125550101", user: jane}, {number: "+12125550102"}, {number: "+12125550103", user: jane}, '
    '{number: "+12125550104", user: robin}'
)
ONE, TWO, THREE, FOUR = "+12125550101", "+12125550102", "+12125550103", "+12125550104"
LOBBY, HALL, DESK = "001565000001", "001565000002", "001565000003"
DEVICES = (
    f"{{type: deskphone, mac: {LOBBY}, name: Lobby, lines: [{{index: 1, extension: '2090'}}]}}, "
    f"{{type: deskphone, mac: {HALL}, name: Hall}}, "
    f"{{type: deskphone, mac: {DESK}, name: Desk, user: jane}}"
)


async def office(devices: str = DEVICES) -> Workbench:
    bench = Workbench()
    await bench.apply(site(users=USERS, numbers=NUMBERS, devices=devices))
    return bench


def number(bench: Workbench, text: str) -> Number:
    found = bench.inventory.find_number(text)
    assert found is not None
    return found


def line(bench: Workbench, mac: str, index: int = 1) -> Line:
    return next(line for line in bench.inventory.lines_of(bench.phone(mac).id) if line.index == index)


async def enter(bench: Workbench, text: str, mac: str, **options: Any) -> None:
    await enter_by(bench, text, bench.phone(mac).phone_id, **options)


async def enter_by(bench: Workbench, text: str, phone_id: str, **options: Any) -> None:
    def edit(editor: Editor) -> None:
        log_in(editor, number(bench, text), phone_id, **options)

    await bench.service.change(edit, ACTOR)


async def leave(bench: Workbench, who: Number | User | Device) -> None:
    def edit(editor: Editor) -> None:
        log_out(editor, who)

    await bench.service.change(edit, ACTOR)


async def alter(bench: Workbench, entity: Device | User, **values: Any) -> None:
    def edit(editor: Editor) -> None:
        editor.change(entity, **values)

    await bench.service.change(edit, ACTOR)


async def refusal(work: Callable[[], Any], kind: type[InventoryError] = Conflict) -> str:
    with pytest.raises(kind) as caught:
        await work()
    return f"{caught.value.message}; {caught.value.remedy}"


def revision(bench: Workbench, mac: str) -> int:
    return bench.inventory.get(Carrier, bench.phone(mac).id).revision


async def test_a_log_in_gives_the_phone_the_numbers_address_and_new_credentials() -> None:
    bench = await office()
    held = bench.inventory.active_credential(line(bench, LOBBY).id)
    before = revision(bench, LOBBY)
    audited = len(bench.store.audit)
    await enter(bench, TWO, LOBBY)
    assert bench.inventory.address_of_record(line(bench, LOBBY)) == "sip:0102@acme.test"
    active = bench.inventory.active_credential(line(bench, LOBBY).id)
    assert held is not None
    assert active is not None
    assert active.aor_user == "0102"
    assert bench.inventory.get(Credential, held.id).state is CredentialState.RETIRING
    assert revision(bench, LOBBY) == before + 1
    record = bench.store.audit[audited]
    assert (record.action, record.kind, record.key) == ("log_in", "line", "line 1 of Lobby (00:15:65:00:00:01)")
    assert '"number": "+12125550102"' in record.after
    assert find_log_in(bench.inventory, number(bench, TWO)) == LogIn(
        bench.phone(LOBBY), line(bench, LOBBY), bench.clock.now()
    )


@pytest.mark.parametrize(
    ("mac", "address"), [(LOBBY, "sip:2090@acme.test"), (HALL, "sip:dev-{}@acme.test")], ids=["extension", "service"]
)
async def test_after_the_log_out_the_phone_is_what_it_was(mac: str, address: str) -> None:
    bench = await office()
    was = line(bench, mac)
    await enter(bench, TWO, mac)
    before = revision(bench, mac)
    await leave(bench, number(bench, TWO))
    assert line(bench, mac) == was
    assert bench.inventory.address_of_record(was) == address.format(bench.phone(mac).phone_id)
    assert revision(bench, mac) == before + 1
    assert bench.store.audit[-2].action == "log_out"
    assert find_log_in(bench.inventory, number(bench, TWO)) is None


async def test_the_phone_id_may_be_written_in_groups_and_is_explained_when_it_is_wrong() -> None:
    bench = await office()
    phone_id = bench.phone(HALL).phone_id
    grouped = f" {phone_id[:3]}-{phone_id[3:]}"
    await enter_by(bench, TWO, grouped)
    assert line(bench, HALL).number_id == number(bench, TWO).id
    said = await refusal(lambda: enter_by(bench, TWO, "000000"), NotFound)
    assert said == (
        "no device has the phone ID '000000'; "
        "type the six digits that the phone shows on its screen while nobody uses it"
    )


async def test_a_phone_of_another_account_is_not_there() -> None:
    bench = await office()
    await bench.apply(
        "accounts: [{name: other, sip_domain: other.test, devices: [{type: deskphone, mac: 001565000009}]}]"
    )
    assert "no device has the phone ID" in await refusal(lambda: enter(bench, TWO, "001565000009"), NotFound)


async def test_a_phone_that_is_taken_is_refused_with_who_has_it() -> None:
    bench = await office()
    assert await refusal(lambda: enter(bench, TWO, DESK)) == (
        "Desk (00:15:65:00:00:03) is taken by user jane; choose another phone"
    )
    await enter(bench, ONE, LOBBY)
    assert await refusal(lambda: enter(bench, TWO, LOBBY, move=True)) == (
        "Lobby (00:15:65:00:00:01) is taken by number +12125550101 of user jane; log out there first"
    )


async def test_the_users_own_phone_stays_and_the_user_is_logged_in_to_one_other() -> None:
    """R10 is about assignments; a log-in stands beside, and there is one of them."""
    bench = await office()
    await enter(bench, ONE, LOBBY)
    assert [bench.inventory.address_of_record(line(bench, mac)) for mac in (DESK, LOBBY)] == ["sip:2001@acme.test"] * 2
    said = "number +12125550101 of user jane is logged in to Lobby (00:15:65:00:00:01) already"
    assert said in await refusal(lambda: enter(bench, ONE, HALL))
    assert said in await refusal(lambda: enter(bench, THREE, HALL))
    bench.clock.advance(60)
    await enter(bench, THREE, HALL, move=True)
    assert bench.inventory.address_of_record(line(bench, LOBBY)) == "sip:2090@acme.test"
    assert line(bench, HALL).logged_in_at == bench.clock.now()
    assert {record.action for record in bench.store.audit if record.kind == "line"} >= {"log_in", "log_out"}


async def test_a_second_log_in_at_the_same_place_changes_nothing() -> None:
    bench = await office()
    await enter(bench, TWO, LOBBY)
    before, commits = line(bench, LOBBY), bench.store.commits
    bench.clock.advance(60)
    await enter(bench, TWO, LOBBY)
    assert (line(bench, LOBBY), bench.store.commits) == (before, commits)


async def test_a_number_that_is_assigned_is_neither_moved_nor_logged_out() -> None:
    bench = await office(f"{DEVICES}, {{type: deskphone, mac: 001565000004, lines: [{{index: 1, number: '{TWO}'}}]}}")
    assert await refusal(lambda: enter(bench, TWO, HALL, move=True)) == (
        "number +12125550102 is assigned to 00:15:65:00:00:04; unassign it there first"
    )
    assert await refusal(lambda: leave(bench, number(bench, TWO))) == (
        "number +12125550102 is not logged in, but assigned to 00:15:65:00:00:04; unassign it there"
    )


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("status: reserved", "is reserved, and is not logged in anywhere; make it active first"),
        ("status: pending", "is pending, and is not logged in anywhere; make it active first"),
        ("main: true", "is the main number, and is not logged in anywhere; choose another number"),
    ],
)
async def test_only_active_numbers_that_are_not_the_main_number(part: str, said: str) -> None:
    bench = await office()
    await bench.apply(site(numbers=f'{{number: "{TWO}", {part}}}'))
    assert said in await refusal(lambda: enter(bench, TWO, HALL))


async def test_the_plan_of_the_numbers_user_counts() -> None:
    bench = await office()
    await alter(bench, bench.user("robin"), plan=Plan.BASIC)
    assert "has plan basic, which allows no physical phone" in await refusal(lambda: enter(bench, FOUR, HALL), Invalid)


@pytest.mark.parametrize(
    ("device", "said"),
    [
        ("type: deskphone, mac: 001565000005, state: disabled", "is disabled, so nothing can be logged in to it"),
        ("type: dect_handset, ipei: '0658500479393'", "is paired with no base"),
        ("type: dect_base, mac: 001565000005", "is a dect_base, so nothing can be logged in to it; use the phone ID"),
        ("type: softphone, name: Softphone", "is a softphone"),
        ("type: generic, mac: 0a0000000001", "would not be told (there are no templates for None)"),
    ],
)
async def test_devices_that_nothing_can_be_logged_in_to(device: str, said: str) -> None:
    bench = await office(f"{{{device}}}")
    [phone] = bench.inventory.all(Device)
    assert said in await refusal(lambda: enter_by(bench, TWO, phone.phone_id))


async def test_a_paired_handset_is_logged_in_to_and_its_base_reloads() -> None:
    bench = await office(
        "{type: dect_base, mac: 000413aabbcc}, {type: dect_handset, ipei: '0658500479393', base: 000413aabbcc}"
    )
    before = revision(bench, "000413aabbcc")
    await enter(bench, TWO, "065850047939")
    assert revision(bench, "000413aabbcc") == before + 1


async def test_each_port_of_an_ata_is_a_handset() -> None:
    ata = "ec74d7000001"
    bench = await office(f"{{type: ata, mac: {ata}, vendor: grandstream, lines: [{{index: 1}}, {{index: 2}}]}}")
    await enter(bench, ONE, ata)
    await enter(bench, TWO, ata, index=2)
    assert [line.number_id for line in bench.inventory.lines_of(bench.phone(ata).id)] == [
        number(bench, ONE).id,
        number(bench, TWO).id,
    ]
    assert "has no line 3" in await refusal(lambda: enter(bench, FOUR, ata, index=3), NotFound)
    await leave(bench, bench.phone(ata))
    assert [line.number_id for line in bench.inventory.lines_of(bench.phone(ata).id)] == [None, None]


async def test_other_lines_of_a_phone_belong_to_it() -> None:
    bench = await office(f"{{type: deskphone, mac: {HALL}, lines: [{{index: 1}}, {{index: 2, number: '{TWO}'}}]}}")
    assert "is taken by number +12125550102" in await refusal(lambda: enter(bench, FOUR, HALL))


async def test_a_forgotten_log_in_is_ended_by_number_user_or_device() -> None:
    bench = await office()
    for who in (number(bench, ONE), bench.user("jane"), bench.phone(LOBBY)):
        await enter(bench, ONE, LOBBY)
        await leave(bench, who)
        assert line(bench, LOBBY).number_id is None
        assert "logged in" in await refusal(lambda who=who: leave(bench, who))  # type: ignore[misc]  # bound at once


async def test_an_external_registrar_would_not_know_of_a_log_in() -> None:
    bench = await office("")
    await bench.apply(f"accounts: [{{name: acme, external_registrar: pbx.test, devices: [{DEVICES}]}}]")
    assert "register with pbx.test, which would not know" in await refusal(lambda: enter(bench, TWO, HALL))


async def test_documents_leave_a_log_in_alone_and_do_not_make_it_an_assignment() -> None:
    bench = await office()
    await enter(bench, TWO, LOBBY)
    document = await bench.service.export(None, with_secrets=False, actor=ACTOR)
    assert "number: '+12125550102'" not in document.partition("devices:")[2]
    assert (await bench.apply(document, prune=True)).differences == ()
    await bench.apply(site(devices=f"{{mac: {LOBBY}, lines: [{{index: 1, extension: '2091'}}]}}"))
    assert line(bench, LOBBY).number_id == number(bench, TWO).id
    await leave(bench, number(bench, TWO))
    assert bench.inventory.address_of_record(line(bench, LOBBY)) == "sip:2091@acme.test"


@pytest.mark.parametrize("stated", ["user: robin", f"number: '{TWO}'", "number: null"])
async def test_what_a_document_says_of_the_line_ends_the_log_in(stated: str) -> None:
    bench = await office()
    await enter(bench, TWO, HALL)
    await bench.apply(site(devices=f"{{mac: {HALL}, lines: [{{index: 1, {stated}}}]}}"))
    assert line(bench, HALL).logged_in_at is None


async def test_a_number_that_is_deleted_is_logged_out() -> None:
    bench = await office()
    await enter(bench, TWO, LOBBY)
    await bench.service.change(lambda editor: editor.delete(number(bench, TWO)), ACTOR)
    assert (line(bench, LOBBY).number_id, line(bench, LOBBY).logged_in_at) == (None, None)
    assert bench.inventory.address_of_record(line(bench, LOBBY)) == "sip:2090@acme.test"


# -- against a model ------------------------------------------------------------------------------------------------

_PHONES = (LOBBY, HALL, DESK)
_OWNERS = {ONE: "jane", TWO: None, THREE: "jane", FOUR: "robin"}


class HotDesks(RuleBasedStateMachine):
    """Two dictionaries against the inventory: who is logged in where, and which phones are disabled."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.where: dict[str, str] = {}
        self.disabled: set[str] = set()

    @initialize()
    def open_the_office(self) -> None:
        self.bench = self.runner.run(office())

    def teardown(self) -> None:
        self.runner.close()

    def accepts(self, work: Callable[[], Any]) -> bool:
        try:
            self.runner.run(work())
        except InventoryError:
            return False
        return True

    @rule(text=st.sampled_from(list(_OWNERS)), mac=st.sampled_from(_PHONES), move=st.booleans())
    def log_in(self, text: str, mac: str, move: bool) -> None:
        elsewhere = [held for held in self.where if held == text or (_OWNERS[text] and _OWNERS[held] == _OWNERS[text])]
        is_there = self.where.get(text) == mac
        free = mac != DESK and mac not in self.where.values() and mac not in self.disabled
        expected = (is_there and mac not in self.disabled) or (free and (move or not elsewhere))
        assert self.accepts(lambda: enter(self.bench, text, mac, move=move)) is expected
        if expected and not is_there:
            for held in elsewhere:
                del self.where[held]
            self.where[text] = mac

    @rule(text=st.sampled_from(list(_OWNERS)))
    def log_out(self, text: str) -> None:
        assert self.accepts(lambda: leave(self.bench, number(self.bench, text))) is (text in self.where)
        self.where.pop(text, None)

    @rule(mac=st.sampled_from(_PHONES))
    def log_out_at(self, mac: str) -> None:
        held = [text for text, place in self.where.items() if place == mac]
        assert self.accepts(lambda: leave(self.bench, self.bench.phone(mac))) is bool(held)
        for text in held:
            del self.where[text]

    @rule(mac=st.sampled_from((LOBBY, HALL)))
    def disable_or_enable(self, mac: str) -> None:
        state = DeviceState.ACTIVE if mac in self.disabled else DeviceState.DISABLED
        self.runner.run(alter(self.bench, self.bench.phone(mac), state=state))
        self.disabled ^= {mac}

    @rule()
    def restart(self) -> None:
        bench = Workbench(self.bench.store.load())
        self.runner.run(bench.service.load())
        self.bench = bench

    @invariant()
    def everybody_is_where_the_model_says(self) -> None:
        at = {text: find_log_in(self.bench.inventory, number(self.bench, text)) for text in _OWNERS}
        assert {text: found.device.mac for text, found in at.items() if found} == self.where

    @invariant()
    def phones_answer_for_whom_they_hold(self) -> None:
        extensions = {ONE: "2001", TWO: "0102", THREE: "2001", FOUR: "2002"}
        by_itself = {LOBBY: "2090", HALL: None, DESK: "2001"}
        held = {mac: text for text, mac in self.where.items()}
        for mac in _PHONES:
            expected = extensions[held[mac]] if mac in held else by_itself[mac]
            assert self.bench.inventory.extension_of(line(self.bench, mac)) == expected
            active = self.bench.inventory.active_credential(line(self.bench, mac).id)
            if active is not None:
                assert active.aor_user == self.bench.inventory.aor_user(line(self.bench, mac))


HotDesks.TestCase.settings = settings(
    max_examples=20, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
)
TestHotDesks = HotDesks.TestCase

"""Reloads against a phone that does as it is told here: what is sent, awaited, and said in the end."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any

import pytest
from tests.support.inventory import account, carrier, credential, device, inventory_of, line, one_phone, user
from tests.support.workbench import StillClock, raise_error

from offhook.errors import Conflict, NotFound, StoreUnavailable
from offhook.events import (
    ConfigFetched,
    EventBus,
    InventoryChanged,
    NotifyAnswered,
    Registered,
    ReloadProgressed,
    RenderFailed,
)
from offhook.inventory.facts import DeviceFacts
from offhook.inventory.generated import IdSource
from offhook.inventory.models import Carrier, Credential, CredentialState, Device, DeviceState, DeviceType
from offhook.inventory.snapshot import Inventory
from offhook.reload import records as records_module
from offhook.reload.ports import Target
from offhook.reload.progress import ReloadRecord, ReloadState
from offhook.reload.service import ReloadLimits, ReloadService
from offhook.secret import Secret
from offhook.sip.message import Headers, Request, Response

Answer = Callable[[Request], Response] | int


VIA = ("Via", "SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1")


def respond(status: int, *headers: tuple[str, str]) -> Response:
    """A phone's response; 408 and 503 are those that come where none did."""
    own = () if status in (408, 503) else (VIA,)
    return Response(status, {200: "OK", 481: "No Such Call"}.get(status, "Reason"), Headers((*own, *headers)))


def challenge(realm: str = "acme.test") -> Callable[[Request], Response]:
    return lambda request: respond(401, ("WWW-Authenticate", f'Digest realm="{realm}", nonce="n", qop="auth"'))


class Timers:
    """Timeouts that end when the clock is moved."""

    def __init__(self, clock: StillClock) -> None:
        self._clock = clock
        self._pending: list[tuple[float, asyncio.Timeout]] = []

    def timeout(self, seconds: float) -> asyncio.Timeout:
        timeout = asyncio.timeout(None)
        self._pending.append((self._clock.monotonic() + seconds, timeout))
        return timeout

    async def advance(self, seconds: float) -> None:
        """Moves the clock, and lets happen what follows."""
        await settle()
        self._clock.advance(seconds)
        due = [timeout for at, timeout in self._pending if at <= self._clock.monotonic()]
        self._pending = [(at, timeout) for at, timeout in self._pending if at > self._clock.monotonic()]
        for timeout in due:
            try:
                timeout.reschedule(asyncio.get_running_loop().time())
            except RuntimeError:
                continue  # What it guarded has ended.
        await settle()


async def settle() -> None:
    """Lets every task come to where it waits."""
    for _ in range(20):
        await asyncio.sleep(0)


class Bench:
    """A reload service, a phone in front of it, and the time in its hands."""

    def __init__(self, inventory: Inventory | None = None, *, limits: ReloadLimits | None = None) -> None:
        self.inventory = inventory or one_phone()
        self.clock = StillClock()
        self.timers = Timers(self.clock)
        self.bus = EventBus(raise_error)
        self.answers: deque[Answer] = deque()
        self.sent: list[Request] = []
        self.targets = [self.target()]
        self.facts = DeviceFacts(device_id=1, fetched_revision=7)
        self.events: Sequence[str] = ("check-sync;reboot=false", "resync")
        self.asked_for: list[tuple[str | None, str | None]] = []
        self.notified: list[NotifyAnswered] = []
        self.bus.subscribe(NotifyAnswered, self.notified.append)
        self.password = Secret("k7mq2vzw9xhbtr4dnc8fjpsy")
        self.tasks: set[asyncio.Task[None]] = set()
        self.service = self.start_service(limits)

    def start_service(self, limits: ReloadLimits | None = None) -> ReloadService:
        return ReloadService(
            inventory=lambda: self.inventory,
            facts=lambda device_id: self.facts,
            targets=self,
            sender=self,
            events=self,
            passwords=self,
            ids=IdSource(self.clock),
            bus=self.bus,
            clock=self.clock,
            spawn=self.spawn,
            limits=limits,
            timeout=self.timers.timeout,
        )

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    # what the service asks for

    def targets_of(self, device_id: int) -> Sequence[Target]:
        return [
            target
            for target in self.targets
            if any(line.id == target.line_id for line in self.inventory.lines_of(device_id))
        ]

    async def send(self, request: Request, target: Target) -> Response:
        self.sent.append(request)
        await asyncio.sleep(0)
        answer = self.answers.popleft() if self.answers else 200
        return respond(answer) if isinstance(answer, int) else answer(request)

    def reload_events(self, vendor: str | None, model: str | None) -> Sequence[str]:
        self.asked_for.append((vendor, model))
        return self.events

    def reveal_password(self, credential: Credential) -> Secret:
        return self.password

    # what happens outside

    def target(self, **changes: Any) -> Target:
        given: dict[str, Any] = {
            "line_id": 1,
            "credential_id": 1,
            "address_of_record": "sip:2001@acme.test",
            "contact_uri": "sip:2001@192.0.2.7:5062",
            "reachable": True,
            "registered_at": 1000.0,
            "realm": "acme.test",
            "flow": None,
        }
        return Target(**{**given, **changes})

    def fetch(self, revision: int = 7) -> None:
        self.bus.publish(ConfigFetched(1, revision, "x.cfg", "device", self.clock.now(), "192.0.2.7", "http"))

    def fetch_and(self, status: int) -> Answer:
        """A phone that fetches while its answer is still under way."""

        def answer(request: Request) -> Response:
            self.fetch()
            return respond(status)

        return answer

    def register(self, credential_id: int, line_id: int = 1) -> None:
        self.targets = [self.target(credential_id=credential_id, line_id=line_id)]
        now = self.clock.now()
        self.bus.publish(
            Registered(line_id, 1, "sip:2001@acme.test", credential_id, "sip:x", "192.0.2.7:5062", "udp", "", now, now)
        )

    def phone(self) -> Device:
        return self.inventory.get(Device, 1)

    def reload(self) -> int:
        return self.service.start(self.phone(), "jane").id

    def record(self, reload_id: int) -> ReloadRecord:
        record = self.service.find(reload_id)
        assert record is not None
        return record

    def state(self, reload_id: int) -> tuple[ReloadState, str]:
        return self.record(reload_id).state, self.record(reload_id).reason

    def change(self, *, revision: int, registration_revision: int = 7) -> None:
        """The carrier's configuration changes."""
        draft = self.inventory.draft()
        draft.put(replace(carrier(revision=revision), registration_revision=registration_revision))
        self.inventory = draft.freeze()


async def test_sent_answered_fetched_done() -> None:
    bench = Bench()
    reload_id = bench.reload()
    assert bench.state(reload_id) == (ReloadState.QUEUED, "")
    await settle()
    record = bench.record(reload_id)
    assert (record.state, record.answer_status, record.attempts) == (ReloadState.ANSWERED, 200, 1)
    assert (record.event, record.actor, record.revision) == ("check-sync;reboot=false", "jane", 7)
    assert bench.sent[0].uri == "sip:2001@192.0.2.7:5062"
    assert bench.notified == [NotifyAnswered(1, reload_id, 200, "OK", bench.clock.now())]
    bench.clock.advance(5)
    bench.fetch()
    record = bench.record(reload_id)
    assert (record.state, record.fetched_at, record.finished_at) == (
        ReloadState.DONE,
        bench.clock.now(),
        bench.clock.now(),
    )
    await settle()
    assert bench.tasks == set()


async def test_each_step_is_told() -> None:
    bench = Bench()
    told: list[tuple[int, ReloadState]] = []

    def note(event: ReloadProgressed) -> None:
        told.append((event.reload_id, bench.state(event.reload_id)[0]))

    bench.bus.subscribe(ReloadProgressed, note)
    reload_id = bench.reload()
    await settle()
    bench.fetch()
    states = [state for told_id, state in told if told_id == reload_id]
    assert [state.value for state in states] == ["queued", "sent", "answered", "fetched", "done"]
    bench.fetch()
    assert len(told) == 5


async def test_a_fetch_before_the_answer_is_done_all_the_same() -> None:
    bench = Bench()
    bench.answers.append(bench.fetch_and(200))
    reload_id = bench.reload()
    await settle()
    assert bench.state(reload_id) == (ReloadState.DONE, "")
    assert len(bench.sent) == 1
    assert bench.tasks == set()


async def test_a_phone_that_fetches_without_ever_answering_is_done() -> None:
    bench = Bench()
    bench.answers.append(bench.fetch_and(408))
    reload_id = bench.reload()
    await settle()
    assert bench.state(reload_id) == (ReloadState.DONE, "")


async def test_no_answer_twice_fails() -> None:
    bench = Bench()
    bench.answers.extend([408, 408])
    reload_id = bench.reload()
    await settle()
    state, reason = bench.state(reload_id)
    assert state is ReloadState.FAILED
    assert reason == "it did not answer the NOTIFY within 32 seconds: check its power and network"
    assert len(bench.sent) == 2


async def test_an_answer_without_a_fetch_is_tried_twice_and_fails() -> None:
    bench = Bench()
    reload_id = bench.reload()
    await bench.timers.advance(29)
    assert len(bench.sent) == 1
    await bench.timers.advance(1)
    assert len(bench.sent) == 2
    await bench.timers.advance(30)
    state, reason = bench.state(reload_id)
    assert state is ReloadState.FAILED
    assert reason.startswith("it answered the NOTIFY with 200, but did not fetch revision 7 within 30 seconds")


async def test_no_answer_and_then_one_without_a_fetch_says_the_latter() -> None:
    bench = Bench()
    bench.answers.append(408)
    reload_id = bench.reload()
    await bench.timers.advance(30)
    assert bench.state(reload_id)[1].startswith("it answered the NOTIFY with 200, but did not fetch")


async def test_a_notify_that_cannot_be_sent_is_not_told_as_an_answer() -> None:
    bench = Bench()
    bench.answers.append(503)
    reload_id = bench.reload()
    await settle()
    state, reason = bench.state(reload_id)
    assert state is ReloadState.FAILED
    assert reason.startswith("the NOTIFY could not be sent: nobody listens where it registered from")
    record = bench.service.find(reload_id)
    assert record is not None
    assert record.answer_status is None


async def test_an_older_file_proves_nothing() -> None:
    bench = Bench()
    reload_id = bench.reload()
    await settle()
    bench.fetch(6)
    assert bench.state(reload_id) == (ReloadState.ANSWERED, "")


@pytest.mark.parametrize("status", [481, 489, 405, 501, 403])
async def test_a_phone_that_does_not_know_the_event_is_told_by_the_next(status: int) -> None:
    bench = Bench()
    bench.answers.append(status)
    reload_id = bench.reload()
    await settle()
    assert [request.headers.get("Event") for request in bench.sent] == ["check-sync;reboot=false", "resync"]
    bench.fetch()
    assert bench.state(reload_id) == (ReloadState.DONE, "")


async def test_when_no_event_is_known_to_the_phone_it_fails_with_the_last_answer() -> None:
    bench = Bench()
    bench.answers.extend([481, 481])
    reload_id = bench.reload()
    await settle()
    assert bench.state(reload_id) == (ReloadState.FAILED, "it answered the NOTIFY with 481 No Such Call")


async def test_a_phone_that_will_not_is_not_asked_again() -> None:
    bench = Bench()
    bench.answers.append(480)
    reload_id = bench.reload()
    await settle()
    assert bench.state(reload_id) == (ReloadState.FAILED, "it answered the NOTIFY with 480 Reason")
    assert len(bench.sent) == 1


async def test_a_vendor_without_events_cannot_be_reloaded() -> None:
    bench = Bench()
    bench.events = ()
    reload_id = bench.reload()
    await settle()
    assert bench.state(reload_id) == (ReloadState.FAILED, "no event is known that makes yealink T46U reload")


async def test_the_model_that_the_phone_reports_decides() -> None:
    bench = Bench()
    bench.facts = DeviceFacts(device_id=1, vendor="yealink", model="T19P_E2")
    bench.reload()
    await settle()
    bench.fetch()
    bench.facts = DeviceFacts(device_id=1, vendor="snom", model="D785")
    bench.reload()
    await settle()
    assert bench.asked_for == [("yealink", "T19P_E2"), ("yealink", "T46U")]


async def test_a_phone_that_is_not_registered_is_said_so() -> None:
    bench = Bench()
    bench.targets = [bench.target(reachable=False)]
    reload_id = bench.reload()
    await settle()
    state, reason = bench.state(reload_id)
    assert state is ReloadState.FAILED
    assert reason.startswith("00:15:65:12:34:56 is not registered, so no NOTIFY can reach it")
    assert bench.sent == []


async def test_the_latest_reachable_binding_is_used() -> None:
    bench = Bench()
    bench.targets = [
        bench.target(contact_uri="sip:old", registered_at=1.0),
        bench.target(contact_uri="sip:new", registered_at=2.0),
        bench.target(contact_uri="sip:gone", registered_at=3.0, reachable=False),
    ]
    bench.reload()
    await settle()
    assert bench.sent[0].uri == "sip:new"


# -- challenges -----------------------------------------------------------------------------------------------------


def two_credentials() -> Inventory:
    """A line whose phone still holds the credential that retires."""
    return inventory_of(
        account(),
        user(),
        device(),
        line(user_id=1),
        credential(1, aor_user="2000", state=CredentialState.RETIRING),
        credential(2),
        carrier(revision=7),
    )


def shown(request: Request) -> str:
    value = request.headers.get("Authorization") or ""
    return value.partition('username="')[2].partition('"')[0]


async def test_a_challenge_is_answered_with_the_credential_that_the_phone_holds_then_with_the_other() -> None:
    bench = Bench(two_credentials())
    bench.answers.extend([challenge(), challenge(), 200])
    reload_id = bench.reload()
    await settle()
    assert [shown(request) for request in bench.sent] == ["", "2000-abc001", "2001-abc002"]
    assert [request.cseq.number for request in bench.sent] == [bench.sent[0].cseq.number + i for i in range(3)]
    assert len({request.call_id for request in bench.sent}) == 1
    assert bench.record(reload_id).answer_status == 200
    assert len(bench.notified) == 1


async def test_each_credential_is_shown_once() -> None:
    bench = Bench(two_credentials())
    bench.answers.extend([challenge()] * 5)
    reload_id = bench.reload()
    await settle()
    assert len(bench.sent) == 3
    assert bench.state(reload_id) == (ReloadState.FAILED, "it answered the NOTIFY with 401 Reason")


async def test_a_foreign_realm_is_not_shown_a_short_password() -> None:
    bench = Bench(two_credentials())
    bench.password = Secret("Sesame234")
    bench.answers.extend([challenge("evil.test")] * 5)
    reload_id = bench.reload()
    await settle()
    assert [request.headers.get("Authorization") for request in bench.sent] == [None]
    assert bench.state(reload_id)[0] is ReloadState.FAILED


# -- registration ---------------------------------------------------------------------------------------------------


async def test_a_registration_is_awaited_only_where_the_phone_did_not_hold_the_credentials() -> None:
    bench = Bench(two_credentials())
    bench.facts = DeviceFacts(device_id=1, fetched_revision=6)
    reload_id = bench.reload()
    await settle()
    bench.fetch()
    assert bench.state(reload_id) == (ReloadState.FETCHED, "")
    bench.register(credential_id=1)
    assert bench.state(reload_id) == (ReloadState.FETCHED, "")
    bench.register(credential_id=2)
    assert bench.state(reload_id) == (ReloadState.DONE, "")
    await settle()
    assert bench.tasks == set()


async def test_a_line_that_does_not_register_fails_by_its_number() -> None:
    bench = Bench(two_credentials())
    bench.facts = DeviceFacts(device_id=1, fetched_revision=6)
    reload_id = bench.reload()
    await settle()
    bench.fetch()
    await bench.timers.advance(60)
    state, reason = bench.state(reload_id)
    assert state is ReloadState.FAILED
    assert reason.startswith(
        "it fetched revision 7, but line 1 did not register with its credentials within 60 seconds"
    )


async def test_with_an_external_registrar_the_fetch_is_all() -> None:
    draft = two_credentials().draft()
    draft.put(account(external_registrar="pbx.test"))
    bench = Bench(draft.freeze())
    bench.facts = DeviceFacts(device_id=1, fetched_revision=6)
    reload_id = bench.reload()
    await settle()
    bench.fetch()
    assert bench.state(reload_id) == (ReloadState.DONE, "")


async def test_lines_of_a_disabled_handset_are_not_awaited() -> None:
    inventory = inventory_of(
        account(),
        device(1, type=DeviceType.DECT_BASE),
        device(2, type=DeviceType.DECT_HANDSET, mac=None, ipei="065850047939", base_id=1, slot=1),
        device(
            3,
            type=DeviceType.DECT_HANDSET,
            mac=None,
            ipei="002020807544",
            base_id=1,
            slot=2,
            state=DeviceState.DISABLED,
        ),
        line(2, device_id=2, extension="2001"),
        line(3, device_id=3, extension="2002"),
        credential(2, line_id=2),
        credential(3, line_id=3, aor_user="2002"),
        carrier(1, revision=7),
    )
    bench = Bench(inventory)
    bench.targets = [bench.target(line_id=2, credential_id=2)]
    reload_id = bench.service.start(inventory.get(Device, 2), "jane").id
    await settle()
    assert (bench.record(reload_id).device_id, bench.record(reload_id).carrier_id) == (2, 1)
    bench.fetch()
    assert bench.state(reload_id) == (ReloadState.DONE, "")


# -- one after the other --------------------------------------------------------------------------------------------


async def test_a_second_wish_joins_the_reload_under_way() -> None:
    bench = Bench()
    first = bench.reload()
    await settle()
    assert bench.reload() == first
    await settle()
    assert len(bench.sent) == 1
    bench.fetch()
    assert bench.reload() != first


async def test_a_reload_under_way_follows_to_a_newer_revision() -> None:
    bench = Bench()
    first = bench.reload()
    await settle()
    bench.change(revision=8, registration_revision=8)
    assert bench.reload() == first
    assert (bench.record(first).revision, bench.record(first).awaits_registration) == (8, True)
    bench.fetch(7)
    assert bench.state(first) == (ReloadState.ANSWERED, "")
    bench.fetch(8)
    assert bench.state(first) == (ReloadState.DONE, "")


async def test_a_phone_that_has_fetched_the_older_revision_is_told_anew() -> None:
    bench = Bench(two_credentials())
    bench.facts = DeviceFacts(device_id=1, fetched_revision=6)
    first = bench.reload()
    await settle()
    bench.fetch(7)
    bench.change(revision=8)
    second = bench.reload()
    assert second != first
    assert bench.state(first) == (ReloadState.FAILED, "a newer revision is reloaded in its place")
    await settle()
    bench.register(credential_id=2)
    bench.fetch(8)
    assert bench.state(second) == (ReloadState.DONE, "")
    assert len(bench.sent) == 2


async def test_only_so_many_run_and_wait() -> None:
    entities = [account()]
    inventory = inventory_of(
        *entities,
        *(device(i) for i in range(1, 5)),
        *(line(i, device_id=i, extension=f"{2000 + i}") for i in range(1, 5)),
        *(carrier(i, revision=7) for i in range(1, 5)),
    )
    bench = Bench(inventory, limits=ReloadLimits(in_flight=1, waiting=3))
    bench.targets = [bench.target(line_id=i) for i in range(1, 5)]
    ids = [bench.service.start(inventory.get(Device, i), "jane").id for i in range(1, 4)]
    with pytest.raises(StoreUnavailable, match="3 reloads are under way already"):
        bench.service.start(inventory.get(Device, 4), "jane")
    await settle()
    assert [bench.record(reload_id).state for reload_id in ids] == [
        ReloadState.ANSWERED, ReloadState.QUEUED, ReloadState.QUEUED
    ]  # fmt: skip
    bench.fetch()
    await settle()
    assert bench.record(ids[1]).state is ReloadState.ANSWERED


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"type": DeviceType.SOFTPHONE, "mac": None, "name": "PC"},
            r"PC \(softphone\) is a softphone; it fetches nothing",
        ),
        ({"state": DeviceState.DISABLED}, "is disabled"),
        ({"type": DeviceType.DECT_HANDSET, "mac": None, "ipei": "065850047939"}, "is not paired with a base"),
    ],
)
async def test_what_cannot_be_reloaded_is_refused_with_the_reason(changes: dict[str, Any], message: str) -> None:
    bench = Bench(one_phone(**changes))
    with pytest.raises(Conflict, match=message) as refusal:
        bench.reload()
    assert refusal.value.remedy


@pytest.mark.parametrize("wanted", [1, 2])
async def test_a_handset_is_not_reloaded_by_a_base_that_is_disabled(wanted: int) -> None:
    base = device(1, type=DeviceType.DECT_BASE, state=DeviceState.DISABLED)
    handset = device(2, type=DeviceType.DECT_HANDSET, mac=None, ipei="065850047939", base_id=1)
    bench = Bench(inventory_of(account(), base, handset, carrier(1, revision=7)))
    with pytest.raises(Conflict, match="is disabled") as refusal:
        bench.service.start(bench.inventory.get(Device, wanted), "jane")
    assert refusal.value.remedy == "enable it first"


async def test_a_device_without_files_is_refused() -> None:
    bench = Bench(inventory_of(account(), device(vendor="acme", model="X")))
    with pytest.raises(Conflict, match="has no configuration files: no templates for acme X"):
        bench.reload()


# -- what may happen meanwhile --------------------------------------------------------------------------------------


@pytest.mark.parametrize("fetched", [False, True])
async def test_a_device_that_is_deleted_ends_its_reload_at_once(fetched: bool) -> None:
    bench = Bench(two_credentials())
    bench.facts = DeviceFacts(device_id=1, fetched_revision=6)
    reload_id = bench.reload()
    await settle()
    if fetched:
        bench.fetch()
    bench.inventory = inventory_of(account())
    bench.bus.publish(InventoryChanged("jane", "-", frozenset({1}), frozenset(), bench.clock.now()))
    assert bench.state(reload_id) == (ReloadState.FAILED, "the device was deleted meanwhile")
    await settle()
    assert bench.tasks == set()


@pytest.mark.parametrize(
    ("changes", "replaced", "reason"),
    [
        ({"state": DeviceState.DISABLED}, frozenset(), "the device was disabled meanwhile"),
        ({"mac": "001565999999"}, {1}, "the device was replaced meanwhile; the new one fetches by itself"),
    ],
)
async def test_a_device_in_other_hands_ends_its_reload_at_once(
    changes: dict[str, Any], replaced: frozenset[int], reason: str
) -> None:
    bench = Bench()
    reload_id = bench.reload()
    await settle()
    bench.inventory = one_phone(**changes)
    bench.bus.publish(InventoryChanged("jane", "-", frozenset({1}), frozenset(), 0.0, replaced=frozenset(replaced)))
    assert bench.state(reload_id) == (ReloadState.FAILED, reason)
    await settle()
    assert bench.tasks == set()


async def test_a_file_that_cannot_be_made_ends_the_reload_with_the_reason() -> None:
    bench = Bench()
    reload_id = bench.reload()
    await settle()
    bench.bus.publish(RenderFailed(1, 7, "yealink/device.j2:3: uses what is not there", bench.clock.now()))
    assert bench.state(reload_id) == (
        ReloadState.FAILED,
        "its configuration cannot be made: yealink/device.j2:3: uses what is not there",
    )
    await settle()
    assert bench.tasks == set()


async def test_events_of_devices_that_nobody_reloads_are_none_of_its_business() -> None:
    bench = Bench()
    bench.fetch()
    bench.register(1)
    bench.bus.publish(RenderFailed(1, 7, "x", 0.0))
    bench.bus.publish(InventoryChanged("jane", "-", frozenset({1}), frozenset(), 0.0))
    assert bench.service.recent() == []


# -- waiting, remembering, resuming ---------------------------------------------------------------------------------


async def test_waiting_ends_with_another_state_or_with_the_time() -> None:
    bench = Bench()
    reload_id = bench.reload()
    await settle()
    waiting = asyncio.create_task(bench.service.wait(reload_id, "answered", 10.0))
    await bench.timers.advance(10)
    assert (await waiting).state is ReloadState.ANSWERED
    waiting = asyncio.create_task(bench.service.wait(reload_id, "answered", 10.0))
    await settle()
    bench.fetch()
    assert (await waiting).state is ReloadState.DONE
    assert (await bench.service.wait(reload_id, "done", 10.0)).state is ReloadState.DONE
    with pytest.raises(NotFound, match="there is no reload 4711"):
        await bench.service.wait(4711, "done", 10.0)


async def test_changed_records_are_handed_over_once_and_can_be_put_back() -> None:
    bench = Bench()
    reload_id = bench.reload()
    await settle()
    taken = bench.service.take_changed()
    assert [record.id for record in taken] == [reload_id]
    assert bench.service.take_changed() == []
    bench.service.put_back(taken)
    assert bench.service.take_changed() == taken


async def test_ended_reloads_are_forgotten_once_they_are_in_the_journal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records_module, "_KEPT", 2)
    bench = Bench()
    ids = []
    for _ in range(4):
        ids.append(bench.reload())
        await settle()
        bench.fetch()
        await settle()
        bench.service.take_changed()
    assert [record.id for record in bench.service.recent()] == ids[:1:-1]
    assert bench.service.find(ids[0]) is None


@pytest.mark.parametrize("state", [ReloadState.QUEUED, ReloadState.SENT, ReloadState.ANSWERED, ReloadState.FETCHED])
async def test_after_a_restart_reloads_go_on_from_where_they_were(state: ReloadState) -> None:
    bench = Bench(two_credentials())
    record = ReloadRecord(
        id=5, device_id=1, carrier_id=1, revision=7, awaits_registration=True, actor="jane", created_at=1.0, state=state
    )
    ended = replace(record, id=4, state=ReloadState.DONE)
    bench.service.resume([ended, record])
    await settle()
    assert len(bench.sent) == (1 if state in (ReloadState.QUEUED, ReloadState.SENT) else 0)
    bench.fetch()
    bench.register(2)
    assert bench.state(5) == (ReloadState.DONE, "")
    assert [entry.id for entry in bench.service.recent()] == [5, 4]
    await settle()
    assert bench.tasks == set()


async def test_an_answered_reload_that_is_resumed_still_runs_out() -> None:
    bench = Bench()
    record = ReloadRecord(
        id=5, device_id=1, carrier_id=1, revision=7, awaits_registration=False, actor="jane", created_at=1.0,
        state=ReloadState.ANSWERED, answer_status=200,
    )  # fmt: skip
    bench.service.resume([record])
    await bench.timers.advance(30)
    assert bench.state(5)[0] is ReloadState.FAILED


async def test_a_reload_whose_device_is_gone_after_a_restart_has_failed() -> None:
    bench = Bench(inventory_of(account()))
    bench.service.resume(
        [
            ReloadRecord(
                id=5, device_id=1, carrier_id=1, revision=7, awaits_registration=False, actor="j", created_at=1.0
            )
        ]
    )
    assert bench.state(5) == (ReloadState.FAILED, "the device was deleted meanwhile")
    assert [record.id for record in bench.service.take_changed()] == [5]
    assert bench.inventory.count(Carrier) == 0

"""Rows that are kept current are those that would be made from scratch, whatever happened in between."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.inventory import account, carrier, device, inventory_of, line, location, number, user
from tests.support.workbench import StillClock

from offhook.admin.device_rows import DEVICE_ORDER, Assigned, DeviceRow, DeviceRows
from offhook.admin.registers import Registers
from offhook.endpoint import Transport
from offhook.events import ConfigFetched, InventoryChanged, Registered, RenderFailed
from offhook.inventory.address import AddressState, CivicAddress, EmergencyAddress
from offhook.inventory.facts import FactBook
from offhook.inventory.models import BaseRole, Device, DeviceState, DeviceType, Entity
from offhook.inventory.snapshot import Inventory
from offhook.inventory.state import Status
from offhook.registrar.bindings import Binding, BindingChange, BindingTable
from offhook.registrar.ports import Flow

BASE, HANDSET = DeviceType.DECT_BASE, DeviceType.DECT_HANDSET
FIFTH = CivicAddress(country="US", state="NY", city="New York", house_number="350", street="Fifth", suffix="Ave")
VALID = EmergencyAddress(entered=FIFTH, state=AddressState.VALID, in_force=FIFTH)


class Desk:
    """A small daemon without servers, and its devices' rows."""

    def __init__(self, *entities: Entity) -> None:
        self.inventory = inventory_of(*entities)
        self.clock = StillClock()
        self.facts = FactBook()
        self.bindings = BindingTable()
        self.registers = Registers(lambda: self.inventory, self.facts, self.bindings, self.clock)

    def put(self, entity: Entity) -> None:
        draft = self.inventory.draft()
        draft.put(entity)
        self._use(draft.freeze())

    def delete(self, kind: type[Entity], entity_id: int) -> None:
        draft = self.inventory.draft()
        entity = draft.find(kind, entity_id)
        if entity is not None:
            draft.delete(entity)
        self._use(draft.freeze())

    def _use(self, inventory: Inventory) -> None:
        self.inventory = inventory
        devices = frozenset(device.id for device in inventory.all(Device)) | frozenset(range(10))
        self.facts.forget(InventoryChanged("", "", devices, frozenset(), self.clock.now()), inventory)

    def fetch(self, device_id: int, revision: int, model: str = "T46U") -> None:
        now = self.clock.now()
        self.facts.note_fetched(
            ConfigFetched(device_id, revision, "a.cfg", "device", now, "10.0.0.1", "http", "", "yealink", model)
        )

    def fail(self, device_id: int) -> None:
        self.facts.note_failed(RenderFailed(device_id, 1, "line 3", self.clock.now()))

    def bind(self, device_id: int, line_id: int, seconds: float = 60, connection: int = 0) -> None:
        """Registers a line, as the server does it."""
        now = self.clock.now()
        former = [it for it in self.bindings.bindings_of_device(device_id, now) if it.line_id == line_id]
        flow = Flow(Transport.TCP if connection else Transport.UDP, ("10.0.0.2", 5060), ("10.0.0.5", 5060), connection)
        binding = Binding(
            id=former[0].id if former else self.bindings.new_id(),
            aor=f"sip:{line_id}@acme.test",
            line_id=line_id,
            device_id=device_id,
            credential_id=line_id,
            contact="sip:1@10.0.0.2",
            flow=flow,
            call_id="1",
            cseq=1,
            expires_at=now + seconds,
            registered_at=now,
            refreshed_at=now,
        )
        self._commit(BindingChange((binding,)))
        self.facts.note_registered(
            Registered(
                line_id,
                device_id,
                binding.aor,
                line_id,
                binding.contact,
                "10.0.0.2:5060",
                "udp",
                "",
                now + seconds,
                now,
            )
        )

    def unbind(self, device_id: int) -> None:
        self._commit(BindingChange((), self.bindings.bindings_of_device(device_id, self.clock.now())))

    def _commit(self, change: BindingChange) -> None:
        self.bindings.propose(change)
        self.bindings.commit(change)

    async def rows(self) -> dict[int, DeviceRow]:
        """As they are kept."""
        await self.registers.devices.tend()
        return {row.id: row for row in (await self.registers.devices.settle())[1]}

    def from_scratch(self) -> dict[int, DeviceRow | None]:
        fresh = DeviceRows(self.facts.of, self.bindings.bindings_of_device, self.clock)
        return {it.id: fresh.make(self.inventory, it.id) for it in self.inventory.all(Device)}


IDS = st.integers(1, 6)
FEW = st.integers(1, 3)
BASE_IDS = st.integers(1, 2)
ADDRESSES = st.sampled_from([None, VALID])
#: Devices of those ids are bases, with or without a system; only handsets have a base.
BASES = st.builds(
    device, BASE_IDS, account_id=st.integers(1, 2), type=st.just(BASE), location_id=st.none() | FEW, address=ADDRESSES,
    state=st.sampled_from(DeviceState), system_id=st.none() | BASE_IDS, role=st.sampled_from([None, *BaseRole]),
)  # fmt: skip
PHONES = st.builds(
    device, st.integers(3, 6), account_id=st.integers(1, 2), name=st.sampled_from([None, "Desk"]), address=ADDRESSES,
    type=st.sampled_from([DeviceType.DESKPHONE, DeviceType.SOFTPHONE]), location_id=st.none() | FEW,
    state=st.sampled_from(DeviceState),
)  # fmt: skip
HANDSETS = st.builds(
    device, st.integers(3, 6), account_id=st.integers(1, 2), type=st.just(HANDSET), base_id=st.none() | BASE_IDS,
)  # fmt: skip
ENTITIES = st.one_of(
    BASES,
    PHONES,
    HANDSETS,
    st.builds(
        lambda n, registrar: account(n, external_registrar=registrar), st.integers(1, 2), st.sampled_from([None, "pbx"])
    ),
    st.builds(lambda n, name, address: location(n, name=name, address=address), FEW, st.sampled_from("ab"), ADDRESSES),
    st.builds(
        lambda n, name, address: user(n, last_name=name, offsite_address=address), FEW, st.sampled_from("ab"), ADDRESSES
    ),
    st.builds(lambda n, owner: number(n, user_id=owner, extension=f"30{n}"), FEW, st.none() | FEW),
    st.builds(
        lambda n, device_id, owner, numbered: line(
            n, device_id=device_id, user_id=owner if not numbered else None, number_id=numbered, label=f"line {n}",
            extension=f"40{n}" if not owner and not numbered else None,
        ),
        IDS, IDS, st.none() | FEW, st.none() | FEW,
    ),
    st.builds(lambda n, revision: carrier(n, revision=revision), IDS, FEW),
)  # fmt: skip
STEPS: st.SearchStrategy[Callable[[Desk], object]] = st.one_of(
    ENTITIES.map(lambda entity: lambda desk: desk.put(entity)),
    ENTITIES.map(lambda entity: lambda desk: desk.put(entity)),
    ENTITIES.filter(lambda it: not hasattr(it, "sip_domain")).map(lambda it: lambda desk: desk.delete(type(it), it.id)),
    st.builds(lambda n, revision, model: lambda desk: desk.fetch(n, revision, model), IDS, FEW, st.sampled_from("ab")),
    IDS.map(lambda n: lambda desk: desk.fail(n)),
    st.builds(lambda n, m, s, c: lambda desk: desk.bind(n, m, s, c), IDS, IDS, st.integers(1, 90), st.integers(0, 2)),
    IDS.map(lambda n: lambda desk: desk.unbind(n)),
    st.integers(1, 2).map(lambda n: lambda desk: desk.bindings.connection_lost(n)),
    st.integers(1, 60).map(lambda seconds: lambda desk: desk.clock.advance(seconds)),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(STEPS, min_size=1, max_size=5), max_size=12))
async def test_whatever_happens_the_rows_are_those_made_from_scratch(
    rounds: list[list[Callable[[Desk], object]]],
) -> None:
    desk = Desk(account(1), account(2), device(1, type=BASE), device(3, type=HANDSET, base_id=1), line(1, user_id=1))
    for steps in rounds:
        for step in steps:
            step(desk)
        assert await desk.rows() == desk.from_scratch()


async def status_of(desk: Desk, device_id: int = 1) -> str:
    return (await desk.rows())[device_id].status


def one_phone() -> Desk:
    desk = Desk(account(), user(), device(), line(user_id=1), carrier())
    desk.fetch(1, 1)
    return desk


async def test_a_binding_that_runs_out_makes_its_device_offline_at_that_moment() -> None:
    desk = one_phone()
    desk.bind(1, 1, 60)
    assert await status_of(desk) == Status.REGISTERED
    desk.clock.advance(59.9)
    assert await status_of(desk) == Status.REGISTERED
    desk.bind(1, 1, 30)
    assert await status_of(desk) == Status.REGISTERED
    desk.clock.advance(30)
    assert await status_of(desk) == Status.OFFLINE


async def test_a_connection_that_is_lost_makes_its_device_offline_at_once() -> None:
    desk = one_phone()
    desk.bind(1, 1, 60, connection=7)
    assert await status_of(desk) == Status.REGISTERED
    desk.bindings.connection_lost(7)
    assert await status_of(desk) == Status.OFFLINE


async def test_a_handset_has_the_configuration_of_its_carrier() -> None:
    desk = Desk(account(), device(1, type=BASE), device(2, type=HANDSET, base_id=1), carrier(1, revision=2))
    assert await status_of(desk, 2) == Status.NEW
    desk.fetch(1, 1)
    assert await status_of(desk, 2) == Status.PENDING
    desk.fetch(1, 2)
    assert await status_of(desk, 2) == Status.PROVISIONED
    desk.put(carrier(1, revision=3))
    assert await status_of(desk, 2) == Status.PENDING
    desk.fail(1)
    assert await status_of(desk, 2) == Status.FAILED
    assert (await desk.rows())[2].provisioned_key == desk.clock.now()


async def test_a_handset_counts_at_its_bases_location_wherever_that_goes() -> None:
    desk = Desk(
        account(), location(1, name="HQ"), location(2, name="Annex", address=VALID),
        device(1, type=BASE, location_id=1), device(2, type=HANDSET, base_id=1), device(3, type=HANDSET),
    )  # fmt: skip
    assert [row.location_id for row in (await desk.rows()).values()].count(1) == 2
    desk.put(device(1, type=BASE, location_id=2))
    rows = await desk.rows()
    assert (rows[2].location_id, rows[2].civic, rows[3].location_id) == (2, FIFTH, None)
    desk.put(location(2, name="Shed"))
    rows = await desk.rows()
    assert (rows[2].location_key, rows[2].civic) == ("shed", None)


@pytest.mark.parametrize(
    ("changes", "assignment", "assigned"),
    [
        ({}, {"user_id": 1}, Assigned.YES),
        ({}, {"number_id": 1}, Assigned.YES),
        ({}, {"number_id": 2}, Assigned.COMMON_AREA),
        ({}, {"extension": "2090"}, Assigned.COMMON_AREA),
        ({}, {}, Assigned.NO),
        ({"type": HANDSET}, {"user_id": 1}, Assigned.YES),
        ({"type": DeviceType.SOFTPHONE}, {"user_id": 1}, None),
        ({"type": BASE}, {}, None),
    ],
)
async def test_what_a_phone_is_for(
    changes: dict[str, Any], assignment: dict[str, Any], assigned: Assigned | None
) -> None:
    desk = Desk(account(), user(), number(1, user_id=1), number(2), device(**changes), line(**assignment))
    assert (await desk.rows())[1].assigned is assigned


async def test_it_is_found_by_what_people_know_of_it() -> None:
    desk = Desk(
        account(), user(first_name="Zoë", email="zoe@acme.test"), number(1, user_id=1, number="+12125550101"),
        device(name="Réception", vendor="yealink", model="T31P"), line(number_id=1, label="Front desk"),
    )  # fmt: skip
    desk.fetch(1, 1, "T46U")
    row = (await desk.rows())[1]
    for word in ("reception", "001565123456", "yealink", "t31p", "t46u", "zoe smith", "user1", "zoe@acme.test"):
        assert word in row.text
    for word in ("2001", "front desk", "100001", "10.0.0.1", "+12125550101"):
        assert word in row.text
    assert row.codes == "001565123456\n+12125550101"
    assert (row.models, row.model_key) == (("t46u", "t31p"), "t00246u")


async def test_an_ipei_is_known_as_printed_and_in_hexadecimal() -> None:
    desk = Desk(account(), device(type=HANDSET, mac=None, ipei="065850047939"))
    assert (await desk.rows())[1].codes == "0658500479393\n019b90bb43"


def test_every_key_orders_rows() -> None:
    desk = one_phone()
    row = desk.from_scratch()[1]
    assert row is not None
    for key in DEVICE_ORDER.keys.values():
        assert type(key.of(row)) is type(key.last)
    assert replace(row, id=2) != row

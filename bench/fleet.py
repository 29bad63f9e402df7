"""A large fleet in memory: accounts, locations, users, numbers, and devices in every status, the same each time."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from offhook.endpoint import Transport
from offhook.events import ConfigFetched, RenderFailed
from offhook.inventory.address import AddressState, CivicAddress, EmergencyAddress
from offhook.inventory.facts import FactBook
from offhook.inventory.models import (
    Account,
    Carrier,
    Device,
    DeviceState,
    DeviceType,
    Entity,
    Line,
    Location,
    Number,
    User,
)
from offhook.inventory.snapshot import Inventory
from offhook.registrar.bindings import Binding, BindingChange, BindingTable
from offhook.registrar.ports import Flow

ACCOUNTS: Final = 20
LOCATIONS: Final = 15
#: Of each account.
FIRST_NAMES: Final = ("Ana", "André", "Björn", "Chloé", "Emre", "Frida", "Grace", "Ines", "Jane", "Kofi", "Lena")
SURNAMES: Final = (
    "Smith",
    "Müller",
    "Ødegård",
    "Rossi",
    "Nowak",
    "Silva",
    "Tanaka",
    "Okafor",
    "Lindqvist",
    "Fernández",
)
ROOMS: Final = (
    "Reception",
    "Warehouse",
    "Kitchen",
    "Meeting",
    "Lab",
    "Workshop",
    "Office",
    "Gate",
    "Ward",
    "Classroom",
)


@dataclass(frozen=True, slots=True)
class _Kind:
    type: DeviceType
    vendor: str | None
    models: tuple[str | None, ...]
    share: int


KINDS: Final = (
    _Kind(DeviceType.DESKPHONE, "yealink", ("T31P", "T46U", "T54W", "T58W"), 700),
    _Kind(DeviceType.DECT_BASE, "snom", ("M900", "M400"), 15),
    _Kind(DeviceType.DECT_HANDSET, "snom", ("M85", "M70"), 150),
    _Kind(DeviceType.ATA, "grandstream", ("HT802", "HT814"), 50),
    _Kind(DeviceType.SOFTPHONE, None, (None,), 60),
    _Kind(DeviceType.GENERIC, None, ("door station",), 25),
)


@dataclass(frozen=True, slots=True)
class Fleet:
    """Everything that is stored; ids begin at a million, so that new ones stand apart."""

    entities: tuple[Entity, ...]
    devices: tuple[Device, ...]


def make_fleet(size: int) -> Fleet:
    """A fleet of so many devices."""
    chance = random.Random(size)
    accounts = [Account(id=n, name=f"account{n:02}", sip_domain=f"a{n}.test") for n in range(1, ACCOUNTS + 1)]
    places = [
        Location(
            id=1000 * account.id + n,
            account_id=account.id,
            name=f"{chance.choice(ROOMS)} building {n}",
            address=_address(n) if n % 5 else None,
        )
        for account in accounts
        for n in range(1, LOCATIONS + 1)
    ]
    users: list[User] = []
    numbers: list[Number] = []
    devices: list[Device] = []
    lines: list[Line] = []
    bases: list[Device] = []
    for n in range(size):
        device_id, account = 1_000_000 + n, chance.choice(accounts)
        (kind,) = chance.choices(KINDS, [kind.share for kind in KINDS])
        place = places[(account.id - 1) * LOCATIONS + chance.randrange(LOCATIONS)]
        is_handset = kind.type is DeviceType.DECT_HANDSET
        base = chance.choice(bases[-40:]) if is_handset and bases and chance.random() < 0.9 else None
        device = Device(
            id=device_id,
            account_id=base.account_id if base else account.id,
            type=kind.type,
            mac=None if is_handset or kind.type is DeviceType.SOFTPHONE else f"{0x001565000000 + 7 * n:012x}",
            ipei=f"{chance.randrange(65536):05}{n:07}" if is_handset else None,
            name=f"{chance.choice(ROOMS)} {chance.randrange(2000)}" if chance.random() < 0.9 else None,
            vendor=kind.vendor,
            model=chance.choice(kind.models),
            location_id=place.id if not is_handset and n % 20 else None,
            state=DeviceState.DISABLED if n % 200 == 0 else DeviceState.ACTIVE,
            phone_id=f"{1_000_000 + n}",
            base_id=base.id if base else None,
            slot=n if base else None,
            created_at=1_700_000_000.0 + 60 * n,
        )
        devices.append(device)
        if kind.type is DeviceType.DECT_BASE:
            bases.append(device)
            continue
        if n % 10:
            first, last = chance.choice(FIRST_NAMES), chance.choice(SURNAMES)
            user = User(
                id=2_000_000 + n,
                account_id=device.account_id,
                username=f"user{n}",
                first_name=first,
                last_name=f"{last} {n}",
                email=f"user{n}@mail{n % 97}.example",
                extension=f"{100_000 + n}",
                location_id=place.id,
            )
            users.append(user)
            if n % 2:
                number = Number(id=3_000_000 + n, account_id=device.account_id, number=f"+1212{n:07}", user_id=user.id)
                numbers.append(number)
        lines.append(
            Line(
                id=4_000_000 + n,
                account_id=device.account_id,
                device_id=device_id,
                index=1,
                user_id=2_000_000 + n if n % 10 else None,
                extension=f"{100_000 + n}" if n % 10 == 0 and n % 30 else None,
            )
        )
    return Fleet((*accounts, *places, *users, *numbers, *devices, *lines), tuple(devices))


def _address(n: int) -> EmergencyAddress:
    civic = CivicAddress(
        country="US", state="NY", city="New York", house_number=str(100 + n), street="Fifth", suffix="Ave",
        postal_code="10118", floor=str(n),
    )  # fmt: skip
    return EmergencyAddress(entered=civic, state=AddressState.VALID, in_force=civic, in_force_at=1_700_000_000.0)


def bring_to_life(inventory: Inventory, facts: FactBook, bindings: BindingTable, now: float) -> None:
    """Devices that fetched, failed, registered, ran out, or were never seen."""
    for carrier in inventory.all(Carrier):
        n = carrier.id % 100
        if n < 85:
            facts.note_fetched(fetched(inventory.get(Device, carrier.id), carrier.revision, now - 60 * n))
        if n == 84:
            facts.note_failed(RenderFailed(carrier.id, carrier.revision, "device.cfg.j2:7", now))
    register(inventory, bindings, (it for it in inventory.all(Device) if it.id % 100 < 60), now, now + 3600)


def fetched(device: Device, revision: int, at: float) -> ConfigFetched:
    """What a device's fetch tells."""
    source = f"10.{device.id >> 16 & 255}.{device.id >> 8 & 255}.{device.id & 255}"
    return ConfigFetched(
        device.id, revision, "device.cfg", "device", at, source, "http", "", device.vendor or "", device.model or ""
    )


def register(
    inventory: Inventory, bindings: BindingTable, devices: Iterable[Device], now: float, expires_at: float
) -> None:
    """Binds their lines, or refreshes the bindings that they have."""
    for device in devices:
        present = {binding.line_id: binding for binding in bindings.bindings_of_device(device.id, now)}
        for line in inventory.lines_of(device.id):
            former = present.get(line.id)
            binding = replace(former, expires_at=expires_at) if former else _binding(inventory, bindings, line, now)
            change = BindingChange((binding,))
            bindings.propose(change)
            bindings.commit(change)


def _binding(inventory: Inventory, bindings: BindingTable, line: Line, now: float) -> Binding:
    return Binding(
        id=bindings.new_id(),
        aor=inventory.address_of_record(line),
        line_id=line.id,
        device_id=line.device_id,
        credential_id=line.id,
        contact="sip:phone@10.1.2.3:5060",
        flow=Flow(Transport.UDP, ("10.1.2.3", 5060), ("10.0.0.5", 5060)),
        call_id=str(line.id),
        cseq=1,
        expires_at=now + 3600,
        registered_at=now,
        refreshed_at=now,
    )

"""An inventory to work on in tests: a clock that stands still, vendors without templates, a store in memory."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import replace
from typing import Any

from tests.support.inventory import BOX

from offhook.errors import DocumentError, StoreUnavailable
from offhook.events import EventBus, InventoryChanged
from offhook.inventory.apply import Applied, ApplyOptions, apply_document
from offhook.inventory.editor import Editor, Workshop
from offhook.inventory.generated import IdSource
from offhook.inventory.models import Account, Device, DeviceType, Entity, Number, User
from offhook.inventory.ports import AuditRecord, Capability, Change, ConfigDigests, Put
from offhook.inventory.reading import read_document
from offhook.inventory.service import Actor, InventoryService, Plan
from offhook.inventory.snapshot import Inventory

JANE = Actor("jane", "uid 1000", "request 1")

K2 = """
accounts:
  - name: acme
    sip_domain: acme.test
    gateway: sip:pbx.acme.test           # optional
    access: token                        # certificate | device | token | lan
    locations:
      - {name: HQ, timezone: America/New_York,
         address: {country: US, state: NY, city: New York, house_number: "350", street: Fifth, suffix: Ave, postal_code: "10118", floor: "21"}}
    users:
      - {username: jsmith, first_name: Jane, last_name: Smith, email: jane@acme.test, plan: pro, extension: "2001", location: HQ}
      - {username: rlee, first_name: Robin, last_name: Lee, email: robin@acme.test, plan: plus, extension: "2002", location: HQ}
    numbers:
      - {number: "+12125550101", location: HQ, status: active, user: jsmith}
    dect_systems:
      - {name: HQ DECT, vendor: snom, model: M900}
    devices:
      - {type: deskphone, mac: "00:15:65:12:34:56", vendor: yealink, model: T46U, name: Reception, location: HQ, user: jsmith}
      - {type: dect_base, mac: "00:04:13:aa:bb:cc", system: HQ DECT, role: single, name: Floor 2, location: HQ}
      - {type: dect_handset, ipei: "0658500479393", base: "00:04:13:aa:bb:cc", user: rlee}
      - {type: ata, mac: "ec:74:d7:00:00:01", vendor: grandstream, model: HT802, location: HQ, lines: [{index: 1, extension: "2090"}, {index: 2, extension: "2091"}]}
"""  # noqa: E501 # the document as operators know it


class StillClock:
    """Stands still until it is moved."""

    def __init__(self, now: float = 1_750_000_000.0) -> None:
        self.time = now

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += seconds


class InlineExecutor(Executor):
    """Runs what it is given at once, in the caller's thread."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        return future


#: What models of the fake vendors hold.
CAPABILITIES = {
    (DeviceType.DESKPHONE, "T46U"): Capability("T46U", lines=16, keys=27),
    (DeviceType.DESKPHONE, "T31P"): Capability("T31P", lines=2, keys=2),
    (DeviceType.DESKPHONE, "T19P"): Capability("T19P", lines=1, keys=0),
    (DeviceType.ATA, "HT801"): Capability("HT801", lines=1, keys=0),
    (DeviceType.ATA, "HT802"): Capability("HT802", lines=2, keys=0),
    (DeviceType.DECT_BASE, "W2B"): Capability("W2B", handsets=2),
    (DeviceType.DECT_BASE, "W0B"): Capability("W0B", handsets=0),
}


class FakeVendors:
    """Knows two makers, and a few models; their phones hold any password."""

    def capability(self, kind: DeviceType, vendor: str | None, model: str | None) -> Capability | None:
        return CAPABILITIES.get((kind, model or "")) if vendor is not None else None

    def find_vendor_by_mac(self, mac: str) -> str | None:
        return {"001565": "yealink", "000413": "snom"}.get(mac[:6])

    def secret_shape(self, vendor: str | None) -> tuple[str, int]:
        return "abcdefghjkmnpqrstuvwxyz23456789", 24

    def missing_templates(self, kind: DeviceType, vendor: str | None, model: str | None) -> str | None:
        return None if vendor in ("yealink", "snom", "grandstream") else f"there are no templates for {vendor}"


VENDORS = FakeVendors()


class FakeDigests:
    """Digests of what a phone would show and register with."""

    def __init__(self) -> None:
        self.template = "template 1"
        self.without_files: set[str | None] = {None}

    def digests(self, inventory: Inventory, carrier: Device) -> ConfigDigests | None:
        if carrier.vendor in self.without_files:
            return None
        account = inventory.get(Account, carrier.account_id)
        shown: list[object] = [self.template, account.timezone, account.language, carrier.name, carrier.model]
        registers: list[object] = [account.sip_domain]
        for device in inventory.carried_devices(carrier):
            shown.append((device.ipei, device.slot))
            for line in inventory.lines_of(device.id):
                credential = inventory.active_credential(line.id)
                if credential is None:
                    continue
                registers.append((line.index, credential.aor_user, credential.auth_username, credential.sealed_secret))
                number = inventory.find(Number, line.number_id)
                user = inventory.find(User, line.user_id if number is None else number.user_id)
                shown.append((line.label, number.display_name if number else "", user.full_name if user else ""))
        registration = hashlib.sha256(repr(registers).encode()).hexdigest()
        return ConfigDigests(hashlib.sha256(repr((shown, registers)).encode()).hexdigest(), registration)


class MemoryStore:
    """Keeps the inventory and its audit in memory; fails when it is told to."""

    def __init__(self, entities: Iterable[Entity] = ()) -> None:
        self.entities: dict[tuple[type, int], Entity] = {(type(entity), entity.id): entity for entity in entities}
        self.audit: list[AuditRecord] = []
        self.commits = 0
        self.fails = False

    def load(self) -> Iterable[Entity]:
        return list(self.entities.values())

    def commit(self, changes: Sequence[Change], audit: Sequence[AuditRecord]) -> None:
        if self.fails:
            raise StoreUnavailable("the disk is full")
        self.commits += 1
        for change in changes:
            key = (type(change.entity), change.entity.id)
            if isinstance(change, Put):
                self.entities[key] = change.entity
            else:
                del self.entities[key]
        self.audit.extend(audit)


class Workbench:
    """A service on a store in memory, and what it tells the bus."""

    def __init__(self, entities: Iterable[Entity] = (), *, executor: Executor | None = None) -> None:
        self.clock = StillClock()
        self.store = MemoryStore(entities)
        self.digests = FakeDigests()
        self.events: list[InventoryChanged] = []
        self.bus = EventBus(raise_error)
        self.bus.subscribe(InventoryChanged, self.events.append)
        self.ids = IdSource(self.clock)
        self.service = InventoryService(
            self.store,
            Workshop(self.ids, BOX, FakeVendors()),
            self.digests,
            bus=self.bus,
            clock=self.clock,
            executor=executor or InlineExecutor(),
        )

    @property
    def inventory(self) -> Inventory:
        return self.service.inventory

    async def apply(self, text: str, *, yes: bool = False, **options: bool) -> Plan:
        return await self.service.apply(
            self.service.document(text.encode(), "site.yaml"), ApplyOptions(**options), JANE, yes=yes
        )

    async def plan(self, text: str, **options: bool) -> Plan:
        return await self.service.plan(self.service.document(text.encode(), "site.yaml"), ApplyOptions(**options))

    async def change(self, edit: Callable[[Editor], object]) -> None:
        """A change by the API; what ``edit`` gives is of no interest."""

        def run(editor: Editor) -> None:
            edit(editor)

        await self.service.change(run, JANE)

    async def faults(self, text: str, **options: bool) -> list[str]:
        """What is wrong with a document, each with its line."""
        try:
            await self.plan(text, **options)
        except DocumentError as error:
            return [f"{fault.line}: {replace(fault, file='', path='', line=0)}" for fault in error.faults]
        return []

    def phone(self, mac: str) -> Device:
        """A device by its MAC or IPEI, in the form that the inventory keeps."""
        device = self.inventory.find_device_by_mac(mac) or self.inventory.find_device_by_ipei(mac)
        assert device is not None, f"there is no device {mac}"
        return device

    def user(self, username: str) -> User:
        user = self.inventory.find_user(username)
        assert user is not None, f"there is no user {username}"
        return user


def raise_error(event: object, error: Exception) -> None:
    """For an :class:`EventBus` whose handlers must not fail."""
    raise error


def devices_of_type(inventory: Inventory, kind: DeviceType) -> list[Device]:
    return sorted((device for device in inventory.all(Device) if device.type is kind), key=lambda device: device.id)


def apply_to(inventory: Inventory, text: str, clock: StillClock | None = None, **options: bool) -> Inventory:
    """The inventory after a document, without a service around it. Raises DocumentError."""
    clock = clock or StillClock()
    ids = IdSource(clock)
    ids.pass_over(entity.id for kind in (Account, Device) for entity in inventory.all(kind))
    ids.pass_over([ids.next() + 1_000_000])
    draft = inventory.draft()
    editor = Editor(draft, Workshop(ids, BOX, FakeVendors()), clock.now())
    applied: Applied = apply_document(editor, read_document(text, "site.yaml"), ApplyOptions(**options))
    if applied.faults:
        raise DocumentError(applied.faults)
    return draft.freeze()


def forget_digests(device: Device) -> Device:
    """A device without what is made up for it."""
    return replace(device, id=0, phone_id="", token_digest=b"", sealed_token=b"", created_at=0.0)

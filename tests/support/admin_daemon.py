"""The admin side of a daemon, with a real inventory in a real database; phones and files are made up.

:func:`running` starts it on the loop of the test, :func:`in_background` in a thread of its own, for tests that drive
the command line.
"""

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
from argon2 import PasswordHasher
from sqlalchemy import event
from tests.support.keys import KEYRING

from offhook.admin.announcements import Announcements
from offhook.admin.announcer import Announcer
from offhook.admin.api.description import Description
from offhook.admin.application import find_routes, make_application
from offhook.admin.auth import Tokens
from offhook.admin.changes import Changes
from offhook.admin.ports import Daemon, Listening, RenderedFile, Services
from offhook.admin.registers import Registers
from offhook.admin.routes import Route
from offhook.endpoint import Endpoint, Transport
from offhook.errors import Conflict, NotFound
from offhook.events import EventBus, InventoryChanged
from offhook.inventory.apply import ApplyOptions
from offhook.inventory.editor import Workshop
from offhook.inventory.emergency.coverage_book import CoverageBook
from offhook.inventory.emergency.validation import Validation
from offhook.inventory.facts import FactBook
from offhook.inventory.generated import IdSource
from offhook.inventory.models import Account, Carrier, Device, DeviceType, Entity, User
from offhook.inventory.pins import Pins
from offhook.inventory.ports import Capability, ConfigDigests, Put
from offhook.inventory.service import DAEMON, InventoryService
from offhook.inventory.snapshot import Inventory
from offhook.observability.health import Health
from offhook.observability.metrics import Metrics
from offhook.registrar.bindings import Binding, BindingChange, BindingTable
from offhook.registrar.ports import Flow
from offhook.reload.progress import ReloadRecord, ReloadState
from offhook.secret import Secret
from offhook.servers.admin import AdminServer
from offhook.store.audit import SqlAuditLog
from offhook.store.backup import Backups
from offhook.store.key_file import KeyFile
from offhook.store.renewal import Renewal
from offhook.store.rotation import Keys
from offhook.store.sql.data_keys import SqlDataKeys
from offhook.store.sql.engine import open_engine
from offhook.store.sql.inventory import SqlInventoryStore
from offhook.store.sql.tables import metadata
from offhook.store.tokens import Role, Scope, SqlTokenStore

T = TypeVar("T")

START = 1_800_000_000.0
RECEPTION = "00:15:65:12:34:56"
LOBBY = "00:15:65:12:34:99"

DOCUMENT = """\
accounts:
  - name: acme
    sip_domain: acme.test
    gateway: sip:pbx.acme.test
    locations:
      - {name: HQ, timezone: America/New_York}
    users:
      - {username: jsmith, first_name: Jane, last_name: Smith, plan: pro, extension: "2001", location: HQ}
      - {username: rlee, first_name: Robin, last_name: Lee, plan: plus, extension: "2002"}
    devices:
      - {type: deskphone, mac: "00:15:65:12:34:56", vendor: yealink, model: T46U, name: Reception, user: jsmith}
      - {type: dect_base, mac: "00:04:13:aa:bb:cc", vendor: snom, model: M900, name: Floor 2}
      - {type: dect_handset, ipei: "0658500479393", base: "00:04:13:aa:bb:cc", user: rlee}
  - name: globex
    sip_domain: globex.test
    devices:
      - {type: deskphone, mac: "00:15:65:12:34:99", vendor: yealink, model: T31P, name: Lobby}
      - {type: deskphone, mac: "00:15:65:12:34:98", vendor: yealink, model: T31P, name: Reception}
"""


class FakeClock:
    """Stands still."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time


class FakeVendors:
    """Knows every vendor."""

    def capability(self, kind: DeviceType, vendor: str | None, model: str | None) -> Capability | None:
        return None

    def find_vendor_by_mac(self, mac: str) -> str | None:
        return "yealink" if mac.startswith("001565") else None

    def secret_shape(self, vendor: str | None) -> tuple[str, int]:
        return "abcdefghijkmnpqrstuvwxyz23456789", 24

    def missing_templates(self, kind: DeviceType, vendor: str | None, model: str | None) -> str | None:
        return None


class FakeDigests:
    """A phone's file is made of its name, and of its users' names."""

    def digests(self, inventory: Inventory, carrier: Device) -> ConfigDigests | None:
        if carrier.type is DeviceType.DECT_HANDSET or carrier.vendor == "unheard":
            return None
        lines = inventory.lines_of(carrier.id)
        names = [user.full_name for line in lines if (user := inventory.find(User, line.user_id)) is not None]
        return ConfigDigests(config=repr((carrier.name, names, lines)), registration=repr(lines))


class FakeReloads:
    """Reloads that go on when the test says so."""

    def __init__(self, ids: IdSource) -> None:
        self._ids = ids
        self._records: dict[int, ReloadRecord] = {}
        self._changed = asyncio.Condition()
        self.started: queue.SimpleQueue[ReloadRecord] = queue.SimpleQueue()
        #: In the order in which they were begun.

    def start(self, device: Device, actor: str) -> ReloadRecord:
        if device.type is DeviceType.DECT_HANDSET:
            raise Conflict("a handset cannot be reloaded here", remedy="reload its base")
        record = ReloadRecord(
            id=self._ids.next(),
            device_id=device.id,
            carrier_id=device.id,
            revision=2,
            awaits_registration=False,
            actor=actor,
            created_at=START,
        )
        self._records[record.id] = record
        self.started.put(record)
        return record

    def find(self, reload_id: int) -> ReloadRecord | None:
        return self._records.get(reload_id)

    def recent(self) -> Sequence[ReloadRecord]:
        return list(self._records.values())

    async def wait(self, reload_id: int, state: str, seconds: float) -> ReloadRecord:
        async with self._changed:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._changed.wait_for(lambda: self._records[reload_id].state.value != state)
        return self._records[reload_id]

    async def advance(self, reload_id: int, state: ReloadState, **values: Any) -> None:
        """Brings a reload to another state."""
        async with self._changed:
            self._records[reload_id] = replace(self._records[reload_id], state=state, **values)
            self._changed.notify_all()


@dataclass(frozen=True, slots=True)
class AdminDaemon:
    """What runs, and how to get there."""

    services: Services
    bindings: BindingTable
    facts: FactBook
    reloads: FakeReloads
    clock: FakeClock
    bus: EventBus
    announcements: Announcements
    announcer: Announcer
    socket: Path
    url: str
    #: Of TCP, without a slash at its end.
    loop: asyncio.AbstractEventLoop

    @property
    def inventory(self) -> Inventory:
        return self.services.inventory.inventory

    async def token(
        self,
        role: Role,
        name: str = "",
        *,
        scopes: Sequence[Scope] = (),
        accounts: Sequence[str] = (),
        networks: Sequence[str] = (),
    ) -> str:
        """The text of a new token."""
        found = [account.id for account in self.inventory.all(Account) if account.name in accounts]
        _, text = await self.services.tokens.create(
            name or role.value, role, None, scopes=scopes, accounts=found, networks=networks
        )
        return text.reveal()

    async def apply(self, document: str) -> None:
        """Applies a document, as the daemon itself."""
        service = self.services.inventory
        await service.apply(service.document(document.encode(), "document"), ApplyOptions(), DAEMON)

    def local(self) -> aiohttp.ClientSession:
        """A client on the local socket."""
        return aiohttp.ClientSession("http://localhost", connector=aiohttp.UnixConnector(str(self.socket)))

    async def remote(
        self, role: Role, *, scopes: Sequence[Scope] = (), accounts: Sequence[str] = ()
    ) -> aiohttp.ClientSession:
        """A client on TCP, with a token of that role."""
        token = await self.token(role, f"{role.value} of a test", scopes=scopes, accounts=accounts)
        return aiohttp.ClientSession(self.url, headers={"Authorization": f"Bearer {token}"})

    def device(self, name: str = "Reception", account: str = "acme") -> Device:
        """A device of the document."""
        return next(
            device
            for device in self.inventory.devices_named(name)
            if self.inventory.get(Account, device.account_id).name == account
        )

    def bind(self, device: Device, *, user_agent: str = "Yealink SIP-T46U 108.86.0.45") -> None:
        """Registers a device's first line."""
        line = self.inventory.lines_of(device.id)[0]
        credential = self.inventory.active_credential(line.id)
        assert credential is not None
        binding = Binding(
            id=self.bindings.new_id(),
            aor=self.inventory.address_of_record(line),
            line_id=line.id,
            device_id=device.id,
            credential_id=credential.id,
            contact="sip:2001@10.1.2.3:5060",
            flow=Flow(Transport.UDP, ("10.1.2.3", 5060), ("10.0.0.5", 5060)),
            call_id="a84b4c76e66710",
            cseq=1,
            expires_at=START + 3600,
            registered_at=START,
            refreshed_at=START,
            user_agent=user_agent,
        )
        change = BindingChange((binding,))
        self.bindings.propose(change)
        self.bindings.commit(change)

    def call(self, work: Callable[[], Any]) -> Any:
        """Runs something on the daemon's loop, from another thread."""

        async def run() -> Any:
            result = work()
            return await result if asyncio.iscoroutine(result) else result

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(10)


def _preview(device: Device, file: str, *, reveal: bool) -> RenderedFile:
    names = ("001565123456.cfg", "y000000000108.cfg")
    if file not in ("", *names):
        raise NotFound(f"the device is not given a file {file}", remedy=f"it asks for {', '.join(names)}")
    secret = "hunter2" if reveal else Secret.MASK
    return RenderedFile(file or names[0], "text/plain", f"account.1.password = {secret}\n", names)


@contextlib.asynccontextmanager
async def running(
    folder: Path, *, document: str = DOCUMENT, entities: Sequence[Entity] = (), body_bytes: int = 100_000
) -> AsyncIterator[AdminDaemon]:
    """The admin side on a socket in ``folder`` and on a TCP port, with ``entities`` stored and ``document`` applied."""
    clock = FakeClock()
    engine = open_engine(folder / "inventory.db")
    event.listen(engine, "connect", _do_not_sync)
    metadata.create_all(engine)
    ids = IdSource(clock)
    key_file = KeyFile(folder / "secret.key")
    key_file.write(KEYRING)
    keys = Keys(key_file, KEYRING, SqlDataKeys(engine), clock)
    box = keys.box
    bus, changes = EventBus(_fail), Changes(START)
    bus.subscribe(InventoryChanged, changes.note)
    metrics = Metrics("0.0.0")
    health = Health(metrics)
    facts = FactBook()
    bindings = BindingTable()
    with ThreadPoolExecutor(1) as executor:
        store = SqlInventoryStore(engine, box)
        store.commit([Put(entity) for entity in entities], ())
        inventory = InventoryService(
            store,
            Workshop(ids, box, FakeVendors()),
            FakeDigests(),
            bus=bus,
            clock=clock,
            executor=executor,
        )
        await inventory.load()
        if document:
            await inventory.apply(inventory.document(document.encode(), "acme.yaml"), ApplyOptions(), DAEMON)
        reloads = FakeReloads(ids)
        registers = Registers(lambda: inventory.inventory, facts, bindings, clock)
        announcements = Announcements(clock, kept=20, listeners=5, observer=metrics.events_followed)
        announcer = Announcer(
            announcements,
            inventory=lambda: inventory.inventory,
            registers=registers,
            facts=facts.of,
            bindings=bindings,
            reloads=reloads,
            bus=bus,
            clock=clock,
        )
        services = Services(
            inventory=inventory,
            pins=Pins(inventory, box, executor, hasher=PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)),
            registers=registers,
            facts=facts.of,
            bindings=bindings,
            reloads=reloads,
            validation=Validation(metrics.address_validated),
            coverage=CoverageBook(lambda: inventory.inventory, clock, executor, lambda *_: None),
            tokens=Tokens(SqlTokenStore(engine), clock, executor, ids.next),
            audit=SqlAuditLog(engine),
            backups=Backups(folder, lambda: keys.keyring, "0.0.0"),
            keys=keys,
            renewal=Renewal(keys, inventory, store),
            changes=changes,
            announcements=announcements,
            provisioning_url=lambda token: f"http://10.0.0.5:8080/p/{token.reveal()}/",
            device_url=lambda token: f"http://10.0.0.5:8080/d/{token.reveal()}/",
            preview=_preview,
            daemon=Daemon(
                version="0.0.0",
                pid=1,
                started_at=START - 60,
                config_file="offhook.yaml",
                state_dir=str(folder),
                listening=lambda: [Listening("SIP", "udp://0.0.0.0:5060"), Listening("HTTP", "0.0.0.0:8080")],
            ),
            health=health,
            clock=clock,
            executor=executor,
        )
        await services.tokens.load()
        health.mark_started()
        application = make_application(services, metrics, body_bytes=body_bytes, host_names=("admin.acme.test",))
        server = AdminServer(application, folder / "admin.sock", Endpoint(None, "127.0.0.1", 0))
        await server.start()
        address = next(address for address in server.addresses if not address.startswith("unix:"))
        try:
            yield AdminDaemon(
                services,
                bindings,
                facts,
                reloads,
                clock,
                bus,
                announcements,
                announcer,
                folder / "admin.sock",
                f"http://{address}",
                asyncio.get_running_loop(),
            )
        finally:
            announcements.close()
            await server.stop()
    engine.dispose()


def _do_not_sync(connection: sqlite3.Connection, _record: object) -> None:
    """No test here pulls the plug, and most of their time would be fsync's."""
    connection.execute("PRAGMA synchronous=OFF")


def _fail(_event: object, error: Exception) -> None:
    raise error


@contextlib.contextmanager
def in_background(folder: Path, *, document: str = DOCUMENT) -> Iterator[AdminDaemon]:
    """The same in a thread of its own; :meth:`AdminDaemon.call` gets work done there."""
    ready = threading.Event()
    found: list[AdminDaemon] = []
    ends: list[asyncio.Event] = []

    async def main() -> None:
        async with running(folder, document=document) as daemon:
            ends.append(asyncio.Event())
            found.append(daemon)
            ready.set()
            await ends[0].wait()

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    try:
        assert ready.wait(20)
        yield found[0]
    finally:
        if found:
            found[0].loop.call_soon_threadsafe(ends[0].set)
        thread.join(20)


def routes_of(daemon: AdminDaemon) -> list[Route]:
    """Every route of the API, made anew."""
    return find_routes(daemon.services, Description("0.0.0"))


def revision_of(daemon: AdminDaemon, device: Device) -> int:
    """The revision of a device's configuration."""
    return daemon.inventory.get(Carrier, device.id).revision

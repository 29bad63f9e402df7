"""What the admin API needs from the rest of the daemon."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from offhook.admin.announcements import Listener, Wanted
from offhook.admin.auth import Tokens
from offhook.admin.changes import Changes
from offhook.admin.imports_under_way import ImportsUnderWay
from offhook.admin.registers import Registers
from offhook.clock import Clock
from offhook.inventory.emergency.coverage_book import Covered
from offhook.inventory.emergency.validation import Validation
from offhook.inventory.facts import DeviceFacts
from offhook.inventory.models import Device
from offhook.inventory.pins import Pins
from offhook.inventory.service import InventoryService
from offhook.observability.health import Health
from offhook.registrar.bindings import Binding
from offhook.reload.progress import ReloadRecord
from offhook.secret import Secret
from offhook.store.audit import EVERY_RECORD, AuditEntry, AuditFilter
from offhook.store.backup import Backups
from offhook.store.renewal import Renewal
from offhook.store.rotation import Keys


class Reloads(Protocol):
    """Reloads under way, and those that ended lately."""

    def start(self, device: Device, actor: str) -> ReloadRecord:
        """Begins one. Raises InventoryError where the device cannot be reloaded."""
        ...

    def find(self, reload_id: int) -> ReloadRecord | None:
        """One that is known still."""
        ...

    def recent(self) -> Sequence[ReloadRecord]:
        """Those that are known still."""
        ...

    async def wait(self, reload_id: int, state: str, seconds: float) -> ReloadRecord:
        """The record as soon as its state is not ``state``, at the latest after ``seconds``."""
        ...


class Bindings(Protocol):
    """The committed view of the registrar's table."""

    def all(self, now: float) -> Sequence[Binding]:
        """Every live binding."""
        ...

    def bindings_of_device(self, device_id: int, now: float) -> Sequence[Binding]:
        """Those of a device's lines."""
        ...


class Coverage(Protocol):
    """How far emergency addresses go."""

    async def current(self) -> Covered:
        """The report on the inventory as it is now."""
        ...


class AuditLog(Protocol):
    """The audit, latest first."""

    def read(self, limit: int, before: int | None = None, wanted: AuditFilter = EVERY_RECORD) -> Sequence[AuditEntry]:
        """Up to ``limit`` entries with ids below ``before``. Blocks; raises StoreUnavailable."""
        ...


class Followed(Protocol):
    """What happens, for those who listen."""

    def listen(self, wanted: Wanted, last_id: str = "") -> AbstractContextManager[Listener]:
        """Begins after the announcement of that id, or now. Raises RequestRefused where too many listen."""
        ...

    def id_of(self, number: int) -> str:
        """What a listener sends to go on from there."""
        ...


@dataclass(frozen=True, slots=True)
class RenderedFile:
    """A file as a device would be given it."""

    file: str
    content_type: str
    text: str
    files: tuple[str, ...] = ()
    #: All that the device may ask for, this one included.


class Preview(Protocol):
    """Renders without handing out."""

    def __call__(self, device: Device, file: str, *, reveal: bool) -> RenderedFile:
        """The file of that name, or with ``""`` the device's own; secrets are masked unless ``reveal``.

        Raises NotFound where the device is not given such a file, RenderError where its template fails.
        """
        ...


@dataclass(frozen=True, slots=True)
class Listening:
    """A socket of the daemon."""

    service: str
    #: ``sip``, ``http``, ``tftp``, ``admin`` or ``metrics``.
    address: str
    #: ``udp://0.0.0.0:5060``, ``0.0.0.0:8080``, ``unix:///run/offhook/admin.sock``.


@dataclass(frozen=True, slots=True)
class Daemon:
    """The process itself."""

    version: str
    pid: int
    started_at: float
    config_file: str
    state_dir: str
    listening: Callable[[], Sequence[Listening]]
    #: Everything that listens, now.


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """All of it. What is added here is added to :mod:`offhook.admin.reach` as well."""

    inventory: InventoryService
    registers: Registers
    pins: Pins
    facts: Callable[[int], DeviceFacts]
    #: Of a device.
    bindings: Bindings
    reloads: Reloads
    validation: Validation
    #: Of emergency addresses.
    coverage: Coverage
    tokens: Tokens
    audit: AuditLog
    backups: Backups
    keys: Keys
    renewal: Renewal
    #: Moves secrets to another data key.
    changes: Changes
    announcements: Followed
    imports: ImportsUnderWay = field(default_factory=ImportsUnderWay)
    provisioning_url: Callable[[Secret], str]
    device_url: Callable[[Secret], str]
    #: The same of a device's token.
    #: What a phone is given as the URL of its provisioning, of an account's token.
    preview: Preview
    daemon: Daemon
    health: Health
    clock: Clock
    executor: Executor
    #: For what blocks.

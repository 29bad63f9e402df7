"""What the inventory needs from outside."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from offhook.inventory.models import Device, DeviceType, Entity
from offhook.secret import Secret

if TYPE_CHECKING:
    from offhook.inventory.snapshot import Inventory


@dataclass(frozen=True, slots=True)
class Put:
    """Write this entity, whether it was there or not."""

    entity: Entity


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove this entity."""

    entity: Entity


Change = Put | Delete


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """Who did what: written in the same transaction as the change itself."""

    at: float
    actor: str
    origin: str
    #: Address or socket that the request came from.
    request_id: str
    action: str
    #: ``create``, ``update``, ``delete``, ``reveal`` ...
    kind: str
    key: str
    #: Kind and natural key of the object.
    before: str
    after: str
    #: JSON of the fields that differ, secrets hidden; empty where there is none.
    reason: str = ""
    account_id: int = 0
    #: The account that it concerns; 0 where that is none, or several.


class InventoryStore(Protocol):
    """Where the inventory is kept. Calls block: they are made from a worker thread."""

    def load(self) -> Iterable[Entity]:
        """Every entity."""
        ...

    def commit(self, changes: Sequence[Change], audit: Sequence[AuditRecord]) -> None:
        """Writes all of it durably, or raises StoreError and nothing is written."""
        ...


class SecretBox(Protocol):
    """Seals secrets for storage."""

    def seal(self, secret: Secret, context: str) -> bytes:
        """The sealed form; ``context`` (kind, id and field) must be the same when it is opened."""
        ...

    def open(self, sealed: bytes, context: str) -> Secret:
        """The secret. Raises KeyUnusable where key or context is another one."""
        ...

    def digest(self, text: str) -> bytes:
        """A keyed digest under which a token can be looked up."""
        ...


@dataclass(frozen=True, slots=True)
class Capability:
    """What a model can hold. None stands for what is not known, and bounds nothing."""

    model: str
    #: As the vendor folder calls it.
    lines: int | None = None
    #: Registrations; an ATA's are its ports.
    keys: int | None = None
    #: Keys on which lines can appear. Each line appears once without any.
    handsets: int | None = None
    #: Of a base, and of the DECT system that it leads.


class Vendors(Protocol):
    """What the inventory asks the vendor folders."""

    def capability(self, kind: DeviceType, vendor: str | None, model: str | None) -> Capability | None:
        """What a model can hold; None for one that no folder knows."""
        ...

    def find_vendor_by_mac(self, mac: str) -> str | None:
        """Name of the vendor to whom the MAC's prefix belongs."""
        ...

    def secret_shape(self, vendor: str | None) -> tuple[str, int]:
        """Alphabet and length of a SIP password that this vendor's phones can hold."""
        ...

    def missing_templates(self, kind: DeviceType, vendor: str | None, model: str | None) -> str | None:
        """Why such a device could not be given a file, in words for the operator; None where it can."""
        ...


@dataclass(frozen=True, slots=True)
class ConfigDigests:
    """Digests of what a carrier's files are made of."""

    config: str
    #: All of it, and the templates.
    registration: str
    #: What the device registers with.


class DigestSource(Protocol):
    """Tells when a carrier's configuration has changed."""

    def digests(self, inventory: "Inventory", carrier: Device) -> ConfigDigests | None:
        """The digests; None for a device that has no files."""
        ...

"""The two axes of a device's state, and the word that sums them up."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from offhook.inventory.facts import DeviceFacts
from offhook.inventory.models import Account, Carrier, Device, DeviceType, Line
from offhook.inventory.ports import Vendors
from offhook.inventory.snapshot import Inventory


class ConfigState(StrEnum):
    """Whether the device has fetched what its carrier should run."""

    NEVER = "never"
    BEHIND = "behind"
    CURRENT = "current"
    FAILED = "failed"


class RegistrationState(StrEnum):
    """Whether its lines are bound."""

    NONE = "none"
    REGISTERED = "registered"
    PARTIAL = "partial"
    UNREACHABLE = "unreachable"
    EXPIRED = "expired"


class Status(StrEnum):
    """The summary: the first that holds, in this order.

    A device that has no files (a softphone, or one whose vendor has no templates) is neither new nor pending. A handset
    is disabled with its base, and with the base that carries its lines.
    """

    DISABLED = "disabled"
    FAILED = "failed"
    UNPAIRED = "unpaired"
    NEW = "new"
    PENDING = "pending"
    OFFLINE = "offline"
    REGISTERED = "registered"
    PROVISIONED = "provisioned"


@dataclass(frozen=True, slots=True)
class LineBinding:
    """What the summary needs of a live binding."""

    line_id: int
    reachable: bool


#: Live bindings of a device.
Bindings = Callable[[int], Sequence[LineBinding]]


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """A device's state on both axes."""

    status: Status
    config: ConfigState
    registration: RegistrationState
    reason: str
    #: Why ``config`` is failed; else empty.
    revision: int | None
    #: Of its carrier; None where it has none.
    fetched_revision: int | None


def is_assigned(inventory: Inventory, line: Line) -> bool:
    """Whether somebody would miss the line if it were not registered."""
    return inventory.extension_of(line) is not None


def model_mismatch(device: Device, facts: DeviceFacts, vendors: Vendors) -> bool:
    """Whether a device reports another vendor or model than was typed in (R5); what it reports is then what it is.

    One model under two names is no mismatch, nor is one of which only one side is known.
    """
    if device.vendor is not None and facts.vendor and facts.vendor != device.vendor:
        return True
    if device.model is None or not facts.model:
        return False
    vendor = device.vendor or facts.vendor
    typed, reported = (_model_name(device.type, vendor, name, vendors) for name in (device.model, facts.model))
    return typed != reported


def _model_name(kind: DeviceType, vendor: str, model: str, vendors: Vendors) -> str:
    capability = vendors.capability(kind, vendor, model)
    return (capability.model if capability is not None else model).casefold()


def registers_here(account: Account) -> bool:
    return account.external_registrar is None


def find_config_state(inventory: Inventory, device: Device, facts: Callable[[int], DeviceFacts]) -> ConfigState:
    """The config axis; a handset's is that of its carrier."""
    carrier_device = inventory.carrier_of(device)
    carrier = inventory.find(Carrier, carrier_device.id) if carrier_device is not None else None
    if carrier is None:
        return ConfigState.NEVER
    known = facts(carrier.id)
    if known.failure:
        return ConfigState.FAILED
    if not known.fetched_revision:
        return ConfigState.NEVER
    return ConfigState.CURRENT if known.fetched_revision >= carrier.revision else ConfigState.BEHIND


def find_registration_state(
    inventory: Inventory, device: Device, facts: Callable[[int], DeviceFacts], bindings: Bindings
) -> RegistrationState:
    """The registration axis, over the device's lines; over those that are assigned where any is."""
    lines = inventory.lines_of(device.id)
    wanted = {line.id for line in lines if is_assigned(inventory, line)} or {line.id for line in lines}
    live = bindings(device.id)
    bound = {binding.line_id for binding in live if binding.reachable} & wanted
    if wanted and bound == wanted:
        return RegistrationState.REGISTERED
    if bound:
        return RegistrationState.PARTIAL
    if any(binding.line_id in wanted for binding in live):
        return RegistrationState.UNREACHABLE
    return RegistrationState.EXPIRED if facts(device.id).last_registered_at is not None else RegistrationState.NONE


def find_status(
    inventory: Inventory, device: Device, facts: Callable[[int], DeviceFacts], bindings: Bindings
) -> DeviceStatus:
    """Both axes and their summary."""
    config = find_config_state(inventory, device, facts)
    registration = find_registration_state(inventory, device, facts, bindings)
    carrier_device = inventory.carrier_of(device)
    carrier = inventory.find(Carrier, carrier_device.id) if carrier_device is not None else None
    reason = facts(carrier.id).failure if carrier is not None and config is ConfigState.FAILED else ""
    status = _summary(inventory, device, config, registration, carrier is not None)
    fetched = facts(carrier.id).fetched_revision if carrier is not None else None
    return DeviceStatus(status, config, registration, reason, carrier.revision if carrier else None, fetched or None)


def _summary(
    inventory: Inventory, device: Device, config: ConfigState, registration: RegistrationState, has_files: bool
) -> Status:
    if not inventory.is_in_service(device):
        return Status.DISABLED
    if config is ConfigState.FAILED:
        return Status.FAILED
    if device.type is DeviceType.DECT_HANDSET and device.base_id is None:
        return Status.UNPAIRED
    if config is ConfigState.NEVER and has_files:
        return Status.NEW
    if config is ConfigState.BEHIND:
        return Status.PENDING
    account = inventory.get(Account, device.account_id)
    lines = inventory.lines_of(device.id)
    if not registers_here(account) or not lines:
        return Status.PROVISIONED
    if registration in (RegistrationState.REGISTERED, RegistrationState.PARTIAL):
        return Status.REGISTERED
    return Status.OFFLINE if any(is_assigned(inventory, line) for line in lines) else Status.PROVISIONED

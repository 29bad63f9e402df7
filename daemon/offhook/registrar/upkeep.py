"""Changes of bindings that no phone has asked for: time runs out, or the inventory says otherwise."""

from collections.abc import Container, Iterable
from dataclasses import replace

from offhook.events import Unregistered
from offhook.inventory.models import Credential, Device, Line
from offhook.inventory.snapshot import Inventory
from offhook.registrar.answers import Proposal
from offhook.registrar.bindings import Binding, BindingChange, BindingTable
from offhook.registrar.update import unregistered


def sweep(bindings: BindingTable, now: float, limit: int) -> Proposal | None:
    """Removes bindings that have expired, up to ``limit`` of them; None where there are none."""
    expired = bindings.expired(now, limit)
    if not expired:
        return None
    change = BindingChange(removals=expired)
    bindings.propose(change)
    return Proposal(change, events=tuple(unregistered(binding, "expired", now) for binding in expired))


def reconcile(
    bindings: BindingTable,
    inventory: Inventory,
    device_ids: Iterable[int],
    now: float,
    revoked: Container[int] = frozenset(),
) -> Proposal | None:
    """Brings the bindings of devices in line with the inventory; None where they are.

    Bindings of a device or line that is gone or disabled go too, and of ``revoked`` devices those that were made with
    credentials that are gone: the hardware that holds them is another, or in other hands (R13, R14). A credential whose
    grace is over has done no wrong: what was bound with it lasts until it expires. Where a line's address of record is
    another one now, its bindings move to the line's service address: NOTIFY must still reach the phone to tell it, and
    calls must not. Where only the SIP domain is another one, they follow it.
    """
    puts: list[Binding] = []
    removals: list[Binding] = []
    events: list[Unregistered] = []
    for device_id in device_ids:
        for binding in bindings.pending_of_device(device_id, now):
            is_void = device_id in revoked and inventory.find(Credential, binding.credential_id) is None
            aor = None if is_void else _find_address(inventory, binding)
            if aor == binding.aor:
                continue
            removals.append(binding)
            if aor is not None:
                puts.append(replace(binding, id=bindings.new_id(), aor=aor))
            if aor is None or _user(aor) != _user(binding.aor):
                events.append(unregistered(binding, "revoked", now))
    if not removals:
        return None
    change = BindingChange(tuple(puts), tuple(removals))
    bindings.propose(change)
    return Proposal(change, events=tuple(events))


def _find_address(inventory: Inventory, binding: Binding) -> str | None:
    """Where a binding belongs now; None for nowhere."""
    line = inventory.find(Line, binding.line_id)
    device = inventory.find(Device, line.device_id) if line is not None else None
    if line is None or device is None or device.id != binding.device_id or not inventory.is_in_service(device):
        return None
    if _user(binding.aor) == inventory.aor_user(line):
        return inventory.address_of_record(line)
    return f"sip:{inventory.service_user(line)}@{inventory.account_of(line).sip_domain}"


def _user(aor: str) -> str:
    return aor.removeprefix("sip:").rpartition("@")[0]

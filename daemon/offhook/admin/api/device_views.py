"""How the API shows a device: what it is, what it runs, and whether it is registered (R8)."""

from dataclasses import dataclass, field

from offhook.admin.api.reloads import ReloadView, view_reload
from offhook.admin.device_names import device_key
from offhook.admin.ports import Services
from offhook.admin.routes import format_time
from offhook.inventory.emergency.countries import judge_address
from offhook.inventory.emergency.parse import format_address
from offhook.inventory.emergency.resolve import resolve_address
from offhook.inventory.identifiers import format_ipei, format_mac
from offhook.inventory.models import Account, DectSystem, Device, DeviceType, Line, Location, Number, User
from offhook.inventory.rules import find_capability
from offhook.inventory.snapshot import Inventory
from offhook.inventory.state import DeviceStatus, LineBinding, find_status, model_mismatch
from offhook.reload.progress import ReloadRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceLineView:
    """A line of a device."""

    index: int
    label: str | None
    extension: str | None
    aor: str
    user: str | None
    number: str | None
    registered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceView:
    """A device."""

    id: str
    device: str
    #: MAC, else IPEI, else id: what other commands call it.
    account: str
    type: str
    mac: str | None
    ipei: str | None
    name: str | None
    vendor: str | None
    model: str | None
    #: As typed in.
    reported_vendor: str
    reported_model: str
    #: As its User-Agent says.
    model_mismatch: bool
    #: It reports another model than was typed in, and is what it reports.
    max_handsets: int | None
    #: Of a base; None where that is not known.
    location: str | None
    #: A handset's is that of its base.
    emergency_address: str | None
    #: Where help would be sent to, in one line; None where nobody could tell.
    emergency_source: str
    #: What that is the address of: device, user or location, else none. The address itself: /devices/{id}/address.
    dispatchable: bool
    state: str
    status: str
    config: str
    registration: str
    reason: str
    #: Why config is failed.
    revision: int | None
    fetched_revision: int | None
    firmware: str
    user_agent: str
    ip: str
    last_provisioned_at: str | None
    last_registered_at: str | None
    created_at: str | None
    phone_id: str
    system: str | None
    role: str | None
    base: str | None
    slot: int | None
    carrier: str | None
    #: The device that fetches for it; None where it has no files.
    users: tuple[str, ...]
    lines: tuple[DeviceLineView, ...]
    last_reload: ReloadView | None
    provisioning_url: str | None = field(default=None, repr=False)
    #: Its own, which it needs where the account's access is `device`; for operators with the scope reveal, and only of
    #: a device that is asked for by name.


class Portrait:
    """Makes views of devices, all of one moment."""

    def __init__(self, services: Services, inventory: Inventory) -> None:
        self._inventory = inventory
        self._vendors = services.inventory.vendors
        self._facts = services.facts
        self._bindings = services.bindings
        self._now = services.clock.now()
        self._reloads: dict[int, ReloadRecord] = {}
        for record in sorted(services.reloads.recent(), key=lambda record: record.id):
            self._reloads[record.device_id] = record

    def status(self, device: Device) -> DeviceStatus:
        return find_status(self._inventory, device, self._facts, self._live)

    def _live(self, device_id: int) -> list[LineBinding]:
        found = self._bindings.bindings_of_device(device_id, self._now)
        return [LineBinding(binding.line_id, binding.reachable) for binding in found]

    def view(self, device: Device) -> DeviceView:
        inventory, status = self._inventory, self.status(device)
        carrier = inventory.carrier_of(device)
        facts = self._facts(device.id)
        fetches = self._facts(carrier.id) if carrier is not None else facts
        base = inventory.find(Device, device.base_id)
        # R9: a handset is where its base is.
        place = base if base is not None and device.type is DeviceType.DECT_HANDSET else device
        location = inventory.find(Location, place.location_id)
        system = inventory.find(DectSystem, device.system_id)
        bound = {live.line_id for live in self._live(device.id) if live.reachable}
        lines = tuple(self._line(line, bound) for line in inventory.lines_of(device.id))
        reload = self._reloads.get(device.id)
        capability = find_capability(inventory, device, self._vendors)
        address = resolve_address(inventory, device, self._now, judge=judge_address)
        return DeviceView(
            id=str(device.id),
            device=device_key(device),
            account=inventory.get(Account, device.account_id).name,
            type=device.type.value,
            mac=format_mac(device.mac) if device.mac else None,
            ipei=format_ipei(device.ipei) if device.ipei else None,
            name=device.name,
            vendor=device.vendor,
            model=device.model,
            reported_vendor=facts.vendor,
            reported_model=facts.model,
            model_mismatch=model_mismatch(device, facts, self._vendors),
            max_handsets=capability.handsets if capability is not None else None,
            location=location.name if location is not None else None,
            emergency_address=format_address(address.civic) if address.civic is not None else None,
            emergency_source=address.source.value,
            dispatchable=address.is_dispatchable,
            state=device.state.value,
            status=status.status.value,
            config=status.config.value,
            registration=status.registration.value,
            reason=status.reason,
            revision=status.revision,
            fetched_revision=status.fetched_revision,
            firmware=facts.firmware,
            user_agent=facts.user_agent,
            ip=facts.ip,
            last_provisioned_at=format_time(fetches.last_provisioned_at),
            last_registered_at=format_time(facts.last_registered_at),
            created_at=format_time(device.created_at),
            phone_id=device.phone_id,
            system=system.name if system is not None else None,
            role=device.role.value if device.role is not None else None,
            base=device_key(base) if base is not None else None,
            slot=device.slot,
            carrier=device_key(carrier) if carrier is not None and status.revision is not None else None,
            users=tuple(line.user for line in lines if line.user),
            lines=lines,
            last_reload=view_reload(inventory, reload) if reload is not None else None,
        )

    def _line(self, line: Line, bound: set[int]) -> DeviceLineView:
        inventory = self._inventory
        number = inventory.find(Number, line.number_id)
        user = inventory.find(User, line.user_id if number is None else number.user_id)
        return DeviceLineView(
            index=line.index,
            label=line.label,
            extension=inventory.extension_of(line),
            aor=inventory.address_of_record(line),
            user=user.username if user is not None else None,
            number=number.number if number is not None else None,
            registered=line.id in bound,
        )

"""Devices: what they are, what they run, and whether they are registered."""

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from offhook.admin.api.accounts import get_account
from offhook.admin.api.reloads import ReloadView, view_reload
from offhook.admin.device_names import device_key, get_device
from offhook.admin.ports import Services
from offhook.admin.query import collect_page
from offhook.admin.routes import Call, Route, format_time, json_response
from offhook.inventory.facts import DeviceFacts
from offhook.inventory.identifiers import format_ipei, format_mac
from offhook.inventory.models import Account, DectSystem, Device, DeviceType, Line, Location, Number, User
from offhook.inventory.snapshot import Inventory
from offhook.inventory.state import DeviceStatus, LineBinding, Status, find_status
from offhook.reload.progress import ReloadRecord
from offhook.store.tokens import Role


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
    location: str | None
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


def routes(services: Services) -> list[Route]:
    service = services.inventory

    async def list_devices(call: Call) -> web.Response:
        query = call.query("q", "account", "type", "status", "limit", "cursor")
        inventory = service.inventory
        account = get_account(inventory, query.text("account")) if query.text("account") else None
        kind, status = query.choice("type", DeviceType), query.choice("status", Status)
        text = query.text("q").casefold()
        portrait = _Portrait(services, inventory)

        def wanted(device: Device) -> bool:
            return (
                (account is None or device.account_id == account.id)
                and (kind is None or device.type is kind)
                and (not text or _matches(inventory, services.facts, device, text))
                and (status is None or portrait.status(device).status is status)
            )

        page = await collect_page(
            inventory.all(Device), query, key=lambda device: device.id, view=portrait.view, wanted=wanted
        )
        return json_response(page)

    async def show_device(call: Call) -> web.Response:
        call.query()
        inventory = service.inventory
        return json_response(_Portrait(services, inventory).view(get_device(inventory, call.path("id"))))

    async def render(call: Call) -> web.Response:
        query = call.query("file", "reveal", "reason")
        reveal = query.flag("reveal")
        device = get_device(service.inventory, call.path("id"))
        if reveal:
            call.require(Role.ADMINISTRATOR)
            key = f"file {query.text('file') or 'of its own'} of {device_key(device)}"
            await service.record(call.actor, "reveal", "device", key, query.text("reason")[:256])
        return json_response(services.preview(device, query.text("file"), reveal=reveal))

    return [
        Route("GET", "/devices", Role.VIEWER, list_devices),
        Route("GET", "/devices/{id}", Role.VIEWER, show_device),
        Route("GET", "/devices/{id}/render", Role.VIEWER, render),
    ]


def _matches(inventory: Inventory, facts: Callable[[int], DeviceFacts], device: Device, text: str) -> bool:
    """Whether something that people search by has that text in it."""
    compact = text.replace(":", "").replace("-", "").replace(".", "").replace(" ", "")
    if compact and any(compact in identifier for identifier in (device.mac or "", device.ipei or "")):
        return True
    words = [device.name, device.vendor, device.model, device.phone_id, facts(device.id).ip]
    for line in inventory.lines_of(device.id):
        user = inventory.find(User, line.user_id)
        words += [inventory.extension_of(line), line.label]
        words += [user.username, user.full_name] if user is not None else []
    return any(text in word.casefold() for word in words if word)


class _Portrait:
    """Makes views of devices, all of one moment."""

    def __init__(self, services: Services, inventory: Inventory) -> None:
        self._inventory = inventory
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
        location = inventory.find(Location, device.location_id)
        system = inventory.find(DectSystem, device.system_id)
        base = inventory.find(Device, device.base_id)
        bound = {live.line_id for live in self._live(device.id) if live.reachable}
        lines = tuple(self._line(line, bound) for line in inventory.lines_of(device.id))
        reload = self._reloads.get(device.id)
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
            location=location.name if location is not None else None,
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

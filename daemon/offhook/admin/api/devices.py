"""Devices: phones, ATAs, DECT bases and handsets, softphones (R1-R9). What is done to one is in device_actions."""

from dataclasses import replace

from aiohttp import web

from offhook.admin.api.device_views import DeviceView, Portrait
from offhook.admin.api.users import CONFIRM_MOVES
from offhook.admin.device_names import device_key, device_part, get_device
from offhook.admin.device_query import DEVICE_PARAMS, is_grouped, parse_device_filter
from offhook.admin.names import get_account
from offhook.admin.paging import CountedPage
from offhook.admin.ports import RenderedFile, Services
from offhook.admin.resource import Part, Resource, resource_routes
from offhook.admin.routes import REASON, REVEAL, Call, Param, Route, json_response
from offhook.inventory.document import DeviceFields, Ipei, Label, LinePart, Mac
from offhook.inventory.identifiers import parse_ipei, parse_mac
from offhook.inventory.models import Account, Device, DeviceType
from offhook.inventory.snapshot import Inventory
from offhook.store.tokens import Role, Scope


class NewDevice(DeviceFields):
    """A device to be made: a MAC, or of a handset its IPEI, or of a softphone a name."""

    account: Label
    type: DeviceType
    mac: Mac | None = None
    ipei: Ipei | None = None
    name: Label | None = None
    lines: list[LinePart] | None = None


class DeviceChange(DeviceFields):
    """What to change of a device. Other hardware in its place is an action: replace."""

    name: Label | None = None
    lines: list[LinePart] | None = None


def routes(services: Services) -> list[Route]:
    service = services.inventory

    def view(call: Call, inventory: Inventory, device: Device) -> DeviceView:
        shown = Portrait(services, inventory).view(device)
        token = service.find_device_token(device) if call.identity.may(Role.OPERATOR, Scope.REVEAL) else None
        return replace(shown, provisioning_url=services.device_url(token)) if token is not None else shown

    async def list_devices(call: Call) -> web.Response:
        """List devices, and count them by status and type."""
        page = await services.registers.devices.page(
            call.query,
            parse_device_filter(call.query, service.inventory),
            lambda inventory: Portrait(services, inventory).view,
            by_base=is_grouped(call.query),
        )
        return json_response(page)

    async def render(call: Call) -> web.Response:
        """Show a file as the device would be given it. Nothing is handed out, and nothing noted as fetched."""
        query = call.query
        reveal = query.flag("reveal")
        device = get_device(service.inventory, call.path("id"))
        if reveal:
            key = f"file {query.text('file') or 'of its own'} of {device_key(device)}"
            reason = query.text("reason")[:256]
            await service.record(call.actor, "reveal", "device", key, reason, account_id=device.account_id)
        return json_response(services.preview(device, query.text("file"), reveal=reveal))

    resource = Resource(
        path="devices",
        kind="devices",
        key="device",
        singular="device",
        creation=NewDevice,
        alteration=DeviceChange,
        view_type=DeviceView,
        view=view,
        find=lambda inventory, text, _account: get_device(inventory, text),
        find_new=_find_new,
        identify=_identify,
        account_of=lambda inventory, device: inventory.get(Account, device.account_id).name,
        belongings=lambda inventory, device: inventory.lines_of(device.id),
        creating=(CONFIRM_MOVES,),
        path_params=(),
    )
    listing = Route(
        method="GET",
        path="/devices",
        role=Role.VIEWER,
        handler=list_devices,
        query=DEVICE_PARAMS,
        gives=CountedPage[DeviceView],
    )
    return [
        *resource_routes(services, resource, listing),
        Route(
            method="GET",
            path="/devices/{id}/render",
            role=Role.VIEWER,
            handler=render,
            query=(
                Param("file", "The name that the device asks for; without it, its own file."),
                REVEAL,
                REASON,
            ),
            gives=RenderedFile,
        ),
    ]


def _find_new(inventory: Inventory, account: str, part: Part) -> Device | None:
    owner = get_account(inventory, account)
    if part.get("mac"):
        return inventory.find_device_by_mac(parse_mac(str(part["mac"])))
    if part.get("ipei"):
        return inventory.find_device_by_ipei(parse_ipei(str(part["ipei"])))
    named = inventory.devices_named(str(part.get("name") or ""))
    found = [it for it in named if it.account_id == owner.id and it.type is DeviceType.SOFTPHONE]
    return found[0] if found else None


def _identify(device: Device, part: Part) -> Part:
    """A softphone is known by its name alone, so another one renames it."""
    if device.type is DeviceType.SOFTPHONE and part.get("name") not in (None, device.name):
        return {"rename_from": device.name}
    return device_part(device)

"""Bindings: where addresses of record can be reached now."""

from dataclasses import dataclass

from aiohttp import web

from offhook.admin.device_names import device_key, get_device
from offhook.admin.ports import Services
from offhook.admin.query import Page, collect_page
from offhook.admin.routes import PAGING, Call, Param, Route, json_response
from offhook.inventory.models import Device
from offhook.inventory.snapshot import Inventory
from offhook.registrar.bindings import Binding
from offhook.store.tokens import Role


@dataclass(frozen=True, slots=True)
class BindingView:
    """A live binding."""

    aor: str
    contact: str
    received: str
    #: ``transport:address:port`` that the REGISTER came from.
    device: str
    expires_in: int
    #: Seconds.
    user_agent: str


def routes(services: Services) -> list[Route]:
    async def list_bindings(call: Call) -> web.Response:
        """List where addresses of record can be reached now."""
        query = call.query
        now, inventory, aor = services.clock.now(), services.inventory.inventory, query.text("aor")
        device = get_device(inventory, query.text("device")) if query.text("device") else None
        found = services.bindings.all(now) if device is None else services.bindings.bindings_of_device(device.id, now)
        page = await collect_page(
            found,
            query,
            key=lambda binding: binding.id,
            view=lambda binding: _view(inventory, binding, now),
            wanted=lambda binding: not aor or _is_meant(aor, binding.aor),
        )
        return json_response(page)

    return [
        Route(
            method="GET",
            path="/bindings",
            role=Role.VIEWER,
            handler=list_bindings,
            query=(
                Param("aor", "Only this address of record."),
                Param("device", "Only this device: its MAC, IPEI, name or id."),
                *PAGING,
            ),
            gives=Page[BindingView],
        )
    ]


def _is_meant(text: str, aor: str) -> bool:
    """Whether an address of record is meant, which may be written without scheme, or as its user part alone."""
    address = aor.partition(":")[2]
    return text.casefold() in (aor.casefold(), address.casefold(), address.partition("@")[0].casefold())


def _view(inventory: Inventory, binding: Binding, now: float) -> BindingView:
    device = inventory.find(Device, binding.device_id)
    return BindingView(
        aor=binding.aor,
        contact=binding.contact,
        received=f"{binding.flow.transport.value}:{binding.flow}",
        device=device_key(device) if device is not None else "",
        expires_in=round(binding.expires_at - now),
        user_agent=binding.user_agent,
    )

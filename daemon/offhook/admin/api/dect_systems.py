"""DECT systems: bases that act as one."""

from dataclasses import dataclass

from offhook.admin.api.named_parts import named_part_routes
from offhook.admin.device_names import device_key
from offhook.admin.names import get_system
from offhook.admin.ports import Services
from offhook.admin.routes import Route
from offhook.inventory.document import Label, SystemFields
from offhook.inventory.models import Account, DectSystem
from offhook.inventory.snapshot import Inventory


class NewDectSystem(SystemFields):
    """A DECT system to be made."""

    account: Label
    name: Label


class DectSystemChange(SystemFields):
    """What to change of a DECT system."""

    name: Label | None = None


@dataclass(frozen=True, slots=True)
class BaseView:
    """A base of a DECT system."""

    device: str
    name: str | None
    role: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DectSystemView:
    """A DECT system."""

    id: str
    account: str
    name: str
    vendor: str | None
    model: str | None
    bases: tuple[BaseView, ...]
    handsets: int


def routes(services: Services) -> list[Route]:
    return named_part_routes(
        services,
        DectSystem,
        path="dect-systems",
        singular="DECT system",
        creation=NewDectSystem,
        alteration=DectSystemChange,
        view_type=DectSystemView,
        view=_view,
        find=get_system,
        find_named=Inventory.find_system,
    )


def _view(inventory: Inventory, system: DectSystem) -> DectSystemView:
    bases = inventory.bases_of(system.id)
    return DectSystemView(
        id=str(system.id),
        account=inventory.get(Account, system.account_id).name,
        name=system.name,
        vendor=system.vendor,
        model=system.model,
        bases=tuple(BaseView(device_key(base), base.name, base.role.value if base.role else None) for base in bases),
        handsets=sum(len(inventory.handsets_of(base.id)) for base in bases),
    )

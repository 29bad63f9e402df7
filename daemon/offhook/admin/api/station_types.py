"""Station types: labels for numbers, with the features that they allow (T1)."""

from dataclasses import dataclass

from offhook.admin.api.named_parts import named_part_routes
from offhook.admin.names import get_station_type
from offhook.admin.ports import Services
from offhook.admin.routes import Route
from offhook.inventory.document import Label, StationTypeFields
from offhook.inventory.models import Account, StationType
from offhook.inventory.snapshot import Inventory


class NewStationType(StationTypeFields):
    """A station type to be made."""

    account: Label
    name: Label


class StationTypeChange(StationTypeFields):
    """What to change of a station type."""

    name: Label | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StationTypeView:
    """A station type."""

    id: str
    account: str
    name: str
    features: tuple[str, ...]
    #: That numbers of this type may use.
    numbers: int


def routes(services: Services) -> list[Route]:
    return named_part_routes(
        services,
        StationType,
        path="station-types",
        singular="station type",
        creation=NewStationType,
        alteration=StationTypeChange,
        view_type=StationTypeView,
        view=_view,
        find=get_station_type,
        find_named=Inventory.find_station_type,
    )


def _view(inventory: Inventory, kind: StationType) -> StationTypeView:
    return StationTypeView(
        id=str(kind.id),
        account=inventory.get(Account, kind.account_id).name,
        name=kind.name,
        features=kind.features,
        numbers=len(inventory.numbers_of_station_type(kind.id)),
    )

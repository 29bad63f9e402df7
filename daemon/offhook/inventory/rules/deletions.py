"""What cannot be deleted, since it is in use."""

from collections.abc import Iterator

from offhook.inventory.models import Device, Entity, Location, Number, StationType, User
from offhook.inventory.rules.breach import Breach, ids_of, name_first
from offhook.inventory.snapshot import Draft


def judge_deletion(entity: Entity, draft: Draft) -> Iterator[Breach]:
    """A thing that was deleted and that others still refer to."""
    if isinstance(entity, Location):
        yield from _of_location(entity, draft)
    elif isinstance(entity, StationType):
        yield from _of_station_type(entity, draft)


def _of_location(location: Location, draft: Draft) -> Iterator[Breach]:
    kinds: tuple[type[Device | User | Number], ...] = (Device, User, Number)
    users = [entity for kind in kinds for entity in draft.all(kind) if entity.location_id == location.id]
    if users:
        yield Breach(
            location,
            "location",
            f"location {location.name} is used by {name_first(users, draft)}, so it cannot be deleted",
            is_conflict=True,
            rests_on=ids_of(*users),
            rule="a location in use stays (R9)",
            remedy="move them first",
        )


def _of_station_type(kind: StationType, draft: Draft) -> Iterator[Breach]:
    numbers = draft.numbers_of_station_type(kind.id)
    if numbers:
        yield Breach(
            kind,
            "station_type",
            f"station type {kind.name} is used by {name_first(numbers, draft)}, so it cannot be deleted",
            is_conflict=True,
            rests_on=ids_of(*numbers),
            rule="a station type in use stays (T1)",
            remedy="give them another one first",
        )

"""Secrets sealed anew, with the key that seals now; what they are stays the same.

A secret is a field ``sealed_<name>``, and its context is made of the entity's kind and id and of that name.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from offhook.inventory.models import Entity
from offhook.inventory.ports import SecretBox
from offhook.inventory.snapshot import KINDS, Draft, Inventory

_PREFIX: Final = "sealed_"
SEALED_FIELDS: Final[dict[type[Entity], tuple[str, ...]]] = {
    kind: names
    for kind in KINDS
    if (names := tuple(part.name for part in fields(kind) if part.name.startswith(_PREFIX)))
}


@dataclass(frozen=True, slots=True)
class Sealed:
    """A secret of an entity, as it is kept."""

    field: str
    content: bytes
    context: str


def find_sealed(entity: Entity) -> Iterator[Sealed]:
    """The secrets of an entity."""
    for field in SEALED_FIELDS.get(type(entity), ()):
        content = getattr(entity, field)
        if content:
            context = f"{type(entity).__name__.lower()}:{entity.id}:{field.removeprefix(_PREFIX)}"
            yield Sealed(field, content, context)


def find_outdated(inventory: Inventory, is_current: Callable[[bytes], bool]) -> Iterator[Entity]:
    """Entities that hold what was sealed with another key."""
    for kind, names in SEALED_FIELDS.items():
        for entity in inventory.all(kind):
            for name in names:
                content = getattr(entity, name)
                if content and not is_current(content):
                    yield entity
                    break


def reseal(draft: Draft, entity: Entity, box: SecretBox) -> None:
    """Puts the entity with all its secrets sealed anew. Raises KeyUnusable."""
    anew: dict[str, Any] = {
        sealed.field: box.seal(box.open(sealed.content, sealed.context), sealed.context)
        for sealed in find_sealed(entity)
    }
    draft.put(replace(entity, **anew))

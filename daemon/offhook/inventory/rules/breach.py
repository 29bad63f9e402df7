"""What a rule says when it is broken."""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from offhook.inventory.models import Entity
from offhook.inventory.rules.descriptions import describe
from offhook.inventory.snapshot import Inventory

#: In one message.
_NAMES_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule broken by an entity. ``field`` is the one to change."""

    entity: Entity
    field: str
    message: str
    #: What is wrong.
    is_conflict: bool = False
    #: The value is right in itself, but contradicts what else is there.
    rests_on: tuple[Hashable, ...] = ()
    #: Ids of what else has a part in it; ``("numbers", user id)`` where it is all numbers of a user, and
    #: ``("extensions", account id)`` where it is that nothing in the account has an extension or number.
    rule: str = ""
    #: The row of the mission and its gist, e.g. ``one device per user (R10)``.
    remedy: str = ""
    #: What to do.

    def __str__(self) -> str:
        return f"{self.message}; {self.remedy}" if self.remedy else self.message


def ids_of(*entities: Entity) -> tuple[Hashable, ...]:
    """For ``rests_on``."""
    return tuple(entity.id for entity in entities)


def name_first(entities: Sequence[Entity], inventory: Inventory) -> str:
    """The first few of many things by name, and how many there are beside them."""
    names = ", ".join(describe(entity, inventory) for entity in entities[:_NAMES_SHOWN])
    rest = len(entities) - _NAMES_SHOWN
    return f"{names} and {rest} more" if rest > 0 else names


def judge_account(entity: Entity, field: str, one: int, other: int, what: str) -> Iterator[Breach]:
    """What refers to each other is of one account."""
    if one != other:
        yield Breach(
            entity,
            field,
            f"{what} belongs to another account",
            rule="one account",
            remedy="name one of this account",
        )

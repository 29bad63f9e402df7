"""The inventory as somebody sees it who reaches some accounts only.

It is the same inventory, read through a filter: what belongs to other accounts cannot be found, listed, counted or
changed, and looks like what does not exist. Nothing is copied, so it costs nothing to make and is never out of date.
What is unique in the whole daemon (a MAC, a user name) stays so: a draft finds it taken, and does not say by whom.
"""

from collections.abc import Hashable, Iterable
from typing import Final, TypeVar

from offhook.errors import RequestRefused
from offhook.inventory.indexes import UNIQUE
from offhook.inventory.models import (
    Account,
    Carrier,
    Credential,
    DectSystem,
    Device,
    Entity,
    Line,
    Location,
    Number,
    StationType,
    User,
)
from offhook.inventory.snapshot import Draft, Inventory

E = TypeVar("E", bound=Entity)

#: Ids of accounts.
Reach = frozenset[int]

_REMEDY: Final = "use a token that is for all accounts"
#: What stands in an index, by the first part of its name.
_INDEXED: Final[dict[str, tuple[type[Entity], ...]]] = {
    "account": (Account,),
    "location": (Location,),
    "station_type": (StationType,),
    "user": (User,),
    "number": (Number,),
    "system": (DectSystem,),
    "device": (Device,),
    "line": (Line,),
    "credential": (Credential,),
    "extension": (User, Number, Line),
}


class _Limited(Inventory):
    """How either is read."""

    __slots__ = ()
    _reach: Reach
    whole: Inventory

    def all(self, kind: type[E]) -> Iterable[E]:
        return (entity for entity in super().all(kind) if self.reaches(entity))

    def count(self, kind: type[Entity]) -> int:
        return sum(1 for _ in self.all(kind))

    def find(self, kind: type[E], entity_id: int | None) -> E | None:
        entity = super().find(kind, entity_id)
        return entity if entity is not None and self.reaches(entity) else None

    def ids_under(self, name: str, value: Hashable) -> tuple[int, ...]:
        """Under a unique key those of others too: that it is taken is no secret, by whom is."""
        ids = super().ids_under(name, value)
        if name in UNIQUE:
            return ids
        kinds = _INDEXED[name.partition(".")[0]]
        return tuple(entity_id for entity_id in ids if any(self.find(kind, entity_id) is not None for kind in kinds))

    def _first(self, kind: type[E], name: str, value: Hashable) -> E | None:
        found = (self.find(kind, entity_id) for entity_id in self.ids_under(name, value))
        return next((entity for entity in found if entity is not None), None)

    def credentials_named(self, auth_username: str) -> tuple[Credential, ...]:
        """Everybody's: a rule compares them, since a REGISTER is to name one line of the daemon."""
        return self.whole.credentials_named(auth_username)

    def reaches(self, entity: Entity) -> bool:
        """Whether it belongs to one of the accounts."""
        owner: Entity | None = entity
        match entity:
            case Credential():
                owner = self.whole.find(Line, entity.line_id)
            case Carrier():
                owner = self.whole.find(Device, entity.id)
        if isinstance(owner, Account):
            return owner.id in self._reach
        return owner is not None and not isinstance(owner, (Credential, Carrier)) and owner.account_id in self._reach


class LimitedInventory(_Limited):
    """A snapshot, as far as ``reach`` goes."""

    __slots__ = ("_reach", "whole")

    def __init__(self, whole: Inventory, reach: Reach) -> None:
        self._tables = whole._tables
        self._index = whole._index
        self._reach = reach
        self.whole = whole

    def draft(self) -> "LimitedDraft":
        return LimitedDraft(self.whole.draft(), self._reach)


class LimitedDraft(_Limited, Draft):
    """The part of a draft that may be seen and changed. What is done here is done to the draft itself, ``whole``."""

    __slots__ = ("_reach", "whole")

    def __init__(self, whole: Draft, reach: Reach) -> None:
        self._tables = whole._tables
        self._index = whole._index
        self._own = whole._own
        self._changes = whole._changes
        self.base = LimitedInventory(whole.base, reach)
        self._reach = reach
        self.whole = whole

    def put(self, entity: E) -> E:
        """Raises RequestRefused for what is, or would be, of another account; a new account is one."""
        before = self.whole.find(type(entity), entity.id)
        if not self.reaches(entity) or (before is not None and not self.reaches(before)):
            what = f"account {entity.name}" if isinstance(entity, Account) else "this"
            raise RequestRefused(403, f"{what} is not among the accounts that the token is for", remedy=_REMEDY)
        return super().put(entity)

    def delete(self, entity: Entity) -> None:
        """Raises RequestRefused for what is of another account, and for an account as a whole."""
        if isinstance(entity, Account) or not self.reaches(entity):
            raise RequestRefused(403, "a token for some accounts does not delete accounts", remedy=_REMEDY)
        super().delete(entity)

"""What the steps of one application of a document share: the draft, where things stand in the document, the faults."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from offhook.errors import DocumentError, Fault
from offhook.inventory.address import CivicAddress
from offhook.inventory.editor import Editor
from offhook.inventory.models import Account, Device, Entity, Number, User
from offhook.inventory.reading import FAULTS_JUDGED, Reading, list_faults
from offhook.inventory.rules import describe
from offhook.inventory.set_aside import StatedNames
from offhook.inventory.snapshot import Draft
from offhook.yamldoc import Path

E = TypeVar("E", bound=Entity)


@dataclass(slots=True)
class ApplyState:
    """One application under way."""

    editor: Editor
    reading: Reading
    names_aside: StatedNames
    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)
    paths: dict[int, Path] = field(default_factory=dict)
    #: Where each thing that the document names stands in it, by its id.
    stated_lines: list[tuple[Device, frozenset[int]]] = field(default_factory=list)
    #: Devices whose lines the document lists, with their indexes.
    stated_addresses: list[tuple[Path, CivicAddress]] = field(default_factory=list)
    #: Emergency addresses of the document, and where each stands.
    unjudged: set[Hashable] = field(default_factory=set)
    #: What a breach must not rest on, since the document says more of it than could be applied.
    refused_renames: set[Path] = field(default_factory=set)
    #: Where something is wrong with them in themselves.

    @property
    def draft(self) -> Draft:
        return self.editor.draft

    def fault(self, path: Path, message: str, *, rule: str = "", remedy: str = "", is_conflict: bool = False) -> None:
        """Something wrong at a place of the document; see :class:`Fault`. Raises DocumentError with all that is.

        It does so where there is more than anybody wants to know.
        """
        fault = self.reading.document.fault(path, message)
        self.faults.append(replace(fault, rule=rule, remedy=remedy, is_conflict=is_conflict))
        if len(self.faults) > FAULTS_JUDGED:
            raise DocumentError(list_faults(self.faults, is_all=False))

    def warn(self, path: Path, message: str) -> None:
        self.warnings.append(self.reading.document.fault(path, message))

    def named(self, entity: E, path: Path) -> E:
        """Remembers where a thing is stated; twice is a fault."""
        if entity.id in self.paths:
            line, _ = self.reading.document.position(self.paths[entity.id])
            self.fault(
                path,
                f"{describe(entity, self.draft)} is stated twice, first in line {line}",
                remedy="drop one of the two",
            )
        self.paths[entity.id] = path
        return entity

    def renamed(self, find: Callable[[str], E | None], name: str, former_name: str | None, path: Path) -> E | None:
        """The thing under its present name, else under the name that it is renamed from."""
        found = find(name)
        if former_name is None:
            return found
        former = find(former_name)
        if former is None:
            if found is None and (*path, "rename_from") not in self.refused_renames:
                self.fault(
                    (*path, "rename_from"),
                    f"there is no {former_name!r} to rename",
                    remedy="correct it, or drop rename_from",
                )
            return found
        if found is not None and found.id != former.id:
            self.fault(
                (*path, "rename_from"),
                "both the old and the new name exist",
                remedy="delete one, or drop rename_from",
                is_conflict=True,
            )
            return found
        return former

    def put(self, kind: type[E], found: E | None, account: Account, values: dict[str, Any], path: Path) -> E | None:
        """Creates what is new and changes what is there, unless it is another account's."""
        if found is None:
            return self.named(self.editor.create(kind, account_id=account.id, **values), path)
        if getattr(found, "account_id", account.id) != account.id:
            owner = self.draft.get(Account, found.account_id)  # type: ignore[union-attr]  # what lists hold has one
            self.fault(
                path,
                f"{describe(found, self.draft)} belongs to account {owner.name}",
                rule="one account",
                remedy="delete it there first",
                is_conflict=True,
            )
            return None
        return self.named(self.editor.change(found, **values), path)

    def location_id(self, account: Account, name: str | None, path: Path) -> int | None:
        """The location that a part names."""
        if name is None:
            return None
        location = self.draft.find_location(account.id, name)
        if location is None and not self.names_aside.has("locations", name):
            self.fault(
                (*path, "location"),
                f"account {account.name} has no location {name!r}",
                remedy="add it under locations",
            )
        return location.id if location else None

    def station_type_id(self, account: Account, name: str | None, path: Path) -> int | None:
        """The station type that a part names."""
        if name is None:
            return None
        kind = self.draft.find_station_type(account.id, name)
        if kind is None and not self.names_aside.has("station_types", name):
            self.fault(
                (*path, "station_type"),
                f"account {account.name} has no station type {name!r}",
                remedy="add it under station_types",
            )
        return kind.id if kind else None

    def user_named(self, account: Account, username: str | None, path: Path) -> User | None:
        """The user whom a part names."""
        if username is None:
            return None
        user = self.draft.find_user(username)
        if user is None and not self.names_aside.has("users", username):
            self.fault(
                path,
                f"there is no user {username!r}",
                remedy=f"add the user under users of account {account.name}",
            )
        return user

    def number_named(self, account: Account, text: str | None, path: Path) -> Number | None:
        """The number that a part names."""
        if text is None:
            return None
        number = self.draft.find_number(text)
        if number is None and not self.names_aside.has("numbers", text):
            self.fault(path, f"there is no number {text}", remedy=f"add it under numbers of account {account.name}")
        return number

"""Brings a draft to what a document says: the rules of ``plan`` and ``apply``."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from offhook.errors import Fault
from offhook.inventory.apply_devices import apply_device
from offhook.inventory.apply_parts import apply_account, apply_location, apply_number, apply_system, apply_user
from offhook.inventory.apply_state import FAULTS_LISTED, ApplyState, Path
from offhook.inventory.document import LISTS, DevicePart, InventoryPart
from offhook.inventory.editor import Editor
from offhook.inventory.models import (
    Account,
    Credential,
    DectSystem,
    Device,
    Entity,
    Line,
    Location,
    Number,
    User,
)
from offhook.inventory.rules import (
    Breach,
    describe,
    describe_device,
    find_breaches,
    lines_of_person,
    physical_devices_of,
    users_concerned,
)
from offhook.yamldoc import Document

#: The lists of an account, and what each holds.
_KINDS: Final[dict[str, type[Entity]]] = dict(zip(LISTS, (Location, User, Number, DectSystem, Device), strict=True))
#: The natural key of what each list holds.
_KEYS: Final = dict(zip(LISTS, ("name", "username", "number", "name", "name"), strict=True))


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """What the administrator allows beyond adding and changing."""

    prune: bool = False
    #: Delete what the accounts named in the document lack.
    confirm_moves: bool = False
    #: Move users from a device that the document does not take from them by itself.


@dataclass(slots=True)
class Applied:
    """What came of it."""

    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)
    pruned: dict[str, int] = field(default_factory=dict)
    #: How many of each kind ``prune`` deletes, what goes along with others included.


def apply_document(editor: Editor, part: InventoryPart, document: Document, options: ApplyOptions) -> Applied:
    """Edits the editor's draft. Where there are faults the draft is of no use and must be dropped."""
    state = ApplyState(editor, document)
    for names, path in _names(part):
        _refuse_chains(state, names, path)
    known = [
        (account, stated, ("accounts", i))
        for i, stated in enumerate(part.accounts)
        if (account := apply_account(state, stated, ("accounts", i))) is not None
    ]
    for account, stated, path in known:
        for i, location in enumerate(stated.locations):
            apply_location(state, account, location, (*path, "locations", i))
        for i, system in enumerate(stated.dect_systems):
            apply_system(state, account, system, (*path, "dect_systems", i))
        for i, user in enumerate(stated.users):
            apply_user(state, account, user, (*path, "users", i))
        for i, number in enumerate(stated.numbers):
            apply_number(state, account, number, (*path, "numbers", i))
    for account, stated, path in known:
        bases_first = sorted(enumerate(stated.devices), key=lambda item: item[1].base is not None)
        for i, device in bases_first:
            apply_device(state, account, device, (*path, "devices", i))
    pruned = _prune(state, [account for account, _, _ in known]) if options.prune and not state.faults else {}
    if options.confirm_moves:
        _move_users(state)
    editor.settle()
    _judge(state)
    return Applied(_in_order(state.faults), state.warnings, pruned)


def _in_order(faults: list[Fault]) -> list[Fault]:
    ordered = sorted(dict.fromkeys(faults), key=lambda fault: (fault.line, fault.column))
    if len(ordered) > FAULTS_LISTED:
        more = Fault("has more faults than are listed; correct these first", file=ordered[0].file)
        return [*ordered[:FAULTS_LISTED], more]
    return ordered


# -- renaming -------------------------------------------------------------------------------------------------------

_Names = list[tuple[str | None, str | None]]


def _names(part: InventoryPart) -> Iterator[tuple[_Names, Path]]:
    """Present and former name of everything, by list."""
    yield [(account.name, account.rename_from) for account in part.accounts], ("accounts",)
    for i, account in enumerate(part.accounts):
        for name, key in _KEYS.items():
            stated = getattr(account, name)
            yield [_name(item, key) for item in stated], ("accounts", i, name)


def _name(item: object, key: str) -> tuple[str | None, str | None]:
    if isinstance(item, DevicePart) and (item.mac or item.ipei):
        return None, None  # Its name is not what it is known by, and simply changes.
    return getattr(item, key), getattr(item, "rename_from", None)


def _refuse_chains(state: ApplyState, names: _Names, path: Path) -> None:
    """A former name that is also stated as a present one could be renamed again by the same document later."""
    if not any(former for _, former in names):
        return
    present = {name.casefold() for name, _ in names if name is not None}
    for i, (name, former) in enumerate(names):
        if former is not None and former.casefold() in present and former.casefold() != (name or "").casefold():
            state.fault(
                (*path, i, "rename_from"),
                f"{former!r} is renamed and stated as well: applied twice, the document would do something else; "
                "rename in a document of its own",
            )


# -- the whole ------------------------------------------------------------------------------------------------------


def _prune(state: ApplyState, accounts: list[Account]) -> dict[str, int]:
    """Deletes what the named accounts have and the document does not name. Gives the counts."""
    counts: dict[str, int] = {}
    for account in accounts:
        for name in reversed(LISTS):
            surplus = [
                entity
                for entity in state.draft.all(_KINDS[name])
                if getattr(entity, "account_id", None) == account.id and entity.id not in state.paths
            ]
            for entity in surplus:
                if isinstance(entity, Device):
                    _keep_stated_handsets(state, entity)
                state.editor.delete(entity)
            if surplus:
                counts[name] = counts.get(name, 0) + len(surplus)
    lines = sum(_prune_lines(state, device, stated) for device, stated in state.stated_lines)
    if lines:
        counts["lines"] = lines
    return counts


def _keep_stated_handsets(state: ApplyState, base: Device) -> None:
    for handset in state.draft.handsets_of(base.id):
        if handset.id in state.paths:
            state.fault(
                state.paths[handset.id],
                f"its base {describe_device(base)} is not in the document, so --prune would delete both: "
                "state the base, or write base: null",
            )


def _prune_lines(state: ApplyState, device: Device, stated: frozenset[int]) -> int:
    """A device keeps its first line, without assignment."""
    count = 0
    for line in state.draft.lines_of(device.id):
        if line.index in stated:
            continue
        if line.index != 1:
            state.editor.delete(line)
        elif state.draft.extension_of(line) is not None:
            state.editor.assign(line)
        else:
            continue
        count += 1
    return count


def _move_users(state: ApplyState) -> None:
    """Releases the old device of a user whom the document gives another one, where that is confirmed (R10)."""
    for user_id in users_concerned(state.draft):
        had = {device.id for device in physical_devices_of(state.draft.base, user_id)}
        devices = physical_devices_of(state.draft, user_id)
        if len([device for device in devices if device.id not in had]) == 1:
            for line in lines_of_person(state.draft, user_id):
                if line.device_id in had:
                    state.editor.assign(line)


def _judge(state: ApplyState) -> None:
    for breach in find_breaches(state.draft):
        path = _path_of(state, breach)
        if path is None:
            name = describe(breach.entity, state.draft)
            state.fault((), breach.message if breach.message.startswith(name) else f"{name}: {breach.message}")
        else:
            state.fault(path if path[-1] == breach.field else (*path, breach.field), breach.message)


def _path_of(state: ApplyState, breach: Breach) -> Path | None:
    """Where the thing at fault stands in the document; None where the document does not name it."""
    entity = breach.entity
    if isinstance(entity, Credential) and entity.line_id in state.paths:
        return state.paths[entity.line_id]
    if isinstance(entity, Line) and entity.id not in state.paths:
        return state.paths.get(entity.device_id)
    return state.paths.get(entity.id)

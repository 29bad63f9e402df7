"""Brings a draft to what a document says: the rules of ``plan`` and ``apply``."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from offhook.errors import Fault, Invalid
from offhook.inventory.apply_addresses import warn_about_addresses
from offhook.inventory.apply_devices import apply_device, base_named, system_named
from offhook.inventory.apply_parts import (
    apply_account,
    apply_location,
    apply_number,
    apply_station_type,
    apply_system,
    apply_user,
)
from offhook.inventory.apply_state import ApplyState
from offhook.inventory.document import LISTS, DevicePart
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
    StationType,
    User,
)
from offhook.inventory.progress import Progress, Stage
from offhook.inventory.reading import Reading, SetAside, list_faults
from offhook.inventory.rules import (
    Breach,
    describe,
    describe_device,
    find_breaches,
    lines_of_person,
    physical_devices_of,
    users_concerned,
)
from offhook.inventory.set_aside import StatedNames, find_unjudged
from offhook.yamldoc import Path

#: The lists of an account, and what each holds.
_KINDS: Final[dict[str, type[Entity]]] = dict(
    zip(LISTS, (Location, StationType, User, Number, DectSystem, Device), strict=True)
)
#: The natural key of what each list holds.
_KEYS: Final = dict(zip(LISTS, ("name", "name", "username", "number", "name", "name"), strict=True))


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
    unchanged: Counter[str] = field(default_factory=Counter)
    #: How many of each kind are as the document states them already.
    progress: Progress = field(default_factory=Progress)

    def refuse_to_prune(self) -> None:
        """Raises Invalid where anything is deleted that the document merely lacks."""
        if self.pruned:
            counts = ", ".join(_count(name, count) for name, count in self.pruned.items())
            raise Invalid(
                f"--prune would delete {counts}",
                field="prune",
                rule="deleting wants a confirmation",
                remedy="look at `offhook plan --prune FILE`, then add --yes",
            )


def _count(name: str, count: int) -> str:
    """``2 locations``; ``name`` is that of a list, and in the plural."""
    words = name.replace("dect_", "DECT ")
    return f"{count} {words.removesuffix('s') if count == 1 else words}"


def apply_document(editor: Editor, reading: Reading, options: ApplyOptions, applied: Applied | None = None) -> Applied:
    """Edits the editor's draft. Where there are faults the draft is of no use and must be dropped.

    Gives ``applied``, filled in.
    """
    applied = applied or Applied()
    state = ApplyState(editor, reading, StatedNames(reading.set_aside), list(reading.faults), list(reading.warnings))
    progress, each = applied.progress, reading.remainder.each
    for names in _names(reading):
        _refuse_renames(state, names)
    stated_accounts = list(each(("accounts",), reading.part.accounts))
    progress.begin(Stage.APPLYING, sum(len(getattr(stated, name)) for _, stated in stated_accounts for name in LISTS))
    accounts = {path: apply_account(state, stated, path) for path, stated in stated_accounts}
    for path, stated in stated_accounts:
        account = accounts[path]
        for at, location in each((*path, "locations"), stated.locations):
            apply_location(state, account, location, at)
            progress.advance()
        for at, kind in each((*path, "station_types"), stated.station_types):
            apply_station_type(state, account, kind, at)
            progress.advance()
        for at, system in each((*path, "dect_systems"), stated.dect_systems):
            apply_system(state, account, system, at)
            progress.advance()
        for at, user in each((*path, "users"), stated.users):
            apply_user(state, account, user, at)
            progress.advance()
        for at, number in each((*path, "numbers"), stated.numbers):
            apply_number(state, account, number, at)
            progress.advance()
    for path, stated in stated_accounts:
        devices = list(each((*path, "devices"), stated.devices))
        for at, device in sorted(devices, key=lambda item: item[1].base is not None):
            apply_device(state, accounts[path], device, at)
            progress.advance()
    pruned = _prune(state, list(accounts.values())) if options.prune and not state.faults else {}
    if options.confirm_moves:
        _move_users(state)
    _look_at_set_aside(state, accounts)
    warn_about_addresses(state)
    progress.begin(Stage.JUDGING)
    editor.settle()
    _judge(state)
    applied.faults.extend(list_faults(state.faults))
    applied.warnings.extend(state.warnings)
    applied.pruned.update(pruned)
    applied.unchanged.update(_unchanged(state))
    return applied


def _unchanged(state: ApplyState) -> Iterator[str]:
    """The list that each thing stands in which is as the document says already."""
    changed = {change.entity.id for change in state.draft.changes}
    for entity_id, path in state.paths.items():
        if entity_id not in changed and len(path) > 2:
            yield "lines" if len(path) > 4 else str(path[2])


# -- renaming -------------------------------------------------------------------------------------------------------

#: Of each thing of a list: where it stands, its present and its former name.
_Names = list[tuple[Path, str | None, str | None]]


def _names(reading: Reading) -> Iterator[_Names]:
    """Present and former name of everything, by list."""
    each = reading.remainder.each
    accounts = list(each(("accounts",), reading.part.accounts))
    yield [(path, account.name, account.rename_from) for path, account in accounts]
    for path, account in accounts:
        for name, key in _KEYS.items():
            yield [(at, *_name(item, key)) for at, item in each((*path, name), getattr(account, name))]


def _name(item: object, key: str) -> tuple[str | None, str | None]:
    if isinstance(item, DevicePart) and (item.mac or item.ipei):
        return None, None  # Its name is not what it is known by, and simply changes.
    return getattr(item, key), getattr(item, "rename_from", None)


def _refuse_renames(state: ApplyState, names: _Names) -> None:
    """A former name that is also stated as a present one could be renamed again by the same document later."""
    if not any(former for _, _, former in names):
        return
    present = {name.casefold() for _, name, _ in names if name is not None}
    renamed: dict[str, Path] = {}
    for path, name, former in names:
        if former is None:
            continue
        at = (*path, "rename_from")
        first = renamed.setdefault(former.casefold(), at)
        if first != at:
            line, _ = state.reading.document.position(first)
            state.fault(at, f"{former!r} is renamed already, in line {line}", remedy="drop one of the two")
        elif former.casefold() in present and former.casefold() != (name or "").casefold():
            state.fault(
                at,
                f"{former!r} is renamed and stated as well: applied twice, the document would do something else",
                remedy="rename in a document of its own",
            )
        else:
            continue
        state.refused_renames.add(at)


# -- what was set aside ---------------------------------------------------------------------------------------------


def _look_at_set_aside(state: ApplyState, accounts: dict[Path, Account]) -> None:
    """What a part at fault refers to is looked for nevertheless; what it says of things keeps them from judgement."""
    at = {path: entity_id for entity_id, path in state.paths.items()}
    for aside in state.reading.set_aside:
        state.unjudged.update(find_unjudged(aside, state.draft, accounts, at))
        account = accounts.get(aside.path[:2])
        if account is not None and len(aside.path) > 2:
            _look_up(state, account, aside)


def _look_up(state: ApplyState, account: Account, aside: SetAside) -> None:
    if not isinstance(aside.value, dict):
        return
    for name, text in aside.value.items():
        at = (*aside.path, name)
        if not isinstance(text, str) or at in state.reading.fault_paths:
            continue
        match name, aside.kind:
            case "location", "users" | "numbers" | "devices":
                state.location_id(account, text, aside.path)
            case "station_type", "numbers":
                state.station_type_id(account, text, aside.path)
            case "user", "numbers" | "devices" | "lines":
                state.user_named(account, text, at)
            case "base", "devices":
                base_named(state, account, text, at)
            case "system", "devices":
                system_named(state, account, text, at)
            case _:
                pass


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
                f"its base {describe_device(base)} is not in the document, so --prune would delete both",
                rule="deleting a base deletes its handsets (R11)",
                remedy="state the base, or write base: null",
            )


def _prune_lines(state: ApplyState, device: Device, stated: frozenset[int]) -> int:
    """A device keeps its first line, without assignment."""
    count = 0
    for line in state.draft.lines_of(device.id):
        if line.index in stated:
            continue
        if line.index != 1:
            state.editor.delete(line)
        elif any(held is not None for held in (line.user_id, line.assigned_number_id, line.extension)):
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
    for breach in find_breaches(state.draft, state.editor.vendors):
        if not state.unjudged.isdisjoint((breach.entity.id, *breach.rests_on)):
            continue
        path = _path_of(state, breach)
        if path is None:
            name = describe(breach.entity, state.draft)
            path, message = (), breach.message if breach.message.startswith(name) else f"{name}: {breach.message}"
        else:
            path, message = _below(path, breach.field), breach.message
        state.fault(path, message, rule=breach.rule, remedy=breach.remedy, is_conflict=breach.is_conflict)


def _below(path: Path, field: str) -> Path:
    """The place of a field, which may be one of a part's part; ``user`` on a device is the whole of its line."""
    return path if path[-1] == field else (*path, *field.split("."))


def _path_of(state: ApplyState, breach: Breach) -> Path | None:
    """Where the thing at fault stands in the document; None where the document does not name it."""
    entity = breach.entity
    if isinstance(entity, Credential) and entity.line_id in state.paths:
        return state.paths[entity.line_id]
    if isinstance(entity, Line) and entity.id not in state.paths:
        return state.paths.get(entity.device_id)
    return state.paths.get(entity.id)

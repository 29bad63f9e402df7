"""Brings a draft to what a document says: the rules of ``plan`` and ``apply``."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from offhook.errors import Fault, Invalid
from offhook.inventory.address import CivicAddress, EmergencyAddress
from offhook.inventory.document import (
    LISTS,
    AccountPart,
    AddressPart,
    DevicePart,
    InventoryPart,
    LinePart,
    LocationPart,
    NumberPart,
    SystemPart,
    UserPart,
)
from offhook.inventory.editor import Editor, GivenCredential
from offhook.inventory.identifiers import parse_mac
from offhook.inventory.models import (
    Account,
    Credential,
    DectSystem,
    Device,
    DeviceType,
    Entity,
    Line,
    Location,
    Number,
    User,
)
from offhook.inventory.rules import (
    Breach,
    default_extension,
    describe,
    describe_device,
    find_breaches,
    physical_devices_of,
)
from offhook.yamldoc import Document

Path = tuple[str | int, ...]
E = TypeVar("E", bound=Entity)

#: The lists of an account, and what each holds.
_KINDS: Final[dict[str, type[Entity]]] = dict(zip(LISTS, (Location, User, Number, DectSystem, Device), strict=True))


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """What the administrator allows beyond adding and changing."""

    prune: bool = False
    #: Delete what the accounts named in the document lack.
    confirm_moves: bool = False
    #: Move users from a device that the document does not name.


@dataclass(slots=True)
class Applied:
    """What came of it."""

    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)
    pruned: dict[str, int] = field(default_factory=dict)
    #: How many of each kind ``prune`` deletes.


def apply_document(editor: Editor, part: InventoryPart, document: Document, options: ApplyOptions) -> Applied:
    """Edits the editor's draft. Where there are faults the draft is of no use and must be dropped."""
    return _Application(editor, document, options).run(part)


class _Application:
    def __init__(self, editor: Editor, document: Document, options: ApplyOptions) -> None:
        self.editor = editor
        self.draft = editor.draft
        self.document = document
        self.options = options
        self.result = Applied()
        self.paths: dict[int, Path] = {}
        #: Where each thing that the document names stands in it, by its id.

    def run(self, part: InventoryPart) -> Applied:
        accounts = [
            (self._account(account, ("accounts", i)), account, ("accounts", i))
            for i, account in enumerate(part.accounts)
        ]
        known = [(account, stated, path) for account, stated, path in accounts if account is not None]
        for account, stated, path in known:
            for i, location in enumerate(stated.locations):
                self._location(account, location, (*path, "locations", i))
            for i, system in enumerate(stated.dect_systems):
                self._system(account, system, (*path, "dect_systems", i))
            for i, user in enumerate(stated.users):
                self._user(account, user, (*path, "users", i))
            for i, number in enumerate(stated.numbers):
                self._number(account, number, (*path, "numbers", i))
            self._default_extensions(stated.numbers)
        for account, stated, path in known:
            bases_first = sorted(enumerate(stated.devices), key=lambda item: item[1].base is not None)
            for i, device in bases_first:
                self._device(account, device, (*path, "devices", i))
        if self.options.prune:
            for account, stated, _ in known:
                self._prune(account, stated)
        if not self.result.faults:
            self._moves()
            self.editor.settle()
            self._judge()
        self.result.faults.sort(key=lambda fault: (fault.line, fault.column))
        return self.result

    def _fault(self, path: Path, message: str) -> None:
        self.result.faults.append(self.document.fault(path, message))

    def _named(self, entity: E, path: Path) -> E:
        """Remembers where a thing is stated; twice is a fault."""
        if entity.id in self.paths:
            line, _ = self.document.position(self.paths[entity.id])
            self._fault(path, f"{describe(entity, self.draft)} is stated twice, first in line {line}")
        self.paths[entity.id] = path
        return entity

    def _renamed(self, found: E | None, former: E | None, part: Any, path: Path) -> E | None:
        """The thing under its present name, else under the name that it is renamed from."""
        if part.rename_from is None or former is None:
            return found
        if found is not None and found.id != former.id:
            self._fault((*path, "rename_from"), "both the old and the new name exist; delete one, or drop rename_from")
        return former

    # -- accounts and what they hold ------------------------------------------------------------------------------

    def _account(self, part: AccountPart, path: Path) -> Account | None:
        found = self.draft.find_account(part.name)
        former = self.draft.find_account(part.rename_from) if part.rename_from else None
        account = self._renamed(found, former, part, path)
        values = part.stated(
            "name",
            "sip_domain",
            "gateway",
            "external_registrar",
            "access",
            "language",
            "timezone",
            "ntp_server",
        )
        if "digest_algorithms" in part.model_fields_set:
            values["digest_algorithms"] = tuple(dict.fromkeys(part.digest_algorithms))
        if "tones" in part.model_fields_set:
            values["tones"] = part.tones.lower()
        if account is None and part.sip_domain is None:
            self._fault((*path, "name"), f"account {part.name} is new and needs a sip_domain")
            return None
        if "sip_domain" in values and part.sip_domain is None:
            self._fault((*path, "sip_domain"), "an account cannot be without a SIP domain")
            return None
        if account is None:
            return self._named(self.editor.create_account(**values), path)
        return self._named(self.editor.change(account, **values), path)

    def _location(self, account: Account, part: LocationPart, path: Path) -> None:
        found = self.draft.find_location(account.id, part.name)
        former = self.draft.find_location(account.id, part.rename_from) if part.rename_from else None
        location = self._renamed(found, former, part, path)
        values = part.stated("name", "timezone")
        if "address" in part.model_fields_set:
            values["address"] = _address(part.address, location.address if location else None)
        self._put(Location, location, account, values, path)

    def _system(self, account: Account, part: SystemPart, path: Path) -> None:
        found = self.draft.find_system(account.id, part.name)
        former = self.draft.find_system(account.id, part.rename_from) if part.rename_from else None
        system = self._renamed(found, former, part, path)
        self._put(DectSystem, system, account, part.stated("name", "vendor", "model"), path)

    def _user(self, account: Account, part: UserPart, path: Path) -> None:
        found = self.draft.find_user(part.username)
        former = self.draft.find_user(part.rename_from) if part.rename_from else None
        user = self._renamed(found, former, part, path)
        values = part.stated(
            "username",
            "first_name",
            "last_name",
            "email",
            "plan",
            "extension",
            "timezone",
            "forward_unreachable",
            "voicemail_to_email",
        )
        if "location" in part.model_fields_set:
            values["location_id"] = self._location_id(account, part.location, path)
        if "offsite_address" in part.model_fields_set:
            values["offsite_address"] = _address(part.offsite_address, user.offsite_address if user else None)
        self._put(User, user, account, values, path)

    def _number(self, account: Account, part: NumberPart, path: Path) -> None:
        number = self.draft.find_number(part.number)
        values = part.stated("number", "status", "extension", "station_type")
        if "main" in part.model_fields_set:
            values["is_main"] = part.main
        if "location" in part.model_fields_set:
            values["location_id"] = self._location_id(account, part.location, path)
        if "display_name" in part.model_fields_set:
            values["display_first"] = part.display_name.first if part.display_name else ""
            values["display_last"] = part.display_name.last if part.display_name else ""
        if "user" in part.model_fields_set:
            user = self._user_named(account, part.user, (*path, "user"))
            values["user_id"] = user.id if user else None
        if number is None:
            values.setdefault("extension", default_extension(part.number))
        self._put(Number, number, account, values, path)

    def _default_extensions(self, parts: Iterable[NumberPart]) -> None:
        """N2: a user without an extension gets the last four digits of their number."""
        for part in parts:
            number = self.draft.find_number(part.number)
            user = self.draft.find(User, number.user_id) if number is not None else None
            if number is not None and user is not None and user.extension is None:
                self.editor.change(user, extension=number.extension or default_extension(number.number))

    def _put(self, kind: type[E], found: E | None, account: Account, values: dict[str, Any], path: Path) -> None:
        if found is None:
            self._named(self.editor.create(kind, account_id=account.id, **values), path)
        elif getattr(found, "account_id", account.id) != account.id:
            owner = self.draft.get(Account, found.account_id)  # type: ignore[union-attr]  # what lists hold has one
            self._fault(path, f"{describe(found, self.draft)} belongs to account {owner.name}")
        else:
            self._named(self.editor.change(found, **values), path)

    # -- references -----------------------------------------------------------------------------------------------

    def _location_id(self, account: Account, name: str | None, path: Path) -> int | None:
        if name is None:
            return None
        location = self.draft.find_location(account.id, name)
        if location is None:
            self._fault((*path, "location"), f"account {account.name} has no location {name!r}; add it under locations")
        return location.id if location else None

    def _user_named(self, account: Account, username: str | None, path: Path) -> User | None:
        if username is None:
            return None
        user = self.draft.find_user(username)
        if user is None:
            self._fault(path, f"there is no user {username!r}; add the user under users of account {account.name}")
        return user

    # -- devices --------------------------------------------------------------------------------------------------

    def _device(self, account: Account, part: DevicePart, path: Path) -> None:
        identified, device = self._find_device(account, part, path)
        if not identified:
            return
        values = part.stated("name", "vendor", "model", "state", "role", "mac", "ipei")
        if part.type is not None:
            if device is not None and device.type is not part.type:
                self._fault(
                    (*path, "type"),
                    f"{describe_device(device)} is a {device.type.value}; a device's type does not change: "
                    "delete it and add it anew",
                )
                return
            values["type"] = part.type
        elif device is None:
            kinds = ", ".join(kind.value for kind in DeviceType)
            self._fault(path, f"a new device needs a type: {kinds}")
            return
        if "location" in part.model_fields_set:
            values["location_id"] = self._location_id(account, part.location, path)
        if "address" in part.model_fields_set:
            values["address"] = _address(part.address, device.address if device else None)
        if "base" in part.model_fields_set:
            base = self._base_named(part.base, (*path, "base"))
            values["base_id"] = base.id if base else None
            if device is not None and device.base_id != values["base_id"]:
                values["slot"] = None
        if "system" in part.model_fields_set:
            system = self.draft.find_system(account.id, part.system) if part.system else None
            if part.system and system is None:
                self._fault((*path, "system"), f"there is no DECT system {part.system!r}; add it under dect_systems")
            values["system_id"] = system.id if system else None
        if device is None:
            if values.get("vendor") is None and part.mac is not None:
                values["vendor"] = self.editor.vendors.find_vendor_by_mac(part.mac)
            device = self.editor.create_device(account_id=account.id, **values)
        else:
            device = self.editor.change(device, **values)
        self._named(device, path)
        missing = self.editor.vendors.missing_templates(device.vendor, device.model)
        if missing is not None and device.type not in (DeviceType.DECT_HANDSET, DeviceType.SOFTPHONE):
            self.result.warnings.append(self.document.fault(path, f"{describe_device(device)}: {missing}"))
        self._lines(account, device, part, path)

    def _find_device(self, account: Account, part: DevicePart, path: Path) -> tuple[bool, Device | None]:
        """Whether the part says which device it is, and that device where it is there already."""
        if part.mac is not None:
            device = self.draft.find_device_by_mac(part.mac)
        elif part.ipei is not None:
            device = self.draft.find_device_by_ipei(part.ipei)
        elif part.name is not None:
            wanted = part.rename_from or part.name
            named = [
                device
                for name in dict.fromkeys((part.name, wanted))
                for device in self.draft.devices_named(name)
                if device.account_id == account.id and device.type is DeviceType.SOFTPHONE
            ]
            device = named[0] if named else None
        else:
            self._fault(path, "a device is known by its mac, a handset by its ipei, a softphone by its name")
            return False, None
        if device is not None and device.account_id != account.id:
            owner = self.draft.get(Account, device.account_id)
            self._fault(path, f"{describe_device(device)} belongs to account {owner.name}; delete it there first")
            return False, None
        return True, device

    def _base_named(self, text: str | None, path: Path) -> Device | None:
        if text is None:
            return None
        try:
            base = self.draft.find_device_by_mac(parse_mac(text))
        except Invalid:
            named = self.draft.devices_named(text)
            base = named[0] if len(named) == 1 else None
        if base is None:
            self._fault(path, f"there is no base {text!r}; add it under devices, with type dect_base")
        return base

    def _lines(self, account: Account, device: Device, part: DevicePart, path: Path) -> None:
        lines = {line.index: line for line in self.draft.lines_of(device.id)}
        if "user" in part.model_fields_set:
            if any(
                line.index == 1 and line.model_fields_set & {"user", "number", "extension"} for line in part.lines or ()
            ):
                self._fault((*path, "user"), "line 1 is assigned twice: by user, and under lines")
                return
            user = self._user_named(account, part.user, (*path, "user"))
            line = lines.get(1)
            if line is None and user is not None:
                line = self.editor.create_line(device, 1)
            if line is not None:
                lines[1] = self.editor.assign(line, user=user)
                self.paths.setdefault(line.id, (*path, "user"))
        seen: set[int] = set()
        for i, stated in enumerate(part.lines or ()):
            at = (*path, "lines", i)
            if stated.index in seen:
                self._fault(at, f"line {stated.index} is stated twice")
                continue
            seen.add(stated.index)
            line = lines.get(stated.index) or self.editor.create_line(device, stated.index)
            self._line(account, line, stated, at)

    def _line(self, account: Account, line: Line, part: LinePart, path: Path) -> None:
        self.paths[line.id] = path
        stated = part.stated("user", "number", "extension")
        if sum(value is not None for value in stated.values()) > 1:
            self._fault(path, "a line has one assignment: a user, a number, or an extension of its own")
            return
        if stated:
            number = self.draft.find_number(part.number) if part.number else None
            if part.number and number is None:
                self._fault((*path, "number"), f"there is no number {part.number}; add it under numbers")
            user = self._user_named(account, part.user, (*path, "user"))
            line = self.editor.assign(line, user=user, number=number, extension=part.extension)
        values = part.stated("label", "appearances")
        if values:
            line = self.editor.change(line, **values)
        if part.auth_username is not None or part.password is not None:
            self.editor.give_credential(line, GivenCredential(part.auth_username, part.password))

    # -- the whole ------------------------------------------------------------------------------------------------

    def _prune(self, account: Account, part: AccountPart) -> None:
        """Deletes what a named account has and the document does not name."""
        for name in reversed(LISTS):
            kind = _KINDS[name]
            surplus = [
                entity
                for entity in self.draft.all(kind)
                if getattr(entity, "account_id", None) == account.id and entity.id not in self.paths
            ]
            gone = 0
            for entity in surplus:
                if self.draft.find(kind, entity.id) is not None:
                    gone += 1
                    self.editor.delete(entity)
            if gone:
                self.result.pruned[name] = self.result.pruned.get(name, 0) + gone
        for device_part in part.devices:
            if device_part.lines is not None:
                self._prune_lines(device_part)

    def _prune_lines(self, part: DevicePart) -> None:
        device = self.draft.find_device_by_mac(part.mac) if part.mac else None
        stated = {line.index for line in part.lines or ()} | ({1} if part.user else set())
        for line in self.draft.lines_of(device.id) if device is not None else ():
            if line.index not in stated and not (line.index == 1 and line.user_id is None and not line.extension):
                self.editor.delete(line)

    def _moves(self) -> None:
        """Releases the old device of a user whom the document gives another one, where that is confirmed (R10)."""
        if not self.options.confirm_moves:
            return
        changed = {
            change.entity.user_id
            for change in self.draft.changes
            if isinstance(change.entity, Line) and change.entity.user_id is not None
        }
        for user_id in sorted(changed):
            devices = physical_devices_of(self.draft, user_id)
            had = {device.id for device in physical_devices_of(self.draft.base, user_id)}
            new = [device for device in devices if device.id not in had]
            if len(new) != 1:
                continue
            for old in devices:
                if old.id in had:
                    for line in self.draft.lines_of(old.id):
                        if line.user_id == user_id:
                            self.editor.assign(line)

    def _judge(self) -> None:
        for breach in find_breaches(self.draft):
            path = self._path_of(breach)
            message = breach.message
            if path is None:
                message = f"{describe(breach.entity, self.draft)}: {message}"
            self._fault((*path, breach.field) if path else (), message)

    def _path_of(self, breach: Breach) -> Path | None:
        entity = breach.entity
        if entity.id in self.paths:
            return self.paths[entity.id]
        if isinstance(entity, Credential):
            return self.paths.get(entity.line_id)
        if isinstance(entity, Line):
            return self.paths.get(entity.device_id)
        return None


def _address(part: AddressPart | None, before: EmergencyAddress | None) -> EmergencyAddress | None:
    """An edited address is a draft again; the last valid one stays in force until it is valid too (U4)."""
    if part is None:
        return None
    entered = CivicAddress(**part.model_dump())
    if before is not None and before.entered == entered:
        return before
    return EmergencyAddress(entered=entered, in_force=before.in_force if before is not None else None)

"""Changes of one thing at a time, with all that follows from them: lines, credentials, slots, what is deleted along.

An :class:`Editor` works on a draft. :meth:`Editor.settle` brings credentials and slots in line with what was changed;
call it once, after the last change.
"""

from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from offhook.errors import Conflict, Invalid
from offhook.inventory.credentials import CredentialEditor, GivenCredential
from offhook.inventory.generated import IdSource, new_phone_id, new_pin, new_token
from offhook.inventory.models import (
    Account,
    Carrier,
    Credential,
    DectSystem,
    Device,
    DeviceState,
    DeviceType,
    Entity,
    Line,
    Location,
    Number,
    StationType,
    User,
)
from offhook.inventory.numbers import without_user
from offhook.inventory.ports import Put, SecretBox, Vendors
from offhook.inventory.revisions import affected_devices
from offhook.inventory.rules import default_extension, users_concerned
from offhook.inventory.snapshot import Draft
from offhook.secret import Secret

E = TypeVar("E", bound=Entity)

#: How long a provisioning token can stay valid that was replaced.
TOKEN_GRACE_LIMIT_SECONDS: Final = 90 * 86400.0


@dataclass(frozen=True, slots=True)
class Workshop:
    """What an editor works with."""

    ids: IdSource
    secrets: SecretBox
    vendors: Vendors


@dataclass(frozen=True, slots=True)
class Note:
    """What the audit shall call a change of a thing, e.g. ``pin_reset``, instead of ``update``."""

    action: str
    about: Entity
    reason: str


class Editor:
    """Edits a draft."""

    def __init__(self, draft: Draft, workshop: Workshop, now: float) -> None:
        self.draft = draft
        self.now = now
        self._ids = workshop.ids
        self._secrets = workshop.secrets
        self.vendors = workshop.vendors
        self.credentials = CredentialEditor(draft, workshop.ids, workshop.secrets, workshop.vendors, now)
        self._given: dict[int, GivenCredential] = {}
        self.notes: list[Note] = []

    # -- creating -------------------------------------------------------------------------------------------------

    def create(self, kind: type[E], **values: Any) -> E:
        """A new location, station type, user, number or DECT system; the others have methods of their own."""
        entity_id = self._ids.next()
        if kind in (User, Number):
            values["sealed_default_pin"] = self.seal_default_pin(kind, entity_id)
        return self.draft.put(kind(id=entity_id, **values))

    def seal_default_pin(self, kind: type[E], entity_id: int) -> bytes:
        """A new default PIN for a user or a number."""
        return self._secrets.seal(new_pin(), f"{kind.__name__.lower()}:{entity_id}:default_pin")

    def seal_missing_pins(self) -> None:
        """Users and numbers from before there were PINs get a default one."""
        kinds: tuple[type[User | Number], ...] = (User, Number)
        for kind in kinds:
            for entity in list(self.draft.all(kind)):
                if not entity.sealed_default_pin:
                    self.change(entity, sealed_default_pin=self.seal_default_pin(kind, entity.id))

    def create_account(self, **values: Any) -> Account:
        """A new account, with a provisioning token."""
        account_id = self._ids.next()
        token = new_token()
        return self.draft.put(
            Account(
                id=account_id,
                token_digest=self._secrets.digest(token.reveal()),
                sealed_token=self._secrets.seal(token, f"account:{account_id}:token"),
                **values,
            )
        )

    def create_device(self, **values: Any) -> Device:
        """A new device with its token and phone ID; one that registers gets its first line."""
        device_id = self._ids.next()
        token = new_token()
        device = self.draft.put(
            Device(
                id=device_id,
                phone_id=new_phone_id(self.draft),
                token_digest=self._secrets.digest(token.reveal()),
                sealed_token=self._secrets.seal(token, f"device:{device_id}:token"),
                created_at=self.now,
                **values,
            )
        )
        if device.type is not DeviceType.DECT_BASE:
            self.create_line(device, 1)
        return device

    def create_line(self, device: Device, index: int) -> Line:
        """A line without assignment."""
        return self.draft.put(Line(id=self._ids.next(), account_id=device.account_id, device_id=device.id, index=index))

    # -- changing -------------------------------------------------------------------------------------------------

    def change(self, entity: E, **values: Any) -> E:
        """The entity with other values; what they imply follows in :meth:`settle`."""
        if isinstance(entity, Account) and "sip_domain" in values and values["sip_domain"] != entity.sip_domain:
            former = (*entity.former_domains, entity.sip_domain)
            values["former_domains"] = tuple(domain for domain in former if domain != values["sip_domain"])
        if isinstance(entity, Line) and values.get("number_id", entity.number_id) != entity.number_id:
            values.setdefault("logged_in_at", None)
        return self.draft.put(replace(entity, **values))

    def assign(
        self, line: Line, *, user: User | None = None, number: Number | None = None, extension: str | None = None
    ) -> Line:
        """Gives a line its one assignment, or none. A number that is logged in there goes for a user or a number."""
        stays = user is None and number is None and line.logged_in_at is not None
        return self.change(
            line,
            user_id=user.id if user else None,
            number_id=line.number_id if stays else number.id if number else None,
            extension=extension,
            logged_in_at=line.logged_in_at if stays else None,
        )

    def note(self, action: str, about: Entity, reason: str = "") -> None:
        """Tells the audit what was done; a thing that does not differ afterwards gets a record all the same."""
        self.notes.append(Note(action, about, reason))

    def give_credential(self, line: Line, given: GivenCredential) -> None:
        """States a line's authentication name or password instead of having them made up."""
        self._given[line.id] = given

    # -- tokens ---------------------------------------------------------------------------------------------------

    def rotate_token(self, account: Account, grace_seconds: float, *, force: bool = False) -> Account:
        """A new provisioning token; the present one stays valid for the grace, 0 to 90 days (R12).

        A token that is in its grace already would go before its time, which wants ``force``. Without grace both go at
        once: a device learns the new URL only by asking under one that is valid.
        """
        if not 0 <= grace_seconds <= TOKEN_GRACE_LIMIT_SECONDS:
            raise Invalid(
                "the period of grace must be from 0 seconds to 90 days",
                field="grace_seconds",
                rule="grace of a token (R12)",
                remedy="give the devices as long as the slowest of them takes to ask again",
            )
        if grace_seconds and self.now < (account.former_token_until or 0.0) and not force:
            raise Conflict(
                f"account {account.name} changed its token lately, and the one before is still valid: a device that "
                "has not asked since would lose its way",
                field="grace_seconds",
                rule="one token in its grace (R12)",
                remedy="wait until it is over, or force it",
            )
        token = new_token()
        self.note("rotate_token", account)
        return self.change(
            account,
            token_digest=self._secrets.digest(token.reveal()),
            sealed_token=self._secrets.seal(token, f"account:{account.id}:token"),
            former_token_digest=account.token_digest if grace_seconds else None,
            former_token_until=self.now + grace_seconds if grace_seconds else None,
        )

    def rotate_device_token(self, device: Device) -> Device:
        """A new token for a device; the present one is void at once."""
        self.note("rotate_token", device)
        return self.give_token(device)

    def give_token(self, device: Device) -> Device:
        """The same where it follows from something else that is done to the device."""
        token = new_token()
        return self.change(
            device,
            token_digest=self._secrets.digest(token.reveal()),
            sealed_token=self._secrets.seal(token, f"device:{device.id}:token"),
        )

    # -- deleting -------------------------------------------------------------------------------------------------

    def delete(self, entity: Entity) -> None:
        """Deletes a thing and what cannot be without it; what merely refers to it lets go (R11)."""
        draft = self.draft
        match entity:
            case Account():
                parts: list[Device | Number | User | StationType | Location | DectSystem] = [
                    *draft.all(Device),
                    *draft.all(Number),
                    *draft.all(User),
                    *draft.all(StationType),
                    *draft.all(Location),
                    *draft.all(DectSystem),
                ]
                for part in parts:
                    if part.account_id == entity.id:
                        self.delete(part)
            case User():
                for line in draft.lines_of_user(entity.id):
                    self.change(line, user_id=None)
                for number in draft.numbers_of_user(entity.id):
                    draft.put(without_user(number))
            case Number():
                for number_id in draft.ids_under("number.caller_identity", entity.number):
                    shown_by = draft.get(Number, number_id)
                    self.change(shown_by, features=replace(shown_by.features, caller_identity=None))
                if (line_of_number := draft.line_of_number(entity.id)) is not None:
                    self.change(line_of_number, number_id=None)
            case DectSystem():
                for base in draft.bases_of(entity.id):
                    self.change(base, system_id=None, role=None)
            case Device():
                for handset in draft.handsets_of(entity.id):
                    self.delete(handset)
                for line in draft.lines_of(entity.id):
                    self.delete(line)
                if (carrier := draft.find(Carrier, entity.id)) is not None:
                    draft.delete(carrier)
            case Line():
                for credential in draft.credentials_of(entity.id):
                    draft.delete(credential)
            case Location() | StationType() | Credential() | Carrier():
                pass  # A location and a station type stay as long as anything refers to them.
        draft.delete(entity)

    # -- what follows ---------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """What follows from the changes: extensions by default, slots of handsets, tokens, then credentials of lines.

        All that disabling and enabling a device entails is here, however its state was changed (R14).
        """
        for user_id in users_concerned(self.draft):
            self._settle_extension(user_id)
        self._settle_freed_numbers()
        devices = affected_devices(self.draft.base, self.draft.changes) | affected_devices(
            self.draft, self.draft.changes
        )
        given = [self.draft.find(Line, line_id) for line_id in self._given]
        devices.update(line.device_id for line in given if line is not None)
        touched = [device for device_id in sorted(devices) if (device := self.draft.find(Device, device_id))]
        for device in touched:
            if device.type is DeviceType.DECT_HANDSET:
                self._settle_slot(device)
            self._settle_token(self.draft.get(Device, device.id))
        for device in touched:
            for line in self.draft.lines_of(device.id):
                self.credentials.settle(line, self._given.get(line.id, GivenCredential()))

    def _settle_freed_numbers(self) -> None:
        """A number that is taken from a user who goes by its extension leaves it to the user."""
        for change in self.draft.changes:
            number = change.entity
            before = self.draft.base.find(Number, number.id) if isinstance(number, Number) else None
            if before is None or before.user_id is None or not isinstance(number, Number) or number.user_id is not None:
                continue
            user = self.draft.find(User, before.user_id)
            if user is not None and user.extension == number.extension and isinstance(change, Put):
                self.change(number, extension=None)

    def _settle_extension(self, user_id: int) -> None:
        """N2: a user without an extension gets the last four digits of their number."""
        user = self.draft.find(User, user_id)
        if user is None or user.extension is not None:
            return
        for number in sorted(self.draft.numbers_of_user(user_id), key=lambda number: (not number.is_main, number.id)):
            self.change(user, extension=number.extension or default_extension(number.number))
            return

    def _settle_slot(self, handset: Device) -> None:
        """A handset keeps its slot while its carrier is the same one and no other handset has it."""
        carrier = self.draft.carrier_of(handset)
        if carrier is None:
            if handset.slot is not None:
                self.change(handset, slot=None)
            return
        before = self.draft.base.find(Device, handset.id)
        former = self.draft.base.carrier_of(before) if before is not None else None
        taken = {other.slot for other in self.draft.carried_handsets(carrier) if other.id != handset.id}
        moved = former is not None and former.id != carrier.id and before is not None and before.slot == handset.slot
        if handset.slot is None or handset.slot in taken or moved:
            self.change(handset, slot=next(slot for slot in range(1, len(taken) + 2) if slot not in taken))

    def _settle_token(self, device: Device) -> None:
        """A device that was disabled has no token; one that is enabled gets a new one (R14)."""
        if device.state is DeviceState.DISABLED and device.token_digest:
            self.change(device, token_digest=b"", sealed_token=b"")
        elif device.state is DeviceState.ACTIVE and not device.token_digest:
            self.give_token(device)

    def reveal(self, credential: Credential) -> Secret:
        """The password of a credential."""
        return self.credentials.reveal(credential)

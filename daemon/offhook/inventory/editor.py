"""Changes of one thing at a time, with all that follows from them: lines, credentials, slots, what is deleted along.

An :class:`Editor` works on a draft. :meth:`Editor.settle` brings credentials and slots in line with what was changed;
call it once, after the last change.
"""

from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from offhook.errors import Invalid
from offhook.inventory.generated import IdSource, new_auth_username, new_password, new_phone_id, new_token
from offhook.inventory.models import (
    Account,
    Carrier,
    Credential,
    CredentialState,
    DectSystem,
    Device,
    DeviceType,
    Entity,
    Line,
    Location,
    Number,
    User,
)
from offhook.inventory.ports import SecretBox, Vendors
from offhook.inventory.revisions import affected_devices
from offhook.inventory.rules import default_extension, describe, users_concerned
from offhook.inventory.snapshot import Draft
from offhook.secret import Secret
from offhook.sip.digest import Algorithm, ha1

E = TypeVar("E", bound=Entity)

#: How long credentials stay valid that were replaced, if the device never fetches the new ones.
GRACE_SECONDS: Final = 7 * 86400.0
#: How many of them a line has at most; the oldest goes first.
_RETIRING_KEPT: Final = 8


@dataclass(frozen=True, slots=True)
class GivenCredential:
    """What an operator states for a line; None leaves it to be made up, or as it is."""

    auth_username: str | None = None
    password: Secret | None = None


@dataclass(frozen=True, slots=True)
class Workshop:
    """What an editor works with."""

    ids: IdSource
    secrets: SecretBox
    vendors: Vendors


class Editor:
    """Edits a draft."""

    def __init__(self, draft: Draft, workshop: Workshop, now: float) -> None:
        self.draft = draft
        self.now = now
        self._ids = workshop.ids
        self._secrets = workshop.secrets
        self.vendors = workshop.vendors
        self._given: dict[int, GivenCredential] = {}

    # -- creating -------------------------------------------------------------------------------------------------

    def create(self, kind: type[E], **values: Any) -> E:
        """A new location, user, number or DECT system; accounts, devices and lines have methods of their own."""
        return self.draft.put(kind(id=self._ids.next(), **values))

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
        return self.draft.put(replace(entity, **values))

    def assign(
        self, line: Line, *, user: User | None = None, number: Number | None = None, extension: str | None = None
    ) -> Line:
        """Gives a line its one assignment, or none."""
        return self.change(
            line,
            user_id=user.id if user else None,
            number_id=number.id if number else None,
            extension=extension,
        )

    def give_credential(self, line: Line, given: GivenCredential) -> None:
        """States a line's authentication name or password instead of having them made up."""
        self._given[line.id] = given

    # -- deleting -------------------------------------------------------------------------------------------------

    def delete(self, entity: Entity) -> None:
        """Deletes a thing and what cannot be without it; what merely refers to it lets go (R11)."""
        draft = self.draft
        match entity:
            case Account():
                parts: list[Device | Number | User | Location | DectSystem] = [
                    *draft.all(Device),
                    *draft.all(Number),
                    *draft.all(User),
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
                    self.change(number, user_id=None)
            case Number():
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
            case Location() | Credential() | Carrier():
                pass
        draft.delete(entity)

    # -- what follows ---------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Extensions by default, slots of handsets, then credentials of every line that the changes could touch."""
        for user_id in users_concerned(self.draft):
            self._settle_extension(user_id)
        devices = affected_devices(self.draft.base, self.draft.changes) | affected_devices(
            self.draft, self.draft.changes
        )
        given = [self.draft.find(Line, line_id) for line_id in self._given]
        devices.update(line.device_id for line in given if line is not None)
        touched = [device for device_id in sorted(devices) if (device := self.draft.find(Device, device_id))]
        for device in touched:
            if device.type is DeviceType.DECT_HANDSET:
                self._settle_slot(device)
        for device in touched:
            for line in self.draft.lines_of(device.id):
                self._settle_credential(line)

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
        taken = {
            other.slot
            for other in self.draft.carried_devices(carrier)
            if other.type is DeviceType.DECT_HANDSET and other.id != handset.id
        }
        moved = former is not None and former.id != carrier.id and before is not None and before.slot == handset.slot
        if handset.slot is None or handset.slot in taken or moved:
            self.change(handset, slot=next(slot for slot in range(1, len(taken) + 2) if slot not in taken))

    def _settle_credential(self, line: Line) -> None:
        """A line's file must name its present address and realm; what the phone holds until it fetches stays valid."""
        account = self.draft.account_of(line)
        active = self.draft.active_credential(line.id)
        given = self._given.get(line.id, GivenCredential())
        if account.external_registrar is not None:
            self._settle_external(line, active, given)
            return
        if active is not None and active.is_external:
            self._retire(active)
            active = None
        realm, aor_user, algorithms = account.sip_domain, self.draft.aor_user(line), account.digest_algorithms
        if active is not None and active.aor_user == aor_user and given == GivenCredential():
            if active.realm == realm:
                self._settle_algorithms(active, algorithms)
                return
            given = GivenCredential(active.auth_username, self.reveal(active))
        self._replace(line, active, given, realm=realm, aor_user=aor_user, algorithms=algorithms)

    def _settle_external(self, line: Line, active: Credential | None, given: GivenCredential) -> None:
        """A foreign registrar knows only the credentials that were brought along: nothing is made up for it."""
        held = active if active is not None and active.is_external else None
        if active is not None and held is None:
            self._retire(active)
        if given == GivenCredential():
            return
        username = given.auth_username or (held.auth_username if held is not None else None)
        if username is None or (given.password is None and held is None):
            raise Invalid(
                f"{describe(line, self.draft)} registers elsewhere, and its credentials are stated in part",
                field="password",
                rule="credentials of an external registrar are brought along",
                remedy="state auth_username and password",
            )
        given = GivenCredential(username, given.password or (self.reveal(held) if held is not None else None))
        self._replace(line, held, given, realm="", aor_user=username, algorithms=())

    def _retire(self, credential: Credential) -> None:
        """Leaves it valid until the device has fetched its successor, or the grace ends."""
        self.draft.put(replace(credential, state=CredentialState.RETIRING, retire_at=self.now + GRACE_SECONDS))
        retiring = [
            other for other in self.draft.credentials_of(credential.line_id) if other.state is CredentialState.RETIRING
        ]
        for surplus in sorted(retiring, key=lambda other: other.id)[:-_RETIRING_KEPT]:
            self.draft.delete(surplus)

    def _replace(
        self,
        line: Line,
        active: Credential | None,
        given: GivenCredential,
        *,
        realm: str,
        aor_user: str,
        algorithms: tuple[str, ...],
    ) -> None:
        keeps_address = active is not None and active.aor_user == aor_user
        username = given.auth_username or (
            active.auth_username if active is not None and keeps_address else new_auth_username(aor_user)
        )
        if given.password is not None:
            secret = given.password
        elif active is not None and keeps_address and username == active.auth_username:
            secret = self.reveal(active)
        else:
            secret = self._new_password(line)
        if (
            active is not None
            and (active.auth_username, active.realm, active.aor_user) == (username, realm, aor_user)
            and self.reveal(active) == secret
        ):
            self._settle_algorithms(active, algorithms)
            return
        credential_id = self._ids.next()
        self.draft.put(
            Credential(
                id=credential_id,
                line_id=line.id,
                auth_username=username,
                realm=realm,
                aor_user=aor_user,
                ha1=_ha1s(algorithms, username, realm, secret),
                sealed_secret=self._secrets.seal(secret, f"credential:{credential_id}:secret"),
                is_external=not algorithms,
                created_at=self.now,
            )
        )
        if active is not None:
            self._retire(active)

    def _settle_algorithms(self, credential: Credential, algorithms: tuple[str, ...]) -> None:
        if tuple(name for name, _ in credential.ha1) != algorithms:
            secret = self.reveal(credential)
            hashes = _ha1s(algorithms, credential.auth_username, credential.realm, secret)
            self.draft.put(replace(credential, ha1=hashes))

    def _new_password(self, line: Line) -> Secret:
        vendor = self.draft.get(Device, line.device_id).vendor
        return new_password(*self.vendors.secret_shape(vendor))

    def reveal(self, credential: Credential) -> Secret:
        """The password of a credential."""
        return self._secrets.open(credential.sealed_secret, f"credential:{credential.id}:secret")


def _ha1s(algorithms: tuple[str, ...], username: str, realm: str, secret: Secret) -> tuple[tuple[str, str], ...]:
    return tuple((name, ha1(Algorithm(name), username, realm, secret.reveal())) for name in algorithms)

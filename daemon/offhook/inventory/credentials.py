"""What lines show to the registrar: made, staged, replaced, left to retire, and revoked.

A replaced credential retires: it stays valid until the device has fetched its successor. A revoked one is gone at
once, for the hardware that holds it is in nobody's hands any more (R13, R14).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from offhook.errors import Invalid
from offhook.inventory.generated import IdSource, new_auth_username, new_password
from offhook.inventory.models import Credential, CredentialState, Device, Line
from offhook.inventory.ports import Change, Delete, SecretBox, Vendors
from offhook.inventory.rules import describe
from offhook.inventory.snapshot import Draft, Inventory
from offhook.secret import Secret
from offhook.sip.digest import Algorithm, ha1

#: How long credentials stay valid that were replaced, if the device never fetches the new ones.
GRACE_SECONDS: Final = 7 * 86400.0
#: How many of them a line has at most; the oldest goes first.
_RETIRING_KEPT: Final = 8


@dataclass(frozen=True, slots=True)
class GivenCredential:
    """What an operator states for a line; None leaves it to be made up, or as it is."""

    auth_username: str | None = None
    password: Secret | None = None


def find_revoked(after: Inventory, changes: Iterable[Change]) -> frozenset[int]:
    """Devices of which a change made a credential void that had not been left to retire; not those that are gone."""
    lines = (
        after.find(Line, change.entity.line_id)
        for change in changes
        if isinstance(change, Delete)
        and isinstance(change.entity, Credential)
        and change.entity.state is not CredentialState.RETIRING
    )
    return frozenset(line.device_id for line in lines if line is not None)


class CredentialEditor:
    """Edits the credentials of a draft's lines."""

    def __init__(self, draft: Draft, ids: IdSource, secrets: SecretBox, vendors: Vendors, now: float) -> None:
        self._draft = draft
        self._ids = ids
        self._secrets = secrets
        self._vendors = vendors
        self._now = now

    def reveal(self, credential: Credential) -> Secret:
        """The password of a credential."""
        return self._secrets.open(credential.sealed_secret, f"credential:{credential.id}:secret")

    def new_password(self, line: Line) -> Secret:
        """A password that the phones of the device's vendor can hold."""
        vendor = self._draft.get(Device, line.device_id).vendor
        return new_password(*self._vendors.secret_shape(vendor))

    # -- what follows from other changes --------------------------------------------------------------------------

    def settle(self, line: Line, given: GivenCredential) -> None:
        """A line's file must name its present address and realm; what the phone holds until it fetches stays valid.

        A device that is out of service holds no secrets at all.
        """
        if not self._draft.is_in_service(self._draft.get(Device, line.device_id)):
            self.revoke(line)
            return
        account = self._draft.account_of(line)
        active = self._draft.active_credential(line.id)
        if account.external_registrar is not None:
            self._settle_external(line, active, given)
            return
        if active is not None and active.is_external:
            self.retire(active)
            active = None
        realm, aor_user, algorithms = account.sip_domain, self._draft.aor_user(line), account.digest_algorithms
        if active is not None and active.aor_user == aor_user and given == GivenCredential():
            if active.realm == realm:
                for credential in self._draft.credentials_of(line.id):
                    if credential.state is not CredentialState.RETIRING:
                        self._settle_algorithms(credential, algorithms)
                return
            given = GivenCredential(active.auth_username, self.reveal(active))
        self._replace(line, active, given, realm=realm, aor_user=aor_user, algorithms=algorithms)

    def _settle_external(self, line: Line, active: Credential | None, given: GivenCredential) -> None:
        """A foreign registrar knows only the credentials that were brought along: nothing is made up for it."""
        held = active if active is not None and active.is_external else None
        if active is not None and held is None:
            self.retire(active)
        if given == GivenCredential():
            return
        username = given.auth_username or (held.auth_username if held is not None else None)
        if username is None or (given.password is None and held is None):
            raise Invalid(
                f"{describe(line, self._draft)} registers elsewhere, and its credentials are stated in part",
                field="password",
                rule="credentials of an external registrar are brought along",
                remedy="state auth_username and password",
            )
        given = GivenCredential(username, given.password or (self.reveal(held) if held is not None else None))
        self._replace(line, held, given, realm="", aor_user=username, algorithms=())

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
            secret = self.new_password(line)
        if (
            active is not None
            and (active.auth_username, active.realm, active.aor_user) == (username, realm, aor_user)
            and self.reveal(active) == secret
        ):
            self._settle_algorithms(active, algorithms)
            return
        credential_id = self._ids.next()
        self._draft.put(
            Credential(
                id=credential_id,
                line_id=line.id,
                auth_username=username,
                realm=realm,
                aor_user=aor_user,
                ha1=_ha1s(algorithms, username, realm, secret),
                sealed_secret=self._seal(credential_id, secret),
                is_external=not algorithms,
                created_at=self._now,
            )
        )
        if active is not None:
            self.retire(active)

    def _settle_algorithms(self, credential: Credential, algorithms: tuple[str, ...]) -> None:
        if tuple(name for name, _ in credential.ha1) != algorithms:
            secret = self.reveal(credential)
            hashes = _ha1s(algorithms, credential.auth_username, credential.realm, secret)
            self._draft.put(replace(credential, ha1=hashes))

    # -- one at a time --------------------------------------------------------------------------------------------

    def stage(self, active: Credential, password: Secret) -> Credential:
        """Another password for the same name: the registrar accepts it beside the active one, no file holds it yet."""
        credential_id = self._ids.next()
        algorithms = tuple(name for name, _ in active.ha1)
        return self._draft.put(
            replace(
                active,
                id=credential_id,
                ha1=_ha1s(algorithms, active.auth_username, active.realm, password),
                sealed_secret=self._seal(credential_id, password),
                state=CredentialState.STAGED,
                created_at=self._now,
            )
        )

    def activate(self, staged: Credential) -> Credential:
        """The line's file gets the staged password; the one that it had retires."""
        active = self._draft.active_credential(staged.line_id)
        activated = self._draft.put(replace(staged, state=CredentialState.ACTIVE))
        if active is not None:
            self.retire(active)
        return activated

    def drop(self, credential: Credential) -> None:
        """Makes it void, now."""
        self._draft.delete(credential)

    def revoke(self, line: Line) -> None:
        """Makes everything void that the line could show, now."""
        for credential in self._draft.credentials_of(line.id):
            self._draft.delete(credential)

    def void(self, device: Device) -> None:
        """Makes void whatever was made here for the lines of a device; :meth:`settle` makes it anew."""
        for line in self._draft.lines_of(device.id):
            for credential in self._draft.credentials_of(line.id):
                if not credential.is_external:
                    self._draft.delete(credential)

    def retire(self, credential: Credential) -> None:
        """Leaves it valid until the device has fetched its successor, or the grace ends.

        What was staged beside it goes: it was to succeed this one.
        """
        self._draft.put(replace(credential, state=CredentialState.RETIRING, retire_at=self._now + GRACE_SECONDS))
        others = self._draft.credentials_of(credential.line_id)
        for staged in [other for other in others if other.state is CredentialState.STAGED]:
            self._draft.delete(staged)
        retiring = [other for other in others if other.state is CredentialState.RETIRING]
        for surplus in sorted(retiring, key=lambda other: other.id)[:-_RETIRING_KEPT]:
            self._draft.delete(surplus)

    def _seal(self, credential_id: int, secret: Secret) -> bytes:
        return self._secrets.seal(secret, f"credential:{credential_id}:secret")


def _ha1s(algorithms: tuple[str, ...], username: str, realm: str, secret: Secret) -> tuple[tuple[str, str], ...]:
    return tuple((name, ha1(Algorithm(name), username, realm, secret.reveal())) for name in algorithms)

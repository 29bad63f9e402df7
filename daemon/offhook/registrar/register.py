"""REGISTER, step by step as RFC 3261 §10.3 orders it.

Where phones and the RFC differ, the phones win as long as nothing is lost: a REGISTER out of order changes nothing
and is answered 200 with what is registered; ``Contact: *`` and ``expires=0`` remove bindings of the sender's own
line, never those of another phone that shares the address of record.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import formatdate
from typing import Final

from offhook.errors import SipError
from offhook.events import RegistrationRefused
from offhook.inventory.models import Account, Credential, CredentialState, Line
from offhook.inventory.snapshot import Inventory
from offhook.registrar.answers import Answer, Proposal, Refused, Responder
from offhook.registrar.authentication import Authenticated, Authenticator, NotAuthenticated
from offhook.registrar.bindings import Binding, BindingTable
from offhook.registrar.policy import RegisterPolicy, canonical_host, find_account, is_domain_of
from offhook.registrar.ports import Flow
from offhook.registrar.update import MAX_ID_LENGTH, Update
from offhook.sip.message import Request
from offhook.sip.uri import SipUri, canonical_user

#: Option tags of extensions that a request may require (RFC 3261 §20.32).
SUPPORTED: Final = frozenset[str]()


@dataclass(slots=True)
class _Attempt:
    """A REGISTER being judged, and what is known about it so far."""

    request: Request
    flow: Flow
    now: float
    inventory: Inventory
    aor: str = ""
    #: As the To names it.
    auth_username: str = ""
    device_id: int = 0
    is_authenticated: bool = False


class RegisterProcessor:
    """Decides REGISTERs against the table's pending view."""

    def __init__(
        self, bindings: BindingTable, authenticator: Authenticator, policy: RegisterPolicy, responder: Responder
    ) -> None:
        self._bindings = bindings
        self._authenticator = authenticator
        self._policy = policy
        self._responder = responder

    def process(self, request: Request, flow: Flow, inventory: Inventory, now: float) -> Answer | Proposal:
        """The answer, or the change that must be committed before it may be sent.

        Raises:
            SipError: the request has no Via that an answer could follow.
        """
        attempt = _Attempt(request, flow, now, inventory)
        try:
            return self._process(attempt)
        except SipError as error:
            headers = error.headers if isinstance(error, Refused) else ()
            return self._refuse(attempt, error.status, error.reason, headers)

    def _process(self, attempt: _Attempt) -> Answer | Proposal:
        request, inventory = attempt.request, attempt.inventory
        request_uri = SipUri.parse(request.uri)
        to_uri = _parse_to(request)
        attempt.aor = to_uri.address_of_record()
        own_hosts = {*self._policy.own_hosts, canonical_host(attempt.flow.local[0])}
        account = find_account(inventory, request_uri.host, to_uri.host, own_hosts)
        if account is None:
            raise Refused(404, "Unknown Domain")
        check_required_extensions(request)

        realm = canonical_host(request_uri.host)
        if not is_domain_of(account, realm):
            realm = account.sip_domain
        verdict = self._authenticator.authenticate(request, inventory, account, attempt.now)
        if isinstance(verdict, NotAuthenticated):
            return self._challenge(attempt, account, realm, verdict)
        attempt.auth_username = verdict.credential.auth_username
        attempt.device_id = verdict.device.id
        if self._is_replayed(verdict, attempt.now):
            return self._challenge(attempt, account, realm, NotAuthenticated(is_stale=True))
        attempt.is_authenticated = True

        if not _may_register(inventory, account, verdict.credential, to_uri):
            raise Refused(403, "Forbidden")
        if not is_domain_of(account, to_uri.host) and canonical_host(to_uri.host) not in own_hosts:
            raise Refused(404, "Not Found")
        aor = _recorded_aor(inventory, verdict.credential, verdict.line)
        return self._update(attempt, verdict, aor)

    def _is_replayed(self, verdict: Authenticated, now: float) -> bool:
        """Whether the nonce was used with this count before (RFC 7616 §3.4); retransmissions do not come this far."""
        nonce, nc = verdict.credentials.nonce, verdict.credentials.nc
        return nc is not None and any(
            binding.line_id == verdict.line.id and binding.nonce == nonce and nc <= binding.nc
            for binding in self._bindings.pending_of_device(verdict.device.id, now)
        )

    # -- steps 6 to 8: contacts -----------------------------------------------------------------------------------

    def _update(self, attempt: _Attempt, sender: Authenticated, aor: str) -> Answer | Proposal:
        request, flow, now = attempt.request, attempt.flow, attempt.now
        if len(request.call_id) > MAX_ID_LENGTH:
            raise Refused(400, "Call-ID Too Long")
        contacts = request.contacts
        update = Update(self._bindings, self._policy, aor, sender, request, flow, now)
        if any(contact.is_wildcard for contact in contacts):
            if len(contacts) > 1 or request.expires != 0:
                raise Refused(400, "Wildcard Contact Needs Expires 0 And No Other Contact")
            in_order = update.remove_all()
        else:
            in_order = update.take_all(contacts)
        if in_order:
            update.displace()
        else:
            update = Update(self._bindings, self._policy, aor, sender, request, flow, now)
        headers = [*_format_contacts(update.after(), now), ("Date", formatdate(now, usegmt=True))]
        response = self._responder.format(request, flow, 200, headers=headers)
        change = update.change()
        if not change and not self._bindings.has_pending(aor):
            return Answer(response, 200, update.ignored(), is_authenticated=True)
        self._bindings.propose(change)
        return Proposal(change, response, update.events())

    # -- refusals -------------------------------------------------------------------------------------------------

    def _challenge(self, attempt: _Attempt, account: Account, realm: str, verdict: NotAuthenticated) -> Answer:
        headers = self._authenticator.challenges(account, realm, attempt.now, is_stale=verdict.is_stale)
        if verdict.failure is None:
            response = self._responder.format(attempt.request, attempt.flow, 401, headers=headers)
            return Answer(response, 401, is_stale=verdict.is_stale)
        attempt.auth_username = verdict.auth_username
        attempt.device_id = verdict.device_id
        return self._refuse(attempt, 401, None, headers, verdict.failure)

    def _refuse(
        self,
        attempt: _Attempt,
        status: int,
        reason: str | None,
        headers: Iterable[tuple[str, str]],
        why: str = "",
    ) -> Answer:
        response = self._responder.format(attempt.request, attempt.flow, status, reason, headers)
        event = RegistrationRefused(
            attempt.auth_username,
            attempt.aor,
            str(attempt.flow),
            status,
            why or reason or "",
            attempt.now,
            attempt.device_id,
        )
        return Answer(response, status, (event,), is_authenticated=attempt.is_authenticated)


def check_required_extensions(request: Request) -> None:
    """RFC 3261 §8.2.2.3.

    Raises:
        Refused: 420, naming what is not supported.
    """
    tags = [tag.strip() for value in request.headers.get_all("Require") for tag in value.split(",")]
    unknown = [tag for tag in tags if tag and tag.lower() not in SUPPORTED]
    if unknown:
        raise Refused(420, "Bad Extension", [("Unsupported", ", ".join(unknown))])


def _parse_to(request: Request) -> SipUri:
    try:
        return SipUri.parse(request.to.uri)
    except SipError:
        raise Refused(400, "To Is Not A SIP Address") from None


def _may_register(inventory: Inventory, account: Account, credential: Credential, to_uri: SipUri) -> bool:
    """Whether the To names the credential's own address, or a number that is an alias of it (§10.3 step 4)."""
    user = canonical_user(to_uri.user or "")
    return user == credential.aor_user or inventory.find_extension(account.id, user) == credential.aor_user


def _recorded_aor(inventory: Inventory, credential: Credential, line: Line) -> str:
    """Where the binding is kept.

    A phone that still shows what it had before its line was assigned anew stays in reach of NOTIFY, under the
    line's service address, but calls for its former extension no longer find it.
    """
    if credential.state is CredentialState.RETIRING and credential.aor_user != inventory.aor_user(line):
        return f"sip:{inventory.service_user(line)}@{inventory.account_of(line).sip_domain}"
    return inventory.address_of_record(line)


def _format_contacts(bindings: Iterable[Binding], now: float) -> list[tuple[str, str]]:
    return [
        ("Contact", f"<{binding.contact}>{binding.parameters};expires={max(1, round(binding.expires_at - now))}")
        for binding in bindings
    ]

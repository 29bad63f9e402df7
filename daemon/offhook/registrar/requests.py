"""The registrar: takes each request that is not a response to ours, and says what comes of it.

Synchronous, without sockets: :class:`Registrar` is given requests and the time, and gives outcomes. REGISTER has its
own module; what the other methods get is decided here.
"""

import os
from collections.abc import Callable, Container, Iterable
from dataclasses import replace
from typing import Final

from offhook.errors import SipError
from offhook.events import CallUnroutable, RegistrationRefused
from offhook.inventory.models import Account
from offhook.inventory.snapshot import Inventory
from offhook.registrar import upkeep
from offhook.registrar.answers import Answer, Outcome, Proposal, Refused, Responder, Silence
from offhook.registrar.authentication import Authenticator
from offhook.registrar.bindings import BindingTable
from offhook.registrar.policy import RegisterPolicy, canonical_host, find_account
from offhook.registrar.ports import Flow
from offhook.registrar.register import SUPPORTED, RegisterProcessor, check_required_extensions
from offhook.sip.digest import NonceSource
from offhook.sip.message import Request
from offhook.sip.uri import SipUri

ALLOWED: Final = "REGISTER, OPTIONS, INVITE, ACK, CANCEL, BYE, NOTIFY, SUBSCRIBE"

#: Methods that only mean something inside a dialog or transaction, of which the registrar has none.
_NEED_A_DIALOG: Final = frozenset({"BYE", "CANCEL", "INFO", "PRACK", "UPDATE"})
_NEED_AN_EVENT: Final = frozenset({"NOTIFY", "SUBSCRIBE"})
_KNOWN_AND_REFUSED: Final = frozenset({"MESSAGE", "PUBLISH", "REFER"})

#: Event packages that this server ever serves: configuration by multicast, RFC 6080.
_ALLOW_EVENTS: Final = "ua-profile"

_MAX_FORWARDS_DIGITS: Final = 3


class Registrar:
    """Answers phones. ``bindings`` is shared with whoever commits the changes that it proposes."""

    def __init__(
        self,
        inventory: Callable[[], Inventory],
        bindings: BindingTable,
        nonces: NonceSource,
        policy: RegisterPolicy,
        *,
        tag_key: bytes,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        """``inventory`` gives the snapshot of the moment; ``tag_key`` makes To tags, and is secret."""
        self.bindings: Final = bindings
        self._inventory = inventory
        self._responder = Responder(tag_key)
        self._authenticator = Authenticator(nonces, random)
        self.use(policy)

    def use(self, policy: RegisterPolicy) -> None:
        """Judges by another policy from the next request on."""
        self._policy = policy
        self._register = RegisterProcessor(self.bindings, self._authenticator, policy, self._responder)

    def handle(self, request: Request, flow: Flow, now: float) -> Outcome:
        """What comes of a request that arrived on ``flow``; ``now`` is wall time. Raises nothing."""
        if request.method == "ACK":
            return Silence("ack")
        try:
            try:
                _check_mandatory_headers(request)
                if request.method == "REGISTER":
                    return self._register.process(request, flow, self._inventory(), now)
                return self._handle_other(request, flow, now)
            except SipError as error:
                headers = error.headers if isinstance(error, Refused) else ()
                events: tuple[object, ...] = ()
                if request.method == "REGISTER":
                    events = (RegistrationRefused("", "", str(flow), error.status, error.reason, now),)
                return self.answer(request, flow, error.status, error.reason, headers, events)
        except SipError:
            return Silence("unroutable")

    def answer(
        self,
        request: Request,
        flow: Flow,
        status: int,
        reason: str | None = None,
        headers: Iterable[tuple[str, str]] = (),
        events: tuple[object, ...] = (),
    ) -> Answer:
        """An answer with that status.

        Raises:
            SipError: the request has no Via that an answer could follow.
        """
        return Answer(self._responder.format(request, flow, status, reason, headers), status, events)

    def sweep(self, now: float, limit: int = 1000) -> Proposal | None:
        """A change that removes bindings that have expired, see :func:`offhook.registrar.upkeep.sweep`."""
        return upkeep.sweep(self.bindings, now, limit)

    def reconcile(
        self, device_ids: Iterable[int], now: float, revoked: Container[int] = frozenset()
    ) -> Proposal | None:
        """A change that brings bindings in line with the inventory, see :func:`offhook.registrar.upkeep.reconcile`."""
        return upkeep.reconcile(self.bindings, self._inventory(), device_ids, now, revoked)

    # -- everything but REGISTER ----------------------------------------------------------------------------------

    def _handle_other(self, request: Request, flow: Flow, now: float) -> Answer:
        method = request.method
        if method in _NEED_A_DIALOG:
            return self.answer(request, flow, 481)
        if method in _KNOWN_AND_REFUSED:
            return self.answer(request, flow, 405, headers=[("Allow", ALLOWED)])
        if method not in ("OPTIONS", "INVITE") and method not in _NEED_AN_EVENT:
            return self.answer(request, flow, 501, headers=[("Allow", ALLOWED)])
        uri = SipUri.parse(request.uri)
        check_required_extensions(request)
        if request.to.tag is not None:
            return self.answer(request, flow, 481)
        if method in _NEED_AN_EVENT:
            return self.answer(request, flow, 489, headers=[("Allow-Events", _ALLOW_EVENTS)])
        own_hosts = {*self._policy.own_hosts, canonical_host(flow.local[0])}
        account = find_account(self._inventory(), uri.host, _find_to_host(request), own_hosts)
        if method == "INVITE":
            return self._redirect(request, flow, uri, account, now)
        if account is None and canonical_host(uri.host) not in own_hosts:
            return self.answer(request, flow, 404)
        capabilities = [
            ("Allow", ALLOWED),
            ("Accept", "application/sdp"),
            ("Accept-Encoding", "identity"),
            ("Accept-Language", "en"),
            ("Supported", ", ".join(sorted(SUPPORTED))),
        ]
        return self.answer(request, flow, 200, headers=capabilities)

    def _redirect(self, request: Request, flow: Flow, uri: SipUri, account: Account | None, now: float) -> Answer:
        """Sends a call on to the account's PBX (RFC 3261 §8.3); Offhook carries none itself."""
        if account is None or uri.user is None:
            return self.answer(request, flow, 404)
        if account.gateway is None:
            unroutable = CallUnroutable(account.name, uri.user, str(flow), now)
            return self.answer(request, flow, 404, "No Gateway For This Domain", events=(unroutable,))
        target = replace(SipUri.parse(account.gateway), user=uri.user, password=None)
        return self.answer(request, flow, 302, headers=[("Contact", f"<{target}>")])


def _check_mandatory_headers(request: Request) -> None:
    """RFC 3261 §8.1.1. A missing Max-Forwards is forgiven: RFC 2543 had none, and nothing is forwarded here.

    Raises:
        SipError: 400, naming the header that is missing or malformed.
    """
    _ = (request.top_via, request.to, request.call_id, request.cseq)
    if request.from_.tag is None:
        raise SipError(400, "Missing From tag")
    max_forwards = request.headers.get("Max-Forwards")
    if max_forwards is not None and not (
        len(max_forwards) <= _MAX_FORWARDS_DIGITS and max_forwards.isascii() and max_forwards.isdecimal()
    ):
        raise SipError(400, "Malformed Max-Forwards header")


def _find_to_host(request: Request) -> str | None:
    try:
        return SipUri.parse(request.to.uri).host
    except SipError:
        return None

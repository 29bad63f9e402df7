"""Keeps one account registered: the client's side of RFC 3261 §10.2, as a state machine without socket or clock.

The Call-ID stays the same for as long as the phone is up, and CSeq goes up by one with each request. The first
REGISTER shows no credentials; later ones use the nonce again with the next ``nc`` until the registrar calls it stale.
A binding is refreshed when 90 % of its time has passed.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from tests.support.phone.account import Account
from tests.support.phone.events import Event, Registered, RegistrationFailed, SendSip, Unregistered

from offhook.endpoint import HostPort, Transport
from offhook.errors import SipError
from offhook.sip.digest import (
    Algorithm,
    Challenge,
    answer_challenge,
    authorization_header,
    challenge_header,
    choose_challenge,
    ha1,
)
from offhook.sip.headers import Contact, NameAddress, Via, parse_contacts
from offhook.sip.message import Headers, Request, Response
from offhook.sip.transactions import MAGIC_COOKIE, ClientEvent, ClientTransaction, Completed, Send
from offhook.sip.uri import SipUri

REFRESH_SHARE: Final = 0.9
RETRY_SECONDS: Final = 30.0
RECONNECT_SECONDS: Final = 1.0
#: From the loss of a connection to the next try (RFC 5626 §4.5).

_MAX_CHALLENGES: Final = 2
_DELTA_SECONDS: Final = re.compile(r"[ \t]*([0-9]{1,9})")


class RegistrationState(Enum):
    """Where an account stands."""

    IDLE = "idle"
    REGISTERING = "registering"
    REGISTERED = "registered"
    FAILED = "failed"
    #: Waits for its next try.
    LEAVING = "leaving"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Identity:
    """What the phone puts into every REGISTER of an account."""

    contact: NameAddress
    sent_by: HostPort
    user_agent: str
    headers: tuple[tuple[str, str], ...] = ()


class Registration:
    """One account's registration. ``token`` gives fresh random text for tags, branches and Call-IDs."""

    def __init__(self, account: Account, identity: Identity, token: Callable[[], str]) -> None:
        self.account = account
        self.identity = identity
        self.state = RegistrationState.IDLE
        self.bindings: tuple[Contact, ...] = ()
        #: Of the whole address-of-record, as the registrar told them last.
        self.registered_until = 0.0
        self.registrar_source: tuple[str, int] | None = None
        #: Whom the last 200 came from.
        self._token = token
        self._call_id = f"{token()}@{identity.sent_by.host}"
        self._from_tag = token()
        self._cseq = 0
        self._expires_seconds = account.expires_seconds
        self._challenge: Challenge | None = None
        self._authorization_name = ""
        self._nc = 0
        self._challenges_met = 0
        self._transaction: ClientTransaction | None = None
        self._due: float | None = None

    @property
    def call_id(self) -> str:
        return self._call_id

    def is_registered(self, now: float) -> bool:
        """Whether the registrar keeps a binding of ours, as far as the phone can know."""
        return self.registered_until > now

    def start(self, now: float) -> list[Event]:
        """Registers now, whatever the state."""
        self._challenges_met = 0
        return self._send(now)

    def stop(self, now: float) -> list[Event]:
        """Removes the binding. Without one there is nothing to say."""
        if not self.is_registered(now):
            self._end()
            return []
        self.state = RegistrationState.LEAVING
        return self.start(now)

    def change_account(self, account: Account, identity: Identity, now: float) -> list[Event]:
        """Goes on under other credentials of the same address-of-record; the sequence of requests is kept."""
        self.account = account
        self.identity = identity
        self._expires_seconds = account.expires_seconds
        self._challenge = None
        return self.start(now)

    def matches(self, response: Response) -> bool:
        """Whether a response answers the request under way."""
        try:
            return self._transaction is not None and self._transaction.matches(response)
        except SipError:
            return False

    def receive(self, response: Response, source: tuple[str, int], now: float) -> list[Event]:
        """Takes a response that matches."""
        if self._transaction is None:
            return []
        if response.status // 100 == 2:
            self.registrar_source = source
        return self._follow(self._transaction.receive(response, now), now)

    def flow_failed(self, now: float) -> list[Event]:
        """The connection is gone, or a request could not be sent."""
        if self._transaction is not None:
            return self._follow(self._transaction.transport_failed(now), now)
        if self.state is RegistrationState.REGISTERED and self.account.transport is not Transport.UDP:
            self._due = now + RECONNECT_SECONDS
        return []

    def next_timer(self) -> float | None:
        """When :meth:`handle_timer` is due."""
        timers = [self._due, self._transaction.next_timer() if self._transaction else None]
        return min((timer for timer in timers if timer is not None), default=None)

    def handle_timer(self, now: float) -> list[Event]:
        """Retransmits, gives up, refreshes or tries again, whatever is due."""
        events: list[Event] = []
        if self._transaction is not None:
            events += self._follow(self._transaction.handle_timer(now), now)
        if self._due is not None and now >= self._due:
            events += self.start(now)
        return events

    def _send(self, now: float) -> list[Event]:
        self._due = None
        self._cseq += 1
        if self.state is not RegistrationState.LEAVING:
            self.state = RegistrationState.REGISTERING
        branch = f"{MAGIC_COOKIE}-{self._token()}"
        request = self._build(branch)
        reliable = self.account.transport is not Transport.UDP
        self._transaction = ClientTransaction(bytes(request), branch, "REGISTER", reliable=reliable)
        return self._follow(self._transaction.start(now), now)

    def _build(self, branch: str) -> Request:
        account, identity = self.account, self.identity
        via = Via(
            account.transport.value.upper(),
            identity.sent_by.host,
            identity.sent_by.port,
            (("branch", branch), ("rport", None)),
        )
        expires = 0 if self.state is RegistrationState.LEAVING else self._expires_seconds
        sender = NameAddress(account.display_name, account.address_of_record)
        headers = Headers(
            [
                ("Via", str(via)),
                ("From", f"{sender};tag={self._from_tag}"),
                ("To", str(sender)),
                ("Call-ID", self._call_id),
                ("CSeq", f"{self._cseq} REGISTER"),
                ("Contact", str(identity.contact)),
                ("Max-Forwards", "70"),
                ("User-Agent", identity.user_agent),
                ("Expires", str(expires)),
                *identity.headers,
            ]
        )
        if self._challenge is not None:
            self._nc += 1
            headers.add(self._authorization_name, self._authorize(self._challenge))
        return Request("REGISTER", account.registrar_uri, headers)

    def _authorize(self, challenge: Challenge) -> str:
        account = self.account

        def get_ha1(algorithm: Algorithm, realm: str) -> str:
            return ha1(algorithm, account.auth_name, realm, account.password)

        return answer_challenge(
            challenge, account.auth_name, get_ha1, "REGISTER", account.registrar_uri, self._token(), self._nc
        )

    def _follow(self, happened: list[ClientEvent], now: float) -> list[Event]:
        events: list[Event] = []
        for event in happened:
            if isinstance(event, Send):
                events.append(SendSip(event.data, self.account.transport, self.account.destination))
            elif isinstance(event, Completed):
                self._transaction = None
                events += self._conclude(event.status, event.response, now)
        return events

    def _conclude(self, status: int, response: Response | None, now: float) -> list[Event]:
        if response is None:
            return self._fail(status, RETRY_SECONDS, now)
        if 200 <= status < 300:
            return self._accepted(response, now)
        if status in (401, 407):
            return self._challenged(status, response, now)
        if status == 423:
            wanted = _parse_seconds(response.headers.get("Min-Expires"))
            if wanted is not None and wanted > self._expires_seconds:
                self._expires_seconds = wanted
                return self._send(now)
        retry_after = _parse_seconds(response.headers.get("Retry-After"))
        return self._fail(status, RETRY_SECONDS if retry_after is None else float(retry_after), now)

    def _accepted(self, response: Response, now: float) -> list[Event]:
        try:
            self.bindings = parse_contacts(response.headers.get_all("Contact"))
        except SipError:
            return self._fail(response.status, RETRY_SECONDS, now)
        mine = next((binding for binding in self.bindings if self._is_mine(binding)), None)
        if self.state is RegistrationState.LEAVING:
            self._end()
            return [Unregistered(self.account.index)]
        if mine is None:
            self.registered_until = 0.0
            return self._fail(response.status, RETRY_SECONDS, now)
        granted = mine.expires
        if granted is None:
            granted = _parse_seconds(response.headers.get("Expires"))
        if granted is None:
            granted = self._expires_seconds
        self.state = RegistrationState.REGISTERED
        self.registered_until = now + granted
        self._due = now + granted * REFRESH_SHARE
        return [Registered(self.account.index, granted, self._call_id, self._cseq)]

    def _is_mine(self, binding: Contact) -> bool:
        """RFC 3261 §10.2.4: by the rules for comparing URIs."""
        if binding.uri == self.identity.contact.uri:
            return True
        try:
            return SipUri.parse(binding.uri).matches(SipUri.parse(self.identity.contact.uri))
        except SipError:
            return False

    def _challenged(self, status: int, response: Response, now: float) -> list[Event]:
        challenge = choose_challenge(response.headers.get_all(challenge_header(status)))
        answered = self._challenges_met > 0
        self._challenges_met += 1
        if challenge is None or self._challenges_met > _MAX_CHALLENGES or (answered and not challenge.stale):
            self._challenge = None
            return self._fail(status, RETRY_SECONDS, now)
        self._challenge = challenge
        self._authorization_name = authorization_header(status)
        self._nc = 0
        return self._send(now)

    def _fail(self, status: int, retry_seconds: float, now: float) -> list[Event]:
        if self.state is RegistrationState.LEAVING:
            self._end()
            return []
        self.state = RegistrationState.FAILED
        self._due = now + retry_seconds
        return [RegistrationFailed(self.account.index, status, retry_seconds)]

    def _end(self) -> None:
        self.state = RegistrationState.ENDED
        self.registered_until = 0.0
        self._due = self._transaction = None


def _parse_seconds(value: str | None) -> int | None:
    match = _DELTA_SECONDS.match(value or "")
    return int(match[1]) if match else None

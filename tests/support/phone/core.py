"""A desk phone without its hardware: it fetches its files, registers what they say, and obeys NOTIFY.

The core takes what happens (:meth:`Phone.boot`, :meth:`~Phone.receive_file`, :meth:`~Phone.receive_sip`,
:meth:`~Phone.flow_failed`, :meth:`~Phone.handle_timer`) with the time, and gives :data:`Event` values. It knows no
socket, no loop and no clock, so that any number of phones can live in one process.

    box ── boot ──> fetching ── last file ──> registering ── 200 ──> dial tone ──┐
             ^         ^                                                         │ NOTIFY
             └ reboot ─┴───────────────────────── check-sync ────────────────────┘
"""

from collections.abc import Callable
from dataclasses import replace
from enum import Enum
from typing import Final

from tests.support.phone.account import Account
from tests.support.phone.events import (
    Event,
    Fetch,
    FileRead,
    FileRejected,
    Ignored,
    Notified,
    Provisioned,
    Rebooted,
    SendSip,
)
from tests.support.phone.registration import Identity, Registration, RegistrationState
from tests.support.phone.vendors import FetchedFile, FileSequence, Firmware, Reaction, ReadFiles

from offhook.endpoint import HostPort, Transport
from offhook.errors import SipError
from offhook.inventory.identifiers import parse_mac
from offhook.sip.digest import Algorithm, Challenge, Credentials, ha1, parse_authorization, verify
from offhook.sip.message import Request, Response, build_response
from offhook.sip.parser import parse_message
from offhook.sip.transactions import ServerTransactions, transaction_key
from offhook.sip.uri import SipUri

REFETCH_SECONDS: Final = 30.0
#: From a round in which a server did not answer to the next.

_MAX_MESSAGE_BYTES: Final = 80 * 1024
_ALLOW: Final = ("Allow", "ACK, OPTIONS, NOTIFY")


class Obedience(Enum):
    """What the phone makes of a NOTIFY, beyond what its settings say."""

    OBEYS = "obeys"
    CHALLENGES = "challenges"
    #: Wants the credentials of its own line first, as Cisco SPA and Grandstream do.
    DEAF = "deaf"
    #: Does not answer.
    LAZY = "lazy"
    #: Answers 200 and does nothing.
    REFUSES = "refuses"
    #: Answers 481, as phones do that want a subscription first.


class Phone:
    """One phone.

    Args:
        firmware: The vendor's part.
        mac: In any notation.
        provisioning_url: What DHCP or the installer told it; an URL in its files takes over.
        random: Fresh randomness, as :func:`secrets.token_bytes` gives.
        obedience: What it makes of a NOTIFY.
        transport: Set by hand on the phone; the files' choice does not count then.
    """

    def __init__(
        self,
        firmware: Firmware,
        mac: str,
        *,
        provisioning_url: str,
        random: Callable[[int], bytes],
        obedience: Obedience = Obedience.OBEYS,
        transport: Transport | None = None,
    ) -> None:
        self.firmware = firmware
        self.mac = parse_mac(mac)
        self.obedience = obedience
        self.registrations: dict[int, Registration] = {}
        #: By account index.
        self._settings: dict[str, str] = dict(firmware.factory_settings)
        self._first_url = provisioning_url
        self._random = random
        self._transport = transport
        self._sent_by = HostPort("127.0.0.1")
        self._leaving: list[Registration] = []
        self._sequence: FileSequence | None = None
        self._asked: Fetch | None = None
        self._requests_made = 0
        self._fetch_again = False
        self._refetch_at: float | None = None
        self._answered = ServerTransactions(capacity=64)
        self._nonce = self._token()

    # -- what can be seen of it -----------------------------------------------------------------------------------

    @property
    def provisioning_url(self) -> str:
        """Where it fetches from next, with a slash at its end."""
        url = self.firmware.provisioning_url(self._settings) or self._first_url
        return url if url.endswith("/") else f"{url}/"

    @property
    def accounts(self) -> tuple[Account, ...]:
        """What its settings say, by index."""
        accounts = self.firmware.accounts(self._settings)
        if self._transport is None:
            return accounts
        return tuple(replace(account, transport=self._transport) for account in accounts)

    @property
    def display_names(self) -> tuple[str, ...]:
        """What it shows for each account."""
        return tuple(account.display_name for account in self.accounts)

    def setting(self, name: str) -> str | None:
        """A setting under the vendor's name, None where neither a file nor the factory set it."""
        return self._settings.get(name)

    def is_registered(self, now: float) -> bool:
        """Whether every account is registered, and there is one."""
        registrations = self.registrations.values()
        return bool(registrations) and all(registration.is_registered(now) for registration in registrations)

    # -- what happens to it ---------------------------------------------------------------------------------------

    def boot(self, sent_by: HostPort, now: float) -> list[Event]:
        """Power on, at the given address."""
        self._sent_by = sent_by
        return self._begin(now)

    def reboot(self, now: float) -> list[Event]:
        """Starts anew with the settings it has; nothing is unregistered, and Call-IDs are new."""
        self.registrations.clear()
        self._leaving.clear()
        self._sequence = self._asked = None
        self._fetch_again = False
        return [Rebooted(), *self._begin(now)]

    def register_now(self, now: float) -> list[Event]:
        """Registers every account without waiting for its timer, as a key on the phone's own pages has it do."""
        return [event for registration in self.registrations.values() for event in registration.start(now)]

    def shut_down(self, now: float) -> list[Event]:
        """Removes its bindings, before the power goes."""
        events: list[Event] = []
        for index in list(self.registrations):
            events += self._leave(index, now)
        return events

    def receive_file(self, asked: Fetch, file: FetchedFile, now: float) -> list[Event]:
        """The answer to a :class:`Fetch`; nothing but the last one asked for counts."""
        if self._sequence is None or asked != self._asked:
            return []
        events: list[Event] = [FileRead(asked.url, file.status)]
        try:
            events.append(self._ask_for(self._sequence.send(file)))
        except StopIteration as end:
            self._sequence = self._asked = None
            events += self._apply(end.value, now)
        return events

    def receive_sip(self, data: bytes, source: tuple[str, int], transport: Transport, now: float) -> list[Event]:
        """A datagram, or one message of a stream; ``source`` is the other end."""
        try:
            message = parse_message(data, max_bytes=_MAX_MESSAGE_BYTES)
            if isinstance(message, Response):
                return self._receive_response(message, source, now)
            return self._receive_request(message, source, transport, now)
        except SipError as error:
            return [Ignored(str(error))]

    def flow_failed(self, transport: Transport, destination: tuple[str, int], now: float) -> list[Event]:
        """A connection has ended, or could not be made."""
        events: list[Event] = []
        for registration in self._all_registrations():
            account = registration.account
            if account.transport is transport and account.destination == destination:
                events += registration.flow_failed(now)
        return events

    def next_timer(self) -> float | None:
        """When :meth:`handle_timer` is due, None where it waits for others only."""
        timers = [self._refetch_at, *(registration.next_timer() for registration in self._all_registrations())]
        return min((timer for timer in timers if timer is not None), default=None)

    def handle_timer(self, now: float) -> list[Event]:
        """Does what is due."""
        self._answered.expire(now)
        events: list[Event] = []
        for registration in self._all_registrations():
            events += registration.handle_timer(now)
        self._forget_ended()
        if self._refetch_at is not None and now >= self._refetch_at:
            events += self._fetch_files()
        return events

    # -- files ----------------------------------------------------------------------------------------------------

    def _begin(self, now: float) -> list[Event]:
        if self.firmware.fetches_at_boot(self._settings):
            return self._fetch_files()
        return self._register_accounts(now)

    def _fetch_files(self) -> list[Event]:
        """Begins a round, or has another follow the one under way: what asked for it may be younger than a file."""
        self._refetch_at = None
        if self._sequence is not None:
            self._fetch_again = True
            return []
        self._sequence = self.firmware.file_sequence(self.mac)
        return [self._ask_for(next(self._sequence))]

    def _ask_for(self, name: str) -> Fetch:
        url = name if "://" in name else self.provisioning_url + name
        self._requests_made += 1
        self._asked = Fetch(url, self.firmware.http_user_agent(self.mac, self._settings), self._requests_made)
        return self._asked

    def _apply(self, read: ReadFiles, now: float) -> list[Event]:
        events: list[Event] = [FileRejected(name, reason) for name, reason in read.rejected]
        merged = self.firmware.merge(self._settings, read.values)
        changed = merged != self._settings
        self._settings = merged
        if not read.is_complete:
            self._refetch_at = now + REFETCH_SECONDS
        events.append(Provisioned(changed, tuple(read.found), tuple(read.missing)))
        events += self._register_accounts(now)
        if self._fetch_again:
            self._fetch_again = False
            events += self._fetch_files()
        return events

    # -- registrations --------------------------------------------------------------------------------------------

    def _register_accounts(self, now: float) -> list[Event]:
        """Brings the registrations in line with the accounts; those that need not change are left alone."""
        accounts = {account.index: account for account in self.accounts}
        events: list[Event] = []
        for index, registration in list(self.registrations.items()):
            account = accounts.get(index)
            if account is None or not account.is_same_address(registration.account):
                events += self._leave(index, now)
            elif not account.registers_like(registration.account):
                events += registration.change_account(account, self._identity(account), now)
            else:
                registration.account = account
        for index, account in accounts.items():
            if index not in self.registrations:
                self.registrations[index] = Registration(account, self._identity(account), self._token)
                events += self.registrations[index].start(now)
        return events

    def _identity(self, account: Account) -> Identity:
        return Identity(
            contact=self.firmware.contact(account, self._sent_by, self.mac),
            sent_by=self._sent_by,
            user_agent=self._user_agent,
            headers=self.firmware.register_headers(account, self.mac, self._settings),
        )

    def _leave(self, index: int, now: float) -> list[Event]:
        registration = self.registrations.pop(index)
        events = registration.stop(now)
        self._leaving.append(registration)
        self._forget_ended()
        return events

    def _forget_ended(self) -> None:
        self._leaving = [one for one in self._leaving if one.state is not RegistrationState.ENDED]

    def _all_registrations(self) -> list[Registration]:
        return [*self.registrations.values(), *self._leaving]

    @property
    def _user_agent(self) -> str:
        return self.firmware.sip_user_agent(self.mac, self._settings)

    def _receive_response(self, response: Response, source: tuple[str, int], now: float) -> list[Event]:
        for registration in self._all_registrations():
            if registration.matches(response):
                events = registration.receive(response, source, now)
                self._forget_ended()
                return events
        return [Ignored(f"{response.status} answers nothing of ours")]

    # -- requests -------------------------------------------------------------------------------------------------

    def _receive_request(
        self, request: Request, source: tuple[str, int], transport: Transport, now: float
    ) -> list[Event]:
        if request.method == "ACK":
            return []
        key = transaction_key(request)
        known = self._answered.find(key)
        if isinstance(known, bytes):
            return [SendSip(known, transport, source)]
        if request.method == "NOTIFY":
            return self._receive_notify(request, source, transport, now)
        status = {"OPTIONS": 200, "INVITE": 486, "BYE": 481, "CANCEL": 481}.get(request.method, 405)
        return [self._answer(request, status, source, transport, now, _ALLOW)]

    def _receive_notify(
        self, request: Request, source: tuple[str, int], transport: Transport, now: float
    ) -> list[Event]:
        if self.firmware.obeys_only_its_server(self._settings) and not self._is_registered_with(source):
            return [Ignored(f"NOTIFY from {source[0]}:{source[1]}, where this phone does not register")]
        event = request.headers.get("Event") or ""
        if self.obedience is Obedience.DEAF:
            return [Notified(event, None)]
        called = self._find_called(request.uri)
        reaction = self.firmware.react(event, self._settings)
        headers: tuple[tuple[str, str], ...] = ()
        if called is None:
            status = 404
        elif self.obedience is Obedience.REFUSES:
            status = 481
        elif self._wants_credentials and not self._is_authorized(request, called.account):
            status = 401
            headers = (("WWW-Authenticate", str(Challenge(called.account.registrar.host, self._nonce))),)
        else:
            status = 489 if reaction is Reaction.UNKNOWN else 200
        events: list[Event] = [
            self._answer(request, status, source, transport, now, *headers),
            Notified(event, status),
        ]
        if status == 200 and self.obedience is not Obedience.LAZY:
            events += self._perform(reaction, now)
        return events

    def _perform(self, reaction: Reaction, now: float) -> list[Event]:
        match reaction:
            case Reaction.REFETCH:
                return self._fetch_files()
            case Reaction.REBOOT:
                return self.reboot(now)
            case Reaction.REREGISTER:
                return self.register_now(now)
            case _:
                return []

    @property
    def _wants_credentials(self) -> bool:
        return self.obedience is Obedience.CHALLENGES or self.firmware.challenges(self._settings)

    def _is_registered_with(self, source: tuple[str, int]) -> bool:
        return any(registration.registrar_source == source for registration in self.registrations.values())

    def _find_called(self, uri: str) -> Registration | None:
        """The account whose contact the Request-URI names: its user part, and where it has one, its ``line``."""
        called = SipUri.parse(uri)
        for registration in self.registrations.values():
            contact = SipUri.parse(registration.identity.contact.uri)
            if called.user == contact.user and called.parameter("line") == contact.parameter("line"):
                return registration
        return None

    def _is_authorized(self, request: Request, account: Account) -> bool:
        for value in request.headers.get_all("Authorization"):
            credentials: Credentials | None = parse_authorization(value)
            if credentials is None or credentials.nonce != self._nonce or credentials.username != account.auth_name:
                continue
            secret = ha1(Algorithm.MD5, account.auth_name, credentials.realm, account.password)
            if credentials.algorithm is Algorithm.MD5 and verify(credentials, secret, request.method):
                return True
        return False

    def _answer(
        self,
        request: Request,
        status: int,
        source: tuple[str, int],
        transport: Transport,
        now: float,
        *headers: tuple[str, str],
    ) -> SendSip:
        shown = (*headers, ("User-Agent", self._user_agent))
        data = bytes(build_response(request, status, to_tag=self._token(), headers=shown, received=source))
        self._answered.finish(transaction_key(request), data, now)
        return SendSip(data, transport, source)

    def _token(self) -> str:
        return self._random(8).hex()

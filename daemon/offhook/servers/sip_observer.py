"""What the SIP server tells others: whoever counts, the log, and the bus."""

import logging
from collections.abc import Iterable
from typing import Protocol

import structlog

from offhook.events import CallUnroutable, ContactIgnored, EventBus, Registered, RegistrationRefused, Unregistered
from offhook.observability.repeats import Repeats

_log = structlog.get_logger()


class SipObserver(Protocol):
    """Whoever counts; :class:`offhook.observability.metrics.Metrics` does."""

    def sip_request(self, method: str, transport: str) -> None:
        """A request came in and could be parsed."""
        ...

    def sip_response(self, method: str, status: int) -> None:
        """An answer to a ``method`` went out."""
        ...

    def sip_parse_error(self, transport: str) -> None:
        """Something came in that is not SIP."""
        ...

    def register_answered(self, seconds: float) -> None:
        """A REGISTER got its final answer, that long after it came."""
        ...

    def auth_failure(self, reason: str) -> None:
        """Credentials were refused; ``reason`` is a value of ``AuthFailure``."""
        ...

    def nonce_stale(self) -> None:
        """The credentials were right and the nonce too old."""
        ...

    def invite_refused(self) -> None:
        """A call was lost because its account has no gateway."""
        ...

    def udp_dropped(self, server: str) -> None:
        """A datagram was dropped unanswered; ``server`` is ``sip``."""
        ...

    def tcp_connection_opened(self, server: str) -> None:
        """A connection was let in."""
        ...

    def tcp_connection_closed(self, server: str) -> None:
        """One that was let in is closed."""
        ...


class Unobserved:
    """Counts nothing."""

    def sip_request(self, method: str, transport: str) -> None: ...
    def sip_response(self, method: str, status: int) -> None: ...
    def sip_parse_error(self, transport: str) -> None: ...
    def register_answered(self, seconds: float) -> None: ...
    def auth_failure(self, reason: str) -> None: ...
    def nonce_stale(self) -> None: ...
    def invite_refused(self) -> None: ...
    def udp_dropped(self, server: str) -> None: ...
    def tcp_connection_opened(self, server: str) -> None: ...
    def tcp_connection_closed(self, server: str) -> None: ...


class EventReporter:
    """Tells what the registrar has done, once it is done: the bus, and the log.

    What strangers can cause is a line a minute for each source and reason; all else is one line each.
    """

    def __init__(self, bus: EventBus, observer: SipObserver) -> None:
        self._bus = bus
        self._observer = observer
        self._repeats = Repeats()

    def publish(self, events: Iterable[object]) -> None:
        """Logs events, counts them, and hands them to the bus."""
        for event in events:
            match event:
                case RegistrationRefused():
                    self._repeats.log(
                        _log,
                        logging.INFO,
                        "sip.register.refused",
                        (_host(event.source), event.status, event.reason, event.device_id),
                        event.at,
                        source=event.source,
                        status=event.status,
                        reason=event.reason,
                        aor=event.address_of_record,
                        auth_username=event.auth_username,
                    )
                    if event.status == 401:
                        self._observer.auth_failure(event.reason)
                    if not event.auth_username:
                        continue
                case Registered():
                    log = _log.debug if event.refreshed else _log.info
                    log(
                        "sip.register.accepted",
                        source=event.source,
                        transport=event.transport,
                        aor=event.address_of_record,
                        user_agent=event.user_agent,
                        refreshed=event.refreshed,
                    )
                case Unregistered():
                    _log.info("sip.binding.removed", aor=event.address_of_record, reason=event.reason)
                case ContactIgnored():
                    self._repeats.log(
                        _log,
                        logging.INFO,
                        "sip.register.contact_ignored",
                        (event.device_id, event.scheme),
                        event.at,
                        aor=event.address_of_record,
                        scheme=event.scheme,
                        source=event.source,
                    )
                case CallUnroutable():
                    self._observer.invite_refused()
                    self._repeats.log(
                        _log,
                        logging.ERROR,
                        "sip.invite.no_gateway",
                        (event.account,),
                        event.at,
                        account=event.account,
                        called=event.called,
                        source=event.source,
                    )
                case _:
                    pass
            self._bus.publish(event)


def _host(source: str) -> str:
    """Of ``address:port``: each datagram of a stranger may come from another port."""
    return source.rpartition(":")[0]

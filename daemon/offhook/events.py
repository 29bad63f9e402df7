"""What crosses between provisioning, registrar and reload, and the bus that carries it.

Handlers are plain functions, called at once and in the order in which they subscribed: nothing is queued, so
nothing can pile up. A handler that fails is reported to ``on_error`` and does not stop the others.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar


@dataclass(frozen=True, slots=True)
class ConfigFetched:
    """A device was given a file of its configuration, to the last byte."""

    carrier_id: int
    #: The device whose file it is.
    revision: int
    #: The carrier's revision that the file was rendered from.
    file: str
    #: Name as asked for, without token, e.g. ``001565123456.cfg``.
    kind: str
    #: The manifest's name for the document, e.g. ``device`` or ``common``.
    at: float
    source: str
    #: The phone's address.
    protocol: str
    #: ``http``, ``https`` or ``tftp``.
    user_agent: str = ""
    vendor: str = ""
    model: str = ""
    firmware: str = ""
    #: As found in the User-Agent; empty where it does not tell.


@dataclass(frozen=True, slots=True)
class RenderFailed:
    """A carrier's file could not be rendered."""

    carrier_id: int
    revision: int
    message: str
    #: Template, line and what was wrong; without values.
    at: float


@dataclass(frozen=True, slots=True)
class Registered:
    """A binding was made or refreshed, and is on disk."""

    line_id: int
    device_id: int
    address_of_record: str
    credential_id: int
    #: Which of the line's credentials were shown.
    contact: str
    source: str
    #: ``address:port`` that the REGISTER came from.
    transport: str
    user_agent: str
    expires_at: float
    at: float
    refreshed: bool = False
    #: True where the binding was there already.


@dataclass(frozen=True, slots=True)
class Unregistered:
    """A binding is gone: removed by the phone, expired, or displaced."""

    line_id: int
    device_id: int
    address_of_record: str
    contact: str
    reason: str
    #: ``removed``, ``expired``, ``displaced``, ``unreachable``, ``revoked``.
    at: float


@dataclass(frozen=True, slots=True)
class RegistrationRefused:
    """A REGISTER that came with credentials was refused; for "why", penalties and fail2ban."""

    auth_username: str
    address_of_record: str
    source: str
    status: int
    reason: str
    at: float
    device_id: int = 0
    #: 0 where no device could be told.


@dataclass(frozen=True, slots=True)
class ContactIgnored:
    """A phone asked for a binding to something that is no SIP address; it was answered 200, and nothing was bound."""

    address_of_record: str
    scheme: str
    #: Of the contact: ``tel``, ``http``.
    source: str
    device_id: int
    at: float


@dataclass(frozen=True, slots=True)
class CallUnroutable:
    """A call came for an account that has no gateway to send it on to: calls are failing right now."""

    account: str
    called: str
    #: User part of the Request-URI.
    source: str
    at: float


@dataclass(frozen=True, slots=True)
class NotifyAnswered:
    """The final answer to a NOTIFY, 408 where none came and 503 where it could not be sent."""

    carrier_id: int
    reload_id: int
    status: int
    reason: str
    at: float


@dataclass(frozen=True, slots=True)
class ReloadProgressed:
    """A reload has begun, or is in another state; how it stands is asked of the reloads."""

    reload_id: int


@dataclass(frozen=True, slots=True)
class ReloadEnded:
    """A reload is over."""

    carrier_id: int
    reload_id: int
    outcome: str
    #: ``done`` or ``failed``.
    at: float


@dataclass(frozen=True, slots=True)
class ChangedThing:
    """Something that a change of the inventory made, altered or deleted."""

    action: str
    #: ``create``, ``update`` or ``delete``.
    kind: str
    key: str
    #: Kind and natural key, as the audit has them.
    account_id: int


@dataclass(frozen=True, slots=True)
class InventoryChanged:
    """A change of the inventory was committed and is what everyone now sees."""

    actor: str
    request_id: str
    device_ids: frozenset[int]
    #: Devices touched, directly or through what they inherit.
    revised: frozenset[int]
    #: Carriers whose revision rose.
    at: float
    revoked: frozenset[int] = frozenset()
    #: Devices of which a credential was made void at once: what is bound with one that is gone must go too.
    replaced: frozenset[int] = frozenset()
    #: Devices whose hardware is another now; what the former reported is past.
    things: tuple[ChangedThing, ...] = ()
    #: What changed in itself.


E = TypeVar("E")


class EventBus:
    """Calls those who subscribed to a class of event."""

    def __init__(self, on_error: Callable[[object, Exception], None]) -> None:
        self._handlers: dict[type, list[Callable[[Any], None]]] = {}
        self._on_error = on_error

    def subscribe(self, event: type[E], handler: Callable[[E], None]) -> None:
        """Calls ``handler`` with every event of exactly that class."""
        self._handlers.setdefault(event, []).append(handler)

    def publish(self, event: object) -> None:
        """Hands the event to its handlers, now."""
        for handler in self._handlers.get(type(event), ()):
            try:
                handler(event)
            except Exception as error:
                self._on_error(event, error)

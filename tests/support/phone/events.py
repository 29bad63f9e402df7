"""What a phone gives its shell to do, and what it tells about itself.

:class:`Fetch` and :class:`SendSip` are work; all the others are news, for whoever watches the phone.
"""

from dataclasses import dataclass, field

from offhook.endpoint import Transport


@dataclass(frozen=True, slots=True)
class Fetch:
    """A file must be fetched; the phone asks for one at a time, and waits for :meth:`Phone.receive_file`."""

    url: str
    #: ``http://`` or ``tftp://``, complete.
    user_agent: str
    number: int
    #: Counts the phone's requests, so that an answer that comes after a reboot is known to be a stranger.


@dataclass(frozen=True, slots=True)
class SendSip:
    """A message must be sent to ``destination``; over TCP on the connection there is, else on a new one."""

    data: bytes = field(repr=False)
    transport: Transport
    destination: tuple[str, int]


@dataclass(frozen=True, slots=True)
class FileRead:
    """A file came, or did not."""

    url: str
    status: int | None
    #: Of HTTP; for TFTP 200, 404 (error 1) or 500 (any other error). None where nobody answered.


@dataclass(frozen=True, slots=True)
class FileRejected:
    """The file cannot be read as what it should be; the phone goes on without it."""

    url: str
    reason: str


@dataclass(frozen=True, slots=True)
class Provisioned:
    """A round of fetching has ended."""

    changed: bool
    #: Whether any setting has another value than before.
    found: tuple[str, ...]
    missing: tuple[str, ...]
    #: Names of files, in the order asked for.


@dataclass(frozen=True, slots=True)
class Registered:
    """The registrar has accepted the phone's contact, for the first time or again."""

    account: int
    expires_seconds: int
    call_id: str
    cseq: int


@dataclass(frozen=True, slots=True)
class Unregistered:
    """The registrar has removed the phone's contact, as asked."""

    account: int


@dataclass(frozen=True, slots=True)
class RegistrationFailed:
    """A REGISTER was refused, or nobody answered."""

    account: int
    status: int
    #: 408 for silence, 503 for a transport that failed.
    retry_in_seconds: float


@dataclass(frozen=True, slots=True)
class Notified:
    """A NOTIFY came, and was answered with ``status``; None for a phone that keeps silent."""

    event: str
    status: int | None


@dataclass(frozen=True, slots=True)
class Rebooted:
    """The phone starts anew: it forgets its registrations and keeps its settings."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A SIP message was dropped without an answer."""

    reason: str


News = (
    FileRead
    | FileRejected
    | Provisioned
    | Registered
    | Unregistered
    | RegistrationFailed
    | Notified
    | Rebooted
    | Ignored
)
Event = Fetch | SendSip | News

"""What differs between the vendors' phones: the files they ask for, how they read them, and what moves them.

A firmware is a set of pure functions. The order of its files is a generator: it yields the name that it wants next,
is sent the :class:`FetchedFile`, and returns the :class:`ReadFiles`.
"""

from collections.abc import Generator
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Protocol

from tests.support.phone.account import Account, Settings

from offhook.endpoint import HostPort
from offhook.sip.headers import NameAddress

MAX_FILES: Final = 16
#: In one round; a list of files that names itself must end somewhere.

DEFAULT_EXPIRES: Final = 3600


class Reaction(Enum):
    """What an event of a NOTIFY moves a phone to do."""

    REFETCH = "refetch"
    REBOOT = "reboot"
    REREGISTER = "reregister"
    NOTHING = "nothing"
    #: The event is known, and answered 200.
    UNKNOWN = "unknown"
    #: 489 Bad Event.


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """The answer to one request."""

    status: int | None
    #: As in :class:`~tests.support.phone.events.FileRead`.
    data: bytes = field(default=b"", repr=False)

    @property
    def found(self) -> bool:
        return self.status == 200


@dataclass(slots=True)
class ReadFiles:
    """What one round has brought."""

    values: dict[str, str] = field(default_factory=dict, repr=False)
    #: Settings in the files, later files over earlier ones.
    found: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    rejected: list[tuple[str, str]] = field(default_factory=list)
    #: Names of files that could not be read, and why.
    is_complete: bool = True
    #: False where a server did not answer: the phone tries all of it again.


FileSequence = Generator[str, FetchedFile, ReadFiles]


class MalformedFile(ValueError):
    """The phone cannot read this file."""


class Firmware(Protocol):
    """One model with one version of its firmware."""

    @property
    def sip_user_agent_name(self) -> str:
        """User-Agent of its SIP messages, without a MAC."""
        ...

    @property
    def factory_settings(self) -> Settings:
        """Values that hold where no file says otherwise."""
        ...

    def http_user_agent(self, mac: str, settings: Settings) -> str:
        """User-Agent of its HTTP requests."""
        ...

    def sip_user_agent(self, mac: str, settings: Settings) -> str:
        """User-Agent of its SIP messages."""
        ...

    def file_sequence(self, mac: str) -> FileSequence:
        """The files of one round of provisioning."""
        ...

    def merge(self, settings: Settings, values: Settings) -> dict[str, str]:
        """The settings after a round that brought ``values``."""
        ...

    def accounts(self, settings: Settings) -> tuple[Account, ...]:
        """The accounts that are switched on, by index."""
        ...

    def provisioning_url(self, settings: Settings) -> str:
        """Where the files say that files are; empty where they say nothing."""
        ...

    def fetches_at_boot(self, settings: Settings) -> bool:
        """Whether it asks for its files each time it starts."""
        ...

    def obeys_only_its_server(self, settings: Settings) -> bool:
        """Whether a NOTIFY counts only when it comes from where the phone registers."""
        ...

    def challenges(self, settings: Settings) -> bool:
        """Whether it asks the sender of a NOTIFY for credentials."""
        ...

    def react(self, event: str, settings: Settings) -> Reaction:
        """What the Event header of a NOTIFY does to it."""
        ...

    def contact(self, account: Account, sent_by: HostPort, mac: str) -> NameAddress:
        """The Contact that it registers for an account."""
        ...

    def register_headers(self, account: Account, mac: str, settings: Settings) -> tuple[tuple[str, str], ...]:
        """What it adds to a REGISTER."""
        ...


def parse_event(value: str) -> tuple[str, dict[str, str]]:
    """Name and parameters of an Event header, all in lower case (RFC 6665 §8.2.1)."""
    name, *parameters = [part.strip().lower() for part in value.split(";")]
    pairs = (parameter.partition("=") for parameter in parameters if parameter)
    return name, {key.strip(): text.strip() for key, _, text in pairs}


def parse_number(text: str, default: int) -> int:
    """The number in a setting, else the default."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 8 else default

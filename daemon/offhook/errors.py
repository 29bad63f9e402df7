"""Every error that Offhook raises on purpose.

    OffhookError
    ├── ConfigError            the configuration file cannot be used         exit 2
    ├── InventoryError         a rule of the inventory refuses a change
    │   ├── NotFound           the thing named does not exist                HTTP 404
    │   ├── Conflict           it contradicts what is there                  HTTP 409
    │   └── Invalid            a value breaks a rule                         HTTP 422
    │       ├── AddressUnclear     a text can be read as several addresses   HTTP 422
    │       └── AddressRefused     the validator knows no such address       HTTP 422
    ├── SipError               a SIP message cannot be accepted              its status
    ├── TftpError              a TFTP packet or transfer cannot be served    its code
    ├── RenderError            a template failed                             HTTP 500, TFTP code 0
    ├── CatalogError           a vendor folder is broken                     exit 2, or the old one stays
    ├── ValidatorUnreachable   nobody could judge an address: try again      HTTP 503
    ├── RequestRefused         a request to the admin API that may not be    its HTTP status
    └── StoreError             the databases cannot be used
        ├── StoreUnavailable   for now: full, locked, failing                SIP and HTTP 503
        ├── StoreLocked        another daemon uses this state_dir            exit 1
        ├── SchemaTooNew       written by a newer Offhook                    exit 1
        ├── KeyUnusable        the key that opens the secrets is not there   exit 1
        └── ArchiveUnusable    a backup is damaged, or does not open         exit 1

A message says what happened, to what, and what to do about it. Each server maps this tree to its own
protocol in one place; nothing else turns an exception into an answer.
"""

from dataclasses import dataclass


class OffhookError(Exception):
    """Base of the tree."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in a document that an operator wrote."""

    message: str
    #: What is wrong and what to do.
    path: str = ""
    #: Where in the document's structure, e.g. ``accounts[0].users[2].extension``.
    file: str = ""
    line: int = 0
    column: int = 0
    #: Counted from 1; 0 where the place is not known. In a table they are the row's first line and the column.
    rule: str = ""
    #: Which rule of the inventory it breaks; empty where the value is wrong in itself.
    remedy: str = ""
    #: What to do, where the message does not say it.
    is_conflict: bool = False
    #: The value is right in itself, but contradicts what else is there.

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.line and self.column) if part)
        said = f"{self.message}; {self.remedy}" if self.remedy else self.message
        return ": ".join(part for part in (place, self.path, said) if part)


class DocumentError(OffhookError):
    """A document with faults, all of them; what :class:`ConfigError` and ``apply`` have in common."""

    def __init__(self, faults: list[Fault] | tuple[Fault, ...]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class ConfigError(DocumentError):
    """The configuration cannot be used."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """What may have been meant, for a person to choose."""

    text: str
    elements: tuple[tuple[str, str], ...]
    #: Its fields by name.


class InventoryError(OffhookError):
    """A rule of the inventory refuses a change; nothing was changed."""

    def __init__(
        self,
        message: str,
        *,
        field: str = "",
        rule: str = "",
        remedy: str = "",
        faults: tuple[Fault, ...] = (),
        alternatives: tuple[Alternative, ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.rule = rule
        self.remedy = remedy
        self.faults = faults
        #: All that is wrong, where more than this was found; this is the first of them.
        self.alternatives = alternatives


class NotFound(InventoryError):
    """The thing named does not exist."""


class Conflict(InventoryError):
    """The change contradicts what is there."""


class Invalid(InventoryError):
    """A value breaks a rule."""


class AddressUnclear(Invalid):
    """An address in one line that can be read in several ways, or in none: somebody has to say what is meant."""


class AddressRefused(Invalid):
    """An emergency address that whoever knows which there are does not know."""


class SipError(OffhookError):
    """A SIP message that cannot be accepted. ``status`` and ``reason`` are what to answer."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        self.reason = reason


class TftpError(OffhookError):
    """A TFTP request that cannot be served. ``code`` is the error code of RFC 1350 §5 to answer."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class RenderError(OffhookError):
    """A template failed. Never shown to a phone; ``template`` and ``line`` are for the operator."""

    def __init__(self, message: str, *, template: str = "", line: int = 0) -> None:
        super().__init__(f"{template}:{line}: {message}" if template else message)
        self.template = template
        self.line = line


class CatalogError(DocumentError):
    """A vendor folder is broken."""


class ValidatorUnreachable(OffhookError):
    """The validator of emergency addresses gave no verdict, which says nothing about the address: try again later."""


class RequestRefused(OffhookError):
    """A request to the admin API that may not be, whatever it asks for. ``status`` is the HTTP status to answer."""

    def __init__(self, status: int, message: str, *, remedy: str = "", retry_after_seconds: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.remedy = remedy
        self.retry_after_seconds = retry_after_seconds


class StoreError(OffhookError):
    """The databases cannot be used."""


class StoreUnavailable(StoreError):
    """A write was not made durable and may be tried again later."""


class StoreLocked(StoreError):
    """Another daemon uses this state_dir."""


class SchemaTooNew(StoreError):
    """The database was written by a newer Offhook."""


class KeyUnusable(StoreError):
    """The key that opens the stored secrets is missing, readable by others, or the wrong one."""


class ArchiveUnusable(StoreError):
    """A backup is damaged, or does not open with what was given."""

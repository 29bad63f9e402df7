"""Errors as problem documents (RFC 9457): the one place where the admin API turns an exception into an answer."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Final

from aiohttp import web

from offhook.errors import (
    AddressRefused,
    AddressUnclear,
    Alternative,
    Conflict,
    DocumentError,
    Fault,
    Invalid,
    InventoryError,
    KeyUnusable,
    NotFound,
    OffhookError,
    RenderError,
    RequestRefused,
    StoreUnavailable,
    ValidatorUnreachable,
)
from offhook.inventory.reading import FAULTS_LISTED

CONTENT_TYPE: Final = "application/problem+json"
#: ``type`` of a problem: this and a slug; nothing is to be found there (RFC 9457 §3.1.1 allows it).
_TYPE: Final = "urn:offhook:problem:"
_RETRY_SECONDS: Final = 5
_VALIDATOR_RETRY_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class AlternativeView:
    """A value to choose instead of the one that was sent."""

    text: str
    elements: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemView:
    """A problem document (RFC 9457). Members that say nothing are left out."""

    type: str
    title: str
    status: int
    request_id: str
    detail: str = ""
    field: str = ""
    rule: str = ""
    remedy: str = ""
    faults: tuple[Fault, ...] = ()
    alternatives: tuple[AlternativeView, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What a client is told."""

    status: int
    title: str
    #: Of the kind of problem, the same each time.
    detail: str = ""
    #: What happened here.
    field: str = ""
    rule: str = ""
    remedy: str = ""
    faults: tuple[Fault, ...] = ()
    #: Of a document, each with its place.
    alternatives: tuple[Alternative, ...] = ()
    #: Values to choose from instead of the one that was sent.
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def type(self) -> str:
        """A URI for the kind of problem."""
        return _TYPE + "-".join(self.title.lower().split())

    def response(self, request_id: str) -> web.Response:
        """The answer."""
        view = ProblemView(
            type=self.type,
            title=self.title,
            status=self.status,
            detail=self.detail,
            field=self.field,
            rule=self.rule,
            remedy=self.remedy,
            faults=self.faults,
            alternatives=tuple(AlternativeView(it.text, dict(it.elements)) for it in self.alternatives),
            request_id=request_id,
        )
        document = {name: value for name, value in asdict(view).items() if value not in ("", ())}
        return web.Response(
            status=self.status,
            body=json.dumps(document, ensure_ascii=False).encode(),
            content_type=CONTENT_TYPE,
            headers=dict(self.headers),
        )


#: What an exception that nobody foresaw is answered with. Its text stays in the log.
UNEXPECTED: Final = Problem(
    status=500,
    title="Internal error",
    detail="Offhook failed at this request; look whether it has changed what it should",
    remedy="look for the request id in the daemon's log, and report it with what stands there",
)


def find_problem(error: Exception) -> Problem | None:
    """The problem that an error is; None for one that nobody foresaw, which is to be logged."""
    match error:
        case NotFound():
            return _of_inventory(404, "Not found", error)
        case Conflict():
            return _of_inventory(409, "Conflict", error)
        case AddressUnclear():
            return _of_inventory(422, "Address unclear", error)
        case AddressRefused():
            return _of_inventory(422, "Address refused", error)
        case Invalid():
            return _of_inventory(422, "Invalid value", error)
        case DocumentError():
            count = len(error.faults)
            if count > FAULTS_LISTED:
                return Problem(
                    status=422,
                    title="Faults in the document",
                    detail=f"the document has more than {FAULTS_LISTED} faults; nothing was changed",
                    faults=error.faults,
                )
            return Problem(
                status=422,
                title="Faults in the document",
                detail=f"the document has {count} fault{'s' if count != 1 else ''}; nothing was changed",
                faults=error.faults,
            )
        case RequestRefused():
            return _of_refusal(error)
        case RenderError():
            return Problem(status=500, title="Template failed", detail=str(error), remedy="correct the template")
        case KeyUnusable():
            return Problem(status=500, title="Key unusable", detail=str(error))
        case ValidatorUnreachable():
            retry = (("Retry-After", str(_VALIDATOR_RETRY_SECONDS)),)
            return Problem(
                status=503,
                title="Validator out of reach",
                detail=str(error),
                remedy="try again later; the address in force stays in force",
                headers=retry,
            )
        case StoreUnavailable():
            retry = (("Retry-After", str(_RETRY_SECONDS)),)
            return Problem(status=503, title="Store unavailable", detail=str(error), headers=retry)
        case web.HTTPException():
            return _of_http(error)
        case OffhookError() | _:
            return None


def _of_inventory(status: int, title: str, error: InventoryError) -> Problem:
    return Problem(
        status=status,
        title=title,
        detail=error.message,
        field=error.field,
        rule=error.rule,
        remedy=error.remedy,
        faults=error.faults if len(error.faults) > 1 else (),
        alternatives=error.alternatives,
    )


def _of_refusal(error: RequestRefused) -> Problem:
    headers: list[tuple[str, str]] = []
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers.append(("WWW-Authenticate", 'Bearer realm="offhook"'))
    if error.retry_after_seconds is not None:
        headers.append(("Retry-After", str(error.retry_after_seconds)))
    return Problem(
        status=error.status,
        title=HTTPStatus(error.status).phrase,
        detail=error.message,
        remedy=error.remedy,
        headers=tuple(headers),
    )


def _of_http(error: web.HTTPException) -> Problem | None:
    if error.status >= 500:
        return None
    headers = [("Allow", error.headers["Allow"])] if "Allow" in error.headers else []
    details = {
        404: "there is nothing at this address",
        405: f"this address takes {error.headers.get('Allow', 'other methods')}",
        413: "the request is longer than limits.admin.body_bytes allows",
    }
    return Problem(
        status=error.status,
        title=HTTPStatus(error.status).phrase,
        detail=details.get(error.status, ""),
        headers=tuple(headers),
    )

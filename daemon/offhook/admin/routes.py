"""A route of the API as it is declared, what a handler is given and what it gives back.

The declaration says all that a caller must know, so the description of the API (:mod:`offhook.admin.openapi`) is made
from it, and what is not declared is refused. Who writes a route

- gives its handler a docstring, a line and more below it, and states what it takes and gives: a test refuses a route
  that does not;
- states who may: the role, and for what reveals a secret the scope, of the route or of the parameter that asks for it
  (:data:`REVEAL`, beside :data:`REASON`). Nothing of that is left to the handler;
- adds a line to the table in ``tests/admin/test_access.py``, which says who gets there and who does not;
- keeps no state in the function that makes the routes: it is called again for each set of accounts that tokens are
  limited to, with services that show nothing else (:mod:`offhook.admin.reach`).
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from offhook import yamldoc
from offhook.admin.auth import Identity
from offhook.admin.query import Query
from offhook.errors import Invalid, RequestRefused
from offhook.inventory.parts import refuse_faults
from offhook.inventory.service import Actor
from offhook.store.tokens import Role, Scope

Body = TypeVar("Body", bound=BaseModel)

ROOT: Final = "/api/v1"
_JSON_TYPES: Final = frozenset({"application/json", "application/merge-patch+json"})


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of a query."""

    name: str
    about: str
    type: "type[str] | type[int] | type[bool] | type[StrEnum]" = str
    most: int | None = None
    #: Of a number.
    repeats: bool = False
    required: bool = False
    role: Role | None = None
    scope: Scope | None = None
    #: What it takes to give this parameter, beside what the route takes.


#: What pages of lists take.
PAGING: Final = (
    Param("limit", "At most so many items.", int, most=1000),
    Param("cursor", "Goes on where a page ended: the `next` of that page."),
)
#: What every change of the inventory takes.
DRY_RUN: Final = Param("dry_run", "Tell what would change, and change nothing.", bool)
#: What shows secrets where they are hidden otherwise, and why that is done.
REVEAL: Final = Param("reveal", "With passwords. It is audited.", bool, role=Role.ADMINISTRATOR, scope=Scope.REVEAL)
REASON: Final = Param("reason", "Why secrets are revealed; may be left out on the local socket only.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """An address of the API. Its handler's docstring says what it does: a line, and more below it."""

    method: str
    path: str
    #: Below :data:`ROOT`.
    role: Role
    #: The least that may use it.
    handler: "Handler"
    query: tuple[Param, ...] = ()
    takes: type[BaseModel] | None = None
    #: What is in the body.
    takes_type: str = "application/json"
    #: Its media type; without ``takes``, another one than JSON says that there is a body of mere text.
    gives: Any = None
    #: The view that the answer holds; None where it is no JSON.
    gives_type: str = "application/json"
    status: int = HTTPStatus.OK
    matches: bool = False
    #: Takes If-Match, against lost updates.
    scope: Scope | None = None
    #: What a token needs beside its role.
    daemon_wide: bool = False
    #: Concerns the daemon as a whole: not for tokens that are limited to accounts.


@dataclass(frozen=True, slots=True)
class Call:
    """A request by somebody who may make it."""

    request: web.Request
    identity: Identity
    request_id: str
    query: Query
    #: Its parameters are those that the route declares, and no others.

    @property
    def actor(self) -> Actor:
        """As the audit names who asks."""
        return Actor(self.identity.name, self.identity.origin, self.request_id)

    def path(self, name: str) -> str:
        """A part of the path."""
        return self.request.match_info[name]

    async def body(self, model: type[Body]) -> Body:
        """The JSON body. Raises Invalid for one that is not as ``model`` says, RequestRefused for other types."""
        return (await self.read(model))[1]

    async def part(self, model: type[BaseModel]) -> dict[str, yamldoc.Value]:
        """The JSON body as it was sent, once it is as ``model`` says: what is absent is told from what is null."""
        return (await self.read(model))[0]

    async def read(self, model: type[Body]) -> tuple[dict[str, yamldoc.Value], Body]:
        """The body as it was sent, and as it is understood. Without one it is as if it were ``{}``."""
        text = await self.request.read()
        if text and self.request.content_type not in _JSON_TYPES:
            raise RequestRefused(415, "the body must be JSON", remedy="send Content-Type: application/json")
        data = _parse(text or b"{}")
        try:
            return data, model.model_validate(data)
        except ValidationError as error:
            refuse_faults(yamldoc.faults_of(error, yamldoc.document_of(data), model))
            raise

    def require(self, role: Role, scope: Scope | None = None) -> None:
        """For what not all who may use the route may do. Raises RequestRefused."""
        require(self.identity, role, scope)


def _parse(text: bytes) -> dict[str, yamldoc.Value]:
    """A JSON object. Its depth is bounded by the parser's recursion, its size by the server."""
    try:
        data = json.loads(text, parse_constant=_refuse_constant)
        # A lone surrogate can be written in JSON, and nowhere else afterwards.
        json.dumps(data, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise Invalid("the body is not JSON that can be read", field="", remedy="send a JSON object") from None
    if not isinstance(data, dict):
        raise Invalid("the body is no JSON object", remedy='send an object, like {"name": "value"}')
    return data


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def require(identity: Identity, role: Role, scope: Scope | None = None) -> None:
    """Raises RequestRefused with 403 where the identity's role or scopes are not enough."""
    if not identity.role.allows(role):
        raise RequestRefused(
            403,
            f"this takes the role {role.value}, and {identity.name} has {identity.role.value}",
            remedy=f"use a token with the role {role.value}",
        )
    if scope is not None and scope not in identity.scopes:
        raise RequestRefused(
            403,
            f"this takes the scope {scope.value}, which {identity.name} has not",
            remedy=f"use a token that was made with --scope {scope.value}",
        )


def admit(identity: Identity, route: Route) -> None:
    """Whether somebody may use a route. Raises RequestRefused.

    What is there for those who are limited to accounts is decided elsewhere: :mod:`offhook.admin.reach`.
    """
    require(identity, route.role, route.scope)
    if route.daemon_wide and identity.reach is not None:
        raise RequestRefused(
            403,
            f"this concerns the whole daemon, and {identity.name} is limited to accounts",
            remedy="use a token that is for all accounts",
        )


def admit_query(identity: Identity, route: Route, query: Query) -> None:
    """Whether they may with these parameters. Raises RequestRefused, and Invalid where a reason is lacking."""
    scopes = {route.scope}
    for param in route.query:
        if (param.role or param.scope) and _is_given(query, param):
            require(identity, param.role or route.role, param.scope)
            scopes.add(param.scope)
    if Scope.REVEAL in scopes and not identity.is_local and not query.text(REASON.name):
        raise Invalid(
            "secrets are to be revealed, and nobody says why",
            field=REASON.name,
            rule="who reveals secrets over the network says why; the audit keeps it",
            remedy=f"add {REASON.name}=... to the query",
        )


def _is_given(query: Query, param: Param) -> bool:
    return query.flag(param.name) if param.type is bool else bool(query.texts(param.name))


Handler = Callable[[Call], Awaitable[web.StreamResponse]]


def json_response(value: object, status: int = HTTPStatus.OK, headers: Mapping[str, str] | None = None) -> web.Response:
    """A view as JSON: its fields by name. Texts that are Secret show their mask: revealing is the view's decision."""
    return web.Response(
        status=status, body=format_json(value).encode(), content_type="application/json", headers=headers
    )


def format_json(value: object) -> str:
    """A view as JSON, on one line."""
    return json.dumps(value, ensure_ascii=False, default=_encode)


def _encode(value: object) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {name: getattr(value, name) for name in _field_names(type(value))}
    return str(value)


@lru_cache(maxsize=512)
def _field_names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def format_time(seconds: float | None) -> str | None:
    """ISO 8601 in UTC with milliseconds, as every time in the API."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

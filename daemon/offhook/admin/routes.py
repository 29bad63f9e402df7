"""A route of the API, what a handler is given and what it gives back."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from offhook.admin.auth import Identity
from offhook.admin.query import Query
from offhook.errors import Invalid, RequestRefused
from offhook.inventory.service import Actor
from offhook.store.tokens import Role

Body = TypeVar("Body", bound=BaseModel)

ROOT: Final = "/api/v1"


@dataclass(frozen=True, slots=True)
class Call:
    """A request by somebody who may make it."""

    request: web.Request
    identity: Identity
    request_id: str

    @property
    def actor(self) -> Actor:
        """As the audit names who asks."""
        return Actor(self.identity.name, self.identity.origin, self.request_id)

    def query(self, *names: str) -> Query:
        """The query's parameters, which are these and no others."""
        return Query(self.request.query, names)

    def path(self, name: str) -> str:
        """A part of the path."""
        return self.request.match_info[name]

    async def body(self, model: type[Body]) -> Body:
        """The JSON body. Raises Invalid for one that is not as ``model`` says, RequestRefused for other types."""
        if self.request.content_type != "application/json":
            raise RequestRefused(415, "the body must be JSON", remedy="send Content-Type: application/json")
        try:
            return model.model_validate_json(await self.request.read())
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            field = ".".join(str(step) for step in first["loc"])
            raise Invalid(f"{field or 'the body'}: {first['msg']}", field=field, remedy="correct the body") from None

    def require(self, role: Role) -> None:
        """For what not all who may use the route may do. Raises RequestRefused."""
        require_role(self.identity, role)


def require_role(identity: Identity, role: Role) -> None:
    """Raises RequestRefused with 403 where the identity's role is not enough."""
    if not identity.role.allows(role):
        raise RequestRefused(
            403,
            f"this takes the role {role.value}, and {identity.name} has {identity.role.value}",
            remedy=f"use a token with the role {role.value}",
        )


Handler = Callable[[Call], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    """An address of the API, and the least role that may use it."""

    method: str
    path: str
    #: Below :data:`ROOT`.
    role: Role
    handler: Handler


def json_response(value: object, status: int = HTTPStatus.OK, headers: Mapping[str, str] | None = None) -> web.Response:
    """A view as JSON: its fields by name. Texts that are Secret show their mask: revealing is the view's decision."""
    text = json.dumps(value, ensure_ascii=False, default=_encode)
    return web.Response(status=status, body=text.encode(), content_type="application/json", headers=headers)


def _encode(value: object) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    return str(value)


def format_time(seconds: float | None) -> str | None:
    """ISO 8601 in UTC with milliseconds, as every time in the API."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

"""Admin tokens. The text of one is in the answer to its creation, and never again."""

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from offhook.admin.ports import Services
from offhook.admin.query import collect_page
from offhook.admin.routes import Call, Route, format_time, json_response
from offhook.store.tokens import AdminToken, Role


class TokenBody(BaseModel):
    """A token to be made."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=128)]
    role: Role
    expires_in_seconds: Annotated[int, Field(ge=60, le=10 * 366 * 86400)] | None = None
    #: None: it never expires.


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenView:
    """A token without its text."""

    name: str
    role: str
    created_at: str | None
    expires_at: str | None
    expired: bool
    last_used_at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTokenView(TokenView):
    """A token with its text."""

    token: str = field(repr=False)


def routes(services: Services) -> list[Route]:
    def details(token: AdminToken) -> TokenView:
        return TokenView(
            name=token.name,
            role=token.role.value,
            created_at=format_time(token.created_at),
            expires_at=format_time(token.expires_at),
            expired=token.expires_at is not None and token.expires_at <= services.clock.now(),
            last_used_at=format_time(token.last_used_at),
        )

    async def list_tokens(call: Call) -> web.Response:
        query = call.query("limit", "cursor")
        page = await collect_page(services.tokens.all(), query, key=lambda token: token.id, view=details)
        return json_response(page)

    async def create(call: Call) -> web.Response:
        call.query()
        body = await call.body(TokenBody)
        expires_at = None
        if body.expires_in_seconds is not None:
            expires_at = services.clock.now() + body.expires_in_seconds
        await services.inventory.record(call.actor, "create", "token", f"token {body.name}", body.role.value)
        token, text = await services.tokens.create(body.name, body.role, expires_at)
        plain = details(token)
        view = NewTokenView(
            name=plain.name,
            role=plain.role,
            created_at=plain.created_at,
            expires_at=plain.expires_at,
            expired=plain.expired,
            last_used_at=plain.last_used_at,
            token=text.reveal(),
        )
        return json_response(view, HTTPStatus.CREATED)

    async def revoke(call: Call) -> web.Response:
        call.query()
        token = services.tokens.get(call.path("name"))
        await services.inventory.record(call.actor, "delete", "token", f"token {token.name}")
        return json_response(details(await services.tokens.revoke(token.name)))

    return [
        Route("GET", "/tokens", Role.ADMINISTRATOR, list_tokens),
        Route("POST", "/tokens", Role.ADMINISTRATOR, create),
        Route("DELETE", "/tokens/{name}", Role.ADMINISTRATOR, revoke),
    ]

"""Admin tokens. The text of one is in the answer to its creation, and never again."""

from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from offhook.admin.names import get_account
from offhook.admin.ports import Services
from offhook.admin.query import Page, collect_page
from offhook.admin.routes import PAGING, Call, Route, format_time, json_response
from offhook.inventory.identifiers import parse_label
from offhook.inventory.models import Account
from offhook.store.tokens import AdminToken, Role, Scope


class TokenBody(BaseModel):
    """A token to be made."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=128)]
    role: Role
    scopes: Annotated[list[Scope], Field(max_length=16)] = []
    accounts: Annotated[list[Annotated[str, Field(max_length=128)]], Field(min_length=1, max_length=100)] | None = None
    #: By name; without it, all of them, and the daemon itself.
    networks: Annotated[list[Annotated[str, Field(max_length=64)]], Field(min_length=1, max_length=32)] | None = None
    #: CIDR blocks; without it, from anywhere.
    expires_in_seconds: Annotated[int, Field(ge=60, le=10 * 366 * 86400)] | None = None
    #: None: it never expires.


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenView:
    """A token without its text."""

    name: str
    role: str
    scopes: tuple[str, ...]
    accounts: tuple[str, ...] | None
    #: Names of those that it reaches, without those that are gone; None for all.
    networks: tuple[str, ...]
    created_at: str | None
    expires_at: str | None
    expired: bool
    last_used_at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTokenView(TokenView):
    """A token with its text."""

    token: str = field(repr=False)


def routes(services: Services) -> list[Route]:
    def view(token: AdminToken) -> TokenView:
        inventory = services.inventory.inventory
        accounts = [inventory.find(Account, account_id) for account_id in token.accounts]
        return TokenView(
            name=token.name,
            role=token.role.value,
            scopes=tuple(scope.value for scope in token.scopes),
            accounts=tuple(account.name for account in accounts if account is not None) if accounts else None,
            networks=token.networks,
            created_at=format_time(token.created_at),
            expires_at=format_time(token.expires_at),
            expired=token.expires_at is not None and token.expires_at <= services.clock.now(),
            last_used_at=format_time(token.last_used_at),
        )

    async def list_tokens(call: Call) -> web.Response:
        """List tokens, expired ones too."""
        page = await collect_page(services.tokens.all(), call.query, key=lambda token: token.id, view=view)
        return json_response(page)

    async def create(call: Call) -> web.Response:
        """Make a token. Its text is in the answer, and nowhere else afterwards.

        Nobody grants a scope without having it.
        """
        body = await call.body(TokenBody)
        for scope in body.scopes:
            call.require(Role.ADMINISTRATOR, scope)
        accounts = {get_account(services.inventory.inventory, name) for name in body.accounts or ()}
        expires_at = None
        if body.expires_in_seconds is not None:
            expires_at = services.clock.now() + body.expires_in_seconds
        granted = [body.role.value, *body.scopes, *sorted(account.name for account in accounts), *(body.networks or ())]
        await services.inventory.record(
            call.actor, "create", "token", f"token {parse_label(body.name)}", ", ".join(granted)[:256]
        )
        token, text = await services.tokens.create(
            body.name,
            body.role,
            expires_at,
            scopes=body.scopes,
            accounts=[account.id for account in accounts],
            networks=body.networks or (),
        )
        return json_response(NewTokenView(**asdict(view(token)), token=text.reveal()), HTTPStatus.CREATED)

    async def revoke(call: Call) -> web.Response:
        """Revoke a token. It counts no more from now on."""
        token = services.tokens.get(call.path("name"))
        await services.inventory.record(call.actor, "delete", "token", f"token {token.name}")
        return json_response(view(await services.tokens.revoke(token.name)))

    return [
        Route(
            method="GET",
            path="/tokens",
            role=Role.ADMINISTRATOR,
            handler=list_tokens,
            query=PAGING,
            gives=Page[TokenView],
            daemon_wide=True,
        ),
        Route(
            method="POST",
            path="/tokens",
            role=Role.ADMINISTRATOR,
            handler=create,
            takes=TokenBody,
            gives=NewTokenView,
            status=HTTPStatus.CREATED,
            daemon_wide=True,
        ),
        Route(
            method="DELETE",
            path="/tokens/{name}",
            role=Role.ADMINISTRATOR,
            handler=revoke,
            gives=TokenView,
            daemon_wide=True,
        ),
    ]

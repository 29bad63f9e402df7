"""The admin API as an aiohttp application: who asks, whether they may, and how errors are answered.

The same application serves the local socket and TCP. Peers of the socket are administrators; TCP wants a bearer
token, except for the page that describes the API. It is guarded against web pages that a browser on this machine has
open: their requests come with an Origin that is not ours, or, after DNS rebinding, with a Host that is not.
"""

import ipaddress
import secrets
import socket
from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import Final, cast
from urllib.parse import urlsplit

import structlog
from aiohttp import web

from offhook.admin.api import (
    accounts,
    audit,
    backups,
    bindings,
    coverage,
    dect_systems,
    device_actions,
    device_lines,
    devices,
    documents,
    emergency,
    events,
    imports,
    keys,
    lines,
    locations,
    numbers,
    pbx,
    reloads,
    station_types,
    status,
    tokens,
    users,
)
from offhook.admin.api.description import Description
from offhook.admin.auth import Identity, Penalties, Refusal, Tokens, identify_peer
from offhook.admin.ports import Services
from offhook.admin.problems import UNEXPECTED, find_problem
from offhook.admin.query import Query
from offhook.admin.reach import Handlers
from offhook.admin.reference import PUBLIC, Reference
from offhook.admin.routes import ROOT, Call, Route, admit, admit_query
from offhook.errors import RequestRefused
from offhook.observability.metrics import Metrics

log = structlog.get_logger()

_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Server": "offhook"}
_IDENTITY: Final = web.RequestKey("identity", Identity)
_REQUEST_ID: Final = web.RequestKey("request_id", str)

_Next = Callable[[web.Request], Awaitable[web.StreamResponse]]


def find_routes(services: Services, description: Description) -> list[Route]:
    """Every route of the API."""
    parts: Iterable[list[Route]] = (
        accounts.routes(services),
        audit.routes(services),
        backups.routes(services),
        bindings.routes(services),
        coverage.routes(services),
        devices.routes(services),
        documents.routes(services),
        imports.routes(services),
        emergency.routes(services),
        events.routes(services),
        keys.routes(services),
        lines.routes(services),
        pbx.routes(services),
        reloads.routes(services),
        status.routes(services),
        tokens.routes(services),
        dect_systems.routes(services),
        locations.routes(services),
        station_types.routes(services),
        numbers.routes(services),
        device_actions.routes(services),
        device_lines.routes(services),
        users.routes(services),
        description.routes(),
    )
    return [route for part in parts for route in part]


def make_application(
    services: Services, metrics: Metrics, *, body_bytes: int, host_names: Collection[str] = ()
) -> web.Application:
    """The application. ``host_names``: names, beside numeric addresses and localhost, under which TCP is asked."""
    guard = _Guard(services.tokens, Penalties(services.clock), frozenset(name.lower() for name in host_names))

    @web.middleware
    async def answer(request: web.Request, handler: _Next) -> web.StreamResponse:
        request_id = secrets.token_hex(8)
        request[_REQUEST_ID] = request_id
        try:
            if request.path in PUBLIC:
                guard.check_site(request)
            else:
                request[_IDENTITY] = await guard.identify(request)
            response = await handler(request)
        except Exception as error:
            problem = find_problem(error)
            if problem is None:
                log.exception("admin.request.failed", request_id=request_id, method=request.method, path=request.path)
                problem = UNEXPECTED
            response = problem.response(request_id)
        metrics.http_request("admin", response.status)
        return response

    application = web.Application(middlewares=[answer], client_max_size=body_bytes)
    application.on_response_prepare.append(_add_headers)
    description = Description(services.daemon.version)
    handlers = Handlers(services, lambda services: find_routes(services, description))
    description.tell(handlers.routes)
    Reference(handlers.routes).add_to(application)
    for route in handlers.routes:
        if route.method == "GET":
            application.router.add_get(ROOT + route.path, _endpoint(route, handlers), allow_head=True)
        else:
            application.router.add_route(route.method, ROOT + route.path, _endpoint(route, handlers))
    return application


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)
    response.headers["X-Request-ID"] = request[_REQUEST_ID]


def _endpoint(route: Route, handlers: Handlers) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    names = [param.name for param in route.query]

    async def endpoint(request: web.Request) -> web.StreamResponse:
        identity = request[_IDENTITY]
        admit(identity, route)
        query = Query(request.query, names)
        admit_query(identity, route, query)
        handler = handlers.find(route, identity.reach)
        return await handler(Call(request, identity, request[_REQUEST_ID], query))

    return endpoint


class _Guard:
    """Lets in who may."""

    def __init__(self, tokens: Tokens, penalties: Penalties, host_names: frozenset[str]) -> None:
        self._tokens = tokens
        self._penalties = penalties
        self._host_names = host_names

    async def identify(self, request: web.Request) -> Identity:
        """Who asks. Raises RequestRefused for who may not ask."""
        peer = self.check_site(request)
        if peer.family == socket.AF_UNIX:
            return identify_peer(peer)
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not text.strip():
            raise RequestRefused(
                401,
                "this takes an admin token",
                remedy="send Authorization: Bearer TOKEN; on the daemon's machine: offhook token create NAME",
            )
        source = request.remote or "unknown"
        identity = await self._tokens.identify(text.strip(), source)
        if isinstance(identity, Refusal):
            self._penalties.note_wrong_token(source, identity)
            raise RequestRefused(
                401,
                "the token is not valid: wrong, revoked, expired, or not for this network",
                remedy="see: offhook token list",
            )
        return identity

    def check_site(self, request: web.Request) -> socket.socket:
        """Refuses what another web site had a browser ask. Gives the connection."""
        peer = request.transport.get_extra_info("socket") if request.transport is not None else None
        if peer is None:
            raise RequestRefused(400, "the connection is gone")
        if peer.family != socket.AF_UNIX:
            self._check_host(request)
            self._check_origin(request)
        return cast("socket.socket", peer)

    def _check_host(self, request: web.Request) -> None:
        host = (urlsplit(f"//{request.host}").hostname or "") if _is_sane(request.host) else ""
        if host == "localhost" or host in self._host_names or _is_address(host):
            return
        raise RequestRefused(
            403,
            "the Host header is not an address of the admin server",
            remedy="ask by IP address or localhost; let a proxy set Host to the address that it connects to",
        )

    def _check_origin(self, request: web.Request) -> None:
        origin = request.headers.get("Origin")
        if origin is not None and origin not in (f"http://{request.host}", f"https://{request.host}"):
            raise RequestRefused(403, "requests from other web sites are refused", remedy="ask without a browser")


def _is_sane(host: str) -> bool:
    try:
        urlsplit(f"//{host}")
    except ValueError:
        return False
    return True


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True

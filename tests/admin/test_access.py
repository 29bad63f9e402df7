"""Who may what: every route, with what it takes, and who gets there. A route that is not here was not thought about."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import aiohttp
import pytest
from tests.support.admin_daemon import AdminDaemon, routes_of

from offhook.admin.routes import REASON, ROOT
from offhook.store.tokens import Role, Scope

#: Method, path, the least role; ``reveal`` where it takes that scope, ``daemon`` where it is not for tokens that are
#: limited to accounts, ``socket`` where nothing that comes over TCP gets there.
TABLE: Final = """
GET    /accounts                                     viewer
POST   /accounts                                     administrator
GET    /accounts/{id}                                viewer
PATCH  /accounts/{id}                                operator
DELETE /accounts/{id}                                administrator
POST   /accounts/{id}/rotate-token                   operator
POST   /addresses/parse                             viewer
GET    /audit                                        operator
POST   /backups                                      administrator daemon socket
GET    /bindings                                     viewer
GET    /dect-systems                                 viewer
POST   /dect-systems                                 operator
GET    /dect-systems/{id}                            viewer
PATCH  /dect-systems/{id}                            operator
DELETE /dect-systems/{id}                            operator
GET    /devices                                      viewer
POST   /devices                                      operator
GET    /devices/{id}                                 viewer
PATCH  /devices/{id}                                 operator
DELETE /devices/{id}                                 operator
GET    /devices/{id}/address                        viewer
PUT    /devices/{id}/address                        operator
DELETE /devices/{id}/address                        operator
POST   /devices/{id}/address/validate               operator
POST   /devices/{id}/assign                          operator
POST   /devices/{id}/disable                         operator
GET    /devices/{id}/dispatch                       viewer
GET    /devices/{id}/dispatch.pidf                  viewer
POST   /devices/{id}/enable                          operator
POST   /devices/{id}/lines                           operator
PATCH  /devices/{id}/lines/{index}                   operator
DELETE /devices/{id}/lines/{index}                   operator
POST   /devices/{id}/lines/{index}/password/activate operator
POST   /devices/{id}/lines/{index}/password/drop     operator
POST   /devices/{id}/lines/{index}/password/renew    operator
POST   /devices/{id}/lines/{index}/password/stage    operator
POST   /devices/{id}/log-out                         operator
POST   /devices/{id}/move                            operator
POST   /devices/{id}/pair                            operator
GET    /devices/{id}/render                          viewer
POST   /devices/{id}/replace                         operator
POST   /devices/{id}/role                            operator
POST   /devices/{id}/rotate-token                    operator
POST   /devices/{id}/unpair                          operator
GET    /emergency/coverage                          viewer
GET    /events                                       viewer
GET    /exports/csv/{kind}                          viewer
POST   /imports                                      operator
POST   /imports/plan                                operator
GET    /imports/{name}                              operator
POST   /inventory/apply                              operator
GET    /inventory/change                             viewer
GET    /inventory/export                             viewer
GET    /inventory/export/{program}                   administrator reveal
POST   /inventory/plan                               operator
GET    /keys                                         administrator daemon
POST   /keys/reseal                                  administrator daemon
POST   /keys/rotate                                  administrator daemon
DELETE /keys/{id}                                    administrator daemon
GET    /lines                                        viewer
GET    /locations                                    viewer
POST   /locations                                    operator
GET    /locations/{id}                               viewer
PATCH  /locations/{id}                               operator
DELETE /locations/{id}                               operator
GET    /locations/{id}/address                      viewer
PUT    /locations/{id}/address                      operator
DELETE /locations/{id}/address                      operator
POST   /locations/{id}/address/validate             operator
GET    /numbers                                      viewer
POST   /numbers                                      operator
GET    /numbers/{id}                                 viewer
PATCH  /numbers/{id}                                 operator
DELETE /numbers/{id}                                 operator
POST   /numbers/{id}/assign                          operator
POST   /numbers/{id}/log-in                          operator
POST   /numbers/{id}/log-out                         operator
PUT    /numbers/{id}/pin                             operator
POST   /numbers/{id}/pin/reset                       operator
POST   /numbers/{id}/pin/verify                      operator
POST   /numbers/{id}/unassign                        operator
GET    /openapi.json                                 viewer
GET    /reloads                                      viewer
POST   /reloads                                      operator
GET    /reloads/{id}                                 viewer
GET    /station-types                                viewer
POST   /station-types                                operator
GET    /station-types/{id}                           viewer
PATCH  /station-types/{id}                           operator
DELETE /station-types/{id}                           operator
GET    /status                                       viewer daemon
GET    /tokens                                       administrator daemon
POST   /tokens                                       administrator daemon
DELETE /tokens/{name}                                administrator daemon
GET    /users                                        viewer
POST   /users                                        operator
GET    /users/{id}                                   viewer
PATCH  /users/{id}                                   operator
DELETE /users/{id}                                   operator
GET    /users/{id}/address                          viewer
PUT    /users/{id}/address                          operator
DELETE /users/{id}/address                          operator
POST   /users/{id}/address/validate                 operator
POST   /users/{id}/log-out                           operator
PUT    /users/{id}/pin                               operator
POST   /users/{id}/pin/reset                         operator
POST   /users/{id}/pin/verify                        operator
"""

#: Parameters that take more than their route.
PARAMETERS: Final = """
GET     /devices/{id}/render         reveal    administrator reveal
GET     /inventory/export            secrets   administrator reveal
GET     /lines                       reveal    administrator reveal
"""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table."""

    method: str
    path: str
    role: Role
    needs: frozenset[str]

    @property
    def scope(self) -> Scope | None:
        return Scope.REVEAL if "reveal" in self.needs else None

    @property
    def url(self) -> str:
        """An address that fits the path, where nothing is."""
        filled = self.path.format(
            id="nothing", name="nothing", program="asterisk", kind="all", index="1", file="nothing"
        )
        return f"{ROOT}{filled}{'?reason=test' if self.scope else ''}"


ROWS: Final = [
    Row(method, path, Role(role), frozenset(needs))
    for method, path, role, *needs in (line.split() for line in TABLE.strip().splitlines())
]


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who asks."""

    role: Role
    scopes: Sequence[Scope] = ()
    accounts: Sequence[str] = ()
    is_local: bool = False

    def may(self, row: Row) -> bool:
        """What the table says."""
        if "socket" in row.needs and not self.is_local:
            return False
        if "daemon" in row.needs and self.accounts:
            return False
        return list(Role).index(self.role) >= list(Role).index(row.role) and (
            row.scope is None or row.scope in self.scopes
        )


CALLERS: Final = {
    "viewer": Caller(Role.VIEWER),
    "viewer who may reveal": Caller(Role.VIEWER, [Scope.REVEAL]),
    "operator": Caller(Role.OPERATOR),
    "administrator": Caller(Role.ADMINISTRATOR),
    "administrator who may reveal": Caller(Role.ADMINISTRATOR, [Scope.REVEAL]),
    "viewer of an account": Caller(Role.VIEWER, accounts=["acme"]),
    "administrator of an account": Caller(Role.ADMINISTRATOR, [Scope.REVEAL], ["acme"]),
    "local socket": Caller(Role.ADMINISTRATOR, list(Scope), is_local=True),
}


@asynccontextmanager
async def client_of(daemon: AdminDaemon, caller: Caller) -> AsyncIterator[aiohttp.ClientSession]:
    client = daemon.local()
    if not caller.is_local:
        await client.close()
        client = await daemon.remote(caller.role, scopes=caller.scopes, accounts=caller.accounts)
    async with client:
        yield client


async def test_every_route_takes_what_was_decided(daemon: AdminDaemon) -> None:
    routes = routes_of(daemon)
    found = {(it.method, it.path, it.role, it.scope, it.daemon_wide) for it in routes}
    assert found == {(row.method, row.path, row.role, row.scope, "daemon" in row.needs) for row in ROWS}
    assert len(routes) == len(ROWS)


async def test_every_parameter_takes_what_was_decided(daemon: AdminDaemon) -> None:
    found = {
        (route.method, route.path, param.name, param.role, param.scope)
        for route in routes_of(daemon)
        for param in route.query
        if param.role or param.scope
    }
    rows = [line.split() for line in PARAMETERS.strip().splitlines()]
    assert found == {(method, path, name, Role(role), Scope(scope)) for method, path, name, role, scope in rows}


async def test_who_can_reveal_can_say_why(daemon: AdminDaemon) -> None:
    for route in routes_of(daemon):
        if route.scope is Scope.REVEAL or any(param.scope is Scope.REVEAL for param in route.query):
            assert REASON in route.query, route.path


@pytest.mark.parametrize("name", CALLERS)
async def test_everyone_gets_to_what_they_may_and_to_nothing_else(daemon: AdminDaemon, name: str) -> None:
    caller = CALLERS[name]
    async with client_of(daemon, caller) as client:
        for row in ROWS:
            async with client.request(row.method, row.url) as response:
                got_there = response.status not in (401, 403)
                assert got_there == caller.may(row), (row, response.status)
                if not got_there:
                    problem = await response.json(content_type="application/problem+json")
                    assert problem["remedy"], row


@pytest.mark.parametrize("name", CALLERS)
@pytest.mark.parametrize(
    ("path", "reveal"),
    [("/lines", "reveal"), ("/inventory/export", "secrets"), ("/devices/001565123456/render", "reveal")],
)
async def test_secrets_take_an_administrator_who_may_reveal(
    daemon: AdminDaemon, name: str, path: str, reveal: str
) -> None:
    caller = CALLERS[name]
    may = caller.role is Role.ADMINISTRATOR and Scope.REVEAL in caller.scopes
    async with client_of(daemon, caller) as client:
        for query, expected in (
            (f"{reveal}=true&reason=test", 200 if may else 403),
            (f"{reveal}=true", 403 if not may else 200 if caller.is_local else 422),
            (f"{reveal}=false", 200),
        ):
            async with client.get(f"{ROOT}{path}?{query}") as response:
                assert response.status == expected, query


async def test_the_reason_of_a_reveal_is_in_the_audit(daemon: AdminDaemon) -> None:
    async with client_of(daemon, CALLERS["administrator who may reveal"]) as client:
        for path in (
            "/lines?reveal=true",
            "/inventory/export?secrets=true",
            "/devices/001565123456/render?reveal=true",
        ):
            async with client.get(f"{ROOT}{path}&reason=moving+the+PBX") as response:
                assert response.status == 200
    records = [entry.record for entry in daemon.services.audit.read(3)]
    assert {(record.action, record.reason) for record in records} == {("reveal", "moving the PBX")}
    assert {record.actor for record in records} == {"token administrator of a test"}

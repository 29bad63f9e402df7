import json
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from multidict import MultiDict

from offhook.admin.api.lines import LineView
from offhook.admin.auth import Identity
from offhook.admin.query import Page, Query
from offhook.admin.routes import (
    REASON,
    REVEAL,
    Call,
    Param,
    Route,
    admit,
    admit_query,
    format_time,
    json_response,
)
from offhook.errors import Invalid, RequestRefused
from offhook.secret import Secret
from offhook.store.tokens import Role, Scope


def test_times_are_iso_8601_in_utc() -> None:
    assert format_time(0.0015) == "1970-01-01T00:00:00.001Z"
    assert format_time(None) is None


@given(st.floats(0, 4e9))
def test_a_time_is_read_back(seconds: float) -> None:
    from datetime import datetime

    text = format_time(seconds)
    assert text is not None
    assert abs(datetime.fromisoformat(text).timestamp() - seconds) <= 0.001


def test_views_become_objects_and_secrets_stay_masked() -> None:
    line = LineView("00:15:65:12:34:56", 1, None, "sip:2001@acme.test", "2001-x", None)
    response = json_response(Page((line,), Secret("hunter2").MASK))
    assert isinstance(response.body, bytes)
    assert json.loads(response.body)["items"][0]["device"] == "00:15:65:12:34:56"
    response = json_response({"token": Secret("hunter2")})
    assert response.body == b'{"token": "***"}'


def test_a_view_does_not_tell_its_password_to_a_log() -> None:
    line = LineView("00:15:65:12:34:56", 1, None, "sip:2001@acme.test", "2001-x", "hunter2")
    assert "hunter2" not in repr(line)


# -- who may --------------------------------------------------------------------------------------------------------

LOCAL = Identity("uid 0", "socket", Role.ADMINISTRATOR, frozenset(Scope))
ADMINISTRATOR = Identity("token ci", "10.0.0.9", Role.ADMINISTRATOR)
REVEALING = Identity("token ci", "10.0.0.9", Role.ADMINISTRATOR, frozenset(Scope))
OPERATOR = Identity("token ci", "10.0.0.9", Role.OPERATOR, frozenset(Scope))
LIMITED = Identity("token ci", "10.0.0.9", Role.ADMINISTRATOR, frozenset(Scope), frozenset({1}))


async def _handler(_call: Call) -> web.Response:
    raise NotImplementedError


def _route(role: Role = Role.VIEWER, **more: Any) -> Route:
    return Route(method="GET", path="/things", role=role, handler=_handler, **more)


@pytest.mark.parametrize(
    ("route", "those_who_may"),
    [
        (_route(), [LOCAL, ADMINISTRATOR, REVEALING, OPERATOR, LIMITED]),
        (_route(Role.ADMINISTRATOR), [LOCAL, ADMINISTRATOR, REVEALING, LIMITED]),
        (_route(scope=Scope.REVEAL), [LOCAL, REVEALING, OPERATOR, LIMITED]),
        (_route(Role.ADMINISTRATOR, scope=Scope.REVEAL), [LOCAL, REVEALING, LIMITED]),
        (_route(daemon_wide=True), [LOCAL, ADMINISTRATOR, REVEALING, OPERATOR]),
    ],
)
def test_a_route_takes_role_and_scope_and_sometimes_all_accounts(route: Route, those_who_may: list[Identity]) -> None:
    for identity in (LOCAL, ADMINISTRATOR, REVEALING, OPERATOR, LIMITED):
        if identity in those_who_may:
            admit(identity, route)
            continue
        with pytest.raises(RequestRefused) as refused:
            admit(identity, route)
        assert (refused.value.status, bool(refused.value.remedy)) == (403, True)


def _query(route: Route, **given: str) -> Query:
    return Query(MultiDict(given), [param.name for param in route.query])


def test_a_parameter_that_reveals_takes_more_and_a_reason() -> None:
    route = _route(query=(REVEAL, REASON))
    asked, said = _query(route, reveal="true"), _query(route, reveal="true", reason="moving")
    for identity in (ADMINISTRATOR, OPERATOR):
        with pytest.raises(RequestRefused):
            admit_query(identity, route, said)
        admit_query(identity, route, _query(route, reveal="false"))
        admit_query(identity, route, _query(route))
    admit_query(REVEALING, route, said)
    admit_query(LOCAL, route, asked)
    with pytest.raises(Invalid) as refused:
        admit_query(REVEALING, route, asked)
    assert (refused.value.field, refused.value.remedy) == ("reason", "add reason=... to the query")


def test_a_route_that_reveals_takes_a_reason_always() -> None:
    route = _route(scope=Scope.REVEAL, query=(REASON,))
    admit_query(REVEALING, route, _query(route, reason="moving"))
    admit_query(LOCAL, route, _query(route))
    with pytest.raises(Invalid):
        admit_query(REVEALING, route, _query(route, reason=" "))


def test_a_text_that_takes_more_takes_it_where_it_is_given() -> None:
    route = _route(query=(Param("as_user", "Whose.", role=Role.ADMINISTRATOR),))
    admit_query(OPERATOR, route, _query(route))
    with pytest.raises(RequestRefused):
        admit_query(OPERATOR, route, _query(route, as_user="jane"))
    admit_query(ADMINISTRATOR, route, _query(route, as_user="jane"))

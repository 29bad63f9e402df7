"""What the description says, and that each route says enough to be described."""

import inspect
import re
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import BaseModel
from tests.support.admin_daemon import AdminDaemon, routes_of

from offhook.admin.changing import ChangeView
from offhook.admin.openapi import PATH_PARAMS, describe_api, failures_of, is_list, operation_id, summary_of, takes_body
from offhook.admin.paging import CountedPage
from offhook.admin.query import Page
from offhook.admin.routes import DRY_RUN, PAGING, REASON, REVEAL, Call, Param, Route
from offhook.inventory.document import LineFields, UserFields
from offhook.inventory.models import Plan
from offhook.store.tokens import Role, Scope


class Body(BaseModel):
    """What is to be done."""

    name: str


@pytest_asyncio.fixture
async def routes(daemon: AdminDaemon) -> list[Route]:
    return routes_of(daemon)


async def handler(_call: Call) -> web.Response:
    """Do something.

    It takes a while.
    """
    raise NotImplementedError


def a_route(method: str, path: str, **more: Any) -> Route:
    return Route(method=method, path=path, role=Role.OPERATOR, handler=handler, **more)


# -- every route ----------------------------------------------------------------------------------------------------


async def test_every_route_says_what_it_does_and_gives(routes: list[Route]) -> None:
    for route in routes:
        name = f"{route.method} {route.path}"
        about = inspect.getdoc(route.handler) or ""
        summary, rest = summary_of(route)
        assert summary, name
        assert not rest or about.split("\n")[1] == "", f"{name}: a line, a blank line, and more"
        assert route.gives is not None or route.gives_type != "application/json", name
        assert route.gives is None or route.gives_type == "application/json", name


async def test_every_body_and_answer_says_what_it_is(routes: list[Route]) -> None:
    described = describe_api(routes, "0")
    for name, schema in described["components"]["schemas"].items():
        if schema["type"] == "object":
            assert schema.get("description"), f"{name} has no docstring"


async def test_every_parameter_says_what_it_is_for(routes: list[Route]) -> None:
    for route in routes:
        assert set(re.findall(r"{(\w+)}", route.path)) <= PATH_PARAMS.keys(), route.path
        names = [param.name for param in route.query]
        assert len(names) == len(set(names)), route.path
        for param in route.query:
            assert param.about.endswith("."), f"{route.path}: {param.name}"


async def test_operations_have_names_of_their_own(routes: list[Route]) -> None:
    names = [operation_id(route, routes) for route in routes]
    assert len(names) == len(set(names))
    assert {"users.list", "users.create", "users.show", "users.change", "users.delete", "numbers.pin.verify"} <= set(
        names
    )


async def test_a_change_can_be_tried(routes: list[Route]) -> None:
    for route in routes:
        if getattr(route.gives, "__origin__", route.gives) is ChangeView:
            assert DRY_RUN in route.query, f"{route.method} {route.path}"


async def test_no_secret_has_an_example_or_a_default(routes: list[Route]) -> None:
    password = describe_api(routes, "0")["components"]["schemas"]["LinePart"]["properties"]["password"]
    assert password == {
        "anyOf": [
            {"type": "string", "format": "password", "writeOnly": True, "minLength": 1, "maxLength": 128},
            {"type": "null"},
        ]
    }


# -- one route ------------------------------------------------------------------------------------------------------


def described(*routes: Route) -> dict[str, Any]:
    document = describe_api(routes, "1.2.3")
    OpenAPIV31SpecValidator(document).validate()
    return document


def test_a_route_becomes_an_operation() -> None:
    document = described(
        a_route(
            "POST",
            "/things/{id}/mend",
            takes=Body,
            gives=Body,
            query=(
                DRY_RUN,
                REVEAL,
                REASON,
                Param("count", "So many.", int, most=9),
                Param("plan", "Of these.", Plan, repeats=True),
            ),
            status=201,
            matches=True,
            scope=Scope.REVEAL,
            daemon_wide=True,
        )
    )
    operation = document["paths"]["/things/{id}/mend"]["post"]
    assert (operation["operationId"], operation["tags"]) == ("things.mend", ["things"])
    assert (operation["summary"], operation["description"]) == ("Do something", "It takes a while.")
    assert (operation["x-offhook-role"], operation["x-offhook-scope"]) == ("operator", "reveal")
    assert operation["x-offhook-daemon-wide"] is True
    parameters = {it["name"]: it for it in operation["parameters"]}
    assert parameters["id"]["required"] is True
    assert parameters["dry_run"]["schema"] == {"type": "boolean"}
    assert parameters["count"]["schema"] == {"type": "integer", "minimum": 0, "maximum": 9}
    assert parameters["plan"]["schema"] == {"type": "array", "items": {"type": "string", "enum": list(Plan)}}
    assert (parameters["reveal"]["x-offhook-role"], parameters["reveal"]["x-offhook-scope"]) == (
        "administrator",
        "reveal",
    )
    assert parameters["If-Match"]["in"] == "header"
    body = operation["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/Body"}
    responses = operation["responses"]
    assert responses.keys() == {
        "200", "201", "400", "401", "403", "404", "409", "412", "413", "415", "422", "429", "503",
    }  # fmt: skip
    assert responses["201"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Body"}
    assert responses["201"]["headers"].keys() == {"X-Request-ID", "ETag"}
    assert responses["412"] == {"$ref": "#/components/responses/Changed"}


def test_a_problem_has_its_own_type_and_says_how_to_go_on() -> None:
    responses = described(a_route("GET", "/things", gives=Page[Body]))["components"]["responses"]
    assert responses["NotFound"]["content"].keys() == {"application/problem+json"}
    assert "WWW-Authenticate" in responses["NotIdentified"]["headers"]
    assert "Retry-After" in responses["TooManyRequests"]["headers"]


def test_who_reads_a_thing_is_given_what_a_change_of_it_matches() -> None:
    document = described(
        a_route("GET", "/things/{id}", gives=Body),
        a_route("PATCH", "/things/{id}", gives=Body, takes=Body, matches=True),
        a_route("GET", "/others/{id}", gives=Body),
    )
    assert "ETag" in document["paths"]["/things/{id}"]["get"]["responses"]["200"]["headers"]
    assert "ETag" not in document["paths"]["/others/{id}"]["get"]["responses"]["200"]["headers"]
    taken = document["paths"]["/things/{id}"]["patch"]["requestBody"]["content"]
    assert taken.keys() == {"application/json", "application/merge-patch+json"}


def test_what_is_no_json_is_described_as_text() -> None:
    route = a_route("POST", "/things", takes_type="application/yaml", gives_type="text/csv")
    operation = described(route)["paths"]["/things"]["post"]
    assert operation["requestBody"]["content"] == {"application/yaml": {"schema": {"type": "string"}}}
    assert operation["responses"]["200"]["content"] == {"text/csv": {"schema": {"type": "string"}}}
    assert takes_body(route)
    route = a_route("POST", "/things", takes=Body, takes_type="application/yaml", gives_type="application/yaml")
    operation = described(route)["paths"]["/things"]["post"]
    schema = {"$ref": "#/components/schemas/Body"}
    assert operation["requestBody"]["content"] == {"application/yaml": {"schema": schema}}
    assert operation["responses"]["200"]["content"] == {"application/yaml": {"schema": {}}}
    assert not takes_body(a_route("POST", "/things", gives=Body))


def test_only_what_can_happen_is_described() -> None:
    assert failures_of(a_route("GET", "/things", gives=Body)) == [401, 403, 422, 429, 503]
    assert failures_of(a_route("GET", "/things", gives=Body, query=PAGING)) == [401, 403, 404, 409, 422, 429, 503]


@pytest.mark.parametrize(
    ("method", "path", "gives", "name"),
    [
        ("GET", "/things", Page[Body], "things.list"),
        ("GET", "/things", CountedPage[Body], "things.list"),
        ("POST", "/things", Body, "things.create"),
        ("GET", "/things/{id}", Body, "things.show"),
        ("PATCH", "/things/{id}", Body, "things.change"),
        ("DELETE", "/things/{name}", Body, "things.delete"),
        ("PUT", "/things/{id}/pin", Body, "things.pin.set"),
        ("POST", "/things/{id}/pin/reset", Body, "things.pin.reset"),
        ("PATCH", "/things/{id}/lines/{index}", Body, "things.lines.index.change"),
        ("GET", "/status", Body, "status.show"),
        ("GET", "/things/export/{program}", Body, "things.export.program.show"),
    ],
)
def test_operations_are_called_after_what_they_do(method: str, path: str, gives: Any, name: str) -> None:
    assert operation_id(a_route(method, path, gives=gives), [a_route("GET", "/things", gives=Page[Body])]) == name


def test_lists_are_told_from_other_answers() -> None:
    assert is_list(a_route("GET", "/things", gives=Page[Body]))
    assert not is_list(a_route("GET", "/things", gives=Body))
    assert not is_list(a_route("GET", "/things", gives_type="text/csv"))


def test_null_clears_what_can_be_left_out() -> None:
    schemas = described(a_route("PATCH", "/things/{id}", takes=UserFields, gives=Body))["components"]["schemas"]
    properties = schemas["UserFields"]["properties"]
    assert properties["first_name"] == {"anyOf": [{"type": "string"}, {"type": "null"}]}
    assert {"type": "null"} in properties["plan"]["anyOf"]
    UserFields.model_validate(dict.fromkeys(properties))
    LineFields.model_validate({"appearances": None})

"""The description of the API in OpenAPI 3.1, made from the routes: what a route declares is what is described.

Addresses are below ``/api/v1``. Schemas come from the pydantic models of the bodies and the dataclasses of the views.
"""

import inspect
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

from offhook.admin.paging import CURSOR_LENGTH
from offhook.admin.problems import CONTENT_TYPE, ProblemView
from offhook.admin.query import DEFAULT_LIMIT, Page
from offhook.admin.routes import DRY_RUN, ROOT, Param, Route

VERSION: Final = "3.1.0"

#: An object of the description.
Json = dict[str, Any]

_SCHEMA_REF: Final = "#/components/schemas/{model}"
_TEXT: Final[Json] = {"type": "string"}
_YAML: Final = "application/yaml"
_TEXT_LENGTH: Final = 256

#: What stands in the braces of a path.
PATH_PARAMS: Final[Mapping[str, str]] = {
    "id": "What it is called (a name, a MAC in any notation, an IPEI, a number), or its id.",
    "name": "What it is called.",
    "index": "The index of the line: on an ATA its port.",
    "kind": "What its rows state: locations, users, numbers, devices, assignments, or all.",
    "program": "Whose form the file is to have: asterisk or kamailio.",
}

_DESCRIPTION: Final = """\
Everything about an Offhook daemon: its inventory, its phones, and itself.

**Who asks.** On the local socket nobody needs a token. Over TCP send `Authorization: Bearer TOKEN`; a token is made \
with `offhook token create`. Each operation says which role it takes (viewer, operator, administrator: each may all \
that the ones before it may), and whether it takes the scope `reveal` as well. A token may be limited to accounts: \
other accounts then look like what does not exist.

**Names.** Where a path says `{id}`, things are known by what people call them. Ids never change; names may.

**Lists** come in pages: `next` of one is the `cursor` of the one that follows, and null at the end.

**Changes** can be tried with `dry_run=true`: the answer says what would change and which devices would have to \
reload. A body to PATCH is a merge patch (RFC 7396): an absent field stays as it is, null clears it. Send the `ETag` \
of what was read as `If-Match`, and nobody overwrites what he has not seen.

**Errors** are problem documents (RFC 9457), which name the field, the rule and the remedy.
"""


@dataclass(frozen=True, slots=True)
class _Failure:
    """A status that an operation may be answered with instead."""

    name: str
    about: str
    headers: tuple[str, ...] = ()


_FAILURES: Final[Mapping[int, _Failure]] = {
    400: _Failure("NotReadable", "The body is not JSON that can be read."),
    401: _Failure("NotIdentified", "There is no token, or not a valid one.", ("WWW-Authenticate",)),
    403: _Failure("NotAllowed", "The token's role, scopes or accounts are not enough."),
    404: _Failure("NotFound", "Something that is named is not there."),
    409: _Failure("Conflict", "It contradicts what is there, or the name is that of several things."),
    412: _Failure("Changed", "It is not what it was when it was read: If-Match names another state."),
    413: _Failure("TooLong", "The body is longer than `limits.admin.body_bytes`."),
    415: _Failure("WrongType", "The body is of another media type."),
    422: _Failure("Invalid", "A value breaks a rule, or a parameter is not known."),
    429: _Failure("TooManyRequests", "Too many of these requests were wrong.", ("Retry-After",)),
    503: _Failure("Unavailable", "Something that it takes is out of reach for now.", ("Retry-After",)),
}
_HEADERS: Final[Mapping[str, str]] = {
    "ETag": "What the thing is like now; for If-Match.",
    "Retry-After": "After how many seconds to try again.",
    "WWW-Authenticate": "Bearer.",
    "X-Request-ID": "Names the request in the log and in the audit.",
}


def describe_api(routes: Sequence[Route], version: str) -> Json:
    """The whole document."""
    schemas = _Schemas(routes)
    paths: dict[str, Json] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, routes, schemas)
    return {
        "openapi": VERSION,
        "info": {"title": "Offhook", "version": version, "description": _DESCRIPTION},
        "servers": [{"url": ROOT}],
        "security": [{"token": []}],
        "tags": [{"name": name, "description": about} for name, about in tags_of(routes).items()],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An admin token. The local socket needs none.",
                }
            },
            "headers": {name: {"description": about, "schema": {"type": "string"}} for name, about in _HEADERS.items()},
            "responses": {failure.name: _failed(failure, schemas) for failure in _FAILURES.values()},
            "schemas": schemas.definitions,
        },
    }


def tags_of(routes: Iterable[Route]) -> dict[str, str]:
    """The groups of operations, in order, with what each is about: the docstring of the module of its first path."""
    found: dict[str, str] = {}
    for route in sorted(routes, key=lambda route: (route.path, route.method)):
        found.setdefault(tag_of(route), inspect.getdoc(sys.modules[route.handler.__module__]) or "")
    return found


def tag_of(route: Route) -> str:
    """The group that a route belongs to: the first part of its path."""
    return route.path.split("/")[1].removesuffix(".json")


def operation_id(route: Route, routes: Iterable[Route]) -> str:
    """What the operation is called: ``users.list``, ``users.change``, ``numbers.pin.verify``."""
    names = [part for part in route.path.strip("/").split("/") if not part.startswith("{")]
    last = re.search(r"{(\w+)}$", route.path)
    if last is not None and last[1] not in ("id", "name"):
        names.append(last[1])
    has_list = any(it.path == route.path and it.method == "GET" and is_list(it) for it in routes)
    match route.method:
        case "GET" if is_list(route):
            names.append("list")
        case "GET" if last is not None or len(names) == 1:
            names.append("show")
        case "POST" if has_list:
            names.append("create")
        case "PUT":
            names.append("set")
        case "PATCH":
            names.append("change")
        case "DELETE":
            names.append("delete")
    return ".".join(names)


def is_list(route: Route) -> bool:
    """Whether it answers with a page."""
    origin = getattr(route.gives, "__origin__", route.gives)
    return isinstance(origin, type) and issubclass(origin, Page)


def summary_of(route: Route) -> tuple[str, str]:
    """The first line of its handler's docstring, and the rest."""
    first, _, rest = (inspect.getdoc(route.handler) or "").partition("\n")
    return first.strip().removesuffix("."), rest.strip()


class _Schemas:
    """The schemas of everything that routes take and give."""

    def __init__(self, routes: Iterable[Route]) -> None:
        wanted: dict[tuple[Any, JsonSchemaMode], TypeAdapter[Any]] = {}
        for route in routes:
            if route.takes is not None:
                wanted.setdefault((route.takes, "validation"), TypeAdapter(route.takes))
            if route.gives is not None:
                wanted.setdefault((route.gives, "serialization"), TypeAdapter(route.gives))
        wanted[ProblemView, "serialization"] = TypeAdapter(ProblemView)
        self._found, document = TypeAdapter.json_schemas(
            [(kind, mode, adapter) for (kind, mode), adapter in wanted.items()],
            ref_template=_SCHEMA_REF,
            schema_generator=_Generator,
        )
        self.definitions: Json = document.get("$defs", {})

    def of(self, kind: Any, mode: JsonSchemaMode) -> Json:
        return dict(self._found[kind, mode])


class _Generator(GenerateJsonSchema):
    """Pydantic's, without titles that repeat the names, and with the form of times."""

    def normalize_name(self, name: str) -> str:
        """``ChangeView[UserView]`` is called ``ChangeView_UserView``."""
        return re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_")

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def dataclass_field_schema(self, schema: Any) -> Json:
        return _with_form(str(schema["name"]), super().dataclass_field_schema(schema))


def _with_form(name: str, schema: Json) -> Json:
    """A time is written in ISO 8601, which the type of the field does not say."""
    if not name.endswith(("_at", "_until")):
        return schema
    if schema.get("type") == "string":
        return {**schema, "format": "date-time"}
    return (
        {**schema, "anyOf": [_with_form(name, choice) for choice in schema["anyOf"]]} if "anyOf" in schema else schema
    )


def _operation(route: Route, routes: Sequence[Route], schemas: _Schemas) -> Json:
    summary, description = summary_of(route)
    operation: Json = {
        "operationId": operation_id(route, routes),
        "tags": [tag_of(route)],
        "summary": summary,
        "x-offhook-role": route.role.value,
    }
    if description:
        operation["description"] = description
    if route.scope is not None:
        operation["x-offhook-scope"] = route.scope.value
    if route.daemon_wide:
        operation["x-offhook-daemon-wide"] = True
    parameters = [*_path_parameters(route), *map(_query_parameter, route.query)]
    if route.matches:
        parameters.append(
            {
                "name": "If-Match",
                "in": "header",
                "description": "The ETag of what was read: where it has changed since, the answer is 412.",
                "schema": {"type": "string"},
            }
        )
    if parameters:
        operation["parameters"] = parameters
    if takes_body(route):
        operation["requestBody"] = {"required": True, "content": _content_taken(route, schemas)}
    operation["responses"] = _responses(route, routes, schemas)
    return operation


def takes_body(route: Route) -> bool:
    """Whether it has a body, of whatever type."""
    return route.takes is not None or route.takes_type != "application/json"


def _content_taken(route: Route, schemas: _Schemas) -> Json:
    schema = schemas.of(route.takes, "validation") if route.takes is not None else _TEXT
    types = [route.takes_type, *(["application/merge-patch+json"] if route.method == "PATCH" else [])]
    return {kind: {"schema": schema} for kind in types}


def _path_parameters(route: Route) -> list[Json]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": PATH_PARAMS[name],
            "schema": {"type": "string", "minLength": 1},
        }
        for name in re.findall(r"{(\w+)}", route.path)
    ]


def _query_parameter(param: Param) -> Json:
    described: Json = {"name": param.name, "in": "query", "description": param.about, "schema": _query_schema(param)}
    if param.required:
        described["required"] = True
    if param.role is not None:
        described["x-offhook-role"] = param.role.value
    if param.scope is not None:
        described["x-offhook-scope"] = param.scope.value
    return described


def _query_schema(param: Param) -> Json:
    schema: Json
    if param.type is bool:
        schema = {"type": "boolean"}
    elif param.type is int:
        schema = {"type": "integer", "minimum": 0}
        if param.most is not None:
            schema["maximum"] = param.most
        if param.name == "limit":
            schema = {**schema, "default": DEFAULT_LIMIT}
    elif issubclass(param.type, StrEnum):
        schema = {"type": "string", "enum": [member.value for member in param.type]}
    else:
        schema = {"type": "string", "maxLength": CURSOR_LENGTH if param.name == "cursor" else _TEXT_LENGTH}
    return {"type": "array", "items": schema} if param.repeats else schema


def _responses(route: Route, routes: Sequence[Route], schemas: _Schemas) -> Json:
    statuses = {int(route.status)}
    if DRY_RUN in route.query:
        statuses.add(int(HTTPStatus.OK))
    headers = ["X-Request-ID"]
    if route.matches or (route.method == "GET" and any(it.matches and it.path == route.path for it in routes)):
        headers.append("ETag")
    answer: Json = {
        "description": _first_line(route) or HTTPStatus(route.status).phrase,
        "headers": _refer_to_headers(headers),
        "content": _content_given(route, schemas),
    }
    found: Json = {str(status): answer for status in sorted(statuses)}
    found.update(
        {str(status): {"$ref": f"#/components/responses/{_FAILURES[status].name}"} for status in failures_of(route)}
    )
    return found


def failures_of(route: Route) -> list[int]:
    """The statuses of problems that a route may be answered with."""
    found = {401, 403, 422, 429, 503}
    if "{" in route.path or route.query or route.takes is not None:
        found |= {404, 409}
    if takes_body(route):
        found |= {400, 413, 415}
    if route.matches:
        found.add(412)
    return sorted(found)


def _first_line(route: Route) -> str:
    about = inspect.getdoc(route.gives) if route.gives is not None else ""
    return (about or "").partition("\n")[0]


def _content_given(route: Route, schemas: _Schemas) -> Json:
    if route.gives_type == _YAML:
        return {_YAML: {"schema": {}}}
    schema = schemas.of(route.gives, "serialization") if route.gives is not None else _TEXT
    return {route.gives_type: {"schema": schema}}


def _failed(failure: _Failure, schemas: _Schemas) -> Json:
    return {
        "description": failure.about,
        "headers": _refer_to_headers(["X-Request-ID", *failure.headers]),
        "content": {CONTENT_TYPE: {"schema": schemas.of(ProblemView, "serialization")}},
    }


def _refer_to_headers(names: Iterable[str]) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}

"""The page that describes the API to people: made from the same description that programs read, and served without a
token, since it holds nothing but what the API is.

It loads nothing from elsewhere and runs no script, and its Content-Security-Policy allows neither.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from offhook.admin.openapi import Json, describe_api
from offhook.admin.routes import ROOT, Route

PAGE: Final = f"{ROOT}/"
STYLE: Final = f"{ROOT}/reference.css"
#: Addresses that take no token.
PUBLIC: Final = frozenset({PAGE, STYLE})

_POLICY: Final = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_HEADERS: Final = {"Content-Security-Policy": _POLICY, "Referrer-Policy": "no-referrer"}
_SCHEMA: Final = "#/components/schemas/"


@dataclass(frozen=True, slots=True)
class Field:
    """A row of a table: a parameter, or a property."""

    name: str
    type: Markup
    about: Markup
    required: bool = False
    place: str = ""
    #: ``path``, ``query`` or ``header``.


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation as the page shows it."""

    id: str
    method: str
    path: str
    summary: Markup
    about: Markup
    needs: tuple[str, ...]
    #: Role, scope, and whether it is for tokens that reach all accounts.
    parameters: tuple[Field, ...]
    takes: Markup
    gives: tuple[tuple[str, Markup], ...]
    #: What it is answered with, by status.
    failures: str


@dataclass(frozen=True, slots=True)
class Group:
    """The operations of a kind."""

    name: str
    about: Markup
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Schema:
    """What a body or an answer consists of."""

    name: str
    about: Markup
    choices: tuple[str, ...]
    #: Of an enumeration.
    fields: tuple[Field, ...]


class Reference:
    """The page. It is made when somebody asks first, and kept."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = routes
        self._made: bytes | None = None
        self._style = (resources.files("offhook.admin") / "web" / "reference.css").read_bytes()
        self._turn = asyncio.Lock()

    def add_to(self, application: web.Application) -> None:
        """Serves it."""
        application.router.add_get(PAGE, self._page)
        application.router.add_get(STYLE, self._sheet)

    async def _page(self, _request: web.Request) -> web.Response:
        async with self._turn:
            if self._made is None:
                self._made = await asyncio.to_thread(lambda: render(describe_api(self._routes, "")).encode())
        return web.Response(body=self._made, content_type="text/html", charset="utf-8", headers=_HEADERS)

    async def _sheet(self, _request: web.Request) -> web.Response:
        return web.Response(body=self._style, content_type="text/css", charset="utf-8", headers=_HEADERS)


def render(description: Mapping[str, Any]) -> str:
    """The page for a description in OpenAPI."""
    environment = Environment(
        loader=PackageLoader("offhook.admin", "web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("reference.html.j2").render(
        root=ROOT,
        style=STYLE,
        about=_paragraphs(description["info"]["description"]),
        groups=tuple(_groups(description)),
        schemas=tuple(_schema(name, schema) for name, schema in sorted(description["components"]["schemas"].items())),
    )


def _groups(description: Mapping[str, Any]) -> Iterator[Group]:
    for tag in description["tags"]:
        operations = tuple(
            _operation(method, path, operation, description)
            for path, operations in sorted(description["paths"].items())
            for method, operation in operations.items()
            if tag["name"] in operation["tags"]
        )
        yield Group(tag["name"], _paragraphs(tag["description"]), operations)


def _operation(method: str, path: str, operation: Json, description: Mapping[str, Any]) -> Operation:
    content = operation.get("requestBody", {}).get("content", {})
    answers = {status: it for status, it in operation["responses"].items() if "$ref" not in it}
    failures = [
        f"{status} {it['$ref'].rpartition('/')[2]}" for status, it in operation["responses"].items() if "$ref" in it
    ]
    needs = [operation["x-offhook-role"], operation.get("x-offhook-scope", "")]
    needs += ["all accounts"] if operation.get("x-offhook-daemon-wide") else []
    return Operation(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=_inline(operation["summary"]),
        about=_paragraphs(operation.get("description", "")),
        needs=tuple(filter(None, needs)),
        parameters=tuple(map(_parameter, operation.get("parameters", ()))),
        takes=_content(content) if content else Markup(),
        gives=tuple((status, _content(it["content"])) for status, it in answers.items()),
        failures=", ".join(failures),
    )


def _parameter(parameter: Json) -> Field:
    more = [parameter.get("x-offhook-role"), parameter.get("x-offhook-scope")]
    about = _inline(parameter["description"])
    if any(more):
        about += _inline(f" Takes: {' + '.join(filter(None, more))}.")
    return Field(
        name=parameter["name"],
        type=_type(parameter["schema"]),
        about=about,
        required=parameter.get("required", False),
        place=parameter["in"],
    )


def _content(content: Mapping[str, Any]) -> Markup:
    """What it is, and its media type where that is not JSON."""
    kind, described = next(iter(content.items()))
    text = _type(described["schema"])
    return text if kind == "application/json" else Markup("{} <span class=media>{}</span>").format(text, kind)


def _schema(name: str, schema: Json) -> Schema:
    is_taken = schema.get("additionalProperties") is False
    # Everything in an answer is there, so that only of bodies it is worth saying.
    required = schema.get("required", ()) if is_taken else ()
    fields = (
        Field(name=field, type=_type(of), about=_inline(of.get("description", "")), required=field in required)
        for field, of in schema.get("properties", {}).items()
    )
    return Schema(name, _paragraphs(schema.get("description", "")), tuple(schema.get("enum", ())), tuple(fields))


def _type(schema: Json) -> Markup:
    """A type in words, with links to those that are described below."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(_SCHEMA)
        return Markup('<a href="#{0}">{0}</a>').format(name)
    if "anyOf" in schema:
        return Markup(" or ").join(dict.fromkeys(map(_type, schema["anyOf"])))
    match schema.get("type"):
        case "array":
            return Markup("list of {}").format(_type(schema.get("items", {})))
        case "object" if "additionalProperties" in schema and isinstance(schema["additionalProperties"], dict):
            return Markup("names with {}").format(_type(schema["additionalProperties"]))
        case "string" if "enum" in schema:
            return Markup(" | ").join(Markup("<code>{}</code>").format(choice) for choice in schema["enum"])
        case "string":
            return escape({"date-time": "time", "password": "secret text"}.get(schema.get("format", ""), "text"))
        case "integer":
            return escape(f"number, {schema['minimum']} to {schema['maximum']}" if "maximum" in schema else "number")
        case str(kind):
            return escape({"boolean": "true or false", "number": "number", "null": "null"}.get(kind, kind))
        case _:
            return escape("anything")


def _paragraphs(text: str) -> Markup:
    parts = [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]
    return Markup("\n").join(Markup("<p>{}</p>").format(_inline(part)) for part in parts)


def _inline(text: str) -> Markup:
    """``code`` and **weight**, as docstrings have them."""
    marked = re.sub(r"``(.+?)``|`(.+?)`", lambda match: f"<code>{match[1] or match[2]}</code>", str(escape(text)))
    marked = re.sub(r":(?:class|mod|meth|func|data):<code>~?(?:[\w.]*\.)?(\w+)</code>", r"<code>\1</code>", marked)
    return Markup(re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", marked))  # noqa: S704 - escaped above

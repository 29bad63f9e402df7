import re
from html.parser import HTMLParser
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from tests.support.admin_daemon import AdminDaemon, routes_of

from offhook.admin.openapi import describe_api
from offhook.admin.reference import PAGE, STYLE, render
from offhook.admin.routes import Call, Route
from offhook.store.tokens import Role

#: Elements that end themselves.
VOID = {"meta", "link"}


class Outline(HTMLParser):
    """What a page consists of; raises AssertionError where an element is not closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def values(self, attribute: str) -> list[str]:
        return [value for _, attrs in self.elements if (value := attrs.get(attribute)) is not None]


@pytest_asyncio.fixture
async def page(daemon: AdminDaemon) -> str:
    return render(describe_api(routes_of(daemon), ""))


async def test_it_takes_no_token_and_runs_nothing(daemon: AdminDaemon) -> None:
    async with aiohttp.ClientSession(daemon.url) as client:
        for path, kind in ((PAGE, "text/html"), (STYLE, "text/css")):
            async with client.get(path) as response:
                assert (response.status, response.content_type) == (200, kind)
                policy = response.headers["Content-Security-Policy"]
                assert "default-src 'none'" in policy
                assert "script" not in policy
                assert "unsafe" not in policy
                assert response.headers["X-Content-Type-Options"] == "nosniff"
                assert response.headers["Referrer-Policy"] == "no-referrer"
                assert response.headers["X-Request-ID"]
            async with client.post(path) as response:
                assert response.status == 405
            async with client.head(path) as response:
                assert response.status == 200


async def test_what_is_beside_it_takes_a_token(daemon: AdminDaemon) -> None:
    async with aiohttp.ClientSession(daemon.url) as client:
        for path in ("/api/v1", "/api/v1//", "/api/v1/reference.css/", "/API/V1/"):
            async with client.get(path, allow_redirects=False) as response:
                assert response.status == 401, path


async def test_other_sites_do_not_get_it(daemon: AdminDaemon) -> None:
    async with aiohttp.ClientSession(daemon.url) as client:
        for headers in ({"Host": "evil.test"}, {"Origin": "http://evil.test"}):
            async with client.get(PAGE, headers=headers) as response:
                assert response.status == 403


async def test_it_holds_nothing_but_the_api(daemon: AdminDaemon) -> None:
    async with aiohttp.ClientSession(daemon.url) as client, client.get(PAGE) as response:
        text = await response.text()
    for data in ("acme", "jsmith", "Reception", str(daemon.socket.parent), daemon.services.daemon.version):
        assert data not in text


async def test_it_shows_every_operation_and_every_schema(page: str, daemon: AdminDaemon) -> None:
    description = describe_api(routes_of(daemon), "")
    ids = set(Outline(page).values("id"))
    for path, operations in description["paths"].items():
        assert f'<span class="path">{path}</span>' in page
        for operation in operations.values():
            assert operation["operationId"] in ids
    assert description["components"]["schemas"].keys() <= ids


async def test_every_link_leads_to_a_place_in_it(page: str) -> None:
    outline = Outline(page)
    ids = outline.values("id")
    assert len(ids) == len(set(ids))
    links = outline.values("href")
    assert len(links) > 200
    for link in links:
        assert link == STYLE or link.removeprefix("#") in ids, link


async def test_nothing_is_loaded_from_elsewhere(page: str) -> None:
    outline = Outline(page)
    tags = {tag for tag, _ in outline.elements}
    assert not tags & {"script", "img", "iframe", "form", "style", "base"}
    assert not [name for _, attrs in outline.elements for name in attrs if name.startswith("on") or name == "style"]
    assert not re.search(r"https?://", page)


async def hostile(_call: Call) -> web.Response:
    """Show <script>alert(1)</script> and `<b>`.

    **Never** "quoted" & bare.
    """
    raise NotImplementedError


def test_texts_are_escaped_and_marked() -> None:
    route = Route(method="GET", path="/things", role=Role.VIEWER, handler=hostile, gives=dict[str, Any])
    page = render(describe_api([route], ""))
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; and <code>&lt;b&gt;</code>" in page
    assert "<strong>Never</strong> &#34;quoted&#34; &amp; bare." in page


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "string"}, "text"),
        ({"type": "string", "format": "date-time"}, "time"),
        ({"type": "string", "enum": ["a", "b"]}, "<code>a</code> | <code>b</code>"),
        ({"type": "integer", "minimum": 0, "maximum": 9}, "number, 0 to 9"),
        ({"type": "array", "items": {"$ref": "#/components/schemas/X"}}, 'list of <a href="#X">X</a>'),
        ({"anyOf": [{"type": "string"}, {"type": "string"}, {"type": "null"}]}, "text or null"),
        ({"type": "object", "additionalProperties": {"type": "boolean"}}, "names with true or false"),
        ({}, "anything"),
    ],
)
def test_types_are_told_in_words(schema: dict[str, Any], words: str) -> None:
    described = {
        "info": {"description": ""},
        "tags": [],
        "paths": {},
        "components": {"schemas": {"It": {"type": "object", "properties": {"field": schema}}, "X": {"type": "object"}}},
    }
    assert f'<td class="type">{words}</td>' in render(described)

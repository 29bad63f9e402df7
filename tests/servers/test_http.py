"""The HTTP server on a loopback port, over sockets that say exactly what a phone, or an attacker, would say."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network

import pytest
from structlog.testing import capture_logs
from tests.support.inventory import ACCOUNT_TOKEN, one_phone
from tests.support.peers import require_peer
from tests.support.provisioning import Desk, shipped

from offhook.events import ConfigFetched
from offhook.provisioning.answer import Answer, FileRequest
from offhook.provisioning.catalog import Catalog
from offhook.servers.http import HttpLimits, HttpServer

MINE = f"/p/{ACCOUNT_TOKEN}/001565123456.cfg"


class _Clock:
    def now(self) -> float:
        return 1000.0

    def monotonic(self) -> float:
        return 0.0


@dataclass
class Reply:
    """A response taken apart."""

    status: int
    headers: dict[str, str]
    body: bytes
    raw_headers: bytes = field(repr=False)


async def read_reply(reader: asyncio.StreamReader, *, head: bool = False) -> Reply:
    raw = await reader.readuntil(b"\r\n\r\n")
    first, *lines = raw.decode().rstrip("\r\n").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    status = int(first.split()[1])
    length = 0 if head or status == 304 else int(headers["content-length"])
    return Reply(status, headers, await reader.readexactly(length), raw)


@dataclass
class Bench:
    """A server and the desk behind it."""

    server: HttpServer
    desk: Desk
    port: int
    requests: list[FileRequest]

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield reader, writer
        finally:
            writer.close()
            await writer.wait_closed()

    async def say(self, *lines: str, body: bytes = b"") -> Reply:
        """One request on a connection of its own."""
        async with self.connect() as (reader, writer):
            writer.write("\r\n".join((*lines, "", "")).encode("latin-1") + body)
            return await read_reply(reader, head=lines[0].startswith("HEAD"))

    async def get(self, target: str, *headers: str) -> Reply:
        return await self.say(f"GET {target} HTTP/1.1", "Host: prov", *headers)


@asynccontextmanager
async def bench(limits: HttpLimits | None = None, desk: Desk | None = None) -> AsyncIterator[Bench]:
    used = desk or Desk(one_phone())
    requests: list[FileRequest] = []

    def answer(request: FileRequest, now: float) -> Answer:
        requests.append(request)
        return used.provisioner.answer(request, now)

    server = HttpServer(answer, _Clock(), limits)
    _, port = await server.listen("127.0.0.1", 0)
    try:
        yield Bench(server, used, port, requests)
    finally:
        await server.close()


async def test_get_gives_the_file_and_reports_it() -> None:
    async with bench() as http:
        reply = await http.get(MINE, "User-Agent: Yealink SIP-T46U 108.86.0.20 00:15:65:12:34:56")
        assert reply.status == 200
        assert b"account.1.password = Sesame234" in reply.body
        assert reply.headers["content-type"] == "text/plain; charset=utf-8"
        assert reply.headers["cache-control"] == "private, no-cache"
        [event] = http.desk.events
        assert isinstance(event, ConfigFetched)
        assert (event.source, event.protocol, event.model) == ("127.0.0.1", "http", "T46U")
        assert http.requests[0].local_port == http.port


async def test_url_in_the_file_is_where_the_request_arrived() -> None:
    async with bench() as http:
        reply = await http.get(MINE, "X-Forwarded-For: 10.1.1.1", "X-Forwarded-Host: evil.test")
        assert f"server.url = http://127.0.0.1:{http.port}/p/".encode() in reply.body


async def test_a_trusted_proxy_lends_nobody_its_place_in_the_lan() -> None:
    async with bench() as http:
        assert (await http.get(MINE)).status == 200
        http.server.trusted_proxies = (ip_network("127.0.0.0/8"),)
        assert (await http.get(MINE, "X-Forwarded-For: 198.51.100.4")).status == 404
        assert (await http.get(MINE, "X-Forwarded-For: 10.0.0.9, unknown")).status == 404
        reply = await http.get(MINE, "X-Forwarded-For: 198.51.100.4, 10.0.0.9", "X-Forwarded-Proto: https")
        assert reply.status == 200
        assert (http.requests[-1].source, http.requests[-1].protocol.value) == ("10.0.0.9", "https")


async def test_head_gives_headers_alone_and_is_no_fetch() -> None:
    async with bench() as http:
        whole = await http.get(MINE)
        http.desk.events.clear()
        async with http.connect() as (reader, writer):
            writer.write(f"HEAD {MINE} HTTP/1.1\r\nHost: prov\r\nConnection: close\r\n\r\n".encode())
            reply = await read_reply(reader, head=True)
            assert await reader.read() == b""
        assert reply.status == 200
        assert reply.headers["content-length"] == str(len(whole.body))
        assert reply.headers["etag"] == whole.headers["etag"]
        assert http.desk.events == []


async def test_head_of_nothing_has_the_length_of_the_refusal() -> None:
    async with bench() as http:
        reply = await http.say("HEAD /nothing HTTP/1.1", "Host: prov")
        assert (reply.status, reply.headers["content-length"]) == (404, "10")


async def test_http_1_0_without_host() -> None:
    async with bench() as http, http.connect() as (reader, writer):
        writer.write(f"GET {MINE} HTTP/1.0\r\n\r\n".encode())
        reply = await read_reply(reader)
        assert reply.status == 200
        assert int(reply.headers["content-length"]) == len(reply.body)
        assert await reader.read() == b""


async def test_http_1_0_may_keep_the_connection() -> None:
    async with bench() as http, http.connect() as (reader, writer):
        for _ in range(2):
            writer.write(f"GET {MINE} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n".encode())
            assert (await read_reply(reader)).status == 200


async def test_connection_serves_file_after_file() -> None:
    async with bench() as http, http.connect() as (reader, writer):
        for target, status in ((MINE, 200), ("/nothing", 404), (MINE, 200)):
            writer.write(f"GET {target} HTTP/1.1\r\nHost: prov\r\n\r\n".encode())
            assert (await read_reply(reader)).status == status
        assert http.server.connections == 1


async def test_requests_sent_ahead_are_answered_in_order() -> None:
    async with bench() as http, http.connect() as (reader, writer):
        writer.write(b"".join(f"GET {t} HTTP/1.1\r\nHost: h\r\n\r\n".encode() for t in (MINE, "/x", MINE)))
        assert [(await read_reply(reader)).status for _ in range(3)] == [200, 404, 200]


async def test_known_etag_is_not_modified_and_counts_as_fetched() -> None:
    async with bench() as http:
        etag = (await http.get(MINE)).headers["etag"]
        http.desk.events.clear()
        reply = await http.get(MINE, f"If-None-Match: {etag}")
        assert (reply.status, reply.body, reply.headers["etag"]) == (304, b"", etag)
        assert len(http.desk.events) == 1


REFUSED = [
    "/",
    "/001565123456.cfg",
    "/001565999999.cfg",
    f"/p/{'a' * 26}/001565123456.cfg",
    f"/p/{ACCOUNT_TOKEN}/001565999999.cfg",
    f"/p/{ACCOUNT_TOKEN}/001565123456.boot",
    f"/p/{ACCOUNT_TOKEN}/../../../../etc/passwd",
    f"/p/{ACCOUNT_TOKEN}/..%2f..%2fetc%2fpasswd",
    f"/p/{ACCOUNT_TOKEN}/%2e%2e/%2e%2e/001565123456.cfg",
    f"/p/{ACCOUNT_TOKEN}/%252e%252e/001565123456.cfg%00",
    f"/p/{ACCOUNT_TOKEN}/..\\..\\001565123456.cfg",
    f"/p/{ACCOUNT_TOKEN}/001565123456.cfg%00.txt",
    f"/p/{ACCOUNT_TOKEN}/%ff%fe",
    f"/p/{ACCOUNT_TOKEN}/%c0%ae%c0%ae/001565123456.cfg",
    f"/p/{ACCOUNT_TOKEN}/C:/001565123456.txt",
    f"/p/{ACCOUNT_TOKEN}/" + "a" * 600,
    f"/p/{ACCOUNT_TOKEN}/001565123456%252ecfg",
    "/%3Cscript%3Ealert(1)%3C/script%3E",
    "//etc/passwd",
    "/favicon.ico",
    "/?mac=001565123456",
    "ftp://prov/001565123456.cfg",
]


def _but_for_the_date(reply: Reply) -> bytes:
    return re.sub(rb"Date: [^\r]*", b"", reply.raw_headers) + reply.body


async def test_refusals_are_the_same_bytes() -> None:
    async with bench() as http:
        replies = {target: await http.get(target) for target in REFUSED}
        assert {target for target, reply in replies.items() if reply.status != 404} == set()
        assert len({_but_for_the_date(reply) for reply in replies.values()}) == 1
        reply = replies["/"]
        assert reply.body == b"not found\n"
        assert reply.headers["content-type"] == "text/plain; charset=utf-8"
        assert http.desk.events == []


@pytest.mark.parametrize(
    "target",
    [MINE.replace(".cfg", "%2Ecfg"), MINE + "?x=1", "http://prov:1" + MINE, "/some/folder" + MINE, MINE.upper()],
)
async def test_path_is_decoded_once_and_read_tolerantly(target: str) -> None:
    async with bench() as http:
        assert (await http.get(target)).status == 200


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "OPTIONS", "PATCH", "PROPFIND", "TRACE"])
async def test_other_methods_are_refused(method: str) -> None:
    async with bench() as http:
        reply = await http.say(f"{method} {MINE} HTTP/1.1", "Host: prov", "Content-Length: 4", body=b"body")
        assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD")
        assert http.requests == []


async def test_upload_beyond_the_bound_is_cut_off() -> None:
    async with bench(HttpLimits(body_bytes=1000)) as http, http.connect() as (reader, writer):
        writer.write(
            b"PUT /001565123456-local.cfg HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000000\r\n\r\n" + b"x" * 5000
        )
        reply = await read_reply(reader)
        assert reply.status == 405
        assert await reader.read() == b""


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03garbage\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /x HTTP/9.9\r\n\r\n",
        b"GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /x HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"GET /x HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n",
        b"GET /" + b"a" * 10_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /x HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 10_000 + b"\r\n\r\n",
        b"GET /x HTTP/1.1\r\nHost: a\r\n" + b"X: 1\r\n" * 200 + b"\r\n",
    ],
    ids=lambda text: repr(text[:20]),
)
async def test_what_is_no_request_is_refused_without_detail(request_bytes: bytes) -> None:
    async with bench() as http, http.connect() as (reader, writer):
        writer.write(request_bytes)
        reply = await read_reply(reader)
        assert (reply.status, reply.body) == (400, b"bad request\n")
        assert reply.headers["server"] == "offhook"
        assert await reader.read() == b""
        assert http.requests == []


@pytest.mark.parametrize("sent", [b"", b"GET /x HT", b"GET /x HTTP/1.1\r\nHost: a\r\nX-Slow: "])
async def test_request_that_never_ends_is_cut_off(sent: bytes) -> None:
    async with bench(HttpLimits(request_seconds=0.05)) as http, http.connect() as (reader, writer):
        writer.write(sent)
        assert await reader.read() == b""
        assert http.requests == []


async def test_idle_connection_is_closed() -> None:
    async with bench(HttpLimits(keepalive_seconds=0.05)) as http, http.connect() as (reader, writer):
        writer.write(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (await read_reply(reader)).status == 404
        assert await reader.read() == b""


async def test_connection_beyond_the_bound_is_closed_and_room_is_given_back() -> None:
    async with bench(HttpLimits(connections=2)) as http:
        async with http.connect() as (reader, writer), http.connect() as (second, second_writer):
            for one, other in ((reader, writer), (second, second_writer)):
                other.write(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
                await read_reply(one)
            async with http.connect() as (third, _):
                assert await third.read() == b""
        for _ in range(1000):
            if not http.server.connections:
                break
            await asyncio.sleep(0)
        assert (await http.get(MINE)).status == 200


async def test_no_answer_names_a_version() -> None:
    async with bench() as http:
        for reply in (await http.get(MINE), await http.get("/x"), await http.say("PUT /x HTTP/1.1", "Host: a")):
            assert reply.headers["server"] == "offhook"
            assert b"aiohttp" not in reply.raw_headers
            assert reply.headers["x-content-type-options"] == "nosniff"


async def test_failure_says_nothing_and_is_logged_once() -> None:
    def fail(request: FileRequest, now: float) -> Answer:
        raise RuntimeError("Sesame234")

    server = HttpServer(fail, _Clock())
    _, port = await server.listen("127.0.0.1", 0)
    try:
        with capture_logs() as logs:
            http = Bench(server, Desk(one_phone()), port, [])
            reply = await http.get(MINE)
        assert (reply.status, reply.body) == (500, b"try again later\n")
        assert b"Sesame" not in reply.raw_headers
        assert [entry["event"] for entry in logs] == ["http.request.failed"]
    finally:
        await server.close()


async def test_failed_render_is_an_error_without_content() -> None:
    desk = Desk(one_phone(), catalog=_without_templates())
    async with bench(desk=desk) as http:
        reply = await http.get(MINE)
        assert (reply.status, reply.body) == (500, b"try again later\n")


def _without_templates() -> Catalog:
    return Catalog(shipped().vendors.values(), {})


async def test_client_that_leaves_early_has_fetched_nothing_and_hurts_nobody() -> None:
    async with bench() as http:
        for _ in range(20):
            async with http.connect() as (_, writer):
                writer.write(f"GET {MINE} HTTP/1.1\r\nHo".encode())
        assert (await http.get("/x")).status == 404
        assert http.desk.events == []


async def test_close_lets_nobody_wait() -> None:
    async with bench() as http, http.connect() as (reader, writer):
        writer.write(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
        await read_reply(reader)
        await http.server.close()
        assert await reader.read() == b""
    assert http.server.connections == 0


async def test_ipv6() -> None:
    desk = Desk(one_phone())
    server = HttpServer(desk.provisioner.answer, _Clock())
    host, port = await server.listen("::1", 0)
    try:
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(f"GET /p/{ACCOUNT_TOKEN}/y000000000108.cfg HTTP/1.0\r\n\r\n".encode())
        assert (await read_reply(reader)).status == 200
        writer.close()
        await writer.wait_closed()
    finally:
        await server.close()


async def test_curl_fetches() -> None:
    curl = require_peer("curl")
    async with bench() as http:
        process = await asyncio.create_subprocess_exec(
            curl, "-sS", "--http1.0", "-A", "Yealink SIP-T46U 108.86.0.20 00:15:65:12:34:56", "-w", "%{http_code}",
            f"http://127.0.0.1:{http.port}{MINE}", stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        output, _ = await process.communicate()
        assert process.returncode == 0
        assert output.startswith(b"#!version:1.0.0.1\n")
        assert output.endswith(b"200")

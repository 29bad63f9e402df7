"""Provisioning over HTTP and HTTPS: GET and HEAD of files, nothing else.

The parser is aiohttp's; above it there is no framework, no route and no file of the machine. Every byte of an answer
is decided here: an unknown path, a refused one and a malformed one look the same. Phones ask in odd ways, so HTTP/1.0
without Host is served, Content-Length is always sent, and no answer is a redirect.
"""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import structlog
from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_request import BaseRequest

from offhook.clock import Clock
from offhook.provisioning.answer import Answer, AnswerStatus, FileRequest, Protocol
from offhook.servers.forwarded import Network, find_requester_address, was_secure

_NOT_FOUND: Final = b"not found\n"
_ERROR: Final = b"try again later\n"
_BAD_REQUEST: Final = b"bad request\n"
_NOT_ALLOWED: Final = b"only GET and HEAD\n"
_PLAIN: Final = "text/plain; charset=utf-8"
_HEADERS: Final = {"Server": "offhook", "X-Content-Type-Options": "nosniff"}
_BODY_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """What one server holds, and how long it waits."""

    connections: int = 2000
    #: One more is closed at once, unanswered.
    request_seconds: float = 10.0
    #: From the first byte awaited to the end of the headers; then the connection is closed, unanswered.
    keepalive_seconds: float = 15.0
    line_bytes: int = 4096
    headers: int = 64
    field_bytes: int = 4096
    body_bytes: int = 64 * 1024
    #: Of a body that nobody wants; then the connection is closed.
    shutdown_seconds: float = 5.0


class HttpServer:
    """Listens, and hands each request for a file to ``answer``."""

    def __init__(
        self,
        answer: Callable[[FileRequest, float], Answer],
        clock: Clock,
        limits: HttpLimits | None = None,
        trusted_proxies: Sequence[Network] = (),
    ) -> None:
        self._answer = answer
        self.trusted_proxies = trusted_proxies
        self._clock = clock
        self._limits = limits or HttpLimits()
        self._log = structlog.get_logger("offhook.servers.http")
        self._protocols: _Protocols | None = None
        self._listeners: list[asyncio.Server] = []

    def use(self, limits: HttpLimits, trusted_proxies: Sequence[Network]) -> None:
        """Takes other bounds and proxies, from the next connection on."""
        self._limits = limits
        self.trusted_proxies = trusted_proxies
        if self._protocols is not None:
            self._protocols.limits = limits

    @property
    def connections(self) -> int:
        """How many are open."""
        return self._protocols.open if self._protocols else 0

    async def listen(self, host: str, port: int, *, tls: ssl.SSLContext | None = None) -> tuple[str, int]:
        """Listens on an address of this machine and gives the address and port bound. Raises OSError."""
        if self._protocols is None:
            self._protocols = _Protocols(self._handle, self._limits)
        listener = await asyncio.get_running_loop().create_server(self._protocols, host, port, ssl=tls, backlog=1024)
        self._listeners.append(listener)
        bound = listener.sockets[0].getsockname()
        return bound[0], bound[1]

    async def close(self) -> None:
        """Stops listening, lets running answers end for a few seconds, and closes what is left."""
        for listener in self._listeners:
            listener.close()
        if self._protocols is not None:
            self._protocols.pre_shutdown()
            await self._protocols.shutdown(self._limits.shutdown_seconds)
        for listener in self._listeners:
            await listener.wait_closed()
        self._listeners.clear()

    async def _handle(self, request: BaseRequest) -> web.StreamResponse:
        protocol = request.protocol
        if isinstance(protocol, _Connection):
            protocol.request_complete()
        if request.method not in ("GET", "HEAD"):
            return await self._refuse_method(request)
        answer = self._find_answer(request)
        if answer is None:
            return await _send(request, _plain(HTTPStatus.NOT_FOUND, _NOT_FOUND))
        response = await _send(request, _response(answer))
        transport = request.transport
        if request.method == "GET" and transport is not None and not transport.is_closing():
            answer.on_delivered()
        return response

    def _find_answer(self, request: BaseRequest) -> Answer | None:
        """The answer of provisioning; None for a path that is no path."""
        path = _decode_path(request.raw_path)
        transport = request.transport
        if path is None or transport is None:
            return None
        peer, local = transport.get_extra_info("peername")[0], transport.get_extra_info("sockname")
        trusted = self.trusted_proxies
        source = find_requester_address(peer, request.headers.getall("X-Forwarded-For", []), trusted)
        if source is None:
            return None
        secure = transport.get_extra_info("sslcontext") is not None or was_secure(
            peer, request.headers.get("X-Forwarded-Proto", ""), trusted
        )
        try:
            return self._answer(
                FileRequest(
                    path=path,
                    protocol=Protocol.HTTPS if secure else Protocol.HTTP,
                    source=source,
                    local_address=local[0],
                    local_port=local[1],
                    user_agent=request.headers.get("User-Agent", ""),
                    if_none_match=request.headers.get("If-None-Match", ""),
                ),
                self._clock.now(),
            )
        except Exception:
            self._log.exception("http.request.failed", source=source)
            raise

    async def _refuse_method(self, request: BaseRequest) -> web.StreamResponse:
        """405. A small body is read first, so that the answer is not lost to a reset; then the connection ends."""
        left = self._limits.body_bytes
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                while left > 0 and (chunk := await request.content.readany()):
                    left -= len(chunk)
        except (TimeoutError, web.RequestPayloadError):
            left = 0
        response = _plain(HTTPStatus.METHOD_NOT_ALLOWED, _NOT_ALLOWED)
        response.headers["Allow"] = "GET, HEAD"
        response.force_close()
        return await _send(request, response)


class _Protocols(web.Server):
    """Makes a protocol for each connection, and counts them."""

    def __init__(self, handler: Callable[[BaseRequest], Any], limits: HttpLimits) -> None:
        super().__init__(handler)
        self.limits = limits
        self.open = 0

    def __call__(self) -> RequestHandler:
        return _Connection(self)


class _Connection(RequestHandler):
    """A connection with a deadline for each request and answers of our own to what cannot be parsed."""

    __slots__ = ("_counted", "_deadline", "_protocols")

    def __init__(self, protocols: _Protocols) -> None:
        limits = protocols.limits
        super().__init__(
            protocols,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=limits.keepalive_seconds,
            max_line_size=limits.line_bytes,
            max_headers=limits.headers,
            max_field_size=limits.field_bytes,
            lingering_time=0,
            access_log=None,  # type: ignore[arg-type] # it is tested for truth; our log line is the provisioner's
            auto_decompress=False,
        )
        self._protocols = protocols
        self._counted = False
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self._protocols.open >= self._protocols.limits.connections:
            self.force_close()
            return
        self._counted = True
        self._protocols.open += 1
        self._start_deadline()

    def connection_lost(self, exc: BaseException | None) -> None:
        self.request_complete()
        if self._counted:
            self._counted = False
            self._protocols.open -= 1
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._deadline is None:
            self._start_deadline()
        super().data_received(data)

    def request_complete(self) -> None:
        """The headers are there: what follows takes as long as it takes."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def handle_error(
        self, request: BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """Says nothing of what was wrong, and logs no traceback: what a stranger sends is no error of ours."""
        self.request_complete()
        failed = status >= HTTPStatus.INTERNAL_SERVER_ERROR
        response = _plain(
            HTTPStatus.INTERNAL_SERVER_ERROR if failed else HTTPStatus.BAD_REQUEST,
            _ERROR if failed else _BAD_REQUEST,
        )
        response.force_close()
        return response

    def _start_deadline(self) -> None:
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(self._protocols.limits.request_seconds, self.force_close)


def _decode_path(raw: str) -> str | None:
    """The path of a request target, decoded once (RFC 9112 §3.2.1, §3.2.2); None where it is none."""
    path = raw.partition("?")[0]
    if not path.startswith("/"):
        scheme, separator, rest = path.partition("://")
        if not separator or scheme.lower() not in ("http", "https"):
            return None
        path = "/" + rest.partition("/")[2]
    try:
        return unquote_to_bytes(path).decode()
    except UnicodeError:
        return None


def _response(answer: Answer) -> web.Response:
    match answer.status:
        case AnswerStatus.FOUND:
            response = web.Response(status=HTTPStatus.OK, body=answer.content)
            response.headers["Content-Type"] = answer.content_type
        case AnswerStatus.NOT_MODIFIED:
            response = web.Response(status=HTTPStatus.NOT_MODIFIED)
        case AnswerStatus.NOT_FOUND:
            return _plain(HTTPStatus.NOT_FOUND, _NOT_FOUND)
        case AnswerStatus.ERROR:
            return _plain(HTTPStatus.INTERNAL_SERVER_ERROR, _ERROR)
    response.headers.update(_HEADERS)
    response.headers["ETag"] = answer.etag
    # A phone may keep it and ask whether it still holds; what stands between may not: it can hold a password.
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _plain(status: HTTPStatus, body: bytes) -> web.Response:
    headers = {**_HEADERS, "Content-Type": _PLAIN, "Cache-Control": "no-store"}
    return web.Response(status=status, body=body, headers=headers)


async def _send(request: BaseRequest, response: web.Response) -> web.Response:
    """Writes the whole response, so that what comes after it knows that it was written."""
    await response.prepare(request)
    await response.write_eof()
    return response

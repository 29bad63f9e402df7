"""Fetches one file as a phone does: by HTTP/1.1 or by TFTP, over plain asyncio streams and datagrams."""

import asyncio
from typing import Final
from urllib.parse import unquote, urlsplit

from tests.support.phone.vendors import FetchedFile

from offhook.errors import TftpError
from offhook.tftp.codec import (
    Acknowledgement,
    Data,
    ErrorCode,
    ErrorPacket,
    OptionAcknowledgement,
    ReadRequest,
    format_packet,
    parse_packet,
)

MAX_FILE_BYTES: Final = 4 * 1024 * 1024
TIMEOUT_SECONDS: Final = 10.0
TFTP_RETRANSMIT_SECONDS: Final = 1.0

_BLOCK_OCTETS: Final = 512
_HEAD_BYTES: Final = 16 * 1024


async def fetch(url: str, user_agent: str, *, timeout_seconds: float = TIMEOUT_SECONDS) -> FetchedFile:
    """The file at ``url``; a status of None where no server gave a whole answer in time."""
    parts = urlsplit(url)
    try:
        async with asyncio.timeout(timeout_seconds):
            if parts.scheme == "http":
                target = parts.path + (f"?{parts.query}" if parts.query else "")
                return await _fetch_http(parts.hostname or "", parts.port or 80, target or "/", user_agent)
            if parts.scheme == "tftp":
                name = unquote(parts.path.removeprefix("/"))
                return await _fetch_tftp(parts.hostname or "", parts.port or 69, name)
    except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return FetchedFile(None)
    raise ValueError(f"{url!r} is neither http:// nor tftp://")


async def _fetch_http(host: str, port: int, target: str, user_agent: str) -> FetchedFile:
    reader, writer = await asyncio.open_connection(host, port, limit=_HEAD_BYTES)
    try:
        shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        request = (
            f"GET {target} HTTP/1.1\r\nHost: {shown}\r\nUser-Agent: {user_agent}\r\n"
            "Accept: */*\r\nConnection: close\r\n\r\n"
        )
        writer.write(request.encode())
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status_line, *lines = head.split("\r\n")
        fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        status = int(status_line.split(" ")[1])
        length = int(fields["content-length"]) if "content-length" in fields else None
        if length is not None and length > MAX_FILE_BYTES:
            raise ValueError(f"a file of {length} bytes is more than a phone takes")
        body = await (reader.readexactly(length) if length is not None else reader.read(MAX_FILE_BYTES))
        return FetchedFile(status, body)
    except IndexError:
        raise ValueError("not an HTTP response") from None
    finally:
        writer.close()


class _TftpRead(asyncio.DatagramProtocol):
    """One transfer in octet mode without options (RFC 1350); the answer's port is the server's identifier."""

    def __init__(self, server: tuple[str, int], name: str) -> None:
        self.result: asyncio.Future[FetchedFile] = asyncio.get_running_loop().create_future()
        self._server = server
        self._peer: tuple[str, int] | None = None
        self._name = name
        self._blocks: list[bytes] = []
        self._last = b""
        self._transport: asyncio.DatagramTransport | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]  # typeshed
        self._transport = transport
        self._send(format_packet(ReadRequest(self._name, "octet")))

    def datagram_received(self, data: bytes, source: tuple[str, int]) -> None:
        if self.result.done() or source[0] != self._server[0] or (self._peer is not None and source != self._peer):
            return
        try:
            packet = parse_packet(data)
        except TftpError as error:
            self._conclude(error)
            return
        self._peer = source
        match packet:
            case Data(block_number, payload) if block_number == (len(self._blocks) + 1) & 0xFFFF:
                self._blocks.append(payload)
                self._send(format_packet(Acknowledgement(block_number)))
                if len(payload) < _BLOCK_OCTETS:
                    self._conclude(FetchedFile(200, b"".join(self._blocks)))
                elif len(self._blocks) * _BLOCK_OCTETS > MAX_FILE_BYTES:
                    self._conclude(ValueError("the file is more than a phone takes"))
            case ErrorPacket(code):
                self._conclude(FetchedFile(404 if code == ErrorCode.FILE_NOT_FOUND else 500))
            case OptionAcknowledgement():
                self._conclude(ValueError("options were acknowledged that nobody asked for"))

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._transport.close()

    def _conclude(self, outcome: FetchedFile | Exception) -> None:
        if isinstance(outcome, Exception):
            self.result.set_exception(ValueError(str(outcome)))
        else:
            self.result.set_result(outcome)

    def _send(self, packet: bytes) -> None:
        """Sends, and again each second until an answer moves the transfer on."""
        self._last = packet
        self._send_last()

    def _send_last(self) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        self._transport.sendto(self._last, self._peer or self._server)
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(TFTP_RETRANSMIT_SECONDS, self._send_last)


async def _fetch_tftp(host: str, port: int, name: str) -> FetchedFile:
    family = "::" if ":" in host else "0.0.0.0"
    transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _TftpRead((host, port), name), local_addr=(family, 0)
    )
    try:
        return await protocol.result
    finally:
        protocol.stop()
        transport.close()

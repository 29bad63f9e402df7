"""A UDP socket read straight from the event loop, in batches; SIP and TFTP both stand on it.

asyncio's datagram transports read one datagram per wake and cannot say which local address a datagram was
sent to. Here one wake reads up to :data:`BATCH` datagrams, and a socket bound to a wildcard address learns
with IP_PKTINFO (IPv6: RFC 3542 §6) which address was asked, so that the answer can leave from it: phones and
firewalls drop answers that come from another one.

Addresses are ``(host, port)`` with a numeric host; a link-local IPv6 host carries its zone as a number,
``fe80::1%2`` (RFC 4007 §11).
"""

import asyncio
import errno
import socket
import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import structlog

Address = tuple[str, int]
DatagramCallback = Callable[[bytes, Address, Address], None]
#: Called with data, source, and the local address that it was sent to.

BATCH: Final = 64
#: Datagrams read per wake; then other sockets and timers have their turn.

RECEIVE_BUFFER_BYTES: Final = 4 * 1024 * 1024
#: Asked for; the kernel grants at most net.core.rmem_max.

MAX_DATAGRAM_BYTES: Final = 16 * 1024
MAX_QUEUED_SENDS: Final = 256

# Linux numbers that Python's socket module does not have in 3.11: <linux/in.h>, <linux/in6.h>.
_IP_PKTINFO: Final = 8
_IP_RECVERR: Final = 11
_IPV6_RECVERR: Final = 25

_IN_PKTINFO: Final = struct.Struct("@i4s4s")
#: Interface, local address (the source to answer from), destination in the header.
_IN6_PKTINFO: Final = struct.Struct("@16sI")
_ANCILLARY_BYTES: Final = socket.CMSG_SPACE(_IN6_PKTINFO.size)

_log = structlog.get_logger()


@dataclass(slots=True)
class DatagramCounters:
    """What happened on a socket since it was opened."""

    received: int = 0
    oversize: int = 0
    #: Longer than the limit, and dropped.
    sent: int = 0
    send_dropped: int = 0
    #: The socket would block and the queue was full, or it was closed already.
    errors: int = 0
    #: Reported by the kernel: ICMP errors, no route, address gone.


def bind_datagram_socket(host: str, port: int) -> socket.socket:
    """A non-blocking UDP socket on a numeric address; IPv6 sockets take IPv6 alone.

    :raises OSError: the address is not this machine's, or the port is taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(_to_sockaddr(family, (host, port)))
    except BaseException:
        sock.close()
        raise
    return sock


class DatagramSocket:
    """Owns a bound UDP socket, calls back with what it receives, and sends.

    Errors that ICMP reports (a phone that is gone) never end it. With ``on_error`` the kernel is asked to tell
    whom each of them was about (IP_RECVERR), and the callback gets that destination.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sock: socket.socket,
        on_datagram: DatagramCallback,
        *,
        on_error: Callable[[Address], None] | None = None,
        receive_buffer_bytes: int = 0,
        max_datagram_bytes: int = MAX_DATAGRAM_BYTES,
        max_queued_sends: int = MAX_QUEUED_SENDS,
    ) -> None:
        """Takes over ``sock``. ``receive_buffer_bytes`` 0 leaves the system's default."""
        self.counters = DatagramCounters()
        self._loop = loop
        self._socket = sock
        self._family = sock.family
        self._on_datagram = on_datagram
        self._on_error = on_error
        self.max_datagram_bytes = max_datagram_bytes
        self._max_queued_sends = max_queued_sends
        self._queue: deque[tuple[bytes, Address, Address | None]] = deque()
        self._closed = False
        self._rearm = False

        sock.setblocking(False)
        self.local: Final = _from_sockaddr(sock.getsockname())
        #: Where it is bound; the host is a wildcard where it listens on all.
        self._wildcard = self.local[0] in ("0.0.0.0", "::")  # noqa: S104 - compared with, not bound to
        if self._wildcard:
            if self._family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
            else:
                sock.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        if on_error is not None:
            if self._family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
            else:
                sock.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
        if receive_buffer_bytes:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
            granted = sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2  # Linux reports twice of it
            _log.info(
                "socket.receive_buffer.granted",
                local=self.local,
                requested_bytes=receive_buffer_bytes,
                granted_bytes=granted,
            )
        self._receive = self._receive_with_local if self._wildcard else self._receive_plain
        loop.add_reader(sock, self._read)

    def send(self, data: bytes, destination: Address, local: Address | None = None) -> None:
        """Sends from ``local`` where the socket is bound to a wildcard, else from where it is bound.

        Never raises and never waits: what the kernel refuses is counted, and what it cannot take at the moment
        is queued, up to a bound, then dropped and counted.
        """
        if self._closed:
            self.counters.send_dropped += 1
        elif self._queue:
            self._enqueue(data, destination, local)
        elif not self._try_send(data, destination, local):
            self._enqueue(data, destination, local)
            self._loop.add_writer(self._socket, self._flush)

    def close(self) -> None:
        """Stops reading, forgets what is queued, and frees the port. Closing twice is allowed."""
        if self._closed:
            return
        self._closed = True
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self.counters.send_dropped += len(self._queue)
        self._queue.clear()
        self._socket.close()

    # -- receiving

    def _read(self) -> None:
        counters = self.counters
        for _ in range(BATCH):
            try:
                data, source, local = self._receive()
            except (BlockingIOError, InterruptedError):
                break
            except OSError:
                self._take_errors()
                continue
            counters.received += 1
            if len(data) > self.max_datagram_bytes:
                counters.oversize += 1
                continue
            self._on_datagram(data, source, local)
            if self._closed:
                return
        if self._rearm and not self._closed:
            # libuv stops polling a socket whose error queue was not empty (POLLERR); asyncio does not.
            self._rearm = False
            self._loop.remove_reader(self._socket)
            self._loop.add_reader(self._socket, self._read)

    def _receive_plain(self) -> tuple[bytes, Address, Address]:
        data, sockaddr = self._socket.recvfrom(self.max_datagram_bytes + 1)
        return data, _from_sockaddr(sockaddr), self.local

    def _receive_with_local(self) -> tuple[bytes, Address, Address]:
        data, ancillary, _, sockaddr = self._socket.recvmsg(self.max_datagram_bytes + 1, _ANCILLARY_BYTES)
        host, port = self.local
        for level, kind, value in ancillary:
            if level == socket.IPPROTO_IP and kind == _IP_PKTINFO:
                host = socket.inet_ntoa(_IN_PKTINFO.unpack(value)[1])
            elif level == socket.IPPROTO_IPV6 and kind == socket.IPV6_PKTINFO:
                packed, interface = _IN6_PKTINFO.unpack(value)
                host = socket.inet_ntop(socket.AF_INET6, packed)
                if host.startswith("fe80:"):
                    host = f"{host}%{interface}"
        return data, _from_sockaddr(sockaddr), (host, port)

    def _take_errors(self) -> None:
        """Counts a pending error and, where asked to, tells whom it was about."""
        self.counters.errors += 1
        if self._on_error is None:
            return
        self._rearm = True
        for _ in range(BATCH):
            if self._closed:
                return
            try:
                destination = self._socket.recvmsg(0, 0, socket.MSG_ERRQUEUE)[3]
            except OSError:
                return
            self._on_error(_from_sockaddr(destination))

    # -- sending

    def _try_send(self, data: bytes, destination: Address, local: Address | None) -> bool:
        """False where the socket would block."""
        for _ in range(2):
            try:
                if self._wildcard and local is not None:
                    self._socket.sendmsg([data], [self._source_from(local)], 0, _to_sockaddr(self._family, destination))
                else:
                    self._socket.sendto(data, _to_sockaddr(self._family, destination))
            except (BlockingIOError, InterruptedError):
                return False
            except OSError as error:
                self._take_errors()
                if error.errno != errno.ECONNREFUSED:
                    return True
                continue  # that error was an earlier datagram's; this one has not been tried
            else:
                self.counters.sent += 1
            return True
        return True

    def _source_from(self, local: Address) -> tuple[int, int, bytes]:
        host, _, zone = local[0].partition("%")
        if self._family == socket.AF_INET6:
            packed = _IN6_PKTINFO.pack(socket.inet_pton(socket.AF_INET6, host), int(zone or 0))
            return socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, packed
        return socket.IPPROTO_IP, _IP_PKTINFO, _IN_PKTINFO.pack(0, socket.inet_aton(host), bytes(4))

    def _enqueue(self, data: bytes, destination: Address, local: Address | None) -> None:
        if len(self._queue) >= self._max_queued_sends:
            self.counters.send_dropped += 1
        else:
            self._queue.append((data, destination, local))

    def _flush(self) -> None:
        while self._queue:
            if not self._try_send(*self._queue[0]):
                return
            if self._closed:
                return
            self._queue.popleft()
        self._loop.remove_writer(self._socket)


def _from_sockaddr(sockaddr: Any) -> Address:
    if len(sockaddr) == 4 and sockaddr[3]:
        return f"{sockaddr[0]}%{sockaddr[3]}", sockaddr[1]
    return sockaddr[0], sockaddr[1]


def _to_sockaddr(family: int, address: Address) -> tuple[str, int] | tuple[str, int, int, int]:
    if family == socket.AF_INET:
        return address
    host, _, zone = address[0].partition("%")
    if not zone:
        return address
    return host, address[1], 0, int(zone) if zone.isdigit() else socket.if_nametoindex(zone)

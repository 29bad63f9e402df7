"""The SIP server: sockets and timers around the registrar, and the way back to the phones.

A request is parsed, judged by the registrar, and answered where it came from. Three kinds of answer differ in when
they leave: at once; when the change that they acknowledge is on disk; never. An answer to somebody who has proved who
he is is kept for his retransmissions; before that nothing is remembered.
"""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Final

import structlog

from offhook.clock import Clock
from offhook.endpoint import HostPort, Transport
from offhook.errors import SipError, StoreError
from offhook.events import EventBus, InventoryChanged
from offhook.observability.repeats import Repeats
from offhook.registrar.answers import Answer, Proposal, Silence
from offhook.registrar.ports import Address, BindingStore, Flow
from offhook.registrar.requests import Registrar
from offhook.servers.datagram import RECEIVE_BUFFER_BYTES, DatagramSocket, bind_datagram_socket
from offhook.servers.sip_client import ClientTransactions
from offhook.servers.sip_commits import BindingCommits
from offhook.servers.sip_observer import EventReporter, SipObserver, Unobserved
from offhook.servers.stream import StreamConnection, StreamLimits
from offhook.sip.framing import FramingError
from offhook.sip.message import Request, Response
from offhook.sip.parser import MalformedRequest, parse_message
from offhook.sip.transactions import PENDING, ServerTransactions, transaction_key

_BACKLOG: Final = 1024
#: Connections that the kernel holds for us: all phones of a site come back at once.
_KEEP_ALIVE: Final = b"\r\n\0 "

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class SipLimits:
    """Bounds of the server. What is over them is answered 503, or dropped where nothing can be answered."""

    streams: StreamLimits = field(default_factory=StreamLimits)
    datagram_bytes: int = 16_384
    #: A longer one is dropped.
    kept_answers: int = 65_536
    #: For retransmissions; over it the oldest is forgotten.
    client_transactions: int = 4096
    backlog_seconds: float = 0.2
    #: REGISTERs are refused while the disk is further behind than that.
    retry_after_seconds: tuple[int, int] = (5, 30)
    #: Drawn anew for each 503, so that phones do not all come back at once.
    sweep_seconds: float = 30.0
    swept_bindings: int = 1000
    #: At each sweep; the rest waits for the next.


class SipServer:
    """Serves the registrar on every address that it is told to listen on.

    It owns the life of bindings: it commits what the registrar proposes, sweeps what has expired, follows changes of
    the inventory, and marks the bindings of a lost connection.
    """

    def __init__(
        self,
        registrar: Registrar,
        store: BindingStore,
        bus: EventBus,
        clock: Clock,
        *,
        advertise: HostPort | None = None,
        limits: SipLimits | None = None,
        observer: SipObserver | None = None,
    ) -> None:
        """``advertise`` is how our own requests name us; None for the address that the phone has sent to."""
        self._registrar = registrar
        self._bindings = registrar.bindings
        self._clock = clock
        self._limits = limits or SipLimits()
        self._observer = observer or Unobserved()
        self._reporter = EventReporter(bus, self._observer)
        self._commits = BindingCommits(
            registrar,
            store,
            self._reporter,
            clock,
            is_open=lambda connection: connection in self._connections,
            sweep_limit=self._limits.swept_bindings,
        )
        self._answers = ServerTransactions(self._limits.kept_answers)
        self._client = ClientTransactions(self._send, advertise, self._limits.client_transactions)
        self._sockets: list[DatagramSocket] = []
        self._listeners: list[asyncio.Server] = []
        self._connections: dict[int, StreamConnection] = {}
        self._connections_of: Counter[str] = Counter()
        self._last_connection = 0
        self._sweep_timer: asyncio.TimerHandle | None = None
        self._is_closing = False
        self._repeats = Repeats()
        bus.subscribe(InventoryChanged, lambda event: self.reconcile(event.device_ids, event.revoked))

    def use(self, limits: SipLimits, advertise: HostPort | None) -> None:
        """Takes other bounds and another name, from the next message and connection on."""
        self._limits = limits
        self._answers.capacity = limits.kept_answers
        self._client.use(advertise, limits.client_transactions)
        for datagrams in self._sockets:
            datagrams.max_datagram_bytes = limits.datagram_bytes

    # -- listening ------------------------------------------------------------------------------------------------

    def listen_udp(self, host: str, port: int) -> Address:
        """Listens on a numeric address, and tells where; port 0 takes a free one.

        Raises:
            OSError: the address is not this machine's, or the port is taken.
        """

        def on_datagram(data: bytes, source: Address, local: Address) -> None:
            self._receive(data, Flow(Transport.UDP, source, local))

        datagrams = DatagramSocket(
            asyncio.get_running_loop(),
            bind_datagram_socket(host, port),
            on_datagram,
            on_error=self._client.destination_failed,
            receive_buffer_bytes=RECEIVE_BUFFER_BYTES,
            max_datagram_bytes=self._limits.datagram_bytes,
        )
        self._sockets.append(datagrams)
        self._start_sweeping()
        return datagrams.local

    async def listen_tcp(self, host: str, port: int) -> Address:
        """Listens for TCP connections on a numeric address, and tells where; port 0 takes a free one.

        Raises:
            OSError: the address is not this machine's, or the port is taken.
        """
        loop = asyncio.get_running_loop()
        self._listeners.append(
            await loop.create_server(self._new_connection, host, port, reuse_address=True, backlog=_BACKLOG)
        )
        self._start_sweeping()
        address: Address = self._listeners[-1].sockets[0].getsockname()[:2]
        return address

    async def close(self, grace_seconds: float = 5.0) -> None:
        """Takes nothing more, answers what is being committed as far as the grace allows, and closes."""
        self._is_closing = True
        if self._sweep_timer is not None:
            self._sweep_timer.cancel()
        for listener in self._listeners:
            listener.close()
        await self._commits.wait_settled(grace_seconds)
        self._client.close()
        for connection in tuple(self._connections.values()):
            connection.close()
        for datagrams in self._sockets:
            datagrams.close()

    # -- our own requests -----------------------------------------------------------------------------------------

    async def request(self, request: Request, flow: Flow) -> Response:
        """Sends a request without Via down a binding's flow, and gives the final response.

        Its status is 408 where none came, and 503 where the flow is gone.
        """
        return await self._client.request(request, flow)

    def sent_by(self, flow: Flow) -> HostPort:
        """The address under which a phone on that flow knows us, for a Contact."""
        return self._client.sent_by(flow)

    # -- upkeep ---------------------------------------------------------------------------------------------------

    def reconcile(self, device_ids: Iterable[int] | None = None, revoked: Iterable[int] = ()) -> None:
        """Brings bindings in line with the inventory: those of some devices, or all, as at start."""
        self._commits.reconcile(device_ids, revoked)

    def sweep(self) -> None:
        """Removes what has expired; also done every :attr:`SipLimits.sweep_seconds` while something listens."""
        self._commits.sweep()

    def _start_sweeping(self) -> None:
        if self._sweep_timer is None:
            self._schedule_sweep()

    def _schedule_sweep(self) -> None:
        def run() -> None:
            self._schedule_sweep()
            self.sweep()

        self._sweep_timer = asyncio.get_running_loop().call_later(self._limits.sweep_seconds, run)

    # -- from the wire --------------------------------------------------------------------------------------------

    def _receive(self, data: bytes, flow: Flow) -> None:
        if self._is_closing or not data.strip(_KEEP_ALIVE):
            return
        try:
            message = parse_message(data, max_bytes=max(len(data), 1))
        except MalformedRequest as error:
            self._observer.sip_parse_error(flow.transport)
            self._refuse_malformed(error, flow)
            return
        except SipError:
            self._observer.sip_parse_error(flow.transport)
            self._drop(flow, "malformed")
            return
        if isinstance(message, Response):
            if not self._client.receive(message):
                self._drop(flow, "stray response")
            return
        try:
            self._receive_request(message, flow)
        except Exception:
            _log.exception("sip.request.failed", method=message.method, source=str(flow))
            self._answer_status(message, flow, 500)

    def _receive_request(self, request: Request, flow: Flow) -> None:
        self._observer.sip_request(request.method, flow.transport)
        arrived_at = self._clock.monotonic()
        key: Hashable = None
        if request.method == "REGISTER":
            key = _retransmission_key(request, flow)
            kept = self._answers.find(key) if key is not None else None
            if kept is PENDING:
                return
            if kept is not None:
                self._send(kept, flow)
                return
            if self._commits.backlog_seconds > self._limits.backlog_seconds:
                self._answer_unavailable(request, flow)
                return
        outcome = self._registrar.handle(request, flow, self._clock.now())
        match outcome:
            case Answer():
                self._send_answer(request, flow, outcome.response, outcome.status, arrived_at)
                if outcome.is_authenticated and key is not None:
                    self._answers.finish(key, outcome.response, arrived_at)
                if outcome.is_stale:
                    self._observer.nonce_stale()
                self._reporter.publish(outcome.events)
            case Proposal():
                if key is not None:
                    self._answers.begin(key, arrived_at)
                self._commit(outcome, request, flow, key, arrived_at)
            case Silence():
                if outcome.reason != "ack":
                    self._drop(flow, outcome.reason)
        self._answers.expire(arrived_at)

    def _refuse_malformed(self, error: MalformedRequest, flow: Flow) -> None:
        if error.request is None or error.request.method == "ACK":
            self._drop(flow, error.reason)
        else:
            self._answer_status(error.request, flow, error.status, error.reason)

    def _drop(self, flow: Flow, reason: str) -> None:
        _log.debug("sip.message.dropped", source=str(flow), transport=flow.transport, reason=reason)
        if not flow.is_stream:
            self._observer.udp_dropped("sip")

    # -- to the wire ----------------------------------------------------------------------------------------------

    def _send(self, data: bytes, flow: Flow) -> bool:
        """Sends to where a flow came from, and nowhere else; False where the flow is gone."""
        if flow.is_stream:
            connection = self._connections.get(flow.connection)
            return connection is not None and connection.send(data)
        datagrams = self._find_socket(flow.local)
        if datagrams is None:
            return False
        datagrams.send(data, flow.source, flow.local)
        return True

    def _find_socket(self, local: Address) -> DatagramSocket | None:
        wildcard = ("::" if ":" in local[0] else "0.0.0.0", local[1])  # noqa: S104 - compared with, not bound to
        for datagrams in self._sockets:
            if datagrams.local in (local, wildcard):
                return datagrams
        return None

    def _send_answer(self, request: Request, flow: Flow, data: bytes, status: int, arrived_at: float) -> None:
        self._send(data, flow)
        self._observer.sip_response(request.method, status)
        if request.method == "REGISTER":
            self._observer.register_answered(self._clock.monotonic() - arrived_at)

    def _answer_status(
        self,
        request: Request,
        flow: Flow,
        status: int,
        reason: str | None = None,
        headers: Iterable[tuple[str, str]] = (),
    ) -> None:
        try:
            answer = self._registrar.answer(request, flow, status, reason, headers)
        except SipError as error:
            self._drop(flow, error.reason)
            return
        self._send(answer.response, flow)
        self._observer.sip_response(request.method, status)

    def _answer_unavailable(self, request: Request, flow: Flow) -> None:
        retry_after = random.randint(*self._limits.retry_after_seconds)  # noqa: S311 - spreads load, guards nothing
        self._answer_status(request, flow, 503, headers=[("Retry-After", str(retry_after))])

    # -- commits --------------------------------------------------------------------------------------------------

    def _commit(self, proposal: Proposal, request: Request, flow: Flow, key: Hashable, arrived_at: float) -> None:
        def settle(error: StoreError | None) -> None:
            if error is not None:
                if key is not None:
                    self._answers.forget(key)
                self._answer_unavailable(request, flow)
                return
            if key is not None:
                self._answers.finish(key, proposal.response, self._clock.monotonic())
            self._send_answer(request, flow, proposal.response, 200, arrived_at)

        self._commits.submit(proposal, settle)

    # -- connections (StreamOwner) --------------------------------------------------------------------------------

    def _new_connection(self) -> StreamConnection:
        self._last_connection += 1
        return StreamConnection(self, self._last_connection, self._limits.streams, Transport.TCP)

    def connection_opened(self, connection: StreamConnection) -> bool:
        """Lets a connection in, unless there are too many, of all or of one source."""
        source = connection.flow.source[0]
        limits = self._limits.streams
        if (
            self._is_closing
            or len(self._connections) >= limits.connections
            or self._connections_of[source] >= limits.connections_per_source
        ):
            self._repeats.log(
                _log,
                logging.WARNING,
                "sip.connection.refused",
                (source,),
                self._clock.monotonic(),
                source=source,
                connections=len(self._connections),
            )
            return False
        self._connections[connection.flow.connection] = connection
        self._connections_of[source] += 1
        self._observer.tcp_connection_opened("sip")
        return True

    def connection_closed(self, connection: StreamConnection) -> None:
        """Marks the bindings that hung on it, and fails the requests that went down it."""
        flow = connection.flow
        del self._connections[flow.connection]
        self._connections_of[flow.source[0]] -= 1
        if not self._connections_of[flow.source[0]]:
            del self._connections_of[flow.source[0]]
        self._observer.tcp_connection_closed("sip")
        self._client.connection_lost(flow.connection)
        for binding in self._bindings.connection_lost(flow.connection):
            _log.info("sip.binding.unreachable", aor=binding.aor, source=str(flow))

    def message_received(self, data: bytes, flow: Flow) -> None:
        """One message of a stream."""
        self._receive(data, flow)

    def framing_failed(self, error: FramingError, flow: Flow) -> None:
        """Answers a message whose end cannot be told, where its head says whom to answer."""
        self._observer.sip_parse_error(flow.transport)
        try:
            message: Request | Response | None = parse_message(error.head)
        except MalformedRequest as malformed:
            message = malformed.request
        except SipError:
            message = None
        if isinstance(message, Request) and message.method != "ACK":
            self._answer_status(message, flow, error.status, error.reason)
        else:
            self._drop(flow, error.reason)

    def is_needed(self, connection: StreamConnection) -> bool:
        """Whether a binding hangs on an idle connection (RFC 5626 §4)."""
        return self._bindings.has_connection(connection.flow.connection)


def _retransmission_key(request: Request, flow: Flow) -> Hashable:
    """What is equal for a REGISTER and its retransmissions alone; None where it cannot be told.

    Source, Call-ID and CSeq count beside what RFC 3261 §17.2.3 asks for: a phone that uses one branch for two
    requests gets two answers, and nobody gets an answer by guessing another's branch.
    """
    try:
        return flow.transport, flow.source, flow.connection, transaction_key(request), request.call_id, request.cseq
    except SipError:
        return None

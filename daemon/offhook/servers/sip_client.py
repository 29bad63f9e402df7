"""Our own requests to phones: they go down the flow that the phone has registered on, and nowhere else."""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from offhook.endpoint import HostPort
from offhook.errors import SipError
from offhook.registrar.ports import Address, Flow
from offhook.sip.headers import Via
from offhook.sip.message import Headers, Request, Response
from offhook.sip.status import reason_phrase
from offhook.sip.transactions import MAGIC_COOKIE, ClientEvent, ClientTransaction, Completed, Send

_BRANCH_BYTES: Final = 12


@dataclass(slots=True, eq=False)
class _Running:
    transaction: ClientTransaction
    flow: Flow
    result: asyncio.Future[Response]
    timer: asyncio.TimerHandle | None = None


class ClientTransactions:
    """Requests that wait for their final response, up to ``capacity`` of them."""

    def __init__(self, send: Callable[[bytes, Flow], bool], advertise: HostPort | None, capacity: int) -> None:
        """``send`` says False where the flow is gone."""
        self._send = send
        self._advertise = advertise
        self._capacity = capacity
        self._running: dict[str, _Running] = {}

    def __len__(self) -> int:
        return len(self._running)

    def use(self, advertise: HostPort | None, capacity: int) -> None:
        """Takes another name and bound, from the next request on."""
        self._advertise = advertise
        self._capacity = capacity

    def sent_by(self, flow: Flow) -> HostPort:
        """The address under which a phone on that flow knows us."""
        host, port = flow.local
        if self._advertise is not None:
            return HostPort(self._advertise.host, self._advertise.port or port)
        return HostPort(host.partition("%")[0], port)

    async def request(self, request: Request, flow: Flow) -> Response:
        """Sends a request and gives its final response.

        The Via is added here, and Max-Forwards where it is missing. Where no response comes the result is a 408,
        and where the request cannot be sent or the flow breaks a 503 (RFC 3261 §8.1.3.1).
        """
        if len(self._running) >= self._capacity:
            return _local_response(503)
        loop = asyncio.get_running_loop()
        branch = f"{MAGIC_COOKIE}{secrets.token_hex(_BRANCH_BYTES)}"
        octets = self._with_via(request, flow, branch).format()
        transaction = ClientTransaction(octets, branch, request.method, reliable=flow.is_stream)
        running = _Running(transaction, flow, loop.create_future())
        self._running[branch] = running
        try:
            self._take(running, transaction.start(loop.time()))
            return await running.result
        finally:
            self._running.pop(branch, None)
            if running.timer is not None:
                running.timer.cancel()

    def receive(self, response: Response) -> bool:
        """Takes a response from the wire; False where it belongs to none of ours."""
        try:
            running = self._running.get(response.top_via.branch or "")
            if running is None or not running.transaction.matches(response):
                return False
        except SipError:
            return False
        self._take(running, running.transaction.receive(response, asyncio.get_running_loop().time()))
        return True

    def destination_failed(self, destination: Address) -> None:
        """ICMP says that nothing is there."""
        self._fail(lambda flow: not flow.is_stream and flow.source == destination)

    def connection_lost(self, connection: int) -> None:
        """A stream is gone, and with it whatever waits for a response on it."""
        self._fail(lambda flow: flow.connection == connection)

    def close(self) -> None:
        """Fails everything that still waits."""
        self._fail(lambda _: True)

    def _fail(self, concerns: Callable[[Flow], bool]) -> None:
        now = asyncio.get_running_loop().time()
        for running in [running for running in self._running.values() if concerns(running.flow)]:
            self._take(running, running.transaction.transport_failed(now))

    def _take(self, running: _Running, events: list[ClientEvent]) -> None:
        loop = asyncio.get_running_loop()
        for event in events:
            match event:
                case Send():
                    if not self._send(event.data, running.flow):
                        self._take(running, running.transaction.transport_failed(loop.time()))
                        return
                case Completed():
                    if not running.result.done():
                        running.result.set_result(event.response or _local_response(event.status))
                case _:
                    pass
        if running.timer is not None:
            running.timer.cancel()
        due = None if running.result.done() else running.transaction.next_timer()
        if due is not None:
            running.timer = loop.call_at(due, self._expire, running)

    def _expire(self, running: _Running) -> None:
        now = max(asyncio.get_running_loop().time(), running.transaction.next_timer() or 0.0)
        self._take(running, running.transaction.handle_timer(now))

    def _with_via(self, request: Request, flow: Flow, branch: str) -> Request:
        sent_by = self.sent_by(flow)
        via = Via(flow.transport.upper(), sent_by.host, sent_by.port, (("rport", None), ("branch", branch)))
        headers = Headers([("Via", str(via))])
        if "Max-Forwards" not in request.headers:
            headers.add("Max-Forwards", "70")
        for name, value in request.headers:
            headers.add(name, value)
        return Request(request.method, request.uri, headers, request.body)


def _local_response(status: int) -> Response:
    return Response(status, reason_phrase(status), Headers())

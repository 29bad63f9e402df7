"""Our own requests: retransmission, silence, broken flows, and bounds."""

import asyncio

import pytest
from tests.support.registrar import FLOW

from offhook.endpoint import Transport
from offhook.registrar.ports import Flow
from offhook.servers.sip_client import ClientTransactions
from offhook.sip import transactions
from offhook.sip.message import Headers, Request, Response, build_response
from offhook.sip.parser import parse_message

STREAM = Flow(Transport.TCP, ("10.0.0.21", 40000), ("10.0.0.1", 5060), connection=7)


class Wire:
    """Keeps what is sent."""

    def __init__(self, capacity: int = 4) -> None:
        self.sent: list[Request] = []
        self.is_up = True
        self.client = ClientTransactions(self.send, None, capacity)

    def send(self, data: bytes, flow: Flow) -> bool:
        assert flow in (FLOW, STREAM)
        request = parse_message(data)
        assert isinstance(request, Request)
        self.sent.append(request)
        return self.is_up

    async def start(self, flow: Flow = FLOW) -> asyncio.Task[Response]:
        headers = Headers([("From", "<sip:a@b>;tag=1"), ("To", "<sip:c@d>"), ("Call-ID", "n"), ("CSeq", "5 NOTIFY")])
        task = asyncio.create_task(self.client.request(Request("NOTIFY", "sip:c@d", headers), flow))
        await asyncio.sleep(0)
        return task


@pytest.fixture
def quick_timers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transactions, "T1", 0.002)
    monkeypatch.setattr(transactions, "TIMER_F", 0.05)


@pytest.mark.usefixtures("quick_timers")
async def test_silence_is_408_after_the_same_octets_were_sent_again() -> None:
    wire = Wire()
    assert (await (await wire.start())).status == 408
    assert len(wire.sent) > 2
    assert all(request == wire.sent[0] for request in wire.sent)
    assert len(wire.client) == 0


@pytest.mark.usefixtures("quick_timers")
async def test_stream_is_not_sent_twice() -> None:
    wire = Wire()
    assert (await (await wire.start(STREAM))).status == 408
    assert len(wire.sent) == 1


async def test_final_response_is_the_result_and_later_ones_are_stray() -> None:
    wire = Wire()
    task = await wire.start()
    assert wire.client.receive(build_response(wire.sent[0], 100))
    assert wire.client.receive(build_response(wire.sent[0], 481, to_tag="x"))
    assert (await task).status == 481
    assert not wire.client.receive(build_response(wire.sent[0], 481))


async def test_response_of_another_method_or_without_via_is_stray() -> None:
    wire = Wire()
    task = await wire.start()
    via = wire.sent[0].headers.get("Via") or ""
    assert not wire.client.receive(Response(200, "OK", Headers([("Via", via), ("CSeq", "5 OPTIONS")])))
    assert not wire.client.receive(Response(200, "OK", Headers()))
    wire.client.close()
    assert (await task).status == 503


async def test_flow_that_is_gone_is_503() -> None:
    wire = Wire()
    wire.is_up = False
    assert (await (await wire.start(STREAM))).status == 503


async def test_icmp_fails_what_was_sent_there_alone() -> None:
    wire = Wire()
    datagram, stream = await wire.start(), await wire.start(STREAM)
    wire.client.destination_failed(("10.0.0.99", 5060))
    assert not datagram.done()
    wire.client.destination_failed(FLOW.source)
    assert (await datagram).status == 503
    assert not stream.done()
    wire.client.connection_lost(STREAM.connection)
    assert (await stream).status == 503


async def test_more_than_the_capacity_is_503_at_once() -> None:
    wire = Wire(capacity=1)
    first = await wire.start()
    assert (await (await wire.start())).status == 503
    assert len(wire.sent) == 1
    wire.client.close()
    await first


async def test_request_given_up_leaves_nothing() -> None:
    wire = Wire()
    task = await wire.start()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(wire.client) == 0


async def test_caller_may_set_max_forwards() -> None:
    wire = Wire()
    request = Request("OPTIONS", "sip:c@d", Headers([("Max-Forwards", "0"), ("CSeq", "1 OPTIONS")]))
    task = asyncio.create_task(wire.client.request(request, FLOW))
    await asyncio.sleep(0)
    assert wire.sent[0].headers.get_all("Max-Forwards") == ["0"]
    assert "Via" not in request.headers
    wire.client.close()
    await task

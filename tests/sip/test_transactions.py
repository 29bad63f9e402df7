"""Client transactions of NOTIFY, and the table of answers."""

from dataclasses import dataclass, field

import pytest

from offhook.errors import SipError
from offhook.sip.message import Headers, Request, Response, build_response
from offhook.sip.transactions import (
    PENDING,
    ClientEvent,
    ClientState,
    ClientTransaction,
    Completed,
    Provisional,
    Send,
    ServerTransactions,
    transaction_key,
)


def make_request(
    method: str = "NOTIFY", via: str = "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKn1", uri: str = "sip:a@192.0.2.7"
) -> Request:
    fields = [
        ("Via", via),
        ("From", "<sip:a@example.com>;tag=f"),
        ("To", "<sip:a@example.com>"),
        ("Call-ID", "c"),
        ("CSeq", f"1 {method}"),
    ]
    return Request(method, uri, Headers(fields))


NOTIFY = make_request()


def respond(status: int) -> Response:
    return build_response(NOTIFY, status, to_tag="t")


@dataclass
class Line:
    """Runs a transaction against a clock that jumps from timer to timer."""

    transaction: ClientTransaction
    now: float = 0.0
    sent_at: list[float] = field(default_factory=list)
    results: list[ClientEvent] = field(default_factory=list)

    def take(self, events: list[ClientEvent]) -> None:
        for event in events:
            if isinstance(event, Send):
                self.sent_at.append(self.now)
            else:
                self.results.append(event)

    def start(self) -> None:
        self.take(self.transaction.start(self.now))

    def run(self, until: float) -> None:
        while (due := self.transaction.next_timer()) is not None and due <= until:
            self.now = due
            self.take(self.transaction.handle_timer(self.now))
        self.now = until

    def receive(self, response: Response) -> None:
        self.take(self.transaction.receive(response, self.now))


def make_line(*, reliable: bool = False) -> Line:
    line = Line(ClientTransaction(bytes(NOTIFY), "z9hG4bKn1", reliable=reliable))
    line.start()
    return line


def test_over_udp_the_request_is_repeated_until_it_times_out() -> None:
    """TX-6, TX-8; RFC 3261 §17.1.2.2: 500 ms, doubling up to 4 s, for 32 s."""
    line = make_line()
    line.run(until=100)
    assert line.sent_at == [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert line.results == [Completed(408, None)]
    assert line.transaction.state is ClientState.TERMINATED
    assert line.transaction.next_timer() is None


def test_over_a_stream_nothing_is_repeated() -> None:
    """TX-6."""
    line = make_line(reliable=True)
    line.run(until=31.9)
    assert (line.sent_at, line.results) == ([0], [])
    line.run(until=32)
    assert line.results == [Completed(408, None)]


def test_a_final_response_ends_it_once_and_repetitions_are_absorbed() -> None:
    """TX-6: timer K."""
    line = make_line()
    line.run(until=0.6)
    response = respond(200)
    line.receive(response)
    line.receive(response)
    assert line.results == [Completed(200, response)]
    assert line.transaction.next_timer() == pytest.approx(5.6)
    line.run(until=10)
    assert line.sent_at == [0, 0.5]
    assert line.results == [Completed(200, response)]
    assert line.transaction.state is ClientState.TERMINATED


def test_over_a_stream_a_final_response_ends_it_at_once() -> None:
    """TX-6: timer K is 0."""
    line = make_line(reliable=True)
    line.receive(respond(489))
    assert line.transaction.state is ClientState.TERMINATED
    assert line.transaction.next_timer() is None


def test_a_provisional_response_slows_the_repetitions_down() -> None:
    """TX-6; RFC 3261 §17.1.2.2: in Proceeding timer E is T2, and timer F goes on."""
    line = make_line()
    line.run(until=0.6)
    line.receive(respond(100))
    line.run(until=40)
    assert line.sent_at == [0, 0.5, 1.5, 5.5, 9.5, 13.5, 17.5, 21.5, 25.5, 29.5]
    assert [type(event) for event in line.results] == [Provisional, Completed]


def test_a_transport_failure_is_503() -> None:
    """TX-8."""
    line = make_line()
    line.take(line.transaction.transport_failed(0.1))
    line.take(line.transaction.transport_failed(0.2))
    assert line.results == [Completed(503, None)]
    line.receive(respond(200))
    assert line.results == [Completed(503, None)]


def test_a_transport_failure_after_the_result_changes_nothing() -> None:
    line = make_line()
    line.receive(respond(200))
    line.take(line.transaction.transport_failed(0.1))
    assert [event for event in line.results if isinstance(event, Completed) and event.status != 200] == []


def test_a_timer_that_is_not_due_does_nothing() -> None:
    line = make_line()
    assert line.transaction.handle_timer(0.49) == []


def test_responses_are_matched_by_branch_and_method() -> None:
    """TX-7."""
    transaction = ClientTransaction(bytes(NOTIFY), "z9hG4bKn1")
    assert transaction.branch == "z9hG4bKn1"
    assert transaction.matches(respond(200))
    assert not transaction.matches(build_response(make_request(via="SIP/2.0/UDP h;branch=z9hG4bKn2"), 200))
    assert not transaction.matches(build_response(make_request("OPTIONS"), 200))
    with pytest.raises(SipError):
        transaction.matches(Response(200, "OK", Headers()))


def test_a_retransmission_has_the_key_of_the_original() -> None:
    """TX-1."""
    assert transaction_key(make_request()) == transaction_key(make_request(uri="sip:other@192.0.2.7"))


@pytest.mark.parametrize(
    ("via", "method"),
    [
        ("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKn2", "NOTIFY"),
        ("SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKn1", "NOTIFY"),
        ("SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bKn1", "NOTIFY"),
        ("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKn1", "OPTIONS"),
    ],
)
def test_another_branch_sender_or_method_is_another_transaction(via: str, method: str) -> None:
    """TX-1."""
    assert transaction_key(make_request(method, via)) != transaction_key(NOTIFY)


def test_an_ack_belongs_to_the_transaction_of_its_invite() -> None:
    """TX-1."""
    assert transaction_key(make_request("ACK")) == transaction_key(make_request("INVITE"))


@pytest.mark.parametrize("branch", ["", ";branch=z9hG4bK", ";branch=17", ";branch"])
def test_a_branch_that_names_nothing_is_matched_as_in_rfc_2543(branch: str) -> None:
    """TX-2; RFC 4475 §3.3.6."""
    via = f"SIP/2.0/UDP 192.0.2.1{branch}"
    key = transaction_key(make_request(via=via))
    assert key == transaction_key(make_request(via=via))
    assert key != transaction_key(make_request(via=via, uri="sip:b@192.0.2.7"))
    assert key != transaction_key(make_request("OPTIONS", via=via))
    assert key != transaction_key(make_request(via=via.replace("192.0.2.1", "192.0.2.2")))


def test_a_retransmission_is_answered_from_the_table() -> None:
    """TX-3, TX-4, TX-5."""
    table = ServerTransactions(capacity=10)
    assert table.find("a") is None
    table.begin("a", 0)
    assert table.find("a") is PENDING
    table.finish("a", b"200", 1)
    assert table.find("a") == b"200"
    table.expire(32.9)
    assert table.find("a") == b"200"
    table.expire(33)
    assert table.find("a") is None
    assert len(table) == 0


def test_a_request_that_was_given_up_is_processed_anew() -> None:
    table = ServerTransactions(capacity=10)
    table.begin("a", 0)
    table.forget("a")
    table.forget("a")
    assert table.find("a") is None


def test_the_table_drops_the_oldest_when_it_is_full() -> None:
    """TX-9."""
    table = ServerTransactions(capacity=2)
    for now, key in enumerate("abc"):
        table.finish(key, b"", now)
    assert [table.find(key) for key in "abc"] == [None, b"", b""]
    table.finish("b", b"new", 3)
    table.finish("d", b"", 4)
    assert [table.find(key) for key in "bcd"] == [b"new", None, b""]
    with pytest.raises(ValueError, match="at least 1"):
        ServerTransactions(capacity=0)


def test_expiry_stops_at_the_first_that_is_still_good() -> None:
    table = ServerTransactions(capacity=10, lifetime_seconds=5)
    table.finish("a", b"", 0)
    table.finish("b", b"", 3)
    table.finish("a", b"", 4)
    table.expire(8)
    assert [table.find(key) for key in "ab"] == [b"", None]

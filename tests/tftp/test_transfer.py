"""A transfer, packet by packet: ``>>`` is what the client sends, ``<<`` what it gets."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offhook.errors import TftpError
from offhook.tftp.codec import (
    Acknowledgement,
    Data,
    ErrorPacket,
    OptionAcknowledgement,
    Options,
    Packet,
    ReadRequest,
    WriteRequest,
    format_packet,
    parse_packet,
)
from offhook.tftp.transfer import (
    Done,
    Event,
    Outcome,
    ReadTransfer,
    Send,
    TransferLimits,
    encode_netascii,
    require_readable,
)


def begin(content: bytes, options: Options = (), mode: str = "octet") -> tuple[ReadTransfer, list[Event]]:
    transfer = ReadTransfer(ReadRequest("f", mode, options), content, TransferLimits())
    return transfer, transfer.start(0.0)


def sent(events: list[Event]) -> list[Packet]:
    return [parse_packet(event.datagram) for event in events if isinstance(event, Send)]


def done(events: list[Event]) -> Done:
    (event,) = events
    assert isinstance(event, Done)
    return event


def fetch(content: bytes, options: Options = (), mode: str = "octet") -> tuple[bytes, Done]:
    """Runs a transfer as a client without faults does."""
    transfer, events = begin(content, options, mode)
    received = b""
    while True:
        event = events[0]
        if isinstance(event, Done):
            return received, event
        packet = parse_packet(event.datagram)
        if isinstance(packet, Data):
            received += packet.payload
            events = transfer.receive(Acknowledgement(packet.block_number), 0.0)
        else:
            events = transfer.receive(Acknowledgement(0), 0.0)


def run_timers(transfer: ReadTransfer) -> tuple[list[Packet], Done]:
    """Stays silent until the transfer gives up."""
    packets: list[Packet] = []
    for _ in range(100):
        deadline = transfer.next_timer()
        assert deadline is not None
        assert transfer.handle_timer(deadline - 0.001) == []
        events = transfer.handle_timer(deadline)
        if isinstance(events[0], Done):
            return packets, events[0]
        packets += sent(events)
    raise AssertionError("it never gives up")


@pytest.mark.parametrize(("size", "blocks"), [(0, 1), (1, 1), (511, 1), (512, 2), (513, 2), (1024, 3)])
def test_a_file_ends_with_a_short_block(size: int, blocks: int) -> None:
    content = bytes(range(256)) * 4
    assert fetch(content[:size]) == (content[:size], Done(Outcome.COMPLETE, size, blocks, 0))


@settings(max_examples=60)
@given(st.binary(max_size=3000), st.integers(8, 2000), st.booleans())
def test_every_content_arrives_at_every_block_size(content: bytes, blksize: int, with_tsize: bool) -> None:
    options: Options = (("blksize", str(blksize)),) + ((("tsize", "0"),) if with_tsize else ())
    received, end = fetch(content, options)
    assert received == content
    assert end.octets == len(content)


def test_block_numbers_go_from_65535_to_0() -> None:
    content = b"12345678" * 65_536 + b"tail"
    received, end = fetch(content, (("blksize", "8"),))
    assert received == content
    assert end == Done(Outcome.COMPLETE, len(content), 65_537, 0)


def test_lock_step_the_next_block_waits_for_the_ack() -> None:
    transfer, events = begin(b"a" * 600)
    assert sent(events) == [Data(1, b"a" * 512)]
    assert sent(transfer.receive(Acknowledgement(1), 0.0)) == [Data(2, b"a" * 88)]
    assert done(transfer.receive(Acknowledgement(2), 0.0)).outcome is Outcome.COMPLETE
    assert transfer.next_timer() is None
    assert transfer.receive(Acknowledgement(2), 0.0) == []


def test_options_are_granted_before_the_first_block() -> None:
    options = (("tsize", "0"), ("blksize", "1024"), ("timeout", "3"))
    transfer, events = begin(b"a" * 1500, options)
    assert sent(events) == [OptionAcknowledgement((("tsize", "1500"), ("blksize", "1024"), ("timeout", "3")))]
    assert transfer.receive(Acknowledgement(1), 0.0) == []
    assert sent(transfer.receive(Acknowledgement(0), 0.0)) == [Data(1, b"a" * 1024)]


@pytest.mark.parametrize(
    ("requested", "granted"),
    [
        ((("blksize", "65464"),), (("blksize", "1428"),)),
        ((("blksize", "8"),), (("blksize", "8"),)),
        ((("blksize", "7"),), ()),
        ((("blksize", "65465"),), ()),
        ((("blksize", "-8"),), ()),
        ((("blksize", "٨٨"),), ()),
        ((("blksize", "9" * 5000),), ()),
        ((("timeout", "255"),), (("timeout", "255"),)),
        ((("timeout", "0"), ("timeout2", "1")), ()),
        ((("timeout", "256"),), ()),
        ((("windowsize", "16"), ("blksize", "512")), (("blksize", "512"),)),
        ((("multicast", ""),), ()),
    ],
)
def test_options_out_of_range_or_unknown_are_passed_over(requested: Options, granted: Options) -> None:
    transfer, events = begin(b"abc", requested)
    assert transfer.options == granted
    assert sent(events) == ([OptionAcknowledgement(granted)] if granted else [Data(1, b"abc")])


def test_a_duplicate_ack_is_not_answered() -> None:
    transfer, _ = begin(b"a" * 2000)
    assert sent(transfer.receive(Acknowledgement(1), 0.0)) == [Data(2, b"a" * 512)]
    for _ in range(5):
        assert transfer.receive(Acknowledgement(1), 0.1) == []
    assert sent(transfer.receive(Acknowledgement(2), 0.2)) == [Data(3, b"a" * 512)]


@pytest.mark.parametrize(
    "packet",
    [Acknowledgement(0), Acknowledgement(2), Acknowledgement(65535), Data(1, b""), ReadRequest("f", "octet")],
)
def test_what_is_not_awaited_is_ignored(packet: Packet) -> None:
    transfer, _ = begin(b"a" * 2000)
    assert transfer.receive(packet, 0.1) == []
    assert transfer.next_timer() == 1.0


def test_an_error_of_the_client_ends_it() -> None:
    transfer, _ = begin(b"a" * 2000)
    transfer.receive(Acknowledgement(1), 0.0)
    assert done(transfer.receive(ErrorPacket(3, "full"), 0.0)) == Done(Outcome.ABORTED, 512, 1, 0)
    assert transfer.next_timer() is None


def test_the_server_can_end_it_and_says_so() -> None:
    transfer, _ = begin(b"a" * 2000)
    error, end = transfer.stop()
    assert sent([error]) == [ErrorPacket(0, "server stopped")]
    assert end == Done(Outcome.STOPPED, 0, 0, 0)
    assert transfer.stop() == []


def test_before_the_first_ack_the_block_is_sent_three_times() -> None:
    transfer, _ = begin(b"a")
    packets, end = run_timers(transfer)
    assert packets == [Data(1, b"a")] * 2
    assert end == Done(Outcome.TIMED_OUT, 0, 0, 2)
    assert transfer.next_timer() is None
    assert transfer.handle_timer(1e9) == []


def test_after_the_first_ack_a_block_is_sent_six_times() -> None:
    transfer, _ = begin(b"a" * 600)
    transfer.receive(Acknowledgement(1), 5.0)
    packets, end = run_timers(transfer)
    assert packets == [Data(2, b"a" * 88)] * 5
    assert end == Done(Outcome.TIMED_OUT, 512, 1, 5)


def test_waiting_doubles_up_to_a_bound() -> None:
    transfer, _ = begin(b"a" * 600)
    transfer.receive(Acknowledgement(1), 0.0)
    deadlines = []
    while (deadline := transfer.next_timer()) is not None:
        deadlines.append(deadline)
        transfer.handle_timer(deadline)
    assert deadlines == [1.0, 3.0, 7.0, 15.0, 23.0, 31.0]


def test_the_clients_timeout_counts_once_it_has_shown_itself() -> None:
    transfer, _ = begin(b"a" * 600, (("timeout", "200"),))
    assert transfer.next_timer() == 1.0
    transfer.receive(Acknowledgement(0), 0.5)
    assert transfer.next_timer() == 200.5
    transfer.handle_timer(200.5)
    assert transfer.next_timer() == 400.5


def test_a_retransmitted_block_is_counted_and_the_transfer_completes() -> None:
    transfer, _ = begin(b"a")
    assert sent(transfer.handle_timer(1.0)) == [Data(1, b"a")]
    assert done(transfer.receive(Acknowledgement(1), 1.1)) == Done(Outcome.COMPLETE, 1, 1, 1)


IP_AND_UDP_HEADERS = 28


@pytest.mark.parametrize(
    ("options", "most"), [((("blksize", "1428"), ("tsize", "0")), 4), ((("blksize", "65464"),), 4), ((), 30)]
)
def test_a_forged_request_is_worth_little(options: Options, most: int) -> None:
    """With options an OACK about as long as the request; without, three blocks to a 57-octet packet."""
    request = ReadRequest("SEP001565123456.cnf1", "octet", options)
    transfer = ReadTransfer(request, bytes(1_000_000), TransferLimits())
    first = transfer.start(0.0)
    packets, _ = run_timers(transfer)
    octets = [len(format_packet(packet)) + IP_AND_UDP_HEADERS for packet in [*sent(first), *packets]]
    assert len(octets) == 3
    assert sum(octets) <= most * (len(format_packet(request)) + IP_AND_UDP_HEADERS)


@settings(max_examples=100)
@given(st.binary(max_size=200))
def test_netascii_is_reversible_and_has_no_bare_line_ends(content: bytes) -> None:
    encoded = encode_netascii(content)
    assert encoded.replace(b"\r\n", b"\n").replace(b"\r\0", b"\r") == content
    assert encoded.count(b"\r\n") == content.count(b"\n")
    assert encoded.count(b"\r") == content.count(b"\n") + content.count(b"\r")


def test_netascii_sizes_are_of_the_translated_text() -> None:
    transfer, events = begin(b"a\nb\rc", (("tsize", "0"),), mode="netascii")
    assert sent(events) == [OptionAcknowledgement((("tsize", "7"),))]
    assert sent(transfer.receive(Acknowledgement(0), 0.0)) == [Data(1, b"a\r\nb\r\0c")]


def test_a_line_end_may_fall_between_two_blocks() -> None:
    content = b"x" * 511 + b"\n" + b"y"
    received, end = fetch(content, mode="netascii")
    assert received == b"x" * 511 + b"\r\n" + b"y"
    assert (end.octets, end.blocks) == (514, 2)


@pytest.mark.parametrize(
    ("packet", "code"),
    [
        (WriteRequest("f", "octet"), 2),
        (ReadRequest("f", "mail"), 4),
        (ReadRequest("f", "binary"), 4),
        (ReadRequest("f", ""), 4),
        (Acknowledgement(1), 4),
        (Data(1, b""), 4),
    ],
)
def test_what_cannot_be_served_is_refused(packet: Packet, code: int) -> None:
    with pytest.raises(TftpError) as caught:
        require_readable(packet)
    assert caught.value.code == code


@pytest.mark.parametrize("mode", ["octet", "netascii"])
def test_read_requests_in_a_known_mode_pass(mode: str) -> None:
    request = ReadRequest("f", mode)
    assert require_readable(request) is request

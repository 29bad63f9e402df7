"""Frames out of a byte stream."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offhook.sip.framing import FramingError, FramingEvent, FramingLimits, MessageFrame, Ping, StreamFramer

EMPTY = b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n"
BODY = b"NOTIFY sip:a SIP/2.0\r\nl : 8\r\nTo: x\r\n\r\n\r\n\r\n\r\nab"
FOLDED = b"MESSAGE sip:a SIP/2.0\r\nCONTENT-LENGTH:\r\n 2\r\nTo: x\r\n\r\nhi"
PING = b"\r\n\r\n"
LIMITS = FramingLimits(head_bytes=64, body_bytes=16)


def feed_in_pieces(data: bytes, cuts: list[int], limits: FramingLimits | None = None) -> list[FramingEvent]:
    framer = StreamFramer(limits)
    edges = [0, *sorted(cuts), len(data)]
    return [event for start, end in pairwise(edges) for event in framer.feed(data[start:end])]


def test_several_messages_in_one_read_and_a_half_one() -> None:
    """TP-7."""
    framer = StreamFramer()
    assert framer.feed(EMPTY + BODY + FOLDED + EMPTY[:10]) == [
        MessageFrame(EMPTY),
        MessageFrame(BODY),
        MessageFrame(FOLDED),
    ]
    assert framer.pending == 10
    assert framer.feed(EMPTY[10:]) == [MessageFrame(EMPTY)]
    assert framer.pending == 0


def test_one_message_octet_by_octet() -> None:
    """TP-7."""
    framer = StreamFramer()
    for index in range(len(BODY) - 1):
        assert framer.feed(BODY[index : index + 1]) == []
        assert framer.pending == index + 1
    assert framer.feed(BODY[-1:]) == [MessageFrame(BODY)]


_STREAMS = st.lists(
    st.sampled_from([EMPTY, BODY, FOLDED, PING, b"\r\n", b"\r", b"\n", b"X\r\n\r\n", b"y" * 30, b"X\r\nl:17\r\n\r\n"]),
    max_size=6,
).map(b"".join)


@settings(max_examples=150)
@given(st.data(), _STREAMS | st.binary(max_size=40), st.sampled_from([None, LIMITS]))
def test_frames_do_not_depend_on_where_the_stream_is_cut(
    data: st.DataObject, stream: bytes, limits: FramingLimits | None
) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=8))
    whole = StreamFramer(limits).feed(stream)
    assert feed_in_pieces(stream, cuts, limits) == whole
    assert feed_in_pieces(stream, list(range(len(stream))), limits) == whole


def test_an_empty_double_line_is_a_ping_and_a_single_one_nothing() -> None:
    """TP-9, TP-10."""
    framer = StreamFramer()
    assert framer.feed(PING) == [Ping()]
    assert framer.feed(PING + EMPTY + PING + b"\r\n") == [Ping(), MessageFrame(EMPTY), Ping()]
    assert framer.pending == 0
    assert framer.feed(EMPTY) == [MessageFrame(EMPTY)]


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (b"To: x", 400),
        (b"X-Content-Length: 0", 400),
        (b"Content-Length: 0\r\nl: 0", 400),
        (b"Content-Length: -1", 400),
        (b"Content-Length: ", 400),
        (b"Content-Length: 1x", 400),
        (b"Content-Length: 1\r\n 2", 400),
        (b"Content-Length: 65537", 413),
        (b"Content-Length: 99999999999999999999", 413),
    ],
)
def test_a_message_whose_end_is_unknown_ends_the_stream_before_its_body(header: bytes, status: int) -> None:
    """TP-7, TP-17."""
    framer = StreamFramer()
    head = b"OPTIONS sip:a SIP/2.0\r\n" + header + b"\r\n\r\n"
    ok, error = framer.feed(EMPTY + head + EMPTY)
    assert ok == MessageFrame(EMPTY)
    assert isinstance(error, FramingError)
    assert (error.status, error.head) == (status, head)
    assert framer.feed(EMPTY) == []
    assert framer.pending == 0


def test_the_limits_themselves_are_allowed() -> None:
    head = b"X: " + b"y" * (64 - 3 - len(b"\r\nl:16")) + b"\r\nl:16\r\n\r\n"
    assert len(head) == 68
    assert StreamFramer(LIMITS).feed(head + b"z" * 16) == [MessageFrame(head + b"z" * 16)]
    (error,) = StreamFramer(LIMITS).feed(b"X" + head)
    assert isinstance(error, FramingError)
    assert (error.status, error.reason) == (513, "Message Too Large")


def test_headers_without_an_end_are_not_held_beyond_the_limit() -> None:
    """TP-17."""
    framer = StreamFramer()
    assert framer.feed(b"x" * 16384) == []
    assert framer.feed(b"x" * 4) == [FramingError(513, "Message Too Large", b"")]
    assert framer.pending == 0


def test_the_whole_lines_of_headers_without_an_end_are_kept_for_the_answer() -> None:
    lines = b"OPTIONS sip:a SIP/2.0\r\nTo: x\r\n"
    assert StreamFramer(LIMITS).feed(lines + b"y" * 100) == [FramingError(513, "Message Too Large", lines)]

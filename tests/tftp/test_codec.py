"""Packets: what is read, what is refused, and that tftpy reads and writes the same."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tftpy import TftpPacketTypes
from tftpy.TftpPacketFactory import TftpPacketFactory

from offhook.errors import TftpError
from offhook.tftp.codec import (
    MAX_FILENAME_OCTETS,
    Acknowledgement,
    Data,
    ErrorPacket,
    OptionAcknowledgement,
    Packet,
    ReadRequest,
    WriteRequest,
    format_packet,
    parse_packet,
)

words = st.text(st.characters(codec="ascii", categories=("Ll", "Nd")), min_size=1, max_size=12)
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=60)
option_lists = st.dictionaries(words, words | st.just(""), max_size=5).map(lambda options: tuple(options.items()))
filled_options = st.dictionaries(words, words, max_size=5).map(lambda options: tuple(options.items()))
#: tftpy takes no empty values.
numbers = st.integers(0, 65535)
packets: st.SearchStrategy[Packet] = st.one_of(
    st.builds(ReadRequest, texts, words, option_lists),
    st.builds(WriteRequest, texts, words, option_lists),
    st.builds(Data, numbers, st.binary(max_size=1428)),
    st.builds(Acknowledgement, numbers),
    st.builds(ErrorPacket, numbers, texts | st.just("")),
    st.builds(OptionAcknowledgement, option_lists.filter(bool)),
)


@settings(max_examples=150)
@given(packets)
def test_parsing_is_the_inverse_of_formatting(packet: Packet) -> None:
    assert parse_packet(format_packet(packet)) == packet


@settings(max_examples=300)
@given(
    st.binary(max_size=80)
    | st.builds(lambda opcode, rest: bytes((0, opcode)) + rest, st.integers(0, 8), st.binary(max_size=200))
)
def test_any_octets_give_a_packet_or_a_tftp_error(datagram: bytes) -> None:
    try:
        packet = parse_packet(datagram)
    except TftpError:
        return
    assert parse_packet(format_packet(packet)) == packet
    if isinstance(packet, ReadRequest | WriteRequest):
        assert packet.filename
        assert "\0" not in packet.filename


def test_a_request_with_options_is_read_without_regard_to_case() -> None:
    assert parse_packet(b"\0\x01y000000000028.cfg\0OCTET\0BlkSize\x001428\0tsize\x000\0") == ReadRequest(
        "y000000000028.cfg", "octet", (("blksize", "1428"), ("tsize", "0"))
    )


@pytest.mark.parametrize(
    ("octets", "name"),
    [
        (b"../../etc/passwd", "../../etc/passwd"),
        (b"..\\boot.ini", "..\\boot.ini"),
        (b"%2e%2e/x", "%2e%2e/x"),
        (b"c:\\x", "c:\\x"),
        ("bjørn.cfg".encode(), "bjørn.cfg"),
        (b"bj\xf8rn.cfg", "bjørn.cfg"),
        (b"\xc0\xae\xc0\xae/x", "À®À®/x"),
    ],
)
def test_odd_names_are_text_and_nothing_is_read_into_them(octets: bytes, name: str) -> None:
    packet = parse_packet(b"\0\x01" + octets + b"\0octet\0")
    assert packet == ReadRequest(name, "octet")


def test_of_an_option_that_comes_twice_the_first_counts() -> None:
    packet = parse_packet(b"\0\x01f\0octet\0blksize\x00600\0BLKSIZE\x009\0")
    assert packet == ReadRequest("f", "octet", (("blksize", "600"),))


def test_a_request_padded_with_nuls_is_read() -> None:
    assert parse_packet(b"\0\x01f\0octet\0\0\0\0") == ReadRequest("f", "octet")


def test_an_error_without_text_or_terminator_is_read() -> None:
    assert parse_packet(b"\0\x05\0\x01") == ErrorPacket(1, "")
    assert parse_packet(b"\0\x05\0\x00bye") == ErrorPacket(0, "bye")


@pytest.mark.parametrize(
    ("datagram", "message"),
    [
        (b"", "too short"),
        (b"\0\x04\0", "too short"),
        (b"\0\x07abc\0", "unknown opcode"),
        (b"\x01\x00abc\0octet\0", "unknown opcode"),
        (b"\0\x01name-without-nul", "unterminated"),
        (b"\0\x01name\0octet", "unterminated"),
        (b"\0\x01name\0", "do not pair"),
        (b"\0\x01\0octet\0", "do not pair"),
        (b"\0\x01\0\0\0\0", "do not pair"),
        (b"\0\x01name\0octet\0blksize\0", "do not pair"),
        (b"\0\x01" + b"a" * (MAX_FILENAME_OCTETS + 1) + b"\0octet\0", "bad file name"),
        (b"\0\x01a\0octet\0" + b"o\0v\0" * 17, "too many options"),
        (b"\0\x06\0\0", "do not pair"),
    ],
)
def test_what_the_rfcs_do_not_allow_is_refused_with_code_4(datagram: bytes, message: str) -> None:
    with pytest.raises(TftpError, match=message) as caught:
        parse_packet(datagram)
    assert caught.value.code == 4


def test_the_longest_name_is_read() -> None:
    packet = parse_packet(b"\0\x01" + b"a" * MAX_FILENAME_OCTETS + b"\0octet\0")
    assert isinstance(packet, ReadRequest)
    assert len(packet.filename) == MAX_FILENAME_OCTETS


def _largest_datagram(filling: bytes) -> bytes:
    return b"\0\x01x\0octet\0" + filling * (65000 // len(filling)) + b"\0"


@pytest.mark.timeout(5)
@pytest.mark.parametrize("filling", [b"a", b"a\0"])
def test_the_largest_datagram_is_refused_at_once(filling: bytes) -> None:
    """Quadratic work on it would take minutes."""
    with pytest.raises(TftpError) as caught:
        parse_packet(_largest_datagram(filling))
    assert caught.value.code == 4


@pytest.mark.timeout(5)
def test_padding_behind_a_request_is_passed_over_at_once() -> None:
    assert parse_packet(_largest_datagram(b"\0")) == parse_packet(b"\0\x01x\0octet\0")


def test_an_option_may_have_an_empty_value() -> None:
    assert parse_packet(b"\0\x01f\0octet\0multicast\0\0") == ReadRequest("f", "octet", (("multicast", ""),))


class TestTftpyAgrees:
    """tftpy's codec, written by others, reads what is written here and writes what is read here."""

    @settings(max_examples=50)
    @given(numbers, st.binary(max_size=600))
    def test_on_data(self, block_number: int, payload: bytes) -> None:
        theirs = _parse_with_tftpy(format_packet(Data(block_number, payload)))
        assert (theirs.blocknumber, theirs.data) == (block_number, payload)
        packet = TftpPacketTypes.TftpPacketDAT()
        packet.blocknumber, packet.data = block_number, payload
        assert parse_packet(packet.encode().buffer) == Data(block_number, payload)

    @settings(max_examples=50)
    @given(numbers)
    def test_on_acknowledgements(self, block_number: int) -> None:
        assert _parse_with_tftpy(format_packet(Acknowledgement(block_number))).blocknumber == block_number
        packet = TftpPacketTypes.TftpPacketACK()
        packet.blocknumber = block_number
        assert parse_packet(packet.encode().buffer) == Acknowledgement(block_number)

    @settings(max_examples=50)
    @given(words, filled_options)
    def test_on_requests(self, filename: str, options: tuple[tuple[str, str], ...]) -> None:
        theirs = _parse_with_tftpy(format_packet(ReadRequest(filename, "octet", options)))
        assert (theirs.filename, theirs.mode, tuple(theirs.options.items())) == (filename, "octet", options)
        packet = TftpPacketTypes.TftpPacketRRQ()
        packet.filename, packet.mode, packet.options = filename, "octet", dict(options)
        assert parse_packet(packet.encode().buffer) == ReadRequest(filename, "octet", options)

    @settings(max_examples=50)
    @given(filled_options.filter(bool))
    def test_on_option_acknowledgements(self, options: tuple[tuple[str, str], ...]) -> None:
        theirs = _parse_with_tftpy(format_packet(OptionAcknowledgement(options)))
        assert tuple(theirs.options.items()) == options
        packet = TftpPacketTypes.TftpPacketOACK()
        packet.options = dict(options)
        assert parse_packet(packet.encode().buffer) == OptionAcknowledgement(options)

    def test_on_errors(self) -> None:
        theirs = _parse_with_tftpy(format_packet(ErrorPacket(1, "file not found")))
        assert (theirs.errorcode, theirs.errmsg) == (1, b"file not found")
        packet = TftpPacketTypes.TftpPacketERR()
        packet.errorcode = 2
        assert parse_packet(packet.encode().buffer) == ErrorPacket(2, "Access violation")


def _parse_with_tftpy(datagram: bytes) -> Any:
    return TftpPacketFactory().parse(datagram)

"""The parser: legal messages, illegal ones, and arbitrary octets."""

import pytest
import sipmessage
from hypothesis import given, settings
from hypothesis import strategies as st

from offhook.errors import SipError
from offhook.sip.headers import MAX_VIAS
from offhook.sip.message import Request, Response, build_response
from offhook.sip.parser import MAX_DATAGRAM_BYTES, MAX_HEADERS, MalformedRequest, parse_message

REGISTER = (
    b"REGISTER sip:example.com SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 192.0.2.1:5062;rport;branch=z9hG4bK1\r\n"
    b'From: "Jane Smith" <sip:2001@example.com>;tag=f1\r\n'
    b"To: <sip:2001@example.com>\r\n"
    b"Call-ID: 0_24@192.0.2.1\r\n"
    b"CSeq: 2 REGISTER\r\n"
    b"Contact: <sip:2001@192.0.2.1:5062>;expires=60\r\n"
    b'Authorization: Digest username="2001", realm="example.com", nonce="n", uri="sip:example.com", response="r"\r\n'
    b"Max-Forwards: 70\r\n"
    b"Content-Length: 0\r\n\r\n"
)


def parse_request(data: bytes) -> Request:
    message = parse_message(data)
    assert isinstance(message, Request)
    return message


def refuse(data: bytes) -> MalformedRequest:
    with pytest.raises(MalformedRequest) as caught:
        parse_message(data)
    return caught.value


def test_a_register_is_read() -> None:
    request = parse_request(REGISTER)
    assert (request.method, request.uri, request.body) == ("REGISTER", "sip:example.com", b"")
    assert [name for name, _ in request.headers] == [
        "Via",
        "From",
        "To",
        "Call-ID",
        "CSeq",
        "Contact",
        "Authorization",
        "Max-Forwards",
        "Content-Length",
    ]


def test_both_parsers_read_the_same_from_a_legal_message() -> None:
    ours = parse_request(REGISTER)
    theirs = sipmessage.Request.parse(REGISTER)
    assert isinstance(theirs, sipmessage.Request)
    assert (ours.method, ours.uri) == (theirs.method, str(theirs.uri))
    assert (ours.top_via.host, ours.top_via.port) == (theirs.via[0].host, theirs.via[0].port)
    assert ours.top_via.branch == theirs.via[0].parameters.get("branch")
    assert ours.from_.display_name == theirs.from_address.name
    assert ours.from_.tag == theirs.from_address.parameters.get("tag")
    assert ours.to.uri == str(theirs.to_address.uri)
    assert ours.call_id == theirs.call_id
    assert (ours.cseq.number, ours.cseq.method) == (theirs.cseq.sequence, theirs.cseq.method)
    assert ours.contacts[0].uri == str(theirs.contact[0].uri)


def assert_stable(message: Request | Response) -> None:
    """Written and read again it is the same, once Content-Length is there."""
    again = parse_message(bytes(message))
    assert (type(again), again.body) == (type(message), message.body)
    assert parse_message(bytes(again)) == again


_WORDS = st.text("abcXYZ019", min_size=1, max_size=8)


@settings(max_examples=100)
@given(
    st.sampled_from(["REGISTER", "OPTIONS", "SUBSCRIBE"]),
    _WORDS,
    st.lists(_WORDS, min_size=1, max_size=4),
    st.integers(0, 2**31),
    st.sampled_from(["", "a", "Jane Smith", "a <b> c"]),
    st.binary(max_size=20),
)
def test_whatever_sipmessage_writes_is_read_alike(
    method: str, user: str, branches: list[str], number: int, name: str, body: bytes
) -> None:
    oracle = sipmessage.Request(method, sipmessage.URI.parse(f"sip:{user}@example.com"))
    oracle.via = [sipmessage.Via.parse(f"SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bK{branch}") for branch in branches]
    oracle.from_address = sipmessage.Address.parse(f'"{name}" <sip:{user}@example.com>;tag={user}')
    oracle.to_address = sipmessage.Address.parse(f"<sip:{user}@example.com>")
    oracle.call_id = user
    oracle.cseq = sipmessage.CSeq(number, method)
    oracle.body = body
    request = parse_request(bytes(oracle))
    assert (request.method, request.uri, request.body) == (method, f"sip:{user}@example.com", body)
    assert (request.cseq.number, request.cseq.method) == (number, method)
    assert request.top_via.branch == f"z9hG4bK{branches[0]}"
    assert (request.from_.display_name, request.from_.tag) == (name, user)
    assert sipmessage.Message.parse(bytes(request)).body == body


@settings(max_examples=150)
@given(st.binary(max_size=200) | st.text('SIP/2.0 REGISTERsip:\r\n\t;,<>"l0 1ü', max_size=120).map(str.encode))
def test_arbitrary_octets_give_a_message_or_a_sip_error(data: bytes) -> None:
    try:
        message = parse_message(data)
    except SipError as error:
        assert 400 <= error.status <= 599  # noqa: PT017 - either outcome is right
    else:
        assert_stable(message)


@settings(max_examples=150)
@given(st.data())
def test_a_damaged_register_gives_a_message_or_an_answerable_or_silent_error(data: st.DataObject) -> None:
    octets = bytearray(REGISTER)
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(octets) - 1))
        octets[position : position + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        message = parse_message(bytes(octets))
    except MalformedRequest as error:
        if error.request is not None:
            answer = build_response(error.request, error.status, error.reason, to_tag="t", received=("192.0.2.9", 5060))
            assert isinstance(parse_message(bytes(answer)), Response)
    except SipError:
        pass
    else:
        assert_stable(message)


def test_compact_names_and_folded_headers_are_read_like_their_long_forms() -> None:
    """UAS-19."""
    request = parse_request(
        b"OPTIONS sip:example.com SIP/2.0\r\n"
        b"v : SIP/2.0/UDP 192.0.2.1\r\n"
        b"  ;branch=z9hG4bK1\r\n"
        b"f:\r\n\t<sip:a@example.com>\r\n ;tag=1\r\n"
        b"TO:<sip:b@example.com>\r\n"
        b"i: x\r\n"
        b"cSEQ: 1\r\n OPTIONS\r\n"
        b"L:  0 \r\n"
        b"s:\r\n \r\n"
        b"UnknownHeader: \xe2\x98\x8e\r\n\r\n"
    )
    assert request.top_via.branch == "z9hG4bK1"
    assert request.from_.tag == "1"
    assert request.cseq.number == 1
    assert request.headers.get("Subject") == ""
    assert request.headers.get("unknownheader") == "☎"


def test_empty_lines_before_the_start_line_are_skipped() -> None:
    """TP-9."""
    assert parse_request(b"\r\n\r\n\r\n" + REGISTER) == parse_request(REGISTER)


def test_octets_after_the_body_are_ignored() -> None:
    """TP-8; RFC 4475 §3.1.1.7 sends a second request there."""
    assert parse_request(REGISTER + b"INVITE sip:joe@example.com SIP/2.0\r\n\r\n") == parse_request(REGISTER)


def test_without_content_length_the_body_is_the_rest_of_the_datagram() -> None:
    request = parse_request(REGISTER.replace(b"Content-Length: 0\r\n", b"") + b"rest")
    assert request.body == b"rest"


def test_a_body_shorter_than_announced_is_400_and_answerable() -> None:
    """TP-8; RFC 4475 §3.1.2.2."""
    error = refuse(REGISTER.replace(b"Content-Length: 0", b"Content-Length: 9999"))
    assert error.status == 400
    assert error.request is not None
    assert error.request.top_via.branch == "z9hG4bK1"
    assert error.request.method == "REGISTER"


def test_a_truncated_response_is_an_error_without_an_answer() -> None:
    """TP-8."""
    with pytest.raises(SipError) as caught:
        parse_message(b"SIP/2.0 200 OK\r\nContent-Length: 5\r\n\r\n")
    assert not isinstance(caught.value, MalformedRequest)


@pytest.mark.parametrize("content_length", [b"-999", b"", b"abc", b"0x10", b"1 1", b"+1", b"1.0", "٣".encode(), b"1,1"])
def test_a_content_length_that_is_not_digits_is_400(content_length: bytes) -> None:
    """RFC 4475 §3.1.2.3."""
    assert refuse(REGISTER.replace(b"Content-Length: 0", b"Content-Length: " + content_length)).status == 400


def test_a_content_length_with_thousands_of_digits_is_413() -> None:
    assert refuse(REGISTER.replace(b"Content-Length: 0", b"Content-Length: " + b"9" * 5000)).status == 413


@pytest.mark.parametrize("name", ["Call-ID", "CSeq", "From", "To", "Max-Forwards", "Content-Length", "Expires"])
def test_a_header_that_may_occur_once_may_not_occur_twice(name: str) -> None:
    """UAS-13; RFC 4475 §3.3.8 and §3.3.9."""
    extra = f"{name}: 0\r\n{name.lower()}: 1\r\n".encode()
    error = refuse(REGISTER.replace(b"Max-Forwards: 70\r\nContent-Length: 0\r\n", extra))
    assert (error.status, error.reason) == (400, f"Repeated {name} header")


@pytest.mark.parametrize(
    "data",
    [
        REGISTER.replace(b"Max-Forwards: 70\r\n", b"Max-Forwards: 70\nX: y\r\n"),
        REGISTER.replace(b"Max-Forwards: 70\r\n", b"Max-Forwards: 70\rX: y\r\n"),
        REGISTER.replace(b"Max-Forwards: 70", b"Max-Forwards: 7\0"),
        REGISTER.replace(b"Max-Forwards: 70", b"Subject: \x1b[2J"),
        REGISTER.replace(b"Max-Forwards: 70", b"Max-Forwards 70"),
        REGISTER.replace(b"Max-Forwards: 70", b"Max Forwards: 70"),
        REGISTER.replace(b"Max-Forwards: 70", b": 70"),
        REGISTER.replace(b"Max-Forwards: 70", "Mäx: 70".encode()),
        REGISTER.replace(b"REGISTER sip", b"REGISTER  sip"),
        REGISTER.replace(b"REGISTER sip:example.com", b"REGISTER <sip:example.com>"),
        REGISTER.replace(b"REGISTER sip:example.com", b"REGISTER sip:example.com; lr"),
        REGISTER.replace(b"REGISTER sip:example.com", b"REGISTER sip:example.com\t"),
        REGISTER.replace(b"REGISTER sip:example.com", b"REG(ISTER sip:example.com"),
        REGISTER.replace(b"SIP/2.0\r\n", b"SIP/2.0 \r\n", 1),
        REGISTER.replace(b" SIP/2.0\r\n", b"\r\n", 1),
        REGISTER.replace(b"\r\nVia", b"\r\n folded: 1\r\nVia", 1),
        REGISTER[:-2],
    ],
)
def test_a_malformed_request_is_400_and_answerable(data: bytes) -> None:
    """UAS-11; RFC 4475 §3.1.2."""
    error = refuse(data)
    assert error.status == 400
    assert error.request is not None


def test_another_version_is_505_and_answerable() -> None:
    """UAS-12; RFC 4475 §3.1.2.16."""
    error = refuse(REGISTER.replace(b"SIP/2.0\r\n", b"SIP/7.0\r\n", 1))
    assert error.status == 505
    assert error.request is not None


@pytest.mark.parametrize("data", [b"", b"\r\n\r\n", b"\0", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x00\x01\x00\x00"])
def test_what_is_not_sip_has_no_answer(data: bytes) -> None:
    error = refuse(data)
    assert error.status == 400
    assert error.request is None


@pytest.mark.parametrize("name", ["Via", "From", "To", "Call-ID", "CSeq"])
def test_without_one_of_the_headers_of_an_answer_there_is_none(name: str) -> None:
    lines = [line for line in REGISTER.split(b"\r\n") if not line.startswith(name.encode() + b":")]
    assert refuse(b"\r\n".join(lines).replace(b"Content-Length: 0", b"Content-Length: x")).request is None


def test_an_escaped_method_is_another_method() -> None:
    """UAS-1; RFC 4475 §3.1.1.5."""
    data = REGISTER.replace(b"REGISTER sip", b"RE%47IST%45R sip").replace(b"2 REGISTER", b"2 RE%47IST%45R")
    assert parse_request(data).method == "RE%47IST%45R"


def test_a_display_name_in_latin_1_is_read() -> None:
    """Older phones send ISO 8859-1, which RFC 3261 §7 does not allow."""
    request = parse_request(REGISTER.replace(b"Jane", b"J\xfcrgen"))
    assert request.from_.display_name == "Jürgen Smith"
    assert b"J\xc3\xbcrgen" in bytes(request)


def test_limits_are_refused_with_the_status_that_names_them() -> None:
    """TP-17, UAS-17."""
    assert refuse(REGISTER + b"x" * MAX_DATAGRAM_BYTES).status == 513
    assert refuse(REGISTER + b"x" * MAX_DATAGRAM_BYTES).reason == "Message Too Large"
    one_header = refuse(REGISTER.replace(b"Max-Forwards: 70", b"Subject: " + b"x" * 8192))
    assert (one_header.status, one_header.reason) == (513, "Header Too Large (At Most 8192 Characters)")
    assert refuse(REGISTER.replace(b"Max-Forwards: 70", b"Subject: " + b"x\r\n " * 3000)).status in (400, 513)
    assert refuse(REGISTER.replace(b"Max-Forwards: 70", b"Subject: " + (b"x" * 300 + b"\r\n ") * 30)).status == 513
    assert refuse(REGISTER.replace(b"sip:example.com SIP", b"sip:" + b"x" * 2048 + b" SIP")).status == 414
    assert refuse(REGISTER.replace(b"Max-Forwards: 70\r\n", b"X: y\r\n" * MAX_HEADERS)).status == 400


def test_more_octets_are_taken_where_the_transport_allows_them() -> None:
    data = REGISTER.replace(b"Content-Length: 0", b"Content-Length: 20000") + b"x" * 20000
    message = parse_message(data, max_bytes=len(data))
    assert len(message.body) == 20000


@pytest.mark.parametrize("separator", ["\r\nVia: ", ", "])
def test_a_message_has_at_most_eight_vias(separator: str) -> None:
    """TP-17."""
    via = "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1"
    template = REGISTER.replace(b"SIP/2.0/UDP 192.0.2.1:5062;rport;branch=z9hG4bK1", b"%VIAS%")
    parse_request(template.replace(b"%VIAS%", separator.join([via] * MAX_VIAS).encode()))
    assert refuse(template.replace(b"%VIAS%", separator.join([via] * (MAX_VIAS + 1)).encode())).status == 400


@pytest.mark.parametrize(
    ("line", "status", "reason"),
    [
        ("SIP/2.0 200 OK", 200, "OK"),
        ("SIP/2.0 100 ", 100, ""),
        ("sip/2.0 183 Session  Progress", 183, "Session  Progress"),
        ("SIP/2.0 404", 404, ""),
        ("SIP/2.0 200 = 2**3 * 5**2 но сто", 200, "= 2**3 * 5**2 но сто"),
    ],
)
def test_status_lines_are_read(line: str, status: int, reason: str) -> None:
    """RFC 4475 §3.1.1.12 and §3.1.1.13."""
    message = parse_message(f"{line}\r\nCall-ID: x\r\n\r\n".encode())
    assert isinstance(message, Response)
    assert (message.status, message.reason, message.call_id) == (status, reason, "x")


@pytest.mark.parametrize(
    "line", ["SIP/2.0 4294967301 OK", "SIP/2.0 99 OK", "SIP/2.0 700 X", "SIP/2.0", "SIP/3.0 200 OK"]
)
def test_broken_status_lines_are_refused(line: str) -> None:
    """RFC 4475 §3.1.2.19."""
    with pytest.raises(SipError) as caught:
        parse_message(f"{line}\r\nCall-ID: x\r\n\r\n".encode())
    assert not isinstance(caught.value, MalformedRequest)


def test_a_short_tortuous_request_is_read() -> None:
    """The liberties of RFC 4475 §3.1.1.1 in one message: folding, compact names, white space, escapes, odd values."""
    request = parse_request(
        b"INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\r\n"
        b"TO :\r\n sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\r\n"
        b'from   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>\r\n  ;\r\n  tag = 98asjd8\r\n'
        b"MaX-fOrWaRdS: 0068\r\n"
        b"Call-ID: wsinv.ndaksdj@192.0.2.1\r\n"
        b"Content-Length   : 2\r\n"
        b"cseq: 0009\r\n  INVITE\r\n"
        b"Via  : SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw\r\n"
        b"s :\r\n"
        b"NewFangledHeader:   newfangled value\r\n continued newfangled value\r\n"
        b"UnknownHeaderWithUnusualValue: ;;,,;;,;\r\n"
        b"v:  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   z9hG4bK9ikj8  ,\r\n"
        b" SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n z9hG4bK30239\r\n"
        b'm:"Quoted string \\"\\"" <sip:jdrosen@example.com> ; newparam =\r\n      newvalue ;\r\n'
        b"  secondparam ; q = 0.33\r\n\r\n"
        b"hi there"
    )
    assert request.to.tag == "1918181833n"
    assert request.to.uri == "sip:vivekg@chair-dnrc.example.com"
    assert (request.from_.display_name, request.from_.tag) == ('J Rosenberg \\"', "98asjd8")
    assert (request.cseq.number, request.top_via.host, request.top_via.branch) == (9, "192.0.2.2", "390skdjuw")
    assert request.headers.get("newfangledheader") == "newfangled value continued newfangled value"
    assert request.headers.get("Subject") == ""
    (contact,) = request.contacts
    assert contact.display_name == 'Quoted string ""'
    assert (contact.parameter("newparam"), contact.parameter("secondparam"), contact.parameter("q")) == (
        "newvalue",
        "",
        "0.33",
    )
    assert request.body == b"hi"
    answer = build_response(request, 405, received=("192.0.2.2", 5060))
    assert len(answer.headers.get_all("Via")) == 2

"""Requests, responses, and what a response takes over from its request."""

import pytest

from offhook.errors import SipError
from offhook.sip.headers import CSeq, Via
from offhook.sip.message import Headers, Request, Response, build_response, stamp_source
from offhook.sip.parser import parse_message

SOURCE = ("203.0.113.9", 40000)


def make_request(*extra: tuple[str, str], via: str = "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa") -> Request:
    fields = [
        ("Via", via),
        ("From", '"A" <sip:a@example.com>;tag=f'),
        ("To", "<sip:a@example.com>"),
        ("Call-ID", "c1"),
        ("CSeq", "7 REGISTER"),
    ]
    return Request("REGISTER", "sip:example.com", Headers([*fields, *extra]))


def test_headers_are_found_by_any_name_and_kept_in_order() -> None:
    headers = Headers([("v", "one"), ("x-thing", "1"), ("VIA", "two")])
    headers.add("m", "<sip:a@b>")
    assert list(headers) == [("Via", "one"), ("X-Thing", "1"), ("Via", "two"), ("Contact", "<sip:a@b>")]
    assert headers.get("via") == headers.get("V") == "one"
    assert headers.get_all("v") == ["one", "two"]
    assert headers.get("X-THING") == "1"
    assert headers.get("To") is None
    assert headers.get_all("To") == []
    assert "contact" in headers
    assert "To" not in headers
    assert len(headers) == 4
    assert headers == Headers(list(headers))
    assert headers != Headers()
    assert headers != "Via"


def test_credentials_do_not_show_in_the_representation_of_a_message() -> None:
    request = make_request(("Authorization", 'Digest response="0123456789abcdef"'))
    assert "0123456789abcdef" not in repr(request)
    assert "Authorization" in repr(request)


def test_typed_accessors_read_the_headers_that_every_request_has() -> None:
    request = make_request(("Contact", "<sip:a@192.0.2.1>, <sip:b@192.0.2.1>"), ("Expires", "60"))
    assert request.top_via.branch == "z9hG4bKa"
    assert request.from_.tag == "f"
    assert request.to.tag is None
    assert request.cseq == CSeq(7, "REGISTER")
    assert request.call_id == "c1"
    assert [contact.uri for contact in request.contacts] == ["sip:a@192.0.2.1", "sip:b@192.0.2.1"]
    assert request.expires == 60
    assert request.top_via is request.top_via
    assert make_request().contacts == ()
    assert make_request().expires is None


@pytest.mark.parametrize(
    ("name", "accessor"),
    [("Via", "top_via"), ("From", "from_"), ("To", "to"), ("CSeq", "cseq"), ("Call-ID", "call_id")],
)
def test_a_missing_or_malformed_header_is_400_and_named(name: str, accessor: str) -> None:
    """UAS-11."""
    fields = [(key, value) for key, value in make_request().headers if key != name]
    with pytest.raises(SipError, match=f"400 Missing {name} header"):
        getattr(Request("REGISTER", "sip:example.com", Headers(fields)), accessor)
    for broken in ("", "a b c"):
        with pytest.raises(SipError, match=f"400 Malformed {name} header"):
            getattr(Request("REGISTER", "sip:example.com", Headers([*fields, (name, broken)])), accessor)


def test_a_cseq_with_another_method_is_400() -> None:
    """RFC 4475 §3.1.2.17."""
    request = Request("OPTIONS", "sip:example.com", make_request().headers)
    with pytest.raises(SipError, match="CSeq method"):
        _ = request.cseq


def test_a_response_copies_what_identifies_the_transaction() -> None:
    """UAS-7, REG-25."""
    request = make_request(
        ("Via", "SIP/2.0/UDP 198.51.100.2;branch=z9hG4bKb"), ("Record-Route", "<sip:p>"), ("Contact", "<sip:a@b>")
    )
    response = build_response(request, 200, to_tag="t", headers=[("Contact", "<sip:a@b>;expires=60")])
    assert list(response.headers) == [
        ("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa"),
        ("Via", "SIP/2.0/UDP 198.51.100.2;branch=z9hG4bKb"),
        ("From", '"A" <sip:a@example.com>;tag=f'),
        ("To", "<sip:a@example.com>;tag=t"),
        ("Call-ID", "c1"),
        ("CSeq", "7 REGISTER"),
        ("Contact", "<sip:a@b>;expires=60"),
    ]
    assert (response.status, response.reason) == (200, "OK")
    assert response.top_via.branch == "z9hG4bKa"
    assert response.cseq == CSeq(7, "REGISTER")
    assert response.call_id == "c1"


def test_a_tag_is_added_only_where_there_is_none_and_never_to_a_100() -> None:
    """UAS-7."""
    assert build_response(make_request(), 100, to_tag="t").headers.get("To") == "<sip:a@example.com>"
    tagged = Request(
        "REGISTER",
        "sip:example.com",
        Headers((name, value + ";tag=own" if name == "To" else value) for name, value in make_request().headers),
    )
    assert build_response(tagged, 200, to_tag="t").headers.get("To") == "<sip:a@example.com>;tag=own"


def test_a_response_survives_the_way_through_the_parser() -> None:
    response = build_response(make_request(), 489, headers=[("Allow-Events", "reg")], body=b"why\r\n\r\n")
    octets = bytes(response)
    assert octets.startswith(b"SIP/2.0 489 Bad Event\r\nVia: ")
    assert octets.endswith(b"\r\nContent-Length: 7\r\n\r\nwhy\r\n\r\n")
    parsed = parse_message(octets)
    assert isinstance(parsed, Response)
    assert (parsed.status, parsed.reason, parsed.body) == (489, "Bad Event", b"why\r\n\r\n")
    assert parse_message(bytes(parsed)) == parsed


def test_a_request_survives_the_way_through_the_parser() -> None:
    request = make_request(("Content-Length", "2"))
    request.body = b"hi"
    assert parse_message(bytes(request)) == request


@pytest.mark.parametrize("value", ["x\r\nContact: <sip:evil@example.org>", "x\ny", "x\ry"])
def test_a_line_break_in_a_value_never_reaches_the_wire(value: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        bytes(build_response(make_request(), 200, headers=[("Server", value)]))
    with pytest.raises(ValueError, match="line break"):
        bytes(build_response(make_request(), 400, value))


@pytest.mark.parametrize(
    ("via", "stamped"),
    [
        ("UDP 203.0.113.9:5062;branch=b", "UDP 203.0.113.9:5062;branch=b"),
        ("UDP 192.168.1.2;branch=b", "UDP 192.168.1.2;branch=b;received=203.0.113.9"),
        ("UDP phone.example.com;branch=b", "UDP phone.example.com;branch=b;received=203.0.113.9"),
        ("UDP 203.0.113.9;rport;branch=b", "UDP 203.0.113.9;branch=b;rport=40000;received=203.0.113.9"),
        ("UDP 192.0.2.1;received=198.51.100.1;RPORT=9", "UDP 192.0.2.1;rport=40000;received=203.0.113.9"),
        ("UDP 203.0.113.9;received=198.51.100.1", "UDP 203.0.113.9"),
    ],
)
def test_the_top_via_is_stamped_with_the_source(via: str, stamped: str) -> None:
    """TP-2, TP-3; RFC 3581 §4. What the sender claims to be its source is not believed."""
    response = build_response(make_request(via=f"SIP/2.0/{via}"), 200, received=SOURCE)
    assert response.headers.get("Via") == f"SIP/2.0/{stamped}"


def test_only_the_first_of_several_vias_in_one_line_is_stamped() -> None:
    request = make_request(via="SIP/2.0/UDP a.example.com;rport , SIP/2.0/TCP b.example.com;rport")
    response = build_response(request, 200, received=SOURCE)
    assert response.headers.get_all("Via") == [
        "SIP/2.0/UDP a.example.com;rport=40000;received=203.0.113.9, SIP/2.0/TCP b.example.com;rport"
    ]


def test_ipv6_addresses_are_compared_as_addresses() -> None:
    """TP-16."""
    via = Via.parse("SIP/2.0/UDP [2001:DB8:0::1]:5060")
    assert stamp_source(via, "2001:db8::1", 5060).received is None
    assert stamp_source(via, "fe80::1%eth0", 5060).received == "fe80::1"
    assert stamp_source(Via.parse("SIP/2.0/UDP [2001:db8:::1]"), "2001:db8::2", 5060).received == "2001:db8::2"


def test_an_answer_to_a_request_without_a_readable_via_cannot_be_built() -> None:
    with pytest.raises(SipError):
        build_response(make_request(via="nonsense"), 400, received=SOURCE)

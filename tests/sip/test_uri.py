"""SIP URIs: reading, writing, comparing, and the address-of-record."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offhook.errors import SipError
from offhook.sip.uri import SipUri, parse_host_port

_USER = st.text("abcXYZ019-_.!~*'()&=+$,;?/", min_size=1, max_size=12) | st.sampled_from(["al%69ce", "%00", "j%40x"])
_NAME = st.text("abcXYZ019-", min_size=1, max_size=8)
_VALUE = st.text("abcXYZ019-_.!~*'()[]/:&+$", min_size=0, max_size=8)
_HOST = st.sampled_from(["atlanta.example.com", "192.0.2.7", "2001:db8::1", "::", "phone_7", "a"])

URIS = st.builds(
    SipUri,
    st.sampled_from(["sip", "sips"]),
    _USER,
    st.none() | st.text("abc019&=+$,", max_size=6),
    _HOST,
    st.none() | st.integers(1, 65535),
    st.lists(st.tuples(_NAME, st.none() | _VALUE), max_size=3).map(tuple),
    st.none() | st.text("abc=&%20", max_size=0) | st.just("Route=%3Csip:x%3E&a=b"),
)


@settings(max_examples=60)
@given(URIS)
def test_reading_what_was_written_gives_the_same_uri(uri: SipUri) -> None:
    assert SipUri.parse(str(uri)) == uri


@settings(max_examples=60)
@given(URIS)
def test_every_uri_matches_itself_and_its_address_of_record_is_stable(uri: SipUri) -> None:
    """REG-8, REG-18."""
    assert uri.matches(uri)
    address_of_record = uri.address_of_record()
    assert SipUri.parse(address_of_record).address_of_record() == address_of_record


@settings(max_examples=150)
@given(st.text(max_size=40) | st.text('sip:@;?=[]%<>"\\0a. ', max_size=30).map(lambda text: "sip:" + text))
def test_any_text_gives_a_uri_or_a_sip_error(text: str) -> None:
    with suppress(SipError):
        uri = SipUri.parse(text)
        assert SipUri.parse(str(uri)) == uri


def test_all_parts_are_read() -> None:
    uri = SipUri.parse(
        "SIPS:alice:secret@Atlanta.Example.COM:5061;transport=tcp;lr?subject=project%20x&priority=urgent"
    )
    assert uri == SipUri(
        "sips",
        "alice",
        "secret",
        "atlanta.example.com",
        5061,
        (("transport", "tcp"), ("lr", None)),
        "subject=project%20x&priority=urgent",
    )
    assert uri.parameter("TRANSPORT") == "tcp"
    assert uri.parameter("lr") == ""
    assert uri.parameter("maddr") is None


def test_semicolons_and_question_marks_before_the_at_sign_belong_to_the_user() -> None:
    """RFC 4475 §3.1.1.6 and §3.1.1.9."""
    uri = SipUri.parse("sip:user;par=u%40example.net?x@example.com")
    assert (uri.user, uri.host, uri.parameters, uri.headers) == ("user;par=u%40example.net?x", "example.com", (), None)


def test_an_ipv6_literal_has_its_brackets_in_the_text_only() -> None:
    """TP-16."""
    uri = SipUri.parse("sip:2001@[2001:DB8::1]:5062")
    assert (uri.host, uri.port) == ("2001:db8::1", 5062)
    assert str(uri) == "sip:2001@[2001:db8::1]:5062"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sip",
        "sip:",
        "sip:alice@",
        "sip:a@b@c",
        "sip:alice@host:",
        "sip:alice@host:0",
        "sip:alice@host:65536",
        "sip:alice@host:99999999999999999999",
        "sip:alice@host:٥",
        "sip:alice@[::1",
        "sip:alice@[host]",
        "sip:alice@[::1]5060",
        "sip:alice@2001:db8::1",
        "sip:al ice@host",
        "sip:alice@host;=x",
        "sip:%zz@host",
        "sip:al%6@host",
        "<sip:alice@host>",
        "sip:alice\r\n@host",
        'sip:"alice"@host',
    ],
)
def test_what_is_not_a_uri_is_refused(text: str) -> None:
    with pytest.raises(SipError) as caught:
        SipUri.parse(text)
    assert caught.value.status == 400


@pytest.mark.parametrize("text", ["tel:+12125550101", "isbn:2983792873", "http://example.com", "nobodyKnowsThis:x"])
def test_another_scheme_is_416(text: str) -> None:
    """UAS-2, RFC 4475 §3.3.4 and §3.3.5."""
    with pytest.raises(SipError) as caught:
        SipUri.parse(text)
    assert caught.value.status == 416


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
        ),
        ("sip:a@[2001:db8:0::1]", "sip:a@[2001:DB8::1]"),
        ("sip:a%3Bb@host", "sip:a%3bb@host"),
    ],
)
def test_uris_that_rfc_3261_calls_equal_match(one: str, other: str) -> None:
    """REG-18; the examples of RFC 3261 §19.1.4 and of RFC 5954 §4.2."""
    assert SipUri.parse(one).matches(SipUri.parse(other))
    assert SipUri.parse(other).matches(SipUri.parse(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
        ("sip:bob@biloxi.com;transport=udp", "sip:bob@biloxi.com;transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
        ("sip:bob@biloxi.com", "sips:bob@biloxi.com"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;user=ip"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;maddr=192.0.2.1"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;ttl=1"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;method=INVITE"),
        ("sip:bob:x@biloxi.com", "sip:bob@biloxi.com"),
        ("sip:a;b@host", "sip:a%3Bb@host"),
        ("sip:@host", "sip:host"),
    ],
)
def test_uris_that_rfc_3261_calls_different_do_not_match(one: str, other: str) -> None:
    """REG-18; the examples of RFC 3261 §19.1.4."""
    assert not SipUri.parse(one).matches(SipUri.parse(other))
    assert not SipUri.parse(other).matches(SipUri.parse(one))


@pytest.mark.parametrize(
    ("text", "address_of_record"),
    [
        ("sip:al%69ce@D.example;user=phone", "sip:alice@d.example"),
        ("sip:alice@d.example", "sip:alice@d.example"),
        ("sip:alice:secret@d.example:5060?x=y", "sip:alice@d.example"),
        ("sips:alice@d.example", "sip:alice@d.example"),
        ("sip:Alice@d.example", "sip:Alice@d.example"),
        ("sip:%2a97%23@d.example", "sip:*97%23@d.example"),
        ("sip:*97#@d.example", "sip:*97%23@d.example"),
        ("sip:null-%00-null@d.example", "sip:null-%00-null@d.example"),
        ("sip:j%c3%bcrgen@d.example", "sip:j%C3%BCrgen@d.example"),
        ("sip:jürgen@d.example", "sip:j%C3%BCrgen@d.example"),
        ("sip:j%40x@d.example", "sip:j%40x@d.example"),
        ("sip:2001@[2001:DB8:0:0::1]:5060", "sip:2001@[2001:db8::1]"),
        ("sip:2001@[2001:db8:::1]", "sip:2001@[2001:db8:::1]"),
        ("sip:d.example", "sip:d.example"),
    ],
)
def test_the_address_of_record_is_canonical(text: str, address_of_record: str) -> None:
    """REG-8."""
    assert SipUri.parse(text).address_of_record() == address_of_record


def test_host_and_port_are_split() -> None:
    assert parse_host_port("Proxy.Example.com:5080") == ("proxy.example.com", 5080)
    assert parse_host_port("[2001:db8:::1]:5060") == ("2001:db8:::1", 5060)
    assert parse_host_port("[::FFFF:192.0.2.1]") == ("::ffff:192.0.2.1", None)

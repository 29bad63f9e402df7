"""Header values: addresses, contacts, Via, CSeq, lists and parameters."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offhook.errors import SipError
from offhook.sip.headers import (
    MAX_CONTACTS,
    MAX_EXPIRES,
    Contact,
    CSeq,
    NameAddress,
    Parameters,
    Via,
    parse_auth_parameters,
    parse_contacts,
    parse_expires,
    parse_parameters,
    quote_string,
    split_list,
    unquote_string,
)

_PRINTABLE = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), max_size=12)
_TOKENS = st.text("abcXYZ019-.!%*_+`'~", min_size=1, max_size=8)
_PARAMETERS = st.lists(
    st.tuples(_TOKENS, st.none() | st.just("") | _TOKENS | _PRINTABLE.map(quote_string)), max_size=4
).map(tuple)


@settings(max_examples=60)
@given(
    st.builds(
        NameAddress,
        _PRINTABLE,
        st.sampled_from(["sip:2001@example.com", "sip:a@h;x=y?Route=%3Csip:p%3E", "tel:+1212", "mailto:a@b,c"]),
        _PARAMETERS,
    )
)
def test_an_address_survives_writing_and_reading(address: NameAddress) -> None:
    assert NameAddress.parse(str(address)) == address


@settings(max_examples=60)
@given(
    st.builds(
        Via,
        st.sampled_from(["UDP", "TCP", "TLS", "WSS", "SCTP"]),
        st.sampled_from(["192.0.2.1", "phone.example.com", "2001:db8::9"]),
        st.none() | st.integers(1, 65535),
        _PARAMETERS,
    )
)
def test_a_via_survives_writing_and_reading(via: Via) -> None:
    assert Via.parse(str(via)) == via


@settings(max_examples=60)
@given(_PARAMETERS)
def test_parameters_with_any_quoted_text_are_told_apart(parameters: Parameters) -> None:
    text = "".join(f" ; {name}" if value is None else f" ; {name} = {value}" for name, value in parameters)
    assert parse_parameters(text) == parameters


@settings(max_examples=150)
@given(st.text(max_size=40) | st.text('sip:a@<>";,=\\ \tSIP/2.0UDP*', max_size=40))
def test_any_text_gives_a_value_or_a_sip_error(text: str) -> None:
    for parse in (NameAddress.parse, Via.parse, CSeq.parse, split_list, parse_parameters, parse_auth_parameters):
        with suppress(SipError):
            parse(text)
    with suppress(SipError):
        parse_contacts([text])
    assert 0 <= parse_expires(text) <= MAX_EXPIRES


@pytest.mark.parametrize(
    ("text", "name", "uri", "tag"),
    [
        ('"Jane Smith" <sip:2001@example.com>;tag=1', "Jane Smith", "sip:2001@example.com", "1"),
        ("<sip:2001@example.com>", "", "sip:2001@example.com", None),
        ("sip:2001@example.com;tag=88sja8x", "", "sip:2001@example.com", "88sja8x"),
        ("Jane Smith <sip:2001@example.com;user=phone>; TAG = 1", "Jane Smith", "sip:2001@example.com;user=phone", "1"),
        (
            '"J. \\"X\\" \\\\ <sip:evil@example.org>"<sip:a@b>;tag="q;x"',
            'J. "X" \\ <sip:evil@example.org>',
            "sip:a@b",
            "q;x",
        ),
        ('sip:a@b;x="<sip:c@d>";tag=2', "", "sip:a@b", "2"),
        ("Jürgen <sip:a@b>", "Jürgen", "sip:a@b", None),
        ("tel:+12125550101;tag=x", "", "tel:+12125550101", "x"),
        ('""  <sip:a@b>  ; tag=z ;', "", "sip:a@b", "z"),
    ],
)
def test_addresses_in_every_notation_are_read(text: str, name: str, uri: str, tag: str | None) -> None:
    """UAS-19; RFC 3261 §20.10 and §25.1."""
    address = NameAddress.parse(text)
    assert (address.display_name, address.uri, address.tag) == (name, uri, tag)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "alice",
        "<sip:a@b",
        '"open <sip:a@b>',
        '"closed" sip:a@b',
        "<sip:a@b> tag=1",
        "sip:a@b?Route=x",
        '"Joe" "Bar" <sip:a@b>',
        "<sip:a@b>;=1",
        "<sip:a b@c>",
        "<>",
        'sip:a@b;x="open',
    ],
)
def test_broken_addresses_are_refused(text: str) -> None:
    """RFC 4475 §3.1.2.6, §3.1.2.13 and §3.1.2.15."""
    with pytest.raises(SipError):
        NameAddress.parse(text)


def test_parameters_inside_the_brackets_belong_to_the_uri_and_outside_to_the_header() -> None:
    """REG-33; RFC 4475 §3.1.1.8 and RFC 3261 §20.10."""
    (inside,) = parse_contacts(["<sip:u@h;x=y>"])
    (outside,) = parse_contacts(["sip:u@h;x=y"])
    assert (inside.uri, inside.parameter("x")) == ("sip:u@h;x=y", None)
    assert (outside.uri, outside.parameter("x")) == ("sip:u@h", "y")
    assert str(inside) == "<sip:u@h;x=y>"
    assert str(outside) == "<sip:u@h>;x=y"


def test_headers_in_a_contact_uri_need_brackets() -> None:
    """REG-32; RFC 4475 §3.1.1.13 and §3.1.2.13."""
    (contact,) = parse_contacts(["<sip:u@h?Route=%3Csip:sip.example.com%3E>"])
    assert contact.uri == "sip:u@h?Route=%3Csip:sip.example.com%3E"
    with pytest.raises(SipError):
        parse_contacts(["sip:u@h?Route=%3Csip:sip.example.com%3E"])


def test_several_contacts_in_one_header_and_in_several_are_read_in_order() -> None:
    contacts = parse_contacts(['"Smith, J." <sip:a,b@h>;expires=60, sip:c@h;q=0.5', "<sip:d@h>;expires=abc"])
    assert [contact.uri for contact in contacts] == ["sip:a,b@h", "sip:c@h", "sip:d@h"]
    assert [contact.expires for contact in contacts] == [60, None, 3600]
    assert contacts[0].display_name == "Smith, J."


def test_the_wildcard_is_told_from_an_address() -> None:
    """REG-10."""
    assert parse_contacts(["*"]) == (Contact("", "*", (), is_wildcard=True),)
    assert [contact.is_wildcard for contact in parse_contacts(["*, <sip:a@h>"])] == [True, False]
    assert str(parse_contacts([" * "])[0]) == "*"
    with pytest.raises(SipError):
        parse_contacts(["*;expires=0"])


def test_a_message_has_at_most_sixteen_contacts() -> None:
    """TP-17."""
    assert len(parse_contacts(["<sip:a@h>"] * MAX_CONTACTS)) == MAX_CONTACTS
    with pytest.raises(SipError, match="Too many contacts"):
        parse_contacts([", ".join(["<sip:a@h>"] * (MAX_CONTACTS + 1))])
    with pytest.raises(SipError, match="Too many contacts"):
        parse_contacts(["*"] * (MAX_CONTACTS + 1))


def test_an_instance_id_keeps_its_quotes_in_the_text_and_loses_them_when_asked_for() -> None:
    """OB-1."""
    text = '<sip:u@h>;+sip.instance="<urn:uuid:00000000-0000-1000-8000-001565123456>";reg-id=1'
    (contact,) = parse_contacts([text])
    assert contact.parameter("+SIP.instance") == "<urn:uuid:00000000-0000-1000-8000-001565123456>"
    assert str(contact) == text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("3600", 3600),
        (" 60 ", 60),
        ("0", 0),
        ("00060", 60),
        ("4294967295", MAX_EXPIRES),
        ("4294967296", MAX_EXPIRES),
        ("9" * 5000, MAX_EXPIRES),
        ("0" * 5000 + "7", 7),
        ("abc", 3600),
        ("", 3600),
        ("-1", 3600),
        ("1.5", 3600),
        ("٣", 3600),
        ("²", 3600),
    ],
)
def test_expires_is_never_an_error(text: str, seconds: int) -> None:
    """REG-13; also beyond the length at which int() refuses digits."""
    assert parse_expires(text) == seconds


def test_a_via_is_read_with_its_parameters() -> None:
    via = Via.parse("SIP/2.0/UDP 192.0.2.1:5062;rport;branch=z9hG4bKx;received=203.0.113.7")
    assert (via.transport, via.host, via.port) == ("UDP", "192.0.2.1", 5062)
    assert (via.branch, via.rport, via.received) == ("z9hG4bKx", "", "203.0.113.7")
    assert Via.parse("SIP/2.0/TLS Phone.example.com").sent_by == "phone.example.com"


def test_white_space_within_a_via_is_skipped() -> None:
    """RFC 4475 §3.1.1.1."""
    via = Via.parse("SIP  / 2.0  /TCP     spindle.example.com : 5080  ;  branch  =   z9hG4bK9ikj8")
    assert via == Via("TCP", "spindle.example.com", 5080, (("branch", "z9hG4bK9ikj8"),))
    assert Via.parse("sip/2.0/UDP [2001:db8::9:1] ;branch=x").sent_by == "[2001:db8::9:1]"


@pytest.mark.parametrize(
    "text",
    ["", "SIP/2.0/UDP", "SIP/2.0/UDP ;branch=x", "SIP/3.0/UDP h", "SIP/2.0 h", "SIP/2.0/UDP h:0", "SIP/2.0/UDP a b"],
)
def test_a_broken_via_is_refused(text: str) -> None:
    with pytest.raises(SipError):
        Via.parse(text)


def test_a_cseq_is_a_number_of_32_bits_and_a_method() -> None:
    """RFC 4475 §3.1.2.4 and §3.1.2.17."""
    assert CSeq.parse("0009 \t INVITE") == CSeq(9, "INVITE")
    assert CSeq.parse("7\tX-poll!") == CSeq(7, "X-poll!")
    assert str(CSeq(4294967295, "REGISTER")) == "4294967295 REGISTER"
    for text in ("", "1", "REGISTER", "-1 REGISTER", "4294967296 REGISTER", "36893488147419103232 REGISTER", "1 A B"):
        with pytest.raises(SipError):
            CSeq.parse(text)


def test_lists_are_split_at_commas_outside_of_quotes_and_brackets() -> None:
    assert split_list('a, "b,c" , <sip:d,e> ,, f') == ["a", '"b,c"', "<sip:d,e>", "f"]
    assert split_list(" one ") == ["one"]
    for text in ('a, "b', "a, <b", '"\\", a'):
        with pytest.raises(SipError):
            split_list(text)


def test_a_comma_and_an_equals_sign_in_quotes_do_not_begin_a_parameter() -> None:
    assert parse_auth_parameters('realm=",nonce="') == {"realm": ",nonce="}


def test_authentication_parameters_with_commas_and_escapes_in_quotes_are_read() -> None:
    text = (
        'realm="a, \\"b\\"", nonce="x",qop="auth,auth-int" , algorithm=SHA-256,stale=FALSE,username*=UTF-8\'\'J%C3%BC'
    )
    assert parse_auth_parameters(text) == {
        "realm": 'a, "b"',
        "nonce": "x",
        "qop": "auth,auth-int",
        "algorithm": "SHA-256",
        "stale": "FALSE",
        "username*": "UTF-8''J%C3%BC",
    }


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from(["realm", "nonce", "uri", "x", "b*"]), st.text('a,="\\ ', max_size=6)))
def test_whatever_is_quoted_comes_back(parameters: dict[str, str]) -> None:
    for separator in (",", ", ", " ,\t"):
        text = separator.join(f"{name}={quote_string(value)}" for name, value in parameters.items())
        assert parse_auth_parameters(text) == parameters


@pytest.mark.parametrize(
    "text",
    ['a="', 'a=",b', 'a="b"c"', 'a="\\"", A=c', 'a="x', "a", "a=", "=b", 'a="x" b=c', "a=b, A=c", 'a="b"c', "a=b c=d"],
)
def test_broken_authentication_parameters_are_refused(text: str) -> None:
    with pytest.raises(SipError):
        parse_auth_parameters(text)


@settings(max_examples=60)
@given(_PRINTABLE)
def test_quoting_is_undone_by_unquoting(text: str) -> None:
    assert unquote_string(quote_string(text)) == text
    assert unquote_string(f"x{text}") == f"x{text}"

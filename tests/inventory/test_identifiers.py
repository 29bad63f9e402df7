"""Identifiers in every notation become one form, and what is none is refused with the reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.errors import Invalid
from offhook.inventory import identifiers
from offhook.inventory.identifiers import (
    format_ipei,
    format_mac,
    ipei_check_digit,
    parse_auth_username,
    parse_domain,
    parse_e164,
    parse_email,
    parse_extension,
    parse_ipei,
    parse_label,
    parse_mac,
    parse_username,
)

MACS = st.integers(0, 2**48 - 1).map(lambda number: f"{number:012x}").filter(lambda mac: int(mac[:2], 16) % 2 == 0)
IPEIS = st.tuples(st.integers(0, 0xFFFF), st.integers(0, 0xFFFFF)).map(lambda pair: f"{pair[0]:05d}{pair[1]:07d}")


@pytest.mark.parametrize(
    "text", ["00:15:65:12:34:56", "00-15-65-12-34-56", "0015.6512.3456", "001565123456", " 00:15:65:12:34:56 "]
)
def test_a_mac_is_read_in_every_notation(text: str) -> None:
    assert parse_mac(text) == parse_mac(text.upper()) == "001565123456"


@given(MACS)
def test_a_formatted_mac_reads_back(mac: str) -> None:
    assert parse_mac(format_mac(mac)) == parse_mac(mac) == mac


@pytest.mark.parametrize("text", ["", "00:15:65:12:34", "00:15:65:12:34:5g", "00:15:65:12:34:56:78", "٠٠1565123456"])
def test_what_is_no_mac_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="is not a MAC address"):
        parse_mac(text)


def test_a_group_address_is_no_device() -> None:
    with pytest.raises(Invalid, match="group address"):
        parse_mac("01:00:5e:00:00:01")


@pytest.mark.parametrize(
    ("digits", "check"), [("065850047939", "3"), ("002020807544", "2"), ("113150177424", "2"), ("107270304537", "3")]
)
def test_the_check_digit_is_that_of_printed_labels(digits: str, check: str) -> None:
    assert ipei_check_digit(digits) == check


def test_a_remainder_of_ten_is_a_star() -> None:
    assert parse_ipei("000000000100*") == "000000000100"
    assert format_ipei("000000000100") == "000000000100*"


@pytest.mark.parametrize("text", ["0658500479393", "06585 0047939 3", "06585-0047939", "019b90bb43", "019B90BB43"])
def test_an_ipei_is_read_in_every_notation(text: str) -> None:
    assert parse_ipei(text) == "065850047939"


@pytest.mark.parametrize(("hexadecimal", "digits"), [("02c332b510", "113150177424"), ("029e74a599", "107270304537")])
def test_an_ipui_as_bases_write_it_is_read(hexadecimal: str, digits: str) -> None:
    assert parse_ipei(hexadecimal) == digits


@given(IPEIS)
def test_a_formatted_ipei_reads_back(digits: str) -> None:
    assert parse_ipei(format_ipei(digits)) == parse_ipei(digits) == digits


@given(IPEIS, st.sampled_from("0123456789*"))
def test_a_wrong_check_digit_is_refused_with_the_one_expected(digits: str, check: str) -> None:
    expected = ipei_check_digit(digits)
    if check == expected:
        assert parse_ipei(digits + check) == digits
        return
    with pytest.raises(Invalid, match="check digit") as refusal:
        parse_ipei(digits + check)
    assert refusal.value.message.endswith(f"but {expected} is expected")


@pytest.mark.parametrize("text", ["", "06585004793", "06585004793933", "655360000000", "000001048576", "1234567890"])
def test_what_is_no_ipei_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="is not an IPEI"):
        parse_ipei(text)


def test_a_number_needs_its_plus_sign() -> None:
    assert parse_e164("+1 (212) 555-01.01") == "+12125550101"
    for border in ("+1234567", "+123456789012345"):
        assert parse_e164(border) == border
    for text in ("12125550101", "+123456", "+0123456789", "+1234567890123456", "+12125550abc", ""):
        with pytest.raises(Invalid, match=r"E\.164"):
            parse_e164(text)


def test_an_extension_has_two_to_ten_digits() -> None:
    assert parse_extension(" 0042 ") == "0042"
    assert (parse_extension("12"), parse_extension("1234567890")) == ("12", "1234567890")
    for text in ("1", "12345678901", "20 01", "20a1", "٢٠٠١", ""):
        with pytest.raises(Invalid, match="is not an extension"):
            parse_extension(text)


@pytest.mark.parametrize("text", ["jsmith", "j.smith-2:[x]", "jane@acme.test", "a" * 64])
def test_user_names_are_letters_digits_signs_or_an_address(text: str) -> None:
    assert parse_username(text) == text


@pytest.mark.parametrize("text", ["", "j smith", "j_smith", "jané", "a" * 65, "jane@", "@acme.test", "a@b@c"])
def test_other_user_names_are_refused(text: str) -> None:
    with pytest.raises(Invalid, match="cannot be a user name"):
        parse_username(text)


def test_an_email_address_is_judged_by_its_form() -> None:
    assert parse_email("jane@acme.test") == "jane@acme.test"
    with pytest.raises(Invalid, match="not an email address"):
        parse_email("jane at acme.test")


def test_a_domain_is_compared_in_lower_case() -> None:
    assert parse_domain("ACME.Test.") == "acme.test"
    assert parse_domain("192.0.2.1") == "192.0.2.1"
    for text in ("", "acme..test", "-acme.test", "acme_test", "a" * 64 + ".test", ".".join(["a" * 60] * 5), "a b"):
        with pytest.raises(Invalid, match="is not a domain"):
            parse_domain(text)


def test_an_authentication_name_needs_no_escaping_anywhere() -> None:
    assert parse_auth_username("2001-bcdfgh") == "2001-bcdfgh"
    for text in ("", 'a"b', "a b", "a\\b", "é", "a" * 65):
        with pytest.raises(Invalid, match="authentication name"):
            parse_auth_username(text)


def test_a_label_is_any_script_on_one_line() -> None:
    assert parse_label("  Empfang \t Süd  日本 ") == "Empfang Süd 日本"
    for text in ("", "   ", "a\x00b", "a\x1b[31m", "a" * 129, "a\u202eb"):
        with pytest.raises(Invalid, match="cannot be used as name"):
            parse_label(text)


@given(st.text(max_size=40))
def test_every_parser_gives_a_value_that_it_takes_again_or_refuses(text: str) -> None:
    for name in ("mac", "ipei", "e164", "extension", "username", "email", "domain", "auth_username", "label"):
        parse = getattr(identifiers, f"parse_{name}")
        try:
            value = parse(text)
        except Invalid:
            continue
        assert parse(value) == value

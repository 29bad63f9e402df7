"""A document is checked as far as it can be by itself: all faults, each with its place."""

import pytest

from offhook.errors import DocumentError, Invalid
from offhook.inventory.document import (
    AccountPart,
    LinePart,
    UserPart,
    parse_algorithm,
    parse_country,
    parse_gateway,
    parse_host,
    parse_language,
    parse_timezone,
)
from offhook.inventory.models import AccessLevel, Plan
from offhook.inventory.reading import read_document


def faults(text: str) -> list[str]:
    try:
        return [str(fault) for fault in read_document(text, "site.yaml").faults]
    except DocumentError as error:
        return [str(fault) for fault in error.faults]


def test_every_field_at_fault_is_named_with_its_place_and_remedy() -> None:
    found = faults("""\
accounts:
  - name: acme
    sip_domain: not a domain
    acces: lan
    access: wlan
    users:
      - {username: "j smith", plan: gold}
      - {first_name: Jane}
    numbers:
      - {number: "12125550101"}
    devices:
      - {type: deskfone, mac: "00:15:65:12:34"}
      - {type: dect_handset, ipei: "0658500479394"}
      - {mac: 001565123456, lines: [{index: 0}, {index: 1, password: "a b"}]}
""")
    assert [fault.split(": ")[0].removeprefix("site.yaml:") for fault in found] == [
        "3:17", "4:5", "5:13", "7:20", "7:37", "8:9", "10:18", "12:16", "12:31", "13:36", "14:45", "14:70"
    ]  # fmt: skip
    assert found[1] == "site.yaml:4:5: accounts[0].acces: unknown key; did you mean 'access'?"
    assert found[9] == (
        "site.yaml:13:36: accounts[0].devices[1].ipei: IPEI '0658500479394' has check digit 4, but 3 is expected; "
        "one of the digits was misread: dial *#06# on the handset"
    )
    assert "a b" not in found[11]


@pytest.mark.parametrize("text", ["", "# nothing\n", "[]", "accounts: {}", "users: []", "accounts: [[]]"])
def test_what_is_no_document_says_so(text: str) -> None:
    found = faults(text)
    assert found
    assert all(fault.startswith("site.yaml") for fault in found)


@pytest.mark.parametrize(
    ("access", "message"),
    [
        ("certificate", "certificate needs HTTPS, which is not in this version; use device or token"),
        ("open", "wants one of device, token, lan, not 'open'"),
        ("[]", "wants one of device, token, lan"),
    ],
)
def test_an_access_level_that_is_not_to_be_had_is_refused(access: str, message: str) -> None:
    assert faults(f"accounts: [{{name: acme, access: {access}}}]") == [f"site.yaml:1:33: accounts[0].access: {message}"]


def test_null_is_the_default_where_nothing_cannot_be() -> None:
    part = AccountPart.model_validate(
        {"name": "acme", "access": None, "digest_algorithms": None, "users": None, "gateway": None}
    )
    assert (part.access, part.digest_algorithms, part.users, part.gateway) == (AccessLevel.TOKEN, ["MD5"], [], None)
    assert part.stated("access", "gateway", "language") == {"access": AccessLevel.TOKEN, "gateway": None}
    assert UserPart.model_validate({"username": "jane", "plan": None}).plan is Plan.PRO


def test_a_password_is_not_shown() -> None:
    part = LinePart.model_validate({"index": "1", "password": "Sesame234"})
    assert "Sesame" not in repr(part)
    assert part.password is not None
    assert part.password.reveal() == "Sesame234"


@pytest.mark.parametrize(
    ("parse", "good", "bad"),
    [
        (parse_timezone, ["America/New_York", "UTC"], ["EST5", "New York", "../etc/passwd"]),
        (
            parse_gateway,
            ["sip:pbx.acme.test", "sips:pbx.test:5061;transport=tcp"],
            ["pbx.test", "sip:jane@pbx.test", "tel:+1"],
        ),
        (parse_host, ["pbx.test", "pbx.test:5070", "192.0.2.1", "[2001:db8::1]:5060"], ["a@b", "a;b=c", "", "a?b=c"]),
        (parse_language, ["en", "de-CH"], ["e", "en_US", "x" * 13]),
        (parse_country, ["US"], ["USA", "1A", "ÄÖ"]),
        (parse_algorithm, ["MD5", "SHA-256", "SHA-512-256"], ["SHA-1", ""]),
    ],
)
def test_small_parsers_take_and_refuse(parse: object, good: list[str], bad: list[str]) -> None:
    assert callable(parse)
    for text in good:
        assert parse(text) == text
    for text in bad:
        with pytest.raises(Invalid) as refusal:
            parse(text)
        assert refusal.value.remedy


def test_algorithms_and_countries_have_one_spelling() -> None:
    assert parse_algorithm("sha-256") == "SHA-256"
    assert parse_country("us") == "US"

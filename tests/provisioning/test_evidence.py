import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.inventory import ACCOUNT_TOKEN
from tests.support.provisioning import shipped

from offhook.provisioning.evidence import (
    RequestPath,
    TokenKind,
    clean_user_agent,
    gather_claims,
    parse_request_path,
    parse_source,
)


@pytest.mark.parametrize(
    "path", ["001565123456.cfg", "/001565123456.cfg", "configs/001565123456.cfg", "//tftpboot//a/001565123456.cfg"]
)
def test_folders_before_a_name_mean_nothing(path: str) -> None:
    assert parse_request_path(path) == RequestPath("001565123456.cfg")


@pytest.mark.parametrize("prefix", ["p", "/P", "d", "/prov/d"])
def test_token_is_found_and_lowered(prefix: str) -> None:
    path = parse_request_path(f"{prefix}/{ACCOUNT_TOKEN.upper()}/x/y.cfg")
    assert path is not None
    assert path.token is not None
    assert path.token.kind is (TokenKind.DEVICE if "d" in prefix else TokenKind.ACCOUNT)
    assert path.token.text.reveal() == ACCOUNT_TOKEN
    assert path.token.is_well_formed
    assert path.name == "y.cfg"


def test_token_is_not_in_what_is_shown() -> None:
    path = parse_request_path(f"p/{ACCOUNT_TOKEN}/y.cfg")
    assert path is not None
    assert ACCOUNT_TOKEN not in repr(path) + path.redacted
    assert path.redacted == "p/***/y.cfg"


@pytest.mark.parametrize("path", [f"p/{ACCOUNT_TOKEN}", f"/x/D/{ACCOUNT_TOKEN}/", "p/mistyped"])
def test_token_without_a_name_is_no_name(path: str) -> None:
    assert parse_request_path(path) is None


def test_token_in_place_of_a_name_is_not_shown() -> None:
    path = parse_request_path(f"/configs/{ACCOUNT_TOKEN.upper()}")
    assert path is not None
    assert path.redacted == "***"


@pytest.mark.parametrize("name", ["{}.cfg", "x-{}.cfg", "{}001565123456.cfg", "001565123456-{}", "{}a.cfg"])
@pytest.mark.parametrize("folder", ["", "p/x/", "d/short/"])
def test_token_in_a_name_is_not_shown(folder: str, name: str) -> None:
    for token in (ACCOUNT_TOKEN, ACCOUNT_TOKEN.upper()):
        path = parse_request_path(folder + name.format(token))
        assert path is not None
        assert token not in path.redacted
        assert "***" in path.redacted
        assert ("001565123456" in name) == ("001565123456" in path.redacted)


def test_malformed_token_is_a_token_all_the_same() -> None:
    path = parse_request_path("p/short/y.cfg")
    assert path is not None
    assert path.token is not None
    assert not path.token.is_well_formed


@pytest.mark.parametrize(
    "path",
    ["", "/", "///", "../a.cfg", "a/../b.cfg", "a/./b.cfg", "..", "..\\a.cfg", "a\\b", "a\x00.cfg", "a\nb", "x" * 600],
)
def test_what_no_phone_sends_is_refused(path: str) -> None:
    assert parse_request_path(path) is None


@given(st.text(max_size=700))
def test_any_text_is_a_path_or_none(path: str) -> None:
    parsed = parse_request_path(path)
    assert parsed is None or "/" not in parsed.name


@given(st.text())
def test_user_agent_is_bounded_and_showable(text: str) -> None:
    cleaned = clean_user_agent(text)
    assert len(cleaned) <= 256
    assert not set(cleaned) & set("\x00\x1b\n\r\x85\u202e\u2028")


@pytest.mark.parametrize(
    ("text", "address"),
    [("10.0.0.9", "10.0.0.9"), ("::ffff:10.0.0.9", "10.0.0.9"), ("fe80::1%eth0", "fe80::1"), ("::1", "::1")],
)
def test_source_is_read(text: str, address: str) -> None:
    assert parse_source(text) == ipaddress.ip_address(address)


def test_source_that_is_none() -> None:
    assert parse_source("unix:") is None


def test_claims_are_read_from_name_and_user_agent() -> None:
    path = parse_request_path("/snomD785-000413922D24.htm")
    assert path is not None
    agent = "Mozilla/4.0 (compatible; snomD785-SIP 10.1.33.33 2010.12-00004-g9ba52f5 000413922D24 SXM:0 UXM:0)"
    claims = gather_claims(shipped(), path, agent)
    assert (claims.mac, claims.mac_vendor) == ("000413922d24", "snom")
    assert [model.name for match in claims.files for model in match.models] == ["D785"]
    assert claims.agent is not None
    assert (claims.agent.vendor, claims.agent.firmware) == ("snom", "10.1.33.33")

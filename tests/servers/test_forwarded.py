"""Whom a request is from when proxies pass it on."""

from ipaddress import ip_network

import pytest

from offhook.servers.forwarded import find_requester_address, was_secure

TRUSTED = (ip_network("127.0.0.0/8"), ip_network("10.9.0.0/16"), ip_network("fd00::/8"))


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "expected"),
    [
        ("192.0.2.7", [], "192.0.2.7"),
        ("192.0.2.7", ["10.0.0.1"], "192.0.2.7"),
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["198.51.100.4"], "198.51.100.4"),
        ("127.0.0.1", ["10.0.0.1, 198.51.100.4"], "198.51.100.4"),
        ("127.0.0.1", ["10.0.0.1", "198.51.100.4, 10.9.0.2"], "198.51.100.4"),
        ("127.0.0.1", ["10.9.0.3"], "10.9.0.3"),
        ("fd00::1", ["[2001:db8::9]"], "2001:db8::9"),
        ("127.0.0.1", ["unknown"], None),
        ("127.0.0.1", ["10.0.0.1,"], None),
    ],
)
def test_the_last_address_that_no_trusted_proxy_has_is_the_requester(
    peer: str, forwarded_for: list[str], expected: str | None
) -> None:
    assert find_requester_address(peer, forwarded_for, TRUSTED) == expected


def test_only_a_trusted_proxy_can_say_that_it_was_asked_by_https() -> None:
    assert was_secure("127.0.0.1", " HTTPS ", TRUSTED)
    assert not was_secure("127.0.0.1", "http", TRUSTED)
    assert not was_secure("192.0.2.7", "https", TRUSTED)

"""Grants, hosts, and which account a request is for."""

import pytest

from offhook.inventory.models import Account
from offhook.inventory.snapshot import Inventory
from offhook.registrar.policy import RegisterPolicy, canonical_host, find_account, is_domain_of

ACME = Account(id=1, name="acme", sip_domain="acme.test", former_domains=("old.test",))
BETA = Account(id=2, name="beta", sip_domain="beta.test")


@pytest.mark.parametrize(
    ("asked", "granted"), [(0, 0), (1, None), (59, None), (60, 60), (3600, 3600), (7200, 7200), (2**32 - 1, 7200)]
)
def test_grant_is_within_bounds(asked: int, granted: int | None) -> None:
    assert RegisterPolicy().grant(asked) == granted


@pytest.mark.parametrize(
    ("text", "host"),
    [("ACME.Test.", "acme.test"), ("2001:DB8:0::1", "2001:db8::1"), ("fe80::1%2", "fe80::1"), ("10.0.0.1", "10.0.0.1")],
)
def test_hosts_have_one_spelling(text: str, host: str) -> None:
    assert canonical_host(text) == host


@pytest.mark.parametrize(
    ("request_host", "to_host", "account"),
    [
        ("acme.test", "beta.test", ACME),
        ("old.test", None, ACME),
        ("proxy.test", "BETA.test", BETA),
        ("10.0.0.1", "10.0.0.1", None),
        ("proxy.test", None, None),
    ],
)
def test_account_is_named_by_request_uri_then_to(request_host: str, to_host: str | None, account: Account) -> None:
    assert find_account(Inventory([ACME, BETA]), request_host, to_host, {"10.0.0.1"}) == account


def test_own_address_means_the_only_account() -> None:
    assert find_account(Inventory([ACME]), "10.0.0.1", None, {"10.0.0.1"}) == ACME
    assert find_account(Inventory([ACME]), "10.0.0.2", None, {"10.0.0.1"}) is None


def test_former_domains_belong_to_the_account() -> None:
    assert is_domain_of(ACME, "ACME.test")
    assert is_domain_of(ACME, "old.test")
    assert not is_domain_of(ACME, "beta.test")

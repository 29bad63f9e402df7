"""Challenges, and what is made of the answers."""

from dataclasses import replace

import pytest
from tests.support.registrar import DOMAIN, NOW, SipPhone, change_credential, make_credential, make_inventory

from offhook.inventory.models import Account, CredentialState, Device, DeviceState, DeviceType
from offhook.inventory.snapshot import Inventory
from offhook.registrar.authentication import Authenticated, Authenticator, AuthFailure, NotAuthenticated
from offhook.sip.digest import Algorithm, NonceSource


@pytest.fixture
def authenticator() -> Authenticator:
    return Authenticator(NonceSource([("k", b"key")], 100), bytes)


def with_algorithms(*algorithms: str) -> tuple[Inventory, Account]:
    draft = make_inventory().draft()
    account = draft.put(replace(draft.get(Account, 1), digest_algorithms=algorithms))
    return draft, account


def challenge(authenticator: Authenticator, account: Account, phone: SipPhone) -> SipPhone:
    headers = authenticator.challenges(account, DOMAIN, NOW, is_stale=False)
    phone.challenge_values = [value for _, value in headers]
    return phone


def judge(
    authenticator: Authenticator, inventory: Inventory, account: Account, phone: SipPhone, now: float = NOW
) -> Authenticated | NotAuthenticated:
    return authenticator.authenticate(phone.register(), inventory, account, now)


def test_one_challenge_for_each_algorithm_strongest_first(authenticator: Authenticator) -> None:
    _, account = with_algorithms("MD5", "SHA-256")
    values = challenge(authenticator, account, SipPhone()).challenge_values
    assert ["SHA-256" in value for value in values] == [True, False]
    assert len({value.partition("nonce=")[2].partition(",")[0] for value in values}) == 1


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_every_algorithm_authenticates(authenticator: Authenticator, algorithm: Algorithm) -> None:
    inventory, account = with_algorithms(algorithm.value)
    verdict = judge(authenticator, inventory, account, challenge(authenticator, account, SipPhone()))
    assert isinstance(verdict, Authenticated)
    assert (verdict.credential.id, verdict.line.id, verdict.device.id) == (101, 11, 1)


def test_algorithm_that_was_not_offered_is_refused(authenticator: Authenticator) -> None:
    inventory, account = with_algorithms("SHA-256")
    phone = challenge(authenticator, replace(account, digest_algorithms=("MD5",)), SipPhone())
    assert judge(authenticator, inventory, account, phone) == NotAuthenticated(
        failure=AuthFailure.ALGORITHM_NOT_OFFERED, auth_username="2001-auth", device_id=1
    )


def test_credentials_without_that_hash_are_refused(authenticator: Authenticator) -> None:
    inventory, account = with_algorithms("SHA-256")
    inventory = change_credential(inventory, 101, ha1=(("MD5", "0" * 32),))
    verdict = judge(authenticator, inventory, account, challenge(authenticator, account, SipPhone()))
    assert isinstance(verdict, NotAuthenticated)
    assert verdict.failure is AuthFailure.WRONG_PASSWORD


def test_no_credentials_are_no_failure(authenticator: Authenticator) -> None:
    inventory, account = with_algorithms("MD5")
    assert judge(authenticator, inventory, account, SipPhone()) == NotAuthenticated()


def test_old_nonce_is_stale_where_the_password_is_right(authenticator: Authenticator) -> None:
    inventory, account = with_algorithms("MD5")
    phone = challenge(authenticator, account, SipPhone())
    assert judge(authenticator, inventory, account, phone, NOW + 101) == NotAuthenticated(is_stale=True)
    phone.password = "wrong"
    verdict = judge(authenticator, inventory, account, phone, NOW + 101)
    assert isinstance(verdict, NotAuthenticated)
    assert (verdict.is_stale, verdict.failure) == (False, AuthFailure.WRONG_PASSWORD)


def test_nonce_of_a_lost_key_is_stale(authenticator: Authenticator) -> None:
    inventory, account = with_algorithms("MD5")
    phone = challenge(Authenticator(NonceSource([("k", b"former")], 100), bytes), account, SipPhone())
    assert judge(authenticator, inventory, account, phone) == NotAuthenticated(is_stale=True)


def test_form_without_qop_is_accepted(authenticator: Authenticator) -> None:
    inventory, account = with_algorithms("MD5")
    phone = challenge(authenticator, account, SipPhone())
    phone.challenge_values = [value.replace(', qop="auth"', "") for value in phone.challenge_values]
    assert isinstance(judge(authenticator, inventory, account, phone), Authenticated)


def test_credentials_for_other_realms_are_passed_over(authenticator: Authenticator) -> None:
    inventory, account = with_algorithms("MD5")
    phone = challenge(authenticator, account, SipPhone())
    other = 'Digest username="x", realm="other.test", nonce="n", uri="sip:x", response="0"'
    request = phone.register(headers=[("Authorization", "Basic x"), ("Authorization", other)])
    assert isinstance(authenticator.authenticate(request, inventory, account, NOW), Authenticated)


def test_staged_and_retiring_credentials_under_one_name_are_both_accepted(authenticator: Authenticator) -> None:
    inventory, account = with_algorithms("MD5")
    draft = change_credential(inventory, 101, state=CredentialState.RETIRING, retire_at=NOW + 1, ha1=(("MD5", "0"),))
    draft = draft.draft()
    draft.put(replace(make_credential(120, 11, "2001"), state=CredentialState.STAGED))
    verdict = judge(authenticator, draft, account, challenge(authenticator, account, SipPhone()))
    assert isinstance(verdict, Authenticated)
    assert verdict.credential.id == 120


def test_credentials_of_another_account_are_unknown(authenticator: Authenticator) -> None:
    inventory, account = with_algorithms("MD5")
    phone = challenge(authenticator, account, SipPhone())
    verdict = judge(authenticator, inventory, replace(account, id=2), phone)
    assert isinstance(verdict, NotAuthenticated)
    assert verdict.failure is AuthFailure.UNKNOWN_USER


def test_method_is_bound_to_the_digest(authenticator: Authenticator) -> None:
    inventory, account = with_algorithms("MD5")
    request = challenge(authenticator, account, SipPhone()).register()
    request.method = "NOTIFY"
    assert isinstance(authenticator.authenticate(request, inventory, account, NOW), NotAuthenticated)


@pytest.mark.parametrize("disabled", [1, 2])
def test_device_or_its_base_that_is_disabled_is_challenged_like_a_stranger(
    authenticator: Authenticator, disabled: int
) -> None:
    inventory, account = with_algorithms("MD5")
    draft = inventory.draft()
    draft.put(replace(draft.get(Device, 2), type=DeviceType.DECT_BASE))
    draft.put(replace(draft.get(Device, 1), type=DeviceType.DECT_HANDSET, base_id=2))
    phone = challenge(authenticator, account, SipPhone())
    assert isinstance(judge(authenticator, draft, account, phone), Authenticated)
    draft.put(replace(draft.get(Device, disabled), state=DeviceState.DISABLED))
    assert judge(authenticator, draft, account, phone) == NotAuthenticated(
        failure=AuthFailure.DEVICE_DISABLED, auth_username="2001-auth", device_id=1
    )

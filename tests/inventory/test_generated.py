"""What is made up has the right shape, and is never the same."""

import threading

import pytest
from tests.support.inventory import device, inventory_of
from tests.support.workbench import StillClock

from offhook.inventory.generated import IdSource, new_auth_username, new_password, new_phone_id, new_token


def test_ids_rise_while_the_clock_stands_and_when_it_goes_back() -> None:
    clock = StillClock()
    source = IdSource(clock)
    ids = [source.next() for _ in range(100)]
    clock.advance(-3600)
    ids += [source.next() for _ in range(100)]
    clock.advance(7200)
    ids.append(source.next())
    assert ids == sorted(set(ids))
    assert max(ids) < 2**63


def test_ids_given_before_are_passed_over() -> None:
    source = IdSource(StillClock())
    source.pass_over([2**62, 5])
    source.pass_over([])
    assert source.next() == 2**62 + 1


def test_threads_get_different_ids() -> None:
    source = IdSource(StillClock())
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.extend([source.next() for _ in range(2000)])) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 8000


def test_tokens_are_26_characters_of_base32() -> None:
    tokens = {new_token().reveal() for _ in range(50)}
    assert len(tokens) == 50
    assert all(len(token) == 26 and set(token) <= set("abcdefghijklmnopqrstuvwxyz234567") for token in tokens)


def test_passwords_have_the_shape_asked_for_and_every_character_comes_up() -> None:
    password = new_password("abcde", 2000).reveal()
    assert len(password) == 2000
    counts = [password.count(char) for char in "abcde"]
    assert sum(counts) == 2000
    assert min(counts) > 250


def test_authentication_names_begin_with_the_extension() -> None:
    name = new_auth_username("2001")
    assert name.startswith("2001-")
    assert set(name[5:]) <= set("bcdfghjkmnpqrstvwxz23456789")
    assert len(name) == 11


def test_a_phone_id_is_one_that_no_device_has(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = iter([0, 0, 899_999])
    monkeypatch.setattr("offhook.inventory.generated.secrets.randbelow", lambda limit: next(numbers))
    assert new_phone_id(inventory_of(device(phone_id="100000"))) == "999999"

"""Root keys, and the text that holds them."""

import base64

from hypothesis import given
from hypothesis import strategies as st

from offhook.store.keys import Keyring, RootKey, parse_keyring

KEYS = st.lists(st.binary(min_size=32, max_size=32).map(RootKey), min_size=1, max_size=4)
LINE = "offhook-key-1:" + base64.b64encode(bytes(32)).decode()


def test_keys_differ_by_purpose_and_by_root() -> None:
    key, other = RootKey(bytes(32)), RootKey(bytes(31) + b"\x01")
    assert key.derive("secrets") == key.derive("secrets")
    assert len({key.derive(purpose) for purpose in ("secrets", "nonces", "to tags")} | {other.derive("nonces")}) == 4
    assert key.id != other.id
    assert RootKey.generate().id != RootKey.generate().id


@given(KEYS)
def test_what_was_formatted_is_parsed_in_its_order(keys: list[RootKey]) -> None:
    keyring = Keyring(*keys)
    parsed = parse_keyring(keyring.format().reveal())
    assert parsed is not None
    assert [key.id for key in parsed] == [key.id for key in keyring]
    assert parsed.current.reveal() == keys[0].reveal()


@given(st.text(max_size=80))
def test_any_text_is_keys_or_none(text: str) -> None:
    keyring = parse_keyring(text)
    assert keyring is None or len(keyring) > 0


def test_a_line_that_is_no_key_spoils_them_all() -> None:
    assert parse_keyring(f"\n{LINE}\r\n\n{LINE}\n") is not None
    for text in ("", "\n", f"{LINE}\n{LINE[:-5]}\n", f"{LINE} {LINE}", f"# new\n{LINE}", LINE.removeprefix("offhook-")):
        assert parse_keyring(text) is None


def test_each_key_stands_in_a_ring_once() -> None:
    one, two = RootKey(bytes(32)), RootKey(b"1" * 32)
    ring = Keyring(one, two).including([two, one])
    assert ring.keys == (one, two)
    assert (ring.find(two.id), ring.find(b"none")) == (two, None)
    assert ring.without(one.id).keys == (two,)
    assert ring.describe() == f"{one.id.hex()}, {two.id.hex()}"


def test_what_is_printed_holds_no_key() -> None:
    ring = Keyring(RootKey(b"k" * 32))
    shown = f"{ring!r} {ring.current!r} {ring.format()} {ring.describe()}"
    assert "kkkk" not in shown
    assert base64.b64encode(b"kkkk").decode()[:4] not in shown

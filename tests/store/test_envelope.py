"""What is sealed opens under its context, with the key that sealed it, and in no other way."""

from dataclasses import replace
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.keys import KEYRING, ROOT, new_box, seal_directly

from offhook.errors import KeyUnusable
from offhook.secret import Secret
from offhook.store.envelope import (
    HEADER_BYTES,
    DataKey,
    Envelope,
    Purpose,
    new_data_key,
    unwrap,
    wrap,
    wrapped_under,
)
from offhook.store.keys import Keyring, RootKey

BOX: Final = new_box()
DERIVATION: Final = new_data_key(1, Purpose.DERIVATION, 0.0)
FIRST: Final = new_data_key(2, Purpose.SECRETS, 0.0)
SECOND: Final = new_data_key(3, Purpose.SECRETS, 1.0)


@given(st.text(max_size=50), st.text(max_size=20))
def test_what_is_sealed_opens_under_its_context_alone(text: str, context: str) -> None:
    sealed = BOX.seal(Secret(text), context)
    assert BOX.open(sealed, context) == Secret(text)
    assert BOX.seal(Secret(text), context) != sealed
    with pytest.raises(KeyUnusable):
        BOX.open(sealed, context + "x")


@given(st.integers(0, 50), st.integers(1, 255))
def test_what_was_altered_does_not_open(place: int, flip: int) -> None:
    sealed = bytearray(BOX.seal(Secret("Sesame234"), "credential:1:secret"))
    sealed[place % len(sealed)] ^= flip
    with pytest.raises(KeyUnusable, match="sealed with another key, or altered"):
        BOX.open(bytes(sealed), "credential:1:secret")


@given(st.binary(max_size=60))
def test_any_bytes_are_refused_in_words(content: bytes) -> None:
    with pytest.raises(KeyUnusable):
        BOX.open(content, "x")


def test_other_data_keys_open_nothing_even_under_the_same_id() -> None:
    other = new_box()
    with pytest.raises(KeyUnusable, match="sealed with another key"):
        other.open(BOX.seal(Secret("Sesame234"), "x"), "x")
    assert other.digest("token") != BOX.digest("token") == BOX.digest("token")


def test_with_a_new_data_key_it_seals_anew_and_opens_both() -> None:
    box = Envelope([DERIVATION, FIRST])
    before = box.seal(Secret("Sesame234"), "x")
    assert box.is_current(before)
    box.use([DERIVATION, replace(FIRST, is_current=False), SECOND])
    after = box.seal(Secret("Sesame234"), "x")
    assert (box.is_current(before), box.is_current(after)) == (False, True)
    assert [box.is_outdated(sealed) for sealed in (before, after, b"", b"none at all")] == [True, False, False, False]
    assert (before[:HEADER_BYTES], after[:HEADER_BYTES]) == (FIRST.header, SECOND.header)
    assert box.open(before, "x") == box.open(after, "x")

    box.use([DERIVATION, SECOND])
    assert box.open(before, "x") == Secret("Sesame234")
    with pytest.raises(KeyUnusable):
        Envelope([DERIVATION, SECOND]).open(before, "x")


def test_what_is_derived_depends_on_no_key_that_is_ever_changed() -> None:
    before, after = Envelope([DERIVATION, FIRST]), Envelope([DERIVATION, SECOND])
    assert before.digest("token") == after.digest("token")
    assert before.derive("nonces") == after.derive("nonces") != after.derive("to tags")


def test_what_the_root_key_sealed_and_derived_itself_is_as_it_was() -> None:
    box = Envelope([replace(DERIVATION, key=ROOT.reveal()), FIRST])
    sealed = seal_directly(Secret("Sesame234"), "credential:1:secret")
    assert box.open(sealed, "credential:1:secret") == Secret("Sesame234")
    assert not box.is_current(sealed)
    assert box.derive("nonces") == ROOT.derive("nonces")
    with pytest.raises(KeyUnusable):
        box.open(sealed, "credential:2:secret")
    with pytest.raises(KeyUnusable):
        Envelope([DERIVATION, FIRST]).open(sealed, "credential:1:secret")


def test_a_data_key_is_unwrapped_by_the_root_key_that_wrapped_it() -> None:
    other = RootKey(b"1" * 32)
    wrapped = wrap(FIRST, other)
    assert wrapped_under(wrapped) == other.id
    assert FIRST.key not in wrapped
    assert unwrap(wrapped, 2, Purpose.SECRETS, Keyring(ROOT, other)) == FIRST.key
    with pytest.raises(KeyUnusable, match=f"root key {other.id.hex()}, and the key file holds {ROOT.id.hex()}"):
        unwrap(wrapped, 2, Purpose.SECRETS, KEYRING)


@pytest.mark.parametrize(("key_id", "purpose"), [(3, Purpose.SECRETS), (2, Purpose.DERIVATION)])
def test_a_data_key_stands_for_itself_alone(key_id: int, purpose: Purpose) -> None:
    wrapped = wrap(FIRST, ROOT)
    with pytest.raises(KeyUnusable, match="it was altered"):
        unwrap(wrapped, key_id, purpose, KEYRING)


@given(st.integers(0, 64), st.integers(1, 255))
def test_a_wrapped_key_that_was_altered_does_not_open(place: int, flip: int) -> None:
    wrapped = bytearray(wrap(FIRST, ROOT))
    wrapped[place % len(wrapped)] ^= flip
    with pytest.raises(KeyUnusable):
        unwrap(bytes(wrapped), 2, Purpose.SECRETS, KEYRING)


def test_what_is_printed_holds_no_key() -> None:
    key = DataKey(id=1, purpose=Purpose.SECRETS, key=b"k" * 32, created_at=0.0)
    assert "kkk" not in repr(key)

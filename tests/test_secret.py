"""A secret shows itself only to those who ask for it by name."""

import copy
import json
import pickle
from dataclasses import asdict, dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.secret import Secret

SECRET = Secret("Sesame234")


def test_no_way_of_printing_shows_it() -> None:
    shown = [str(SECRET), repr(SECRET), f"{SECRET}", f"{SECRET!r}", f"{SECRET:>20}", "%s" % SECRET, repr([SECRET])]  # noqa: UP031 # the old way too
    shown.append(json.dumps({"password": SECRET}, default=str))
    assert not [text for text in shown if "Sesame" in text]
    assert all("***" in text for text in shown)


def test_it_is_revealed_by_name() -> None:
    assert SECRET.reveal() == "Sesame234"


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])))
def test_secrets_are_equal_when_their_texts_are(one: str, other: str) -> None:
    assert (Secret(one) == Secret(other)) is (one == other)
    assert Secret(one) == Secret(one)
    assert hash(Secret(one)) == hash(Secret(one))


def test_a_secret_is_not_its_text() -> None:
    assert SECRET != "Sesame234"
    assert bool(SECRET)
    assert not Secret("")


def test_it_is_neither_pickled_nor_copied_into_dicts() -> None:
    @dataclass
    class Holder:
        secret: Secret

    for leak in (pickle.dumps, copy.deepcopy, lambda secret: asdict(Holder(secret))):
        with pytest.raises(TypeError, match="a Secret is not pickled"):
            leak(SECRET)

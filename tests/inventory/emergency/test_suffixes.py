"""Kinds of street in their standard abbreviation."""

import pytest

from offhook.inventory.emergency.suffixes import _BY_SPELLING, FRENCH_TYPES, KINDS, find_suffix


@pytest.mark.parametrize(
    ("country", "word", "expected"),
    [
        ("US", "Avenue", "Ave"),
        ("US", "av.", "Ave"),
        ("US", "AVE", "Ave"),
        ("US", "Street", "St"),
        ("US", "crossing", "Xing"),
        ("US", "Trafficway", "Trfy"),
        ("US", "Parkways", "Pkwy"),
        ("US", "Court", "Ct"),
        ("CA", "Court", "Crt"),
        ("CA", "chemin", "Ch"),
        ("CA", "Crescent", "Cres"),
        ("US", "Croissant", None),
        ("US", "Main", None),
        ("US", "", None),
        ("DE", "Street", None),
    ],
)
def test_every_spelling_has_one_standard(country: str, word: str, expected: str | None) -> None:
    assert find_suffix(country, word) == expected


def test_the_tables_are_whole() -> None:
    assert KINDS == {"US": 202, "CA": 141}


@pytest.mark.parametrize("country", ["US", "CA"])
def test_a_standard_abbreviation_stands_for_itself(country: str) -> None:
    for standard in set(_BY_SPELLING[country].values()):
        assert find_suffix(country, standard) == standard


def test_french_kinds_are_known_in_canada() -> None:
    assert all(find_suffix("CA", word) is not None for word in FRENCH_TYPES)

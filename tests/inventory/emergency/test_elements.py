"""Single address elements in their standard spelling."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offhook.inventory.emergency.elements import (
    HouseNumber,
    find_directional,
    find_house_number,
    find_postal_code,
    find_state,
)


@pytest.mark.parametrize(
    ("country", "text", "code"),
    [
        ("US", "ny", "NY"),
        ("US", "new  york", "NY"),
        ("US", "District of Columbia", "DC"),
        ("US", "Puerto Rico", "PR"),
        ("US", "GU", "GU"),
        ("CA", "Québec", "QC"),
        ("CA", "newfoundland and labrador", "NL"),
        ("CA", "NY", None),
        ("US", "ON", None),
        ("US", "", None),
    ],
)
def test_states_by_code_or_name(country: str, text: str, code: str | None) -> None:
    assert find_state(country, text) == code


@pytest.mark.parametrize(
    ("country", "text", "code"),
    [
        ("US", "10118", "10118"),
        ("US", "10118-0001", "10118-0001"),
        ("US", "101180001", "10118-0001"),
        ("US", "1011", None),
        ("US", "10118-", None),
        ("US", "١٠١١٨", None),
        ("CA", "k1a0b1", "K1A 0B1"),
        ("CA", "H3B-4W5", "H3B 4W5"),
        ("CA", "D1A 0B1", None),
        ("CA", "W1A 0B1", None),
        ("CA", "K1O 0B1", None),
        ("CA", "10118", None),
    ],
)
def test_postal_codes(country: str, text: str, code: str | None) -> None:
    assert find_postal_code(country, text) == code


@pytest.mark.parametrize("letter", "DFIOQU")
def test_canada_post_leaves_out_six_letters_everywhere(letter: str) -> None:
    assert find_postal_code("CA", "K1A 0B1") is not None
    for text in (f"{letter}1A 0B1", f"K1{letter} 0B1", f"K1A 0{letter}1"):
        assert find_postal_code("CA", text) is None


@pytest.mark.parametrize(
    ("country", "word", "expected"),
    [
        ("US", "north", "N"),
        ("US", "N.W.", "NW"),
        ("US", "Southeast", "SE"),
        ("US", "Ouest", None),
        ("CA", "Ouest", "O"),
        ("CA", "West", "W"),
        ("US", "NS", None),
        ("US", "", None),
    ],
)
def test_directionals(country: str, word: str, expected: str | None) -> None:
    assert find_directional(country, word) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("350", HouseNumber("350")),
        ("123a", HouseNumber("123", suffix="A")),
        ("123 A", HouseNumber("123", suffix="A")),
        ("123-A", HouseNumber("123", suffix="A")),
        ("123 1/2", HouseNumber("123", suffix="1/2")),
        ("123½", HouseNumber("123", suffix="1/2")),
        ("37-15", HouseNumber("15", prefix="37-")),
        ("194-03 1/2", HouseNumber("03", prefix="194-", suffix="1/2")),
        ("94-1234", HouseNumber("1234", prefix="94-")),
        ("N6W23001", HouseNumber("23001", prefix="N6W")),
        ("37-45", None),
        ("100-110", None),
        ("1231/2", None),
        ("One", None),
        ("", None),
        ("12345678901", None),
    ],
)
def test_house_numbers_in_parts(text: str, expected: HouseNumber | None) -> None:
    assert find_house_number("US", text) == expected


def test_a_hyphen_in_canada_is_no_prefix() -> None:
    assert find_house_number("CA", "37-15") is None


@given(st.text(max_size=30))
@settings(max_examples=200, deadline=None)
def test_any_text_is_judged(text: str) -> None:
    for country in ("US", "CA", "DE"):
        find_state(country, text)
        find_directional(country, text)
        code = find_postal_code(country, text)
        assert code is None or find_postal_code(country, code) == code
        house = find_house_number(country, text)
        assert house is None or house.number.isdigit()

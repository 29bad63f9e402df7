"""One-line addresses: read where there is one reading, asked about where there are several."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offhook.inventory.address import CivicAddress
from offhook.inventory.emergency.countries import normalise
from offhook.inventory.emergency.parse import ALTERNATIVES_LIMIT, TEXT_LIMIT, format_address, parse_address


def elements(text: str) -> dict[str, str]:
    result = parse_address(text)
    assert result.is_certain, result.questions
    assert result.address is not None
    return result.address.elements()


def test_the_parts_of_a_usual_address() -> None:
    assert elements("350 Fifth Ave Fl 21, New York, NY 10118") == {
        "country": "US",
        "state": "NY",
        "city": "New York",
        "house_number": "350",
        "street": "Fifth",
        "suffix": "Ave",
        "floor": "21",
        "postal_code": "10118",
    }


@pytest.mark.parametrize(
    "text",
    [
        "350 Fifth Avenue, Floor 21, New York, New York 10118",
        "350 Fifth ave., 21st floor, New York ny 10118, USA",
        "350 Fifth Ave Fl 21\nNew York, NY 10118",
        "  350 Fifth Ave Fl 21 , New York, NY, 10118, United States of America",
        "350 Fifth Ave Fl 21 New York NY 10118",
    ],
)
def test_other_ways_to_write_the_same(text: str) -> None:
    assert elements(text) == elements("350 Fifth Ave Fl 21, New York, NY 10118")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12 N Main St SW Apt 4, Salem, OR 97301", {"pre_directional": "N", "post_directional": "SW", "unit": "Apt 4"}),
        ("37-15 73rd St, Queens, NY 11372", {"house_prefix": "37-", "house_number": "15"}),
        ("123 1/2 Oak Dr, Reno NV 89501", {"house_number": "123", "house_suffix": "1/2"}),
        ("123A Oak Dr, Reno NV 89501", {"house_number": "123", "house_suffix": "A"}),
        ("4-123 Main St E, Toronto, ON M5E 1S8", {"country": "CA", "unit": "Unit 4", "house_number": "123"}),
        ("1 Main St, Suite 400, Reno, NV 89501", {"unit": "Ste 400"}),
        ("Suite 400, 1 Main St, Reno, NV 89501", {"unit": "Ste 400"}),
        ("1 Main St Bldg C Rm 12, Reno, NV 89501", {"building": "C", "room": "12"}),
        ("1 Main St, Washington, DC 20003-1234", {"state": "DC", "postal_code": "20003-1234"}),
        ("1 Main St, Montréal, Québec, H3B4W5, Canada", {"country": "CA", "state": "QC", "postal_code": "H3B 4W5"}),
    ],
)  # fmt: skip
def test_elements_that_are_made_out(text: str, expected: dict[str, str]) -> None:
    assert expected.items() <= elements(text).items()


@pytest.mark.parametrize(
    ("text", "asked", "alternatives"),
    [
        ("123 N Main, Springfield IL 62701", "suffix", 2),
        ("10 Avenue B, New York, NY 10009", "pre_type", 2),
        ("5 St Paul Ave, Boston, MA 02109", "street", 2),
        ("12 North Main St, Concord, NH 03301", "pre_directional", 2),
        ("123 A Main St, Reno, NV 89501", "house_suffix", 2),
        ("100-110 Main St, Reno, NV 89501", "house_number", 2),
        ("350 Fifth Ave, New York", "city", 2),
        ("1 Oak Dr, Charleston West Virginia 25301", "city", 2),
        ("12 Oak Park Ave Orange NJ 07050", "city", 2),
    ],
)
def test_several_readings_are_offered_and_none_is_taken(text: str, asked: str, alternatives: int) -> None:
    result = parse_address(text)
    assert result.address is None
    assert len(result.alternatives) == alternatives
    assert asked in [question.element for question in result.questions]
    assert result.original == text


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("1 Main St, Reno, NV", "postal_code"),
        ("Main St, Reno, NV 89501", "house_number"),
        ("1 Main St", "city"),
        ("12 Main, Reno, NV 89501", "suffix"),
        ("12 Main St 4B, Reno, NV 89501", "unit"),
        ("1 Main St Apt 4, Unit 5, Reno, NV 89501", "unit"),
        ("4-123 Main St Apt 5, Toronto, ON M5E 1S8", "unit"),
        ("Empire State Building, 350 5th Ave, New York, NY 10118", "building"),
        ("PO Box 12, Reno, NV 89501", "street"),
        ("", "street"),
        (" ,;\n", "street"),
        ("x" * (TEXT_LIMIT + 1), "street"),
    ],
)
def test_what_is_missing_or_unclear_is_asked_for(text: str, asked: str) -> None:
    result = parse_address(text)
    assert not result.is_certain
    assert asked in [question.element for question in result.questions]


def test_countries_whose_lines_cannot_be_read() -> None:
    result = parse_address("Unter den Linden 77, Berlin", country="DE")
    assert result.questions[0].element == "country"


names = st.sampled_from(["Main", "Fifth", "Elm", "Martin Luther King", "42nd", "Washington", "O'Neil", "Ka Uka"])
directionals = st.sampled_from(["", "N", "S", "E", "W", "NE", "SW"])
plain_addresses = st.builds(
    CivicAddress,
    country=st.just("US"),
    state=st.sampled_from(["NY", "NV", "WV", "PR", "DC"]),
    city=st.sampled_from(["New York", "Reno", "San Juan", "Winston-Salem", "St. Louis"]),
    house_number=st.integers(1, 99999).map(str),
    house_suffix=st.sampled_from(["", "1/2", "A", "B"]),
    pre_directional=directionals,
    street=names,
    suffix=st.sampled_from(["St", "Ave", "Blvd", "Rd", "Xing", "Pkwy"]),
    post_directional=directionals,
    building=st.sampled_from(["", "C", "12"]),
    floor=st.integers(0, 99).map(str),
    room=st.sampled_from(["", "1201", "B-4"]),
    unit=st.sampled_from(["", "Apt 4B", "Ste 400", "# 7", "Rear"]),
    postal_code=st.sampled_from(["10118", "89501-1234"]),
)


@given(plain_addresses)
@settings(max_examples=150, deadline=None)
def test_what_is_written_plainly_is_read_back(address: CivicAddress) -> None:
    assert normalise(address) == address
    result = parse_address(format_address(address))
    assert result.questions == ()
    assert result.address == address


WORDS = "1 12 123A 1/2 4-123 N North St Ave Avenue Main Apt Fl # 4B Suite New York NY ON 10118 K1A 0B1 , ; PO Box Rue"
words = st.sampled_from(WORDS.split())


@given(st.lists(words, max_size=40).map(" ".join) | st.text(max_size=TEXT_LIMIT + 2), st.sampled_from(["US", "CA"]))
@settings(max_examples=300, deadline=None)
def test_any_text_gives_an_address_a_choice_or_a_question(text: str, country: str) -> None:
    result = parse_address(text, country=country)
    assert result.original == text
    assert len(result.alternatives) <= ALTERNATIVES_LIMIT
    assert len(result.alternatives) != 1
    assert result.address is None or result.alternatives == ()
    assert result.is_certain or result.questions
    assert len(result.questions) < 100


def test_the_longest_texts_are_read_quickly_enough_to_be_typed() -> None:
    for word in ("Apt 1 ", "St ", "N ", "1 ", "New York ", "#"):
        result = parse_address((word * TEXT_LIMIT)[:TEXT_LIMIT])
        assert len(result.questions) < 100


def test_elsewhere_the_country_is_written_out() -> None:
    address = CivicAddress(
        country="DE", city="Berlin", street="Unter den Linden", house_number="77", postal_code="10117"
    )
    assert format_address(address) == "77 Unter den Linden, Berlin, 10117, DE"

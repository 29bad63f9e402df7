"""Readings of a street's words: one where there is one, all where there are several."""

import pytest

from offhook.inventory.emergency.streets import Street, read_street


@pytest.mark.parametrize(
    ("country", "text", "expected"),
    [
        ("US", "Fifth Ave", Street("Fifth", suffix="Ave")),
        ("US", "N Main St SW", Street("Main", "N", "", "St", "SW")),
        ("US", "Main Street North", Street("Main", suffix="St", post_directional="N")),
        ("US", "North Ave", Street("North", suffix="Ave")),
        ("US", "E St SE", Street("E", suffix="St", post_directional="SE")),
        ("US", "N St", Street("N", suffix="St")),
        ("US", "Court St", Street("Court", suffix="St")),
        # Of two words that may be a suffix the second is it (USPS Publication 28, section 234.2).
        ("US", "Park Place Dr", Street("Park Place", suffix="Dr")),
        ("US", "Broadway", Street("Broadway")),
        ("CA", "Avenue Rd", Street("Avenue", suffix="Rd")),
        ("CA", "rue Sainte-Catherine Ouest", Street("Sainte-Catherine", "", "rue", "", "O")),
    ],
)
def test_streets_that_can_be_read_in_one_way(country: str, text: str, expected: Street) -> None:
    reading = read_street(country, text.split())
    assert reading.streets == (expected,)
    assert reading.doubts == ()


@pytest.mark.parametrize(
    ("text", "element", "expected"),
    [
        ("N Main", "suffix", (Street("Main", "N"), Street("N Main"))),
        ("Avenue B", "pre_type", (Street("B", pre_type="Avenue"), Street("Avenue B"))),
        ("Avenue N", "pre_type", (Street("N", pre_type="Avenue"), Street("Avenue N"))),
        ("Highway 61", "pre_type", (Street("61", pre_type="Highway"), Street("Highway 61"))),
        ("St Paul Ave", "street", (Street("St Paul", suffix="Ave"), Street("Saint Paul", suffix="Ave"))),
        (
            "West End Ave",
            "pre_directional",
            (Street("End", "W", "", "Ave"), Street("West End", suffix="Ave")),
        ),
        ("N W Main St", "pre_directional", (Street("W Main", "N", "", "St"), Street("Main", "NW", "", "St"))),
        ("Main", "suffix", (Street("Main"),)),
    ],
)
def test_streets_that_are_asked_about(text: str, element: str, expected: tuple[Street, ...]) -> None:
    reading = read_street("US", text.split())
    assert reading.streets == expected
    assert [doubt.element for doubt in reading.doubts] == [element]


def test_words_behind_the_suffix_may_be_a_unit() -> None:
    reading = read_street("US", ["Main", "St", "4B"])
    assert reading.streets == ()
    assert reading.doubts[0].element == "unit"
    assert "'4B' after 'Main St'" in reading.doubts[0].message


def test_no_street_at_all() -> None:
    assert read_street("US", []).doubts[0].element == "street"

"""Places inside a building, by their designators."""

import pytest

from offhook.inventory.emergency.units import Inside, find_inside, read_insides


@pytest.mark.parametrize(
    ("text", "element", "value"),
    [
        ("Fl 21", "floor", "21"),
        ("floor 21", "floor", "21"),
        ("21st Floor", "floor", "21"),
        ("Suite 400", "unit", "Ste 400"),
        ("Apt. 4B", "unit", "Apt 4B"),
        ("apt B", "unit", "Apt B"),
        ("# 4B", "unit", "# 4B"),
        ("#4B", "unit", "# 4B"),
        ("Unit #7", "unit", "Unit 7"),
        ("Rm 1201", "room", "1201"),
        ("Building C", "building", "C"),
        ("Desk 5", "seat", "5"),
        ("Basement", "unit", "Bsmt"),
        ("PH", "unit", "Ph"),
        ("Penthouse 2", "unit", "Ph 2"),
    ],
)
def test_designators(text: str, element: str, value: str) -> None:
    words = text.split()
    assert find_inside(words) == Inside(element, value, len(words))


@pytest.mark.parametrize("text", ["Main", "Key St", "Suite", "#", "21st Street", "Floor Show"])
def test_what_is_none(text: str) -> None:
    assert find_inside(text.split()) is None


def test_several_in_a_row_or_nothing() -> None:
    found = read_insides(["Bldg", "2", "Fl", "3", "Rm", "12"])
    assert found is not None
    assert [(inside.element, inside.value) for inside in found] == [("building", "2"), ("floor", "3"), ("room", "12")]
    assert read_insides(["Fl", "3", "Main", "St"]) is None

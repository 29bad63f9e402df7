import pytest

from offhook.admin.imports_under_way import ImportsUnderWay
from offhook.errors import NotFound


def test_an_import_is_known_to_who_began_it_by_the_name_that_it_was_given() -> None:
    imports = ImportsUnderWay()
    progress = imports.begin("jane", "a")
    assert imports.get("jane", "a") is progress
    for asker, name in (("rob", "a"), ("jane", "b")):
        with pytest.raises(NotFound, match="no import is known"):
            imports.get(asker, name)


def test_one_without_a_name_is_not_remembered() -> None:
    imports = ImportsUnderWay()
    imports.begin("jane", "")
    with pytest.raises(NotFound):
        imports.get("jane", "")


def test_the_oldest_goes_first_and_a_name_can_be_used_again() -> None:
    imports = ImportsUnderWay()
    for number in range(64):
        imports.begin("jane", str(number))
    again = imports.begin("jane", "0")
    imports.begin("jane", "64")
    assert imports.get("jane", "0") is again
    with pytest.raises(NotFound):
        imports.get("jane", "1")

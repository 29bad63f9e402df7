"""Each thing stands under its keys, and is found there."""

import pytest
from tests.support.inventory import account, carrier, device, inventory_of, line, location, number, user

from offhook.inventory.indexes import UNIQUE, index_keys
from offhook.inventory.models import Entity, Features


def keys(entity: Entity) -> dict[str, set[object]]:
    found: dict[str, set[object]] = {}
    for name, value in index_keys(entity):
        found.setdefault(name, set()).add(value)
    return found


def test_a_number_that_a_user_has_leaves_the_extension_to_the_user() -> None:
    assert keys(number(extension="0001"))["extension"] == {(1, "0001")}
    assert "extension" not in keys(number(extension="0001", user_id=1))
    assert keys(user(extension="0001"))["extension"] == {(1, "0001")}


def test_a_number_is_found_by_what_it_forwards_to_and_whom_it_shows() -> None:
    features = Features(forward_always="2001", forward_busy="2001", forward_no_answer="2002", caller_identity="+1212")
    found = keys(number(features=features))
    assert found["number.forward"] == {(1, "2001"), (1, "2002")}
    assert found["number.caller_identity"] == {"+1212"}
    assert not {"number.forward", "number.caller_identity", "number.main"} & keys(number()).keys()


@pytest.mark.parametrize("place", [None, 1])
def test_a_main_number_is_that_of_its_location_else_of_the_account(place: int | None) -> None:
    assert keys(number(is_main=True, location_id=place))["number.main"] == {(1, place)}


def test_names_are_compared_without_case() -> None:
    for entity in (account(name="ACME"), location(name="ACME"), user(username="ACME"), device(name="ACME")):
        assert {"acme", (1, "acme")} & set().union(*keys(entity).values())


def test_unique_keys_are_those_of_somebody() -> None:
    things: list[Entity] = [account(), location(), user(), number(is_main=True), device(ipei="065850047939")]
    things.append(line(number_id=1))
    named = set().union(*(keys(thing) for thing in things))
    assert UNIQUE - named == {"station_type.name", "system.name"}
    assert keys(carrier()) == {}
    assert inventory_of(*things).ids_under("line.place", (1, 1)) == (1,)

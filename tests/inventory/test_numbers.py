"""What a number is assigned to, and what a line has from its number."""

from typing import Any

import pytest
from tests.support.inventory import account, device, inventory_of, line, number, user

from offhook.inventory.models import Features, NumberStatus
from offhook.inventory.numbers import (
    Assignment,
    AssignmentKind,
    assignment_of,
    can_be_acted_on,
    display_names,
    number_of_line,
    users_without_number,
    without_user,
)


@pytest.mark.parametrize(
    ("status", "is_main", "expected"),
    [
        (NumberStatus.ACTIVE, False, True),
        (NumberStatus.ACTIVE, True, False),
        (NumberStatus.RESERVED, False, False),
        (NumberStatus.PENDING, False, False),
    ],
)
def test_only_active_numbers_that_are_not_the_main_number_can_be_acted_on(
    status: NumberStatus, is_main: bool, expected: bool
) -> None:
    assert can_be_acted_on(number(status=status, is_main=is_main)) is expected


@pytest.mark.parametrize(
    ("changes", "label", "kind", "text"),
    [
        ({"is_main": True, "user_id": 1, "display_first": "Front"}, "L", AssignmentKind.MAIN_NUMBER, "main number"),
        ({"user_id": 1, "display_first": "Front"}, "L", AssignmentKind.USER, "Jane Smith"),
        ({"display_first": "Front", "display_last": "Desk"}, "L", AssignmentKind.LABEL, "Front Desk"),
        ({}, "Lobby", AssignmentKind.LABEL, "Lobby"),
        ({}, None, AssignmentKind.NOTHING, ""),
    ],
)
def test_an_assignment_is_the_main_number_a_user_a_label_or_nothing(
    changes: dict[str, Any], label: str | None, kind: AssignmentKind, text: str
) -> None:
    inventory = inventory_of(account(), user(), number(**changes), device(), line(number_id=1, label=label))
    assert assignment_of(inventory, number(**changes)) == Assignment(kind, text)


def test_a_number_on_no_line_is_assigned_to_nothing() -> None:
    assert assignment_of(inventory_of(account(), number()), number()).kind is AssignmentKind.NOTHING


def test_users_without_a_number_are_those_of_the_account_by_name() -> None:
    inventory = inventory_of(
        account(),
        account(2),
        user(1, first_name="zoe"),
        user(2, first_name="Bob"),
        user(3, first_name="Amy"),
        user(4, account_id=2),
        number(1, user_id=3),
    )
    assert [found.first_name for found in users_without_number(inventory, 1)] == ["Bob", "zoe"]
    assert [found.id for found in users_without_number(inventory, 2)] == [4]


def test_the_number_of_a_line_is_the_one_on_it_else_the_first_of_its_user() -> None:
    inventory = inventory_of(account(), user(), number(1), number(2, user_id=1), number(3, user_id=1))
    assert number_of_line(inventory, line(number_id=1)) == number(1)
    assert number_of_line(inventory, line(user_id=1)) == number(2, user_id=1)
    assert number_of_line(inventory, line(extension="2090")) is None
    assert number_of_line(inventory, line()) is None


def test_a_display_name_overrides_the_users_name_wherever_the_number_comes_from() -> None:
    named = number(1, user_id=1, display_first="Front", display_last="Desk")
    inventory = inventory_of(account(), user(), named)
    assert display_names(inventory, line(number_id=1, label="L")) == ("Front Desk", "Jane Smith", "L")
    assert display_names(inventory, line(user_id=1)) == ("Front Desk", "Jane Smith")
    assert assignment_of(inventory, named) == Assignment(AssignmentKind.USER, "Jane Smith")
    assert display_names(inventory_of(account(), user(), number(1, user_id=1)), line(number_id=1)) == ("Jane Smith",)
    assert display_names(inventory, line(extension="2090", label="Gate")) == ("Gate",)


def test_a_number_taken_from_its_user_sends_no_voicemail_there() -> None:
    features = Features(voicemail=True, voicemail_to_email=True, forward_busy="2002", call_waiting=False)
    released = without_user(number(user_id=1, display_first="Front", features=features))
    assert released == number(
        display_first="Front", features=Features(voicemail=True, forward_busy="2002", call_waiting=False)
    )

"""What values say of themselves."""

import pytest
from tests.support.inventory import number, user

from offhook.inventory.models import Plan


@pytest.mark.parametrize(("plan", "allowed"), [(Plan.PRO, True), (Plan.PLUS, True), (Plan.BASIC, False)])
def test_plans_that_allow_a_phone(plan: Plan, allowed: bool) -> None:
    assert plan.allows_physical_phone is allowed


def test_names_are_put_together() -> None:
    assert user(1).full_name == "Jane Smith"
    assert user(1, first_name="", last_name="").full_name == "user1"
    assert number(1, display_first="Front", display_last="Desk").display_name == "Front Desk"
    assert number(1).display_name == ""

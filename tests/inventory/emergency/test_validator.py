"""A draft becomes valid or rejected by a verdict on it alone, and the last valid address stays in force meanwhile."""

from dataclasses import replace

import pytest

from offhook.errors import ValidatorUnreachable
from offhook.inventory.address import AddressState, CheckedBy, CivicAddress, EmergencyAddress
from offhook.inventory.emergency.validator import (
    Check,
    Corrected,
    Refused,
    Valid,
    Verdict,
    apply_verdict,
    describe_verdict,
    enter_address,
    validate_address,
)

HERE = CivicAddress(
    country="US", state="NV", city="Reno", house_number="1", street="Main", suffix="St", postal_code="89501"
)
THERE = replace(HERE, house_number="9")


class FakeValidator:
    """Gives one answer, and keeps what it was asked."""

    def __init__(self, answer: Verdict | None = None) -> None:
        self.answer = answer
        self.asked: list[CivicAddress] = []

    async def validate(self, address: CivicAddress) -> Verdict:
        self.asked.append(address)
        if self.answer is None:
            raise ValidatorUnreachable("down")
        return self.answer


def valid_here() -> EmergencyAddress:
    return apply_verdict(enter_address(None, HERE), Valid(HERE), 100.0)


def test_from_draft_to_valid() -> None:
    draft = enter_address(None, HERE, original="1 Main St, Reno")
    assert (draft.state, draft.in_force, draft.original) == (AddressState.DRAFT, None, "1 Main St, Reno")
    found = apply_verdict(draft, Valid(HERE, CheckedBy.HTTP), 100.0)
    assert (found.state, found.in_force, found.in_force_at, found.checked_at, found.in_force_by) == (
        AddressState.VALID,
        HERE,
        100.0,
        100.0,
        CheckedBy.HTTP,
    )
    assert found.original == "1 Main St, Reno"


@pytest.mark.parametrize(
    "verdict", [Refused(THERE, (Check.SUFFIX, Check.DIRECTIONAL)), Corrected(THERE, (replace(THERE, suffix="Ave"),))]
)
def test_a_refused_edit_leaves_the_last_valid_address_in_force(verdict: Verdict) -> None:
    edited = enter_address(valid_here(), THERE)
    assert (edited.state, edited.in_force, edited.checked_at) == (AddressState.DRAFT, HERE, None)
    refused = apply_verdict(edited, verdict, 200.0)
    assert (refused.state, refused.entered, refused.in_force) == (AddressState.REJECTED, THERE, HERE)
    assert (refused.in_force_at, refused.checked_at) == (100.0, 200.0)
    assert refused.message
    again = enter_address(refused, HERE)
    assert (again.state, again.message, again.in_force) == (AddressState.DRAFT, "", HERE)


def test_an_address_may_become_invalid_when_it_is_checked_again() -> None:
    refused = apply_verdict(valid_here(), Refused(HERE, (Check.STREET,)), 900.0)
    assert (refused.state, refused.in_force, refused.in_force_at) == (AddressState.REJECTED, HERE, 100.0)


def test_entering_the_same_again_changes_nothing() -> None:
    assert enter_address(valid_here(), replace(HERE, suffix="Street")) == valid_here()


def test_a_verdict_on_what_was_edited_meanwhile_is_dropped() -> None:
    edited = enter_address(valid_here(), THERE)
    assert apply_verdict(edited, Valid(HERE), 200.0) == edited
    assert apply_verdict(edited, Refused(HERE), 200.0) == edited


async def test_the_validator_is_asked_in_standard_spelling() -> None:
    validator = FakeValidator(Valid(HERE))
    assert await validate_address(validator, replace(HERE, suffix="street", state="Nevada")) == Valid(HERE)
    assert validator.asked == [HERE]


async def test_what_a_rule_refuses_is_refused_without_asking() -> None:
    validator = FakeValidator()
    verdict = await validate_address(validator, replace(HERE, suffix="Strasse", pre_directional="Up"))
    assert isinstance(verdict, Refused)
    assert verdict.checks == (Check.DIRECTIONAL, Check.SUFFIX)
    assert "'Strasse' is no street suffix" in verdict.message
    assert validator.asked == []


async def test_out_of_reach_is_told_apart_from_refused() -> None:
    with pytest.raises(ValidatorUnreachable):
        await validate_address(FakeValidator(), HERE)


def test_verdicts_say_what_to_check_or_choose() -> None:
    assert describe_verdict(Refused(HERE, (Check.SUFFIX, Check.UNIT))) == (
        "the address was not found (check the suffix, unit)"
    )
    assert "check every part" in describe_verdict(Refused(HERE, message="no such place"))
    assert "1 Main Ave, Reno, NV 89501" in describe_verdict(Corrected(HERE, (replace(HERE, suffix="Ave"),)))
    assert describe_verdict(Valid(HERE)) == "the address was found"

"""Who is asked about an address, and what decides where nobody can be."""

from dataclasses import replace

import pytest

from offhook.errors import ValidatorUnreachable
from offhook.inventory.address import CheckedBy, CivicAddress
from offhook.inventory.emergency.validation import Authority, Validation
from offhook.inventory.emergency.validator import Check, Corrected, Refused, Valid, Verdict

HERE = CivicAddress(
    country="US", state="NV", city="Reno", house_number="1", street="Main", suffix="St", postal_code="89501"
)
BERLIN = CivicAddress(country="DE", city="Berlin", street="Unter den Linden", house_number="1")


class FakeValidator:
    def __init__(self, answer: Verdict | None) -> None:
        self.answer = answer
        self.asked: list[CivicAddress] = []

    async def validate(self, address: CivicAddress) -> Verdict:
        self.asked.append(address)
        if self.answer is None:
            raise ValidatorUnreachable("down")
        return self.answer


async def test_without_a_validator_the_form_decides_and_says_so() -> None:
    counted: list[str] = []
    validation = Validation(counted.append)
    assert await validation.judge(replace(HERE, suffix="Street")) == Valid(HERE, CheckedBy.FORM)
    refused = await validation.judge(replace(HERE, state="ZZ"))
    assert isinstance(refused, Refused)
    assert refused.checks == (Check.STATE,)
    assert counted == ["valid", "refused"]


@pytest.mark.parametrize(
    ("answer", "counted"),
    [
        (Valid(HERE), "valid"),
        (Corrected(HERE, (replace(HERE, suffix="Ave"),)), "corrected"),
        (Refused(HERE, (Check.SUFFIX,)), "refused"),
    ],
)
async def test_what_the_validator_says_counts_and_stands_under_its_name(answer: Verdict, counted: str) -> None:
    counts: list[str] = []
    validation = Validation(counts.append)
    validation.authority = Authority(validator=FakeValidator(answer), by=CheckedBy.HTTP)
    verdict = await validation.judge(HERE)
    assert verdict == (Valid(HERE, CheckedBy.HTTP) if counted == "valid" else answer)
    assert counts == [counted]


async def test_a_validator_out_of_reach_is_counted_and_gives_no_verdict() -> None:
    counts: list[str] = []
    validation = Validation(counts.append)
    validation.authority = Authority(validator=FakeValidator(None), by=CheckedBy.HTTP)
    with pytest.raises(ValidatorUnreachable):
        await validation.judge(HERE)
    assert counts == ["unreachable"]


async def test_a_country_that_the_validator_does_not_know_is_judged_by_its_form() -> None:
    validator = FakeValidator(Refused(BERLIN))
    validation = Validation(lambda _: None)
    validation.authority = Authority(
        validator=validator, by=CheckedBy.STREET_RANGES, countries=frozenset({"US"}), recheck_after_seconds=1
    )
    assert await validation.judge(BERLIN) == Valid(BERLIN, CheckedBy.FORM)
    assert validator.asked == []
    assert validation.authority.judge_of(HERE) is CheckedBy.STREET_RANGES
    assert await validation.judge(replace(HERE, country="us")) == Refused(BERLIN)

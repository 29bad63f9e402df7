"""Who judges whether an address exists, and what becomes of an address by the verdict.

    entered ──> draft ──> valid        it is in force from now on
                  │ ╰───> rejected     told what to check; the last valid one stays in force
                  ╰ nobody reachable   still a draft; the last valid one stays in force; try again

Any edit makes a draft of it again. Only a verdict ends that, and only one on the very address that stands there.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from offhook.inventory.address import AddressState, CheckedBy, CivicAddress, EmergencyAddress
from offhook.inventory.emergency.countries import check_address, normalise
from offhook.inventory.emergency.parse import format_address


class Check(StrEnum):
    """What a person should look at in an address that was refused."""

    HOUSE_NUMBER = "house_number"
    DIRECTIONAL = "directional"
    STREET = "street"
    SUFFIX = "suffix"
    UNIT = "unit"
    CITY = "city"
    STATE = "state"
    POSTAL_CODE = "postal_code"
    COUNTRY = "country"


@dataclass(frozen=True, slots=True)
class Valid:
    """The address exists; ``address`` is what was asked about."""

    address: CivicAddress
    by: CheckedBy | None = None
    #: Filled in by whoever knows whom he asked.


@dataclass(frozen=True, slots=True)
class Corrected:
    """The address does not exist as asked, but these do: a person chooses."""

    address: CivicAddress
    candidates: tuple[CivicAddress, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """The address does not exist, and nothing like it was found."""

    address: CivicAddress
    checks: tuple[Check, ...] = ()
    message: str = ""


Verdict = Valid | Corrected | Refused


class AddressValidator(Protocol):
    """Something that knows which addresses exist."""

    async def validate(self, address: CivicAddress) -> Verdict:
        """Judges one address, in standard spelling. Raises ValidatorUnreachable when it cannot tell now."""
        ...


def enter_address(before: EmergencyAddress | None, entered: CivicAddress, *, original: str = "") -> EmergencyAddress:
    """What a person entered, as a draft; entering the same again changes nothing."""
    entered = normalise(entered)
    if before is None:
        return EmergencyAddress(entered=entered, original=original)
    if entered == before.entered:
        return before
    return replace(before, entered=entered, state=AddressState.DRAFT, message="", checked_at=None, original=original)


async def validate_address(validator: AddressValidator, address: CivicAddress) -> Verdict:
    """The verdict on an address. What a rule of its country refuses is refused without asking anybody."""
    address = normalise(address)
    faults = check_address(address)
    if faults:
        checks = tuple(dict.fromkeys(_CHECKS[fault.element] for fault in faults if fault.element in _CHECKS))
        return Refused(address, checks, "; ".join(str(fault) for fault in faults))
    return await validator.validate(address)


def apply_verdict(current: EmergencyAddress, verdict: Verdict, now: float) -> EmergencyAddress:
    """The address after a verdict. One on an address that has been edited meanwhile changes nothing."""
    if normalise(verdict.address) != normalise(current.entered):
        return current
    match verdict:
        case Valid():
            return replace(
                current,
                state=AddressState.VALID,
                in_force=verdict.address,
                in_force_at=now,
                in_force_by=verdict.by,
                checked_at=now,
                message="",
            )
        case _:
            return replace(current, state=AddressState.REJECTED, checked_at=now, message=describe_verdict(verdict))


def describe_verdict(verdict: Verdict) -> str:
    """The verdict in words: what to check, or what to choose from."""
    match verdict:
        case Valid():
            return "the address was found"
        case Corrected():
            choices = "; ".join(format_address(candidate) for candidate in verdict.candidates)
            return f"the address was not found as entered. Is it one of these: {choices}?"
        case Refused():
            words = ", ".join(check.value.replace("_", " ") for check in verdict.checks)
            hint = f"check the {words}" if words else "check every part of it"
            return f"{verdict.message or 'the address was not found'} ({hint})"


_CHECKS = {
    "house_number": Check.HOUSE_NUMBER,
    "house_prefix": Check.HOUSE_NUMBER,
    "house_suffix": Check.HOUSE_NUMBER,
    "pre_directional": Check.DIRECTIONAL,
    "post_directional": Check.DIRECTIONAL,
    "street": Check.STREET,
    "suffix": Check.SUFFIX,
    "floor": Check.UNIT,
    "unit": Check.UNIT,
    "city": Check.CITY,
    "state": Check.STATE,
    "postal_code": Check.POSTAL_CODE,
    "country": Check.COUNTRY,
}

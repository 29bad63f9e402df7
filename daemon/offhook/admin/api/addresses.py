"""Emergency addresses as the API shows them, and as it takes them: by their elements, or in one line."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from offhook.admin.routes import format_time
from offhook.errors import AddressRefused, AddressUnclear, Alternative, Fault, Invalid
from offhook.inventory.address import CivicAddress, EmergencyAddress
from offhook.inventory.apply_addresses import RULE
from offhook.inventory.document import AddressElements, Country
from offhook.inventory.emergency.countries import check_address, normalise
from offhook.inventory.emergency.parse import TEXT_LIMIT, ParseResult, format_address, parse_address
from offhook.inventory.emergency.validator import Check, Corrected, Refused, describe_verdict
from offhook.inventory.parts import refuse_faults

AddressText = Annotated[str, Field(min_length=1, max_length=TEXT_LIMIT)]


class AddressInput(AddressElements):
    """An address: in one line as ``text``, or ``country`` and the other elements.

    With a text, ``country`` is taken where the text does not say it.
    """

    country: Country | None = None
    text: AddressText | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressView:
    """An emergency address as it was entered, and the one that is in force meanwhile (U4)."""

    state: str
    #: draft, valid or rejected.
    text: str
    #: In one line.
    entered: CivicAddress
    original: str
    #: What it was read from, where it was entered in one line.
    in_force: CivicAddress | None
    in_force_text: str | None
    in_force_at: str | None
    in_force_by: str | None
    #: Who found it valid: street_ranges, http, or form where nobody was asked.
    message: str
    #: What the validator said.
    checked_at: str | None


def view_address(address: EmergencyAddress | None) -> AddressView | None:
    """The view; None where there is none."""
    if address is None:
        return None
    return AddressView(
        state=address.state.value,
        text=format_address(address.entered),
        entered=address.entered,
        original=address.original,
        in_force=address.in_force,
        in_force_text=format_address(address.in_force) if address.in_force is not None else None,
        in_force_at=format_time(address.in_force_at),
        in_force_by=address.in_force_by.value if address.in_force_by is not None else None,
        message=address.message,
        checked_at=format_time(address.checked_at),
    )


@dataclass(frozen=True, slots=True)
class Entered:
    """What somebody sent: an address whose form is right, in standard spelling."""

    civic: CivicAddress
    original: str = ""


def read_input(given: AddressInput) -> Entered:
    """The address that is meant. Raises AddressUnclear where a text does not say it, Invalid with every fault."""
    elements = {name: value for name, value in given.model_dump(exclude={"text", "country"}).items() if value}
    if given.text is not None:
        if elements:
            raise Invalid(
                f"both a text and {next(iter(elements))} are given",
                field="text",
                rule="an address is given in one line or by its elements",
                remedy="leave out one of the two",
            )
        result = parse_address(given.text, country=given.country or "US")
        refuse_unclear(result)
        assert result.address is not None
        return Entered(result.address, given.text)
    if given.country is None:
        raise Invalid(
            "no address is given", field="country", rule=RULE, remedy="give text, or country and the other elements"
        )
    civic = CivicAddress(country=given.country, **elements)
    faults = check_address(civic)
    refuse_faults([Fault(fault.message, fault.element, rule=RULE, remedy=fault.remedy) for fault in faults])
    return Entered(normalise(civic))


def refuse_unclear(result: ParseResult) -> None:
    """Raises AddressUnclear with the questions, and the readings to choose from."""
    if result.is_certain:
        return
    questions = tuple(
        Fault(question.message, question.element, rule="asked, not guessed (U4)") for question in result.questions
    )
    choices = tuple(map(offer, result.alternatives))
    remedy = "choose one of the alternatives" if choices else "complete it"
    raise AddressUnclear(
        questions[0].message if questions else "the text can be read in several ways",
        field=questions[0].path if questions else "text",
        rule="asked, not guessed (U4)",
        remedy=f"{remedy}, or give the elements",
        faults=questions,
        alternatives=choices,
    )


def refuse_verdict(verdict: Corrected | Refused) -> None:
    """Raises AddressRefused with what to check, or what to choose from."""
    rule = "an address that exists (U4)"
    if isinstance(verdict, Corrected):
        raise AddressRefused(
            describe_verdict(verdict),
            field="street",
            rule=rule,
            remedy="choose one of the alternatives, or correct it",
            alternatives=tuple(map(offer, verdict.candidates)),
        )
    words = ", ".join(check.value.replace("_", " ") for check in verdict.checks)
    faults = tuple(
        Fault(f"check the {check.value.replace('_', ' ')}", _ELEMENTS.get(check, check.value), rule=rule)
        for check in verdict.checks
    )
    raise AddressRefused(
        verdict.message or "the address was not found",
        field=faults[0].path if faults else "street",
        rule=rule,
        remedy=f"check the {words}" if words else "check every part of it",
        faults=faults,
    )


def offer(civic: CivicAddress) -> Alternative:
    """An address to choose, in one line and by its elements."""
    return Alternative(format_address(civic), tuple(civic.elements().items()))


#: Where checks are not called as the element that they are about.
_ELEMENTS = {Check.DIRECTIONAL: "pre_directional"}

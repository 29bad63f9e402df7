"""Civic addresses by the elements of RFC 5139, and what is known of their validity."""

from dataclasses import dataclass, fields
from enum import StrEnum


class AddressState(StrEnum):
    """Where an emergency address stands with its validator."""

    DRAFT = "draft"
    VALID = "valid"
    REJECTED = "rejected"


class CheckedBy(StrEnum):
    """Who found an address valid."""

    FORM = "form"
    #: Nobody: it has the form of its country, and no validator that is set up knows that country.
    STREET_RANGES = "street_ranges"
    HTTP = "http"


@dataclass(frozen=True, slots=True, kw_only=True)
class CivicAddress:
    """RFC 5139 §3.1; the element's name there is given beside each field."""

    country: str
    #: ISO 3166-1 alpha-2, upper case.
    state: str = ""
    #: A1
    county: str = ""
    #: A2
    city: str = ""
    #: A3
    community: str = ""
    #: PCN
    house_prefix: str = ""
    #: HNP (RFC 6848)
    house_number: str = ""
    #: HNO
    house_suffix: str = ""
    #: HNS
    pre_directional: str = ""
    #: PRD
    pre_modifier: str = ""
    #: PRM
    pre_type: str = ""
    #: STP (RFC 6848)
    street: str = ""
    #: RD
    suffix: str = ""
    #: STS
    post_directional: str = ""
    #: POD
    post_modifier: str = ""
    #: POM
    building: str = ""
    #: BLD
    floor: str = ""
    #: FLR
    unit: str = ""
    #: UNIT
    room: str = ""
    #: ROOM
    seat: str = ""
    #: SEAT
    landmark: str = ""
    #: LMK
    location_text: str = ""
    #: LOC
    name: str = ""
    #: NAM
    postal_code: str = ""
    #: PC

    def elements(self) -> dict[str, str]:
        """The elements that are set, in the order above."""
        return {field.name: value for field in fields(self) if (value := getattr(self, field.name))}


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyAddress:
    """An address as entered, its state, and the last one that was found valid, which stays in force meanwhile."""

    entered: CivicAddress
    state: AddressState = AddressState.DRAFT
    in_force: CivicAddress | None = None
    message: str = ""
    #: What the validator said, for people.
    checked_at: float | None = None
    #: When the validator last gave a verdict on what was entered.
    in_force_at: float | None = None
    #: When the address in force was last found valid.
    in_force_by: CheckedBy | None = None
    #: By whom.
    original: str = ""
    #: The text that it was read from, where one was typed in one line.

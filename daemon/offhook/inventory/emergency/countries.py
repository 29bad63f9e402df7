"""What an address must have to send help to: rules of the United States and Canada, and what holds everywhere.

A *dispatchable location* is a checked street address plus what else is needed to find the caller inside (47 CFR
§9.3). A post office box is an address for mail and sends nobody anywhere.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib import resources
from typing import Final

from offhook.inventory.address import CivicAddress
from offhook.inventory.emergency.elements import (
    HOUSE_SUFFIX,
    MILITARY_STATES,
    TERRITORIES,
    find_directional,
    find_house_number,
    find_postal_code,
    find_state,
)
from offhook.inventory.emergency.suffixes import find_suffix

#: Octets in UTF-8: what a civic address element holds in DHCP and LLDP-MED (RFC 4776 §3.4, one octet of length).
ELEMENT_LIMIT: Final = 255

#: Countries whose addresses are checked element by element. Of others only the form of the elements is known here.
CHECKED_COUNTRIES: Final = frozenset({"US", "CA"})

_REQUIRED: Final = ("state", "city", "house_number", "street", "postal_code")
_LABELS: Final = {"house_number": "house number", "postal_code": "postal code", "location_text": "location"}

_POST_OFFICE: Final = re.compile(
    r"\b(?:p\.? ?o\.?|post(?:al)?(?: office)?) ?box\b|\bpob \d|\bcase postale\b|\bc\.p\. ?\d|\bgeneral delivery\b"
    r"|\bposte restante\b|\b(?:rr|rural route|hc) \d{1,4} box\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class AddressFault:
    """One thing that keeps an address from being sent to."""

    element: str
    #: Name of the field of :class:`CivicAddress`.
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.message}: {self.remedy}"


def is_post_office_box(text: str) -> bool:
    """Whether a text names a place for mail rather than one to go to: ``P.O. Box 12``, ``RR 2 Box 7``."""
    return _POST_OFFICE.search(text) is not None


def clean(text: str) -> str:
    """A text in one line, composed (NFC), without control and format characters, each run of blanks one space."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    composed = unicodedata.normalize("NFC", text)
    return " ".join("".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in composed).split())


def normalise(address: CivicAddress) -> CivicAddress:
    """The address in its standard spelling. What is not recognised stays, for :func:`check_address` to name."""
    address = replace(address, **{name: clean(value) for name, value in address.elements().items()})
    country = address.country.upper()
    if country in TERRITORIES and address.state.upper() in ("", country):
        address = replace(address, state=country)
        country = "US"
    if country not in CHECKED_COUNTRIES:
        return replace(address, country=country)
    changes = {
        "country": country,
        "state": find_state(country, address.state) or address.state,
        "postal_code": find_postal_code(country, address.postal_code) or address.postal_code,
        "suffix": find_suffix(country, address.suffix) or address.suffix,
        "pre_directional": find_directional(country, address.pre_directional) or address.pre_directional,
        "post_directional": find_directional(country, address.post_directional) or address.post_directional,
        "house_suffix": address.house_suffix.upper(),
    }
    house = find_house_number(country, address.house_number)
    given_twice = house is not None and (
        (house.prefix and address.house_prefix) or (house.suffix and address.house_suffix)
    )
    if house is not None and not given_twice:
        changes["house_number"] = house.number
        changes["house_prefix"] = house.prefix or address.house_prefix
        changes["house_suffix"] = house.suffix or address.house_suffix.upper()
    return replace(address, **changes)


@lru_cache(maxsize=8192)
def judge_address(address: CivicAddress) -> tuple[AddressFault, ...]:
    """What :func:`check_address` finds, remembered: many devices stand at one address, and are looked at often."""
    return tuple(check_address(address))


def check_address(address: CivicAddress) -> list[AddressFault]:
    """Everything wrong with an address, as far as can be told without asking anyone; spelling is forgiven."""
    faults = list(_check_form(address))
    address = normalise(address)
    if address.country in CHECKED_COUNTRIES:
        faults.extend(_check_missing(address))
        faults.extend(_check_elements(address))
    elif not faults:
        faults.extend(_check_abroad(address))
    faults.extend(
        AddressFault(element, "a post office box is no place to send help to", "give the street address")
        for element in ("street", "landmark", "location_text", "unit", "building", "name")
        if (value := getattr(address, element)) and is_post_office_box(value)
    )
    return faults


#: Outside the countries whose rules are known, one of these at least says where in its town a place is.
_PLACES: Final = ("street", "building", "landmark", "location_text", "name")


@cache
def _countries() -> frozenset[str]:
    """The codes of ISO 3166-1, as the time zone database lists them."""
    text = resources.files("tzdata.zoneinfo").joinpath("iso3166.tab").read_text(encoding="utf-8")
    return frozenset(line[:2] for line in text.splitlines() if line and not line.startswith("#"))


def _check_abroad(address: CivicAddress) -> Iterator[AddressFault]:
    if address.country not in _countries():
        yield AddressFault("country", f"{address.country!r} is no country", "use a code of ISO 3166, such as DE")
    if not address.city:
        yield AddressFault("city", "the city is missing", "name city, street and house number")
    if not any(getattr(address, element) for element in _PLACES):
        yield AddressFault("street", "nothing says where in the city it is", "name street and house number")


def _check_form(address: CivicAddress) -> Iterator[AddressFault]:
    for element, value in address.elements().items():
        label = _LABELS.get(element, element.replace("_", " "))
        if len(value.encode("utf-8", "surrogatepass")) > ELEMENT_LIMIT:
            yield AddressFault(element, f"the {label} is longer than {ELEMENT_LIMIT} bytes", "shorten it")
        if not value.isprintable() and any(unicodedata.category(c) in ("Cc", "Cs") for c in value):
            yield AddressFault(element, f"the {label} contains control characters", "retype it")
    if not re.fullmatch(r"[A-Za-z]{2}", address.country):
        yield AddressFault(
            "country", f"{address.country[:20]!r} is no country code", "use two letters, such as US or CA"
        )


def _check_missing(address: CivicAddress) -> Iterator[AddressFault]:
    for element in _REQUIRED:
        if not getattr(address, element):
            label = _label(address.country, element)
            yield AddressFault(element, f"the {label} is missing", f"add the {label}")


def _label(country: str, element: str) -> str:
    if element == "state":
        return "state" if country == "US" else "province"
    if element == "postal_code":
        return "ZIP code" if country == "US" else "postal code"
    return _LABELS.get(element, element.replace("_", " "))


def _check_elements(address: CivicAddress) -> Iterator[AddressFault]:
    country = address.country
    if address.state.upper() in MILITARY_STATES:
        yield AddressFault(
            "state", f"{address.state} is for mail to the armed forces", "give the street address of the place itself"
        )
    elif address.state and find_state(country, address.state) is None:
        label = _label(country, "state")
        yield AddressFault("state", f"there is no {label} {address.state!r}", f"use the two letters of the {label}")
    if address.postal_code and find_postal_code(country, address.postal_code) is None:
        form = "5 or 9 digits, such as 10118" if country == "US" else "letters and digits such as K1A 0B1"
        label = _label(country, "postal_code")
        yield AddressFault("postal_code", f"{address.postal_code!r} is no {label}", f"use {form}")
    for element in ("pre_directional", "post_directional"):
        value = getattr(address, element)
        if value and find_directional(country, value) is None:
            yield AddressFault(
                element,
                f"{value!r} is no directional",
                "use N, S, E, W, NE, NW, SE or SW, or put it in the street's name",
            )
    if address.suffix and find_suffix(country, address.suffix) is None:
        yield AddressFault(
            "suffix",
            f"{address.suffix!r} is no street suffix",
            "use one such as St, Ave or Blvd, or put it in the street's name",
        )
    yield from _check_house_number(address)


def _check_house_number(address: CivicAddress) -> Iterator[AddressFault]:
    if address.house_number and not re.fullmatch(r"[0-9]{1,10}", address.house_number):
        yield AddressFault(
            "house_number",
            f"{address.house_number!r} is not one house number",
            "give one number, with what stands before it in house_prefix and a letter or fraction in house_suffix",
        )
    if address.house_suffix and not HOUSE_SUFFIX.fullmatch(address.house_suffix):
        yield AddressFault(
            "house_suffix",
            f"{address.house_suffix!r} is no part of a house number",
            "use a letter or a fraction such as 1/2",
        )


def building_key(address: CivicAddress) -> tuple[str, ...]:
    """What two addresses have in common that stand for the same building."""
    names = (
        "country", "state", "city", "house_prefix", "house_number", "house_suffix", "pre_directional", "pre_type",
        "street", "suffix", "post_directional",
    )  # fmt: skip
    return tuple(getattr(address, name).casefold() for name in names)


def check_inside(
    address: CivicAddress, *, is_multi_unit: bool = False, is_multi_floor: bool = False
) -> list[AddressFault]:
    """What is missing to find the caller inside a building known to have several units or floors."""
    faults: list[AddressFault] = []
    if is_multi_floor and not (address.floor or address.unit or address.room):
        faults.append(AddressFault("floor", "the building has several floors", "add the floor, the unit or the room"))
    elif is_multi_unit and not (address.unit or address.room):
        faults.append(AddressFault("unit", "the building has several units", "add the unit, suite or room"))
    return faults


class SharedBuildings:
    """Buildings that, by the addresses in use, have more than one unit or floor."""

    def __init__(self, addresses: Iterable[CivicAddress] = ()) -> None:
        self._units: dict[tuple[str, ...], set[str]] = {}
        self._floors: dict[tuple[str, ...], set[str]] = {}
        self.add(addresses)

    def add(self, addresses: Iterable[CivicAddress]) -> None:
        """Takes in more of those in use."""
        for address in addresses:
            key = building_key(address)
            if place := (address.unit or address.room).casefold():
                self._units.setdefault(key, set()).add(place)
            if address.floor:
                self._floors.setdefault(key, set()).add(address.floor.casefold())

    def check(self, address: CivicAddress) -> list[AddressFault]:
        """What an address in one of these buildings lacks: an address elsewhere in it names a unit or floor."""
        key = building_key(address)
        return check_inside(address, is_multi_unit=key in self._units, is_multi_floor=key in self._floors)

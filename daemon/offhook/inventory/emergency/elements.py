"""Spellings of single address elements: states, postal codes, directionals, house numbers.

Sources: USPS Publication 28, Appendix B (states and possessions) and section 233 (directionals); Canada Post,
Addressing Guidelines (provinces, postal codes, French directions); FGDC-STD-016 for the parts of a house number.
"""

import re
from dataclasses import dataclass
from typing import Final

_STATES_US: Final = """
AL Alabama; AK Alaska; AZ Arizona; AR Arkansas; CA California; CO Colorado; CT Connecticut; DE Delaware;
DC District of Columbia; FL Florida; GA Georgia; HI Hawaii; ID Idaho; IL Illinois; IN Indiana; IA Iowa; KS Kansas;
KY Kentucky; LA Louisiana; ME Maine; MD Maryland; MA Massachusetts; MI Michigan; MN Minnesota; MS Mississippi;
MO Missouri; MT Montana; NE Nebraska; NV Nevada; NH New Hampshire; NJ New Jersey; NM New Mexico; NY New York;
NC North Carolina; ND North Dakota; OH Ohio; OK Oklahoma; OR Oregon; PA Pennsylvania; RI Rhode Island;
SC South Carolina; SD South Dakota; TN Tennessee; TX Texas; UT Utah; VT Vermont; VA Virginia; WA Washington;
WV West Virginia; WI Wisconsin; WY Wyoming; AS American Samoa; GU Guam; MP Northern Mariana Islands; PR Puerto Rico;
VI Virgin Islands
"""
_PROVINCES_CA: Final = """
AB Alberta; BC British Columbia; MB Manitoba; NB New Brunswick; NB Nouveau-Brunswick; NL Newfoundland and Labrador;
NL Newfoundland; NS Nova Scotia; NT Northwest Territories; NU Nunavut; ON Ontario; PE Prince Edward Island; QC Quebec;
QC Québec; SK Saskatchewan; YT Yukon
"""


def _read(table: str) -> dict[str, str]:
    codes: dict[str, str] = {}
    for entry in table.split(";"):
        code, name = entry.split(maxsplit=1)
        codes[code] = code
        codes[" ".join(name.split()).upper()] = code
    return codes


_STATES: Final = {"US": _read(_STATES_US), "CA": _read(_PROVINCES_CA)}
#: Possessions with a country code of their own in ISO 3166, which are states in American addresses.
TERRITORIES: Final = frozenset({"AS", "GU", "MP", "PR", "VI"})
#: Mail for the armed forces: Armed Forces Americas, Europe, Pacific.
MILITARY_STATES: Final = frozenset({"AA", "AE", "AP"})

_ZIP: Final = re.compile(r"([0-9]{5})(?:[- ]?([0-9]{4}))?")
#: Canada Post uses neither D, F, I, O, Q nor U, and neither W nor Z in the first place.
_POSTAL_CODE: Final = re.compile(r"([ABCEGHJ-NPRSTVXY][0-9][ABCEGHJ-NPRSTV-Z])[ -]?([0-9][ABCEGHJ-NPRSTV-Z][0-9])")

_DIRECTIONALS: Final = {
    "NORTH": "N",
    "SOUTH": "S",
    "EAST": "E",
    "WEST": "W",
    "NORTHEAST": "NE",
    "NORTHWEST": "NW",
    "SOUTHEAST": "SE",
    "SOUTHWEST": "SW",
}
_DIRECTIONALS_FRENCH: Final = {
    "NORD": "N",
    "SUD": "S",
    "EST": "E",
    "OUEST": "O",
    "NORD-EST": "NE",
    "NORD-OUEST": "NO",
    "SUD-EST": "SE",
    "SUD-OUEST": "SO",
}


def _spellings(country: str) -> dict[str, str]:
    words = _DIRECTIONALS | (_DIRECTIONALS_FRENCH if country == "CA" else {})
    return words | {short: short for short in words.values()}


_BY_COUNTRY: Final = {country: _spellings(country) for country in ("US", "CA")}


def find_state(country: str, text: str) -> str | None:
    """The two-letter code of a state or province, given by code or by name."""
    return _STATES.get(country, {}).get(" ".join(text.split()).upper())


def find_postal_code(country: str, text: str) -> str | None:
    """A ZIP code (``10118``, ``10118-0001``) or Canadian postal code (``K1A 0B1``) in its standard form."""
    match country:
        case "US" if found := _ZIP.fullmatch(text.strip()):
            return "-".join(part for part in found.groups() if part)
        case "CA" if found := _POSTAL_CODE.fullmatch(text.strip().upper()):
            return " ".join(found.groups())
        case _:
            return None


def find_directional(country: str, word: str) -> str | None:
    """``N``, ``N.``, ``north`` and ``NORTH`` are ``N``; in Canada ``ouest`` is ``O``, as the street sign has it."""
    return _BY_COUNTRY.get(country, {}).get(word.upper().replace(".", ""))


@dataclass(frozen=True, slots=True)
class HouseNumber:
    """The parts of a house number: 194-03 1/2 is prefix ``194-``, number ``03``, suffix ``1/2``."""

    number: str
    prefix: str = ""
    suffix: str = ""


_FRACTIONS: Final = {"½": "1/2", "¼": "1/4", "¾": "3/4"}
#: A number alone, lettered, with a fraction, behind a number and a hyphen (Queens, Hawaii), or in a grid (N6W23001).
_HOUSE_NUMBER: Final = re.compile(
    r"(?P<prefix>[0-9]{1,6}-|(?:[NSEW][0-9]{1,5}){1,2}[NSEW]|[NSEW])?"
    r"(?P<number>[0-9]{1,10})"
    r"(?: ?-?(?P<suffix>[A-Z])| (?P<fraction>[1-9]/[2-8])| ?(?P<glyph>[½¼¾]))?"
)
HOUSE_SUFFIX: Final = re.compile(r"[A-Z]{1,2}|[1-9]/[2-8]")


def find_house_number(country: str, text: str) -> HouseNumber | None:
    """The parts of a house number, or None where it is not surely one: a word, a range, or none at all.

    ``37-45`` could be a range as well as one number, and in Canada unit 37 of number 45, so neither is assumed.
    """
    found = _HOUSE_NUMBER.fullmatch(" ".join(text.split()).upper())
    if found is None:
        return None
    number, prefix = found["number"], found["prefix"] or ""
    if prefix.endswith("-") and (country != "US" or (len(prefix) == len(number) + 1 and prefix[:-1] < number)):
        return None
    suffix = found["suffix"] or found["fraction"] or _FRACTIONS.get(found["glyph"] or "", "")
    return HouseNumber(number, prefix, suffix)

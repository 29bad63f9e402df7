"""One-line addresses: ``350 Fifth Ave Fl 21, New York, NY 10118``.

The parser asks instead of guessing. Where a text can be read in one way the result has an address; where it can be read
in several it has the alternatives and a question, and a person chooses. Any text gives a result, in time that grows
with its length, which is bounded. The original text is kept.
"""

import re
from dataclasses import dataclass, replace
from typing import Final

from offhook.inventory.address import CivicAddress
from offhook.inventory.emergency.countries import check_address, clean, is_post_office_box, normalise
from offhook.inventory.emergency.elements import (
    HouseNumber,
    find_directional,
    find_house_number,
    find_postal_code,
    find_state,
)
from offhook.inventory.emergency.streets import Street, read_street
from offhook.inventory.emergency.suffixes import find_suffix
from offhook.inventory.emergency.units import DESIGNATORS, Inside, find_inside, read_insides

#: Characters of a text that is read at all; the longest real addresses have half as many.
TEXT_LIMIT: Final = 256
ALTERNATIVES_LIMIT: Final = 8

_COUNTRIES: Final = {
    "US": "US", "USA": "US", "U.S.": "US", "U.S.A.": "US", "UNITED STATES": "US", "UNITED STATES OF AMERICA": "US",
    "CANADA": "CA",
}  # fmt: skip
#: Words in the longest name of a state, Newfoundland and Labrador or Northern Mariana Islands.
_STATE_WORDS: Final = 3
_UNIT_AND_NUMBER: Final = re.compile(r"([0-9]{1,5}[A-Za-z]?)-([0-9]{1,6}[A-Za-z]?)")


#: A reading of a house number, by element, and the words behind it.
_Numbered = tuple[dict[str, str], list[str]]


@dataclass(frozen=True, slots=True)
class Question:
    """What a person must decide or add."""

    element: str
    message: str


@dataclass(frozen=True, slots=True)
class ParseResult:
    """What a one-line address says."""

    original: str
    address: CivicAddress | None = None
    #: The only reading; it may lack what the questions name.
    alternatives: tuple[CivicAddress, ...] = ()
    #: The readings, likeliest first, where there are several.
    questions: tuple[Question, ...] = ()

    @property
    def is_certain(self) -> bool:
        """Whether the address can be taken as it is."""
        return self.address is not None and not self.questions


@dataclass(frozen=True, slots=True)
class _Place:
    """A reading of the last line, and the segments before it."""

    country: str
    segments: tuple[str, ...]
    city: str = ""
    state: str = ""
    postal_code: str = ""

    def address(self) -> CivicAddress:
        return CivicAddress(country=self.country, state=self.state, city=self.city, postal_code=self.postal_code)


def parse_address(text: str, *, country: str = "US") -> ParseResult:
    """Reads an address. ``country`` is taken where neither its name, a postal code nor a state tells."""
    if len(text) > TEXT_LIMIT:
        return _ask(
            text, "street", f"the text is longer than {TEXT_LIMIT} characters: shorten it, or give the elements"
        )
    segments = [cleaned for part in re.split(r"[,;\r\n]", text) if (cleaned := clean(part))]
    if not segments:
        return _ask(text, "street", "nothing was given: write number, street, city, state and postal code")
    if is_post_office_box(" ".join(segments)):
        return _ask(text, "street", "a post office box is no place to send help to: give the street address")
    places = _read_last_line(segments, country)
    if isinstance(places, Question):
        return ParseResult(text, questions=(places,))
    questions: list[Question] = []
    if len(places) > 1:
        questions.append(Question("city", "it is not clear where the city begins and ends: put commas around it"))
    readings: list[CivicAddress] = []
    for place in places[:ALTERNATIVES_LIMIT]:
        found, doubts = _read_segments(place)
        readings.extend(found)
        questions.extend(doubts)
    distinct = list(dict.fromkeys(readings))[:ALTERNATIVES_LIMIT]
    if len(distinct) == 1:
        faults = check_address(distinct[0])
        questions.extend(Question(fault.element, str(fault)) for fault in faults)
        return ParseResult(text, distinct[0], (), tuple(dict.fromkeys(questions)))
    return ParseResult(text, None, tuple(distinct), tuple(dict.fromkeys(questions)))


def _ask(text: str, element: str, message: str) -> ParseResult:
    return ParseResult(text, questions=(Question(element, message),))


# -- city, state, postal code, country ----------------------------------------------------------------------------


def _read_last_line(segments: list[str], default: str) -> list[_Place] | Question:
    country = ""
    if len(segments) > 1 and segments[-1].upper() in _COUNTRIES:
        country = _COUNTRIES[segments.pop().upper()]
    words = segments[-1].split()
    postal_code = ""
    for candidate in (country,) if country else ("US", "CA"):
        for count in (1, 2):
            found = find_postal_code(candidate, " ".join(words[-count:])) if len(words) >= count else None
            # A number that begins the only line is a house number.
            if found is not None and (len(segments) > 1 or len(words) > count) and not postal_code:
                country, postal_code, words = candidate, found, words[:-count]
    before = segments[:-1]
    if not words and before:
        words, before = before[-1].split(), before[:-1]
    country = country or _country_of(words) or default
    if country not in ("US", "CA"):
        return Question(
            "country", f"one-line addresses are read for US and CA, not {country[:20]!r}: give the elements"
        )
    return _split_city(country, before, words, postal_code)


def _country_of(words: list[str]) -> str:
    """The country that the last words are a state of."""
    for country in ("US", "CA"):
        if any(find_state(country, " ".join(words[-count:])) for count in range(1, _STATE_WORDS + 1)):
            return country
    return ""


def _split_city(country: str, before: list[str], words: list[str], postal_code: str) -> list[_Place]:
    line = " ".join(words)
    state = find_state(country, line)
    if state is not None and len(before) > 1:
        return [_Place(country, tuple(before[:-1]), before[-1], state, postal_code)]
    if state is not None and before:
        # "350 Fifth Ave, New York": a city without its state, or a state without a city, or behind a whole line.
        places = [_Place(country, tuple(before), "", state, postal_code)]
        if len(line) > 2:
            places.insert(0, _Place(country, tuple(before), line, "", postal_code))
        return places + _without_comma(country, before[0].split(), state, postal_code) if len(before) == 1 else places
    counts = [n for n in range(_STATE_WORDS, 0, -1) if n < len(words) and find_state(country, " ".join(words[-n:]))]
    if before:
        if not counts:
            return [_Place(country, tuple(before), line, "", postal_code)]
        return [
            _Place(
                country,
                tuple(before),
                " ".join(words[:-n]),
                find_state(country, " ".join(words[-n:])) or "",
                postal_code,
            )
            for n in counts
        ]
    places = []
    for n in counts:
        places += _without_comma(country, words[:-n], find_state(country, " ".join(words[-n:])) or "", postal_code)
    return places or [_Place(country, (line,), "", "", postal_code)]


def _without_comma(country: str, words: list[str], state: str, postal_code: str) -> list[_Place]:
    """Street and city in one: the city may begin after any kind of street, directional or unit."""
    cuts = [cut for cut in range(3, len(words)) if _may_end(country, words, cut)]
    return [
        _Place(country, (" ".join(words[:cut]),), " ".join(words[cut:]), state, postal_code)
        for cut in cuts[:ALTERNATIVES_LIMIT]
    ]


def _may_end(country: str, words: list[str], cut: int) -> bool:
    """Whether a street line may end before ``words[cut]``, which then begins a city."""
    if words[cut][0].isdigit() or ((inside := find_inside(words[cut:])) is not None and inside.words > 1):
        return False
    last = words[cut - 1]
    return bool(find_suffix(country, last) or find_directional(country, last) or find_inside(words[cut - 2 : cut]))


# -- what stands before the city ----------------------------------------------------------------------------------


def _read_segments(place: _Place) -> tuple[list[CivicAddress], list[Question]]:
    """Each segment is the street line, or places inside; anything else is asked about."""
    insides: list[Inside] = []
    street_line: list[str] = []
    questions: list[Question] = []
    for segment in place.segments:
        words = segment.split()
        if (found := read_insides(words)) is not None:
            insides += found
        elif (not street_line and words[0][0].isdigit()) or (not street_line and segment == place.segments[-1]):
            street_line = words
        else:
            message = f"what is {segment!r}: the building, a landmark, or who is there? Give it as that element"
            questions.append(Question("building", message))
    houses, doubt = _read_house_number(place.country, street_line)
    if doubt is not None:
        questions.append(doubt)
    readings: list[CivicAddress] = []
    for house, words in houses:
        words, found = _cut_insides(words)
        elements = [*(inside.element for inside in (*found, *insides)), *(name for name in house if name == "unit")]
        if len(set(elements)) < len(elements):
            questions.append(Question("unit", "two units, floors or rooms are given: which one is it?"))
        inside = {entry.element: entry.value for entry in (*insides, *found)}
        street = read_street(place.country, words)
        questions += [Question(doubt.element, doubt.message) for doubt in street.doubts]
        base = replace(place.address(), **{**inside, **house})
        readings += [normalise(_with_street(base, reading)) for reading in street.streets or (Street(""),)]
    return readings, questions


def _cut_insides(words: list[str]) -> tuple[list[str], list[Inside]]:
    """Splits off the places inside that end a street line."""
    for cut in range(1, len(words)):
        if (found := read_insides(words[cut:])) is not None:
            return words[:cut], found
    return words, []


def _with_street(address: CivicAddress, street: Street) -> CivicAddress:
    return replace(
        address,
        street=street.name,
        pre_directional=street.pre_directional,
        pre_type=street.pre_type,
        suffix=street.suffix,
        post_directional=street.post_directional,
    )


def _elements(house: HouseNumber) -> dict[str, str]:
    return {"house_number": house.number, "house_prefix": house.prefix, "house_suffix": house.suffix}


def _read_house_number(country: str, words: list[str]) -> tuple[list[_Numbered], Question | None]:
    """The readings of the number that a street line begins with, each with the words that follow, and what to ask."""
    house = find_house_number(country, words[0]) if words else None
    if words and house is None and (both := _UNIT_AND_NUMBER.fullmatch(words[0])):
        return _read_hyphenated(country, words, both)
    if house is None:
        return [({}, words)], None
    plain = (_elements(house), words[1:])
    with_next = find_house_number(country, f"{words[0]} {words[1]}") if len(words) > 2 and not house.suffix else None
    if with_next is None:
        return [plain], None
    if not with_next.suffix.isalpha():
        return [(_elements(with_next), words[2:])], None
    if find_directional(country, words[1]) is not None or find_suffix(country, words[2]) is not None:
        return [plain], None
    message = f"is {words[1]} part of the house number {words[0]}, or of the street's name?"
    return [(_elements(with_next), words[2:]), plain], Question("house_suffix", message)


def _read_hyphenated(country: str, words: list[str], both: re.Match[str]) -> tuple[list[_Numbered], Question | None]:
    first, second = both.groups()
    number = find_house_number(country, second)
    if number is None or (country == "US" and not first.isdigit()):
        return [({}, words)], None
    if country == "CA":
        # Canada Post, Addressing Guidelines: the unit stands before the civic number, with a hyphen between.
        return [({**_elements(number), "unit": f"Unit {first}"}, words[1:])], None
    message = f"is {words[0]} one house number, or a range? Of a range, give the number of the door"
    whole = _elements(HouseNumber(number.number, f"{first}-", number.suffix))
    return [(whole, words[1:]), (_elements(HouseNumber(first)), words[1:])], Question("house_number", message)


def format_address(address: CivicAddress) -> str:
    """An address in one line, as :func:`parse_address` reads it and people write it."""
    house = address.house_prefix + address.house_number
    if address.house_suffix:
        house += (" " if "/" in address.house_suffix else "") + address.house_suffix
    street = [house, address.pre_directional, address.pre_modifier, address.pre_type, address.street]
    street += [address.suffix, address.post_directional, address.post_modifier]
    inside = [f"{word} {value}" for element, word in DESIGNATORS.items() if (value := getattr(address, element))]
    first = " ".join(part for part in (*street, *inside, address.unit) if part)
    last = " ".join(part for part in (address.state, address.postal_code) if part)
    extra = (address.name, address.landmark, address.location_text)
    country = address.country if address.country not in ("US", "CA") else ""
    return ", ".join(part for part in (*extra, first, address.community, address.city, last, country) if part)

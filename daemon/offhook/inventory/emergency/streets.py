"""The readings of a street's words: which are its name, and which its directionals and kind.

A reading is taken without asking only where every word that looks like a directional or a kind of street stands where
one belongs and the name that remains has none. All other cases (``Avenue B``, ``St Paul Ave``, ``North Main St``) have
more than one reading, or lack something, and are asked about.
"""

from dataclasses import dataclass
from typing import Final

from offhook.inventory.emergency.elements import find_directional
from offhook.inventory.emergency.suffixes import FRENCH_TYPES, find_suffix

#: Kinds of street that stand before a name or number in English: Avenue B, Highway 61.
_TYPES_BEFORE: Final = frozenset({
    "AVENUE", "AVE", "BOULEVARD", "BLVD", "HIGHWAY", "HWY", "INTERSTATE", "ROUTE", "RTE", "ROAD", "RD", "STREET",
    "CAMINO", "CALLE", "AVENIDA", "PLACE",
})  # fmt: skip
#: Whole names of streets that have no kind.
_WITHOUT_KIND: Final = frozenset({"BROADWAY", "BOWERY", "THE BOWERY", "EMBARCADERO", "THE EMBARCADERO"})


@dataclass(frozen=True, slots=True)
class Street:
    """One reading of a street."""

    name: str
    pre_directional: str = ""
    pre_type: str = ""
    suffix: str = ""
    post_directional: str = ""


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a street cannot be read in one way; ``element`` is what would settle it."""

    element: str
    message: str


@dataclass(frozen=True, slots=True)
class StreetReading:
    """All readings, likeliest first; more than one, or a doubt, means that somebody must be asked."""

    streets: tuple[Street, ...]
    doubts: tuple[Doubt, ...] = ()


def read_street(country: str, words: list[str]) -> StreetReading:
    """Reads the words between house number and unit."""
    if not words:
        return StreetReading((), (Doubt("street", "the street is missing"),))
    french = _read_french(country, words)
    if french is not None:
        return StreetReading((french,))
    full = _read_in_full(country, words)
    text = " ".join(words)
    verbatim = Street(text)
    if _is_type_before(country, words):
        before = Street(" ".join(words[1:]), pre_type=words[0])
        question = f"is {words[0]} the kind of the street {before.name!r}, or part of its name?"
        return _several((before, verbatim, full), Doubt("pre_type", question))
    if not full.suffix:
        return _read_without_suffix(country, words, full)
    first = full.name.split()[0].upper().rstrip(".")
    if full.pre_directional and (merged := _merge(country, words, full)) is not None:
        return _several(
            (full, merged),
            Doubt("pre_directional", f"is the directional {full.pre_directional!r} or {merged.pre_directional!r}?"),
        )
    if full.pre_directional and len(words[0].rstrip(".")) > 2:
        name = f"{words[0]} {full.name}"
        kept = Street(name, suffix=full.suffix, post_directional=full.post_directional)
        return _several((full, kept), Doubt("pre_directional", f"is the street's name {full.name!r} or {name!r}?"))
    if first == "ST" and " " in full.name:
        rest = full.name.split(maxsplit=1)[1]
        saint = Street(f"Saint {rest}", full.pre_directional, "", full.suffix, full.post_directional)
        return _several((full, saint), Doubt("street", f"is the street's name {full.name!r} or {saint.name!r}?"))
    return StreetReading((full,))


def _several(streets: tuple[Street, ...], doubt: Doubt) -> StreetReading:
    return StreetReading(tuple(dict.fromkeys(streets)), (doubt,))


def _read_in_full(country: str, words: list[str]) -> Street:
    """Takes every word that may be a directional or a kind of street for one, as long as a name remains."""
    start, end = 0, len(words)
    post = suffix = pre = ""
    has_name = end > 2 or (end == 2 and find_suffix(country, words[0]) is None)
    if has_name and (found := find_directional(country, words[-1])) is not None:
        post, end = found, end - 1
    if end - start > 1 and (found := find_suffix(country, words[end - 1])) is not None:
        suffix, end = found, end - 1
    if end - start > 1 and (found := find_directional(country, words[0])) is not None:
        pre, start = found, 1
    return Street(" ".join(words[start:end]), pre, "", suffix, post)


def _merge(country: str, words: list[str], full: Street) -> Street | None:
    """``N W Main St`` may be northwest: the first two words as one directional."""
    second = find_directional(country, words[1])
    both = find_directional(country, full.pre_directional + second) if second else None
    rest = " ".join(full.name.split()[1:])
    if both is None or not rest:
        return None
    return Street(rest, both, "", full.suffix, full.post_directional)


def _read_french(country: str, words: list[str]) -> Street | None:
    """``Rue Sainte-Catherine O``: a French kind stands first, and needs no asking unless there is a second."""
    if country != "CA" or len(words) < 2 or words[0].upper() not in FRENCH_TYPES:
        return None
    post = find_directional(country, words[-1]) if len(words) > 2 else None
    name = words[1:-1] if post else words[1:]
    if any(find_suffix(country, word) is not None for word in name):
        return None
    return Street(" ".join(name), pre_type=words[0], post_directional=post or "")


def _is_type_before(country: str, words: list[str]) -> bool:
    """Whether a kind of street comes first and none last: Avenue B, Highway 61."""
    known = words[0].upper() in (_TYPES_BEFORE | (FRENCH_TYPES if country == "CA" else frozenset()))
    if not known or len(words) < 2:
        return False
    return find_suffix(country, words[-1]) is None or (country == "CA" and words[0].upper() in FRENCH_TYPES)


def _read_without_suffix(country: str, words: list[str], full: Street) -> StreetReading:
    if full.name.upper() in _WITHOUT_KIND and not full.pre_directional:
        return StreetReading((full,))
    inner = [i for i, word in enumerate(words) if 0 < i < len(words) - 1 and find_suffix(country, word) is not None]
    if inner:
        cut = inner[-1] + 1
        message = (
            f"what is {' '.join(words[cut:])!r} after {' '.join(words[:cut])!r}? Write a unit as Apt, Unit, Ste or #"
        )
        return StreetReading((), (Doubt("unit", message),))
    doubt = Doubt("suffix", f"{' '.join(words)!r} has no street suffix: is it St, Ave, Rd, or has it none?")
    return _several((full, Street(" ".join(words))), doubt)

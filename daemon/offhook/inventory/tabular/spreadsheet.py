"""What spreadsheets do to text, and how a table gets through one unharmed.

A spreadsheet takes ``00123`` for 123, ``001565123456`` for 1.57E+09, drops the plus sign of ``+12125550101``, and runs
what begins with ``=``. So an export puts an apostrophe before such a text, which makes it text for a spreadsheet and
keeps it whole when the sheet is saved, and an import takes it away. What was destroyed on the way to an import is told.
"""

import re
from enum import StrEnum
from typing import Final

from offhook.inventory.identifiers import ipei_check_digit

#: Begins a formula in some spreadsheet: the signs, their full-width forms, and what is skipped before them.
_FORMULA: Final = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
#: Begins what may be taken for a number, an amount or a date.
_NUMERIC: Final = "0123456789.($"
#: Shown as it is typed: a longer one becomes 1.23E+11.
_PLAIN_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,10}")
_MAC: Final = re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}")
_MONTH: Final = re.compile(r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[-./ ]?[0-9]", re.IGNORECASE)
_QUOTE: Final = "'"


def guard(text: str) -> str:
    """The text with an apostrophe before it where a spreadsheet would make something else of it."""
    needed = _is_taken_for_else(text) and not (_PLAIN_NUMBER.fullmatch(text) or _MAC.fullmatch(text))
    return _QUOTE + text if needed or _looks_guarded(text) else text


def unguard(text: str) -> str:
    """The text without the apostrophe that :func:`guard` put there, or a person: ``unguard(guard(x)) == x``."""
    return text[1:] if _looks_guarded(text) else text


def _looks_guarded(text: str) -> bool:
    return text.startswith(_QUOTE) and _is_taken_for_else(text.lstrip(_QUOTE))


def _is_taken_for_else(text: str) -> bool:
    return bool(text) and (text[0] in _FORMULA or text[0] in _NUMERIC or _MONTH.match(text) is not None)


# -- what was destroyed -----------------------------------------------------------------------------------------------


class Notation(StrEnum):
    """What the texts of a column are."""

    TEXT = "text"
    CHOICE = "choice"
    #: One of a few words.
    SECRET = "secret"
    #: Never repeated in a message.
    DIGITS = "digits"
    #: Of an extension.
    NUMBER = "number"
    #: In E.164.
    TARGET = "target"
    #: Either of the two.
    MAC = "mac"
    IPEI = "ipei"


#: How anything begins that is looked at.
_SUSPECT: Final = frozenset("0123456789+#E")
_AS_TEXT: Final = "format the column as text in the spreadsheet, and enter it again"
_ERROR: Final = re.compile(r"#(?:N/A|REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!|SPILL!|CALC!)|Err:[0-9]{3}")
_TOO_NARROW: Final = re.compile(r"#{3,}")
_SCIENTIFIC: Final = re.compile(r"[0-9](?:[.,][0-9]+)?[eE]\+[0-9]+")
_DECIMAL: Final = re.compile(r"(\+?[0-9]{2,})[.,]0+")
_NOT_NUMERIC: Final = frozenset({Notation.TEXT, Notation.CHOICE})


def find_damage(text: str, notation: Notation) -> str | None:
    """What a spreadsheet has made of a value, and what to do; None where nothing shows."""
    if notation is Notation.SECRET or text[0] not in _SUSPECT:
        return None
    if _ERROR.fullmatch(text):
        return f"{text} is an error of the spreadsheet, not a value; correct the cell's formula"
    if _TOO_NARROW.fullmatch(text):
        return "the column was too narrow for the value when it was saved; make it wider and save again"
    if notation in _NOT_NUMERIC:
        return None
    if _SCIENTIFIC.fullmatch(text):
        return f"{text} is what a spreadsheet made of a long number, and its last digits are gone; {_AS_TEXT}"
    if decimal := _DECIMAL.fullmatch(text):
        return f"{text} is what a spreadsheet made of {decimal[1]}; {_AS_TEXT}"
    return _find_lost(text, notation)


def _find_lost(text: str, notation: Notation) -> str | None:
    """Zeros and plus signs at the beginning, which a spreadsheet drops."""
    if not (text.isascii() and text.isdecimal()):
        return None
    count = len(text)
    match notation:
        case Notation.MAC if 7 <= count < 12:
            return (
                f"{text} has {count} digits, and a MAC has twelve: a spreadsheet drops zeros at the beginning; "
                "write it like 00:15:65:12:34:56"
            )
        case Notation.IPEI if count < 12 and not (count == 10 and text[0] == "0"):
            return (
                f"{text} has {count} digits, and an IPEI has thirteen: a spreadsheet drops zeros at the beginning; "
                f"{_AS_TEXT}"
            )
        case Notation.IPEI if count == 12 and ipei_check_digit("0" + text[:-1]) == text[-1]:
            return (
                f"{text} may be 0{text} without the zero at its beginning, which a spreadsheet drops; write all "
                "thirteen digits"
            )
        case Notation.NUMBER | Notation.TARGET if (7 if notation is Notation.NUMBER else 11) <= count <= 15:
            return f"{text} has no plus sign, which a spreadsheet drops; write it like +12125550101, and as text"
        case _:
            return None

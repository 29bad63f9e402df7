"""What people type into a search box, and what it is compared with.

Case and accents do not count. Several words must all be found, each anywhere. Identifiers and numbers are found in
whatever notation they are typed: a word is also looked for without its colons, dashes, dots and brackets, but then
only among the codes of a row, where ``10.1`` as part of a MAC does not bring up every extension with 101 in it.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from offhook.errors import Invalid

MAX_LENGTH: Final = 256
MAX_WORDS: Final = 16

_SEPARATORS: Final = str.maketrans("", "", ":-./()")
#: Hexadecimal digits, the check digit of an IPEI, a number in E.164.
_CODE: Final = re.compile(r"\+?[0-9a-f*]+")
#: A MAC written with blanks, or the beginning of one: as single words its pairs would be found nearly everywhere.
_PAIRS: Final = re.compile(r"[0-9a-f]{2}(?: [0-9a-f]{2})+ [0-9a-f]{1,2}")
_DIGITS: Final = re.compile(r"[0-9]+")


def fold(text: str) -> str:
    """A text as it is compared: without case, accents and compatibility forms."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join([character for character in apart if not unicodedata.combining(character)]).casefold()


def natural_key(text: str) -> str:
    """A key that sorts as people do: folded, and ``Phone 2`` before ``Phone 10``.

    Each run of digits is preceded by its length, so that comparing characters compares numbers.
    """
    return _DIGITS.sub(_with_length, fold(text))


def _with_length(run: re.Match[str]) -> str:
    digits = run[0].lstrip("0") or "0"
    return f"{len(digits):03}{digits}"


class Searchable(Protocol):
    """A row that can be searched."""

    @property
    def text(self) -> str:
        """Everything that it is found by, folded, with line feeds in between; its codes too."""
        ...

    @property
    def codes(self) -> str:
        """Its identifiers and numbers without separators."""
        ...


S = TypeVar("S", bound=Searchable)


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    code: str
    #: The same without separators where that could be an identifier, else empty.


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched for. Without words it finds everything."""

    words: tuple[_Word, ...] = ()
    code: str = ""
    #: All of it is one identifier.

    def narrow(self, rows: list[S]) -> list[S]:
        """The rows in which everything is found."""
        if self.code:
            return [row for row in rows if self.code in row.codes]
        for word in self.words:
            text, code = word.text, word.code
            if code:
                rows = [row for row in rows if text in row.text or code in row.codes]
            else:
                rows = [row for row in rows if text in row.text]
        return rows


#: Asks for nothing in particular.
EVERYTHING: Final = Search()


def parse_search(text: str, field: str = "q") -> Search:
    """What a text asks for. Raises Invalid for one that is longer than anybody types."""
    words = sorted(set(fold(text[: MAX_LENGTH + 1]).split()), key=lambda word: (-len(word), word))
    if len(text) > MAX_LENGTH or len(words) > MAX_WORDS:
        raise Invalid(
            f"{field} has {len(text)} characters" if len(text) > MAX_LENGTH else f"{field} has {len(words)} words",
            field=field,
            rule=f"up to {MAX_LENGTH} characters and {MAX_WORDS} words",
            remedy="search for fewer words",
        )
    if _PAIRS.fullmatch(pairs := " ".join(fold(text).split())):
        return Search(code=pairs.replace(" ", ""))
    return Search(tuple(_Word(word, _find_code(word)) for word in words))


def _find_code(word: str) -> str:
    code = word.translate(_SEPARATORS)
    return code if code != word and _CODE.fullmatch(code) else ""

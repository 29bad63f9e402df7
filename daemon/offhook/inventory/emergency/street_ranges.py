"""A validator that needs nobody: ranges of house numbers from a CSV file, such as a county's street guide (MSAG).

The first line names the columns ``country,state,city,postal_code,pre_dir,street,suffix,post_dir,low,high,parity``, in
any order; ``parity`` is even, odd or both. The file is taken as a whole or not at all, and faults are named with their
lines.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from offhook.errors import DocumentError, Fault
from offhook.inventory.address import CivicAddress
from offhook.inventory.emergency.countries import clean
from offhook.inventory.emergency.elements import find_directional, find_postal_code, find_state
from offhook.inventory.emergency.suffixes import find_suffix
from offhook.inventory.emergency.validator import Check, Corrected, Refused, Valid, Verdict

COLUMNS: Final = (
    "country", "state", "city", "postal_code", "pre_dir", "street", "suffix", "post_dir", "low", "high", "parity",
)  # fmt: skip
SIZE_LIMIT: Final = 256 * 1024 * 1024
ROWS_LIMIT: Final = 1_000_000
FIELD_LIMIT: Final = 255
FAULTS_LIMIT: Final = 100
CANDIDATES_LIMIT: Final = 8
#: Digits of a house number.
_NUMBER_DIGITS: Final = 10

Parity = Literal["even", "odd", "both"]


@dataclass(frozen=True, slots=True)
class StreetRange:
    """The numbers on one or both sides of a stretch of street."""

    country: str
    state: str
    city: str
    postal_code: str
    pre_directional: str
    street: str
    suffix: str
    post_directional: str
    low: int
    high: int
    parity: Parity

    def holds(self, number: int) -> bool:
        """Whether a house number lies in the range, on its side of the street."""
        return self.low <= number <= self.high and (
            self.parity == "both" or (number % 2 == 0) == (self.parity == "even")
        )

    def has_names_of(self, address: CivicAddress) -> bool:
        """Whether directionals, suffix and postal code are those of an address; of a ZIP+4 its first five count."""
        return (
            self.pre_directional == address.pre_directional
            and self.suffix.casefold() == address.suffix.casefold()
            and self.post_directional == address.post_directional
            and (not self.postal_code or self.postal_code[:5] == address.postal_code[:5])
        )

    def correct(self, address: CivicAddress) -> CivicAddress:
        """An address with the names of this range."""
        fits = self.postal_code[:5] == address.postal_code[:5]
        return replace(
            address,
            city=self.city,
            street=self.street,
            pre_type="",
            pre_directional=self.pre_directional,
            suffix=self.suffix,
            post_directional=self.post_directional,
            postal_code=address.postal_code if fits or not self.postal_code else self.postal_code,
        )


def read_street_ranges(path: Path) -> "StreetRanges":
    """Loads a file. Raises DocumentError with all its faults, up to a hundred."""
    name = str(path)
    try:
        if path.stat().st_size > SIZE_LIMIT:
            raise DocumentError([Fault(f"the file is larger than {SIZE_LIMIT} bytes: split it by county", file=name)])
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DocumentError([Fault(f"cannot be read: {error.strerror}", file=name)]) from error
    except UnicodeDecodeError as error:
        raise DocumentError([Fault(f"not UTF-8 at byte {error.start}: save it as UTF-8", file=name)]) from error
    return StreetRanges.parse(text, file=name)


class StreetRanges:
    """Judges addresses by ranges; satisfies :class:`~offhook.inventory.emergency.validator.AddressValidator`."""

    def __init__(self, ranges: list[StreetRange]) -> None:
        self._cities: set[tuple[str, str, str]] = set()
        self._streets: dict[tuple[str, str, str, str], list[StreetRange]] = {}
        self.countries = frozenset(entry.country for entry in ranges)
        #: Those that something is known of.
        for entry in ranges:
            city = (entry.country, entry.state, entry.city.casefold())
            self._cities.add(city)
            self._streets.setdefault((*city, entry.street.casefold()), []).append(entry)

    @classmethod
    def parse(cls, text: str, *, file: str = "") -> "StreetRanges":
        """Reads the text of a file. Raises DocumentError with its faults."""
        ranges: list[StreetRange] = []
        faults: list[Fault] = []
        for entry in _read_rows(text, file):
            if isinstance(entry, Fault):
                faults.append(entry)
                if len(faults) == FAULTS_LIMIT:
                    break
            else:
                ranges.append(entry)
        if faults:
            raise DocumentError(faults)
        return cls(ranges)

    async def validate(self, address: CivicAddress) -> Verdict:
        """Looks an address up; near misses are offered, and what fits nothing is refused with what to check."""
        return self.judge(address)

    def judge(self, address: CivicAddress) -> Verdict:
        city = (address.country, address.state, address.city.casefold())
        if city not in self._cities:
            return Refused(address, (Check.CITY, Check.STATE), f"{address.city}, {address.state} is in no street range")
        street = f"{address.pre_type} {address.street}".strip()
        ranges = self._streets.get((*city, street.casefold()), [])
        if not ranges:
            return Refused(
                address, (Check.STREET, Check.DIRECTIONAL, Check.SUFFIX), f"{address.city} has no street {street!r}"
            )
        digits = address.house_number
        number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= _NUMBER_DIGITS else None
        near = [entry for entry in ranges if number is not None and entry.holds(number)]
        if any(entry.has_names_of(address) for entry in near):
            return Valid(address)
        if not near:
            return Refused(address, (Check.HOUSE_NUMBER,), f"{street} has no number {digits}")
        return Corrected(address, tuple(dict.fromkeys(entry.correct(address) for entry in near))[:CANDIDATES_LIMIT])


def _read_rows(text: str, file: str) -> Iterator[StreetRange | Fault]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    columns: list[str] = []
    try:
        for count, row in enumerate(reader):
            line = reader.line_num
            if not columns:
                columns = [column.strip().lower() for column in row]
                if sorted(columns) != sorted(COLUMNS):
                    yield Fault(f"the first line must name the columns {', '.join(COLUMNS)}", file=file, line=line)
                    return
            elif count > ROWS_LIMIT:
                yield Fault(f"more than {ROWS_LIMIT} ranges: split the file", file=file, line=line)
                return
            elif row:
                yield _read_row(columns, row, file, line)
    except csv.Error as error:
        yield Fault(f"not CSV: {error}", file=file, line=reader.line_num)
        return
    if not columns:
        yield Fault("the file is empty", file=file)


def _read_row(columns: list[str], row: list[str], file: str, line: int) -> StreetRange | Fault:
    if len(row) != len(columns):
        return Fault(f"{len(row)} fields instead of {len(columns)}", file=file, line=line)
    if any(len(value) > FIELD_LIMIT for value in row):
        return Fault(f"a field is longer than {FIELD_LIMIT} characters", file=file, line=line)
    given = dict(zip(columns, map(clean, row), strict=True))
    country = given["country"].upper()
    low, high = _number(given["low"]), _number(given["high"])
    state = find_state(country, given["state"])
    pre, post = _directional(country, given["pre_dir"]), _directional(country, given["post_dir"])
    suffix = find_suffix(country, given["suffix"]) if given["suffix"] else ""
    postal_code = find_postal_code(country, given["postal_code"]) if given["postal_code"] else ""
    parity = _PARITIES.get(given["parity"].lower())
    if country not in ("US", "CA"):
        return Fault(f"country {country!r}: use US or CA", file=file, line=line)
    if not given["city"] or not given["street"]:
        return Fault("city and street must be given", file=file, line=line)
    if low is None or high is None or low > high:
        return Fault("low and high must be whole numbers, low not above high", file=file, line=line)
    if state is None or pre is None or post is None or suffix is None or postal_code is None or parity is None:
        bad = {"state": state, "pre_dir": pre, "post_dir": post, "suffix": suffix, "postal_code": postal_code}
        names = [name for name, value in (*bad.items(), ("parity", parity)) if value is None]
        return Fault("; ".join(f"{name} {given[name]!r} is not known" for name in names), file=file, line=line)
    return StreetRange(
        country, state, given["city"], postal_code, pre, given["street"], suffix, post, low, high, parity
    )  # fmt: skip


_PARITIES: Final[dict[str, Parity]] = {"even": "even", "odd": "odd", "both": "both"}


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _NUMBER_DIGITS else None


def _directional(country: str, text: str) -> str | None:
    return find_directional(country, text) if text else ""

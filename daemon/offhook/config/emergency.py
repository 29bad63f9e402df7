"""The section ``emergency`` with what its files say: street ranges, and the token of a service."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from offhook.config.schema import Emergency, ValidatorKind
from offhook.errors import ConfigError, DocumentError, Fault
from offhook.inventory.emergency.street_ranges import StreetRanges, read_street_ranges
from offhook.secret import Secret

_TOKEN_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class ReadEmergency:
    """The section, and what was read."""

    section: Emergency
    street_ranges: StreetRanges | None = None
    token: Secret | None = None


def read_emergency(section: Emergency) -> ReadEmergency:
    """Reads the files that the chosen validator needs. Blocks; raises ConfigError with all that is wrong in them."""
    match section.validator:
        case ValidatorKind.STREET_RANGES if section.street_ranges is not None:
            return ReadEmergency(section, _read_ranges(section.street_ranges))
        case ValidatorKind.HTTP if section.http.token_file is not None:
            return ReadEmergency(section, token=_read_token(section.http.token_file))
        case _:
            return ReadEmergency(section)


def _read_ranges(path: Path) -> StreetRanges:
    try:
        ranges = read_street_ranges(path)
    except DocumentError as error:
        raise ConfigError(error.faults) from None
    if not ranges.countries:
        raise ConfigError([Fault("has no street range, so every address would pass", file=str(path))])
    return ranges


def _read_token(path: Path) -> Secret:
    try:
        with path.open("rb") as file:
            is_open = os.fstat(file.fileno()).st_mode & (stat.S_IROTH | stat.S_IWOTH)
            text = file.read(_TOKEN_BYTES + 1).strip()
    except OSError as error:
        raise ConfigError([Fault(f"cannot be read: {error.strerror}", file=str(path))]) from None
    if is_open:
        raise ConfigError([Fault("can be read or written by everybody; chmod o-rw", file=str(path))])
    if not text or len(text) > _TOKEN_BYTES or not all(0x21 <= byte <= 0x7E for byte in text):
        raise ConfigError([Fault("holds no bearer token: one word of printable ASCII", file=str(path))])
    return Secret(text.decode("ascii"))

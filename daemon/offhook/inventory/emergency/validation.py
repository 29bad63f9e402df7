"""Asks whoever knows whether an address exists.

Where nobody can be asked, because no validator is set up or the one that is does not know the country, the form of the
address decides: it is in force on the word of whoever entered it, and says so (:attr:`CheckedBy.FORM`). Keeping it out
of force instead would leave help without any address, or with one that is known to be out of date.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from offhook.errors import ValidatorUnreachable
from offhook.inventory.address import CheckedBy, CivicAddress
from offhook.inventory.emergency.countries import normalise
from offhook.inventory.emergency.coverage import RECHECK_AFTER_SECONDS
from offhook.inventory.emergency.validator import (
    AddressValidator,
    Corrected,
    Refused,
    Valid,
    Verdict,
    validate_address,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """Who is asked."""

    validator: AddressValidator | None = None
    by: CheckedBy = CheckedBy.FORM
    #: What the validator is.
    countries: frozenset[str] | None = None
    #: Those that it knows; None for one that knows by itself which it does.
    recheck_after_seconds: float = RECHECK_AFTER_SECONDS
    #: When an address that was judged is asked about again.
    since: float = 0.0
    #: Since when it is asked; what was refused before that is asked about again.

    def judge_of(self, address: CivicAddress) -> CheckedBy:
        """Who would judge this address, which is in standard spelling."""
        known = self.countries is None or address.country in self.countries
        return self.by if self.validator is not None and known else CheckedBy.FORM


class Validation:
    """Judges addresses by the authority of the moment."""

    def __init__(self, count: Callable[[str], None]) -> None:
        """``count`` is told of each outcome: ``valid``, ``corrected``, ``refused`` or ``unreachable``."""
        self._count = count
        self.authority = Authority()

    async def judge(self, address: CivicAddress) -> Verdict:
        """The verdict on an address. Raises ValidatorUnreachable where there is none to be had now."""
        authority, address = self.authority, normalise(address)
        by = authority.judge_of(address)
        validator = _FORM if by is CheckedBy.FORM or authority.validator is None else authority.validator
        try:
            verdict = await validate_address(validator, address)
        except ValidatorUnreachable:
            self._count("unreachable")
            raise
        match verdict:
            case Valid():
                self._count("valid")
                return replace(verdict, by=by)
            case Corrected():
                self._count("corrected")
            case Refused():
                self._count("refused")
        return verdict


class _Form:
    """Finds every address valid that nothing is wrong with."""

    async def validate(self, address: CivicAddress) -> Verdict:
        return Valid(address)


_FORM: Final = _Form()

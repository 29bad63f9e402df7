"""A validator of addresses that does as it is told."""

from dataclasses import replace

from offhook.errors import ValidatorUnreachable
from offhook.inventory.address import CivicAddress
from offhook.inventory.emergency.validator import Check, Corrected, Refused, Valid, Verdict

#: Whose form is right.
RENO = CivicAddress(
    country="US", state="NV", city="Reno", house_number="1", street="Main", suffix="St", postal_code="89501"
)


class Answers:
    """Finds every address valid, but those whose house numbers are told."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        #: House numbers, in order.
        self.is_reachable = True
        self.unreachable_for: set[str] = set()
        self.refused: set[str] = set()
        self.corrected: set[str] = set()
        #: Streets there are called Avenue.

    async def validate(self, address: CivicAddress) -> Verdict:
        self.asked.append(address.house_number)
        if not self.is_reachable or address.house_number in self.unreachable_for:
            raise ValidatorUnreachable("the address validator gave no verdict: it is down")
        if address.house_number in self.refused:
            return Refused(address, (Check.DIRECTIONAL, Check.SUFFIX), "there is no such street")
        if address.house_number in self.corrected:
            return Corrected(address, (replace(address, suffix="Ave"),))
        return Valid(address)

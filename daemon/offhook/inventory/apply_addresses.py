"""Emergency addresses of a document: each becomes a draft, and is at fault where it breaks the form of its country.

Whether it exists is asked afterwards (:mod:`offhook.inventory.emergency.upkeep`): a document is applied without asking
anybody outside.
"""

from itertools import chain
from typing import Final

from offhook.inventory.address import CivicAddress, EmergencyAddress
from offhook.inventory.apply_state import ApplyState
from offhook.inventory.document import AddressPart
from offhook.inventory.emergency.countries import SharedBuildings, check_address
from offhook.inventory.emergency.holders import list_addresses
from offhook.inventory.emergency.validator import enter_address
from offhook.yamldoc import Path

RULE: Final = "an address that help can be sent to (U4)"


def edit_address(
    state: ApplyState, part: AddressPart | None, before: EmergencyAddress | None, path: Path
) -> EmergencyAddress | None:
    """An edited address is a draft again; the last valid one stays in force until it is valid too (U4)."""
    if part is None:
        return None
    entered = CivicAddress(**part.model_dump())
    for fault in check_address(entered):
        state.fault((*path, fault.element), fault.message, rule=RULE, remedy=fault.remedy)
    address = enter_address(before, entered)
    state.stated_addresses.append((path, address.entered))
    return address


def warn_about_addresses(state: ApplyState) -> None:
    """Once everything is entered: names those that need a floor or unit, since others in their building have one."""
    if not state.stated_addresses:
        return
    known = (
        (address.entered, address.in_force) if address.in_force else (address.entered,)
        for address in list_addresses(state.draft)
    )
    shared = SharedBuildings(chain.from_iterable(known))
    for path, civic in state.stated_addresses:
        for fault in shared.check(civic):
            state.warn(path, f"{fault.message}: {fault.remedy}")

"""Which devices help can be sent to, and which not: counts for the first page, and the list that one step leads to.

Disabled devices cannot call and are left out.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from offhook.inventory.address import AddressState, CivicAddress
from offhook.inventory.emergency.countries import AddressFault, SharedBuildings, check_address
from offhook.inventory.emergency.resolve import ResolvedAddress, find_user, resolve_address
from offhook.inventory.models import Device, DeviceState, DeviceType, Location, User
from offhook.inventory.snapshot import Inventory

#: An address is checked again after a year: streets are renamed, and boundaries of dispatch move.
RECHECK_AFTER_SECONDS: Final = 365 * 86400.0

_PHONES: Final = frozenset({DeviceType.DESKPHONE, DeviceType.DECT_HANDSET, DeviceType.ATA, DeviceType.GENERIC})


class CoverageLevel(StrEnum):
    """How far a device's address goes, worst first."""

    MISSING = "missing"
    #: Nobody entered one.
    UNCHECKED = "unchecked"
    #: One is entered, and none was ever found valid.
    REFUSED = "refused"
    #: One was refused, and none was ever found valid.
    INCOMPLETE = "incomplete"
    #: A valid one is in force, but does not lead to the caller: a unit or floor is missing.
    DISPATCHABLE = "dispatchable"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCoverage:
    """One device in the report."""

    device_id: int
    account_id: int
    location_id: int | None
    #: A handset counts at its base's location.
    is_assigned: bool
    #: A physical phone that a user has (U1).
    level: CoverageLevel
    address: ResolvedAddress
    is_pending: bool = False
    #: Something newer than the address in force was entered, and is not valid.
    is_old: bool = False
    #: The address in force was found valid more than a year ago, or nobody knows when.


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageCounts:
    """The figures of an account, a location or everything."""

    devices: int = 0
    without_address: int = 0
    without_valid: int = 0
    #: Includes those without any.
    incomplete: int = 0
    dispatchable: int = 0
    pending: int = 0
    old: int = 0
    assigned_without_address: int = 0
    #: Assigned phones that nobody entered an address for (U5).
    assigned_not_dispatchable: int = 0


@dataclass(frozen=True, slots=True)
class PlaceCoverage:
    """The figures of an account, or of a location in it."""

    account_id: int
    counts: CoverageCounts
    location_id: int | None = None


@dataclass(frozen=True, slots=True)
class CoverageReport:
    """Coverage of the devices asked about."""

    total: CoverageCounts
    accounts: tuple[PlaceCoverage, ...]
    locations: tuple[PlaceCoverage, ...]
    #: Within each account; the devices that stand nowhere come last.
    gaps: tuple[DeviceCoverage, ...]
    #: Devices that are not dispatchable: assigned phones without an address first, then the worst, by id.


def report_coverage(inventory: Inventory, now: float, *, account_id: int | None = None) -> CoverageReport:
    """The report on all accounts, or on one."""
    found = list(list_coverage(inventory, now, account_id=account_id))
    alike = Counter((entry.account_id, entry.location_id, _kind_of(entry)) for entry in found)
    totals: Counter[str] = Counter()
    accounts: dict[int, Counter[str]] = {}
    locations: dict[tuple[int, int | None], Counter[str]] = {}
    for (account, location, kind), count in alike.items():
        figures = kind.figures(count)
        totals.update(figures)
        accounts.setdefault(account, Counter()).update(figures)
        locations.setdefault((account, location), Counter()).update(figures)
    gaps = [entry for entry in found if entry.level is not CoverageLevel.DISPATCHABLE]
    return CoverageReport(
        CoverageCounts(**totals),
        tuple(PlaceCoverage(account, CoverageCounts(**count)) for account, count in sorted(accounts.items())),
        tuple(
            PlaceCoverage(account, CoverageCounts(**locations[account, location]), location)
            for account, location in sorted(locations, key=lambda key: (key[0], key[1] is None, key[1] or 0))
        ),
        tuple(sorted(gaps, key=_urgency)),
    )


def list_coverage(inventory: Inventory, now: float, *, account_id: int | None = None) -> Iterable[DeviceCoverage]:
    """Every active device with its coverage."""
    shared = SharedBuildings(_addresses_in_force(inventory))
    # Most devices stand at a location's address, which is checked once, not once a device.
    judged: dict[int, tuple[AddressFault, ...]] = {}

    def judge(civic: CivicAddress) -> tuple[AddressFault, ...]:
        faults = judged.get(id(civic))
        if faults is None:
            faults = judged[id(civic)] = (*check_address(civic), *shared.check(civic))
        return faults

    for device in inventory.all(Device):
        if device.state is DeviceState.DISABLED or (account_id is not None and device.account_id != account_id):
            continue
        resolved = resolve_address(inventory, device, now, judge=judge)
        base = inventory.find(Device, device.base_id)
        yield DeviceCoverage(
            device_id=device.id,
            account_id=device.account_id,
            location_id=base.location_id if base is not None else device.location_id,
            is_assigned=device.type in _PHONES and find_user(inventory, device) is not None,
            level=_level(resolved),
            address=resolved,
            is_pending=resolved.civic is not None and resolved.state is not AddressState.VALID,
            is_old=resolved.civic is not None
            and (resolved.age_seconds is None or resolved.age_seconds > RECHECK_AFTER_SECONDS),
        )


def _level(resolved: ResolvedAddress) -> CoverageLevel:
    if resolved.entered is None:
        return CoverageLevel.MISSING
    if resolved.civic is None:
        return CoverageLevel.REFUSED if resolved.state is AddressState.REJECTED else CoverageLevel.UNCHECKED
    return CoverageLevel.DISPATCHABLE if resolved.is_dispatchable else CoverageLevel.INCOMPLETE


class _Kind(NamedTuple):
    """All that counts of a device: most devices of a location are of one kind."""

    level: CoverageLevel
    is_assigned: bool
    has_valid: bool
    is_pending: bool
    is_old: bool

    def figures(self, count: int) -> dict[str, int]:
        missing = self.level is CoverageLevel.MISSING
        dispatchable = self.level is CoverageLevel.DISPATCHABLE
        facts = {
            "devices": True,
            "without_address": missing,
            "without_valid": not self.has_valid,
            "incomplete": self.level is CoverageLevel.INCOMPLETE,
            "dispatchable": dispatchable,
            "pending": self.is_pending,
            "old": self.is_old,
            "assigned_without_address": self.is_assigned and missing,
            "assigned_not_dispatchable": self.is_assigned and not dispatchable,
        }
        return {name: count for name, holds in facts.items() if holds}


def _kind_of(entry: DeviceCoverage) -> _Kind:
    return _Kind(entry.level, entry.is_assigned, entry.address.civic is not None, entry.is_pending, entry.is_old)


def _urgency(entry: DeviceCoverage) -> tuple[bool, int, bool, int]:
    missing = entry.level is CoverageLevel.MISSING
    return not (entry.is_assigned and missing), _ORDER[entry.level], not entry.is_assigned, entry.device_id


_ORDER: Final = {level: place for place, level in enumerate(CoverageLevel)}


def _addresses_in_force(inventory: Inventory) -> Iterable[CivicAddress]:
    holders = (
        *(location.address for location in inventory.all(Location)),
        *(user.offsite_address for user in inventory.all(User)),
        *(device.address for device in inventory.all(Device)),
    )
    return (address.in_force for address in holders if address is not None and address.in_force is not None)

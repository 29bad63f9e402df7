"""Which devices help can be sent to, and which not: counts for the first page, and the list that one step leads to.

Disabled devices cannot call and are left out.
"""

from collections import Counter
from collections.abc import Container, Iterable
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Final, NamedTuple

from offhook.inventory.address import AddressState, CheckedBy, CivicAddress
from offhook.inventory.emergency.countries import AddressFault, SharedBuildings, check_address
from offhook.inventory.emergency.holders import addresses_in_force, list_addresses
from offhook.inventory.emergency.resolve import ResolvedAddress, find_user, resolve_address
from offhook.inventory.models import Device, DeviceState, DeviceType
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
    form_only: int = 0
    #: Of the dispatchable: nobody but the form of the country was asked.
    pending: int = 0
    old: int = 0
    assigned_without_address: int = 0
    #: Assigned phones that nobody entered an address for (U5).
    assigned_not_dispatchable: int = 0


_FIGURES: Final = tuple(field.name for field in fields(CoverageCounts))


@dataclass(frozen=True, slots=True)
class PlaceCoverage:
    """The figures of an account, or of a location in it."""

    account_id: int
    counts: CoverageCounts
    location_id: int | None = None


@dataclass(frozen=True, slots=True)
class AddressCounts:
    """The addresses that were entered, of locations, users and devices, by state."""

    draft: int = 0
    valid: int = 0
    rejected: int = 0


@dataclass(frozen=True, slots=True)
class CoverageReport:
    """Coverage of the devices asked about."""

    total: CoverageCounts
    accounts: tuple[PlaceCoverage, ...]
    locations: tuple[PlaceCoverage, ...]
    #: Within each account; the devices that stand nowhere come last.
    gaps: tuple[DeviceCoverage, ...]
    #: Devices that are not dispatchable: assigned phones without an address first, then the worst, by id.


def report_coverage(
    inventory: Inventory,
    now: float,
    *,
    account_id: int | None = None,
    recheck_after_seconds: float = RECHECK_AFTER_SECONDS,
) -> CoverageReport:
    """The report on all accounts, or on one."""
    found = list(list_coverage(inventory, now, account_id=account_id, recheck_after_seconds=recheck_after_seconds))
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
        tuple(sorted(gaps, key=lambda gap: (rank_gap(gap), gap.device_id))),
    )


def limit_report(
    report: CoverageReport, account_ids: Container[int], location_ids: Container[int | None] | None = None
) -> CoverageReport:
    """As much of a report as is about these accounts, and about these locations where any are named."""

    def is_meant(part: PlaceCoverage | DeviceCoverage) -> bool:
        return part.account_id in account_ids and (location_ids is None or part.location_id in location_ids)

    places = tuple(filter(is_meant, report.locations))
    totals: Counter[str] = Counter()
    accounts: dict[int, Counter[str]] = {}
    for place in places:
        figures = {name: getattr(place.counts, name) for name in _FIGURES}
        totals.update(figures)
        accounts.setdefault(place.account_id, Counter()).update(figures)
    return CoverageReport(
        CoverageCounts(**totals),
        tuple(PlaceCoverage(account_id, CoverageCounts(**counts)) for account_id, counts in accounts.items()),
        places,
        tuple(filter(is_meant, report.gaps)),
    )


def count_addresses(inventory: Inventory) -> AddressCounts:
    """How many addresses there are of each state."""
    states = Counter(address.state.value for address in list_addresses(inventory))
    return AddressCounts(**states)


def list_coverage(
    inventory: Inventory,
    now: float,
    *,
    account_id: int | None = None,
    recheck_after_seconds: float = RECHECK_AFTER_SECONDS,
) -> Iterable[DeviceCoverage]:
    """Every active device with its coverage."""
    shared = SharedBuildings(addresses_in_force(inventory))
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
            level=level_of(resolved),
            address=resolved,
            is_pending=resolved.civic is not None and resolved.state is not AddressState.VALID,
            is_old=resolved.civic is not None
            and (resolved.age_seconds is None or resolved.age_seconds > recheck_after_seconds),
        )


def resolve_in_full(inventory: Inventory, device: Device, now: float) -> ResolvedAddress:
    """The address of one device as the report judges it: with what a building of several units or floors wants."""
    shared = SharedBuildings(addresses_in_force(inventory))
    return resolve_address(inventory, device, now, judge=lambda civic: (*check_address(civic), *shared.check(civic)))


def level_of(resolved: ResolvedAddress) -> CoverageLevel:
    """How far an address goes."""
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
    has_form_only: bool

    def figures(self, count: int) -> dict[str, int]:
        missing = self.level is CoverageLevel.MISSING
        dispatchable = self.level is CoverageLevel.DISPATCHABLE
        facts = {
            "devices": True,
            "without_address": missing,
            "without_valid": not self.has_valid,
            "incomplete": self.level is CoverageLevel.INCOMPLETE,
            "dispatchable": dispatchable,
            "form_only": dispatchable and self.has_form_only,
            "pending": self.is_pending,
            "old": self.is_old,
            "assigned_without_address": self.is_assigned and missing,
            "assigned_not_dispatchable": self.is_assigned and not dispatchable,
        }
        return {name: count for name, holds in facts.items() if holds}


def _kind_of(entry: DeviceCoverage) -> _Kind:
    return _Kind(
        entry.level,
        entry.is_assigned,
        entry.address.civic is not None,
        entry.is_pending,
        entry.is_old,
        entry.address.checked_by is CheckedBy.FORM,
    )


def rank_gap(entry: DeviceCoverage) -> int:
    """Its place among the gaps, the lowest first: assigned phones without an address, then the worst."""
    missing = entry.level is CoverageLevel.MISSING
    return 100 * (not (entry.is_assigned and missing)) + 10 * _ORDER[entry.level] + (not entry.is_assigned)


_ORDER: Final = {level: place for place, level in enumerate(CoverageLevel)}

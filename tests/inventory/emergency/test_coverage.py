"""Counts of devices that help can be sent to, and the list of the others."""

from dataclasses import replace

from tests.support.inventory import account, device, inventory_of, line, location, user

from offhook.inventory.address import AddressState, CheckedBy, CivicAddress, EmergencyAddress
from offhook.inventory.emergency.coverage import (
    RECHECK_AFTER_SECONDS,
    AddressCounts,
    CoverageCounts,
    CoverageLevel,
    CoverageReport,
    count_addresses,
    limit_report,
    list_coverage,
    report_coverage,
    resolve_in_full,
)
from offhook.inventory.models import DeviceState, DeviceType

NOW = 1_000_000_000.0
HERE = CivicAddress(
    country="US", state="NV", city="Reno", house_number="1", street="Main", suffix="St", postal_code="89501"
)
VALID = EmergencyAddress(entered=HERE, state=AddressState.VALID, in_force=HERE, in_force_at=NOW, checked_at=NOW)
DRAFT = EmergencyAddress(entered=HERE)
REFUSED = EmergencyAddress(entered=HERE, state=AddressState.REJECTED)


def test_every_active_device_is_counted_where_it_stands() -> None:
    inventory = inventory_of(
        account(1),
        account(2),
        location(1, address=VALID),
        location(2),
        user(1),
        device(1, location_id=1),
        device(2, location_id=2),
        device(3, location_id=1, address=DRAFT),
        device(4, location_id=1, state=DeviceState.DISABLED),
        device(5, account_id=2, token="x"),
        line(1, device_id=2, user_id=1),
    )
    report = report_coverage(inventory, NOW)
    assert report.total == CoverageCounts(
        devices=4,
        without_address=2,
        without_valid=3,
        dispatchable=1,
        assigned_without_address=1,
        assigned_not_dispatchable=1,
    )
    assert [(place.account_id, place.counts.devices) for place in report.accounts] == [(1, 3), (2, 1)]
    assert [(place.account_id, place.location_id, place.counts.devices) for place in report.locations] == [
        (1, 1, 2),
        (1, 2, 1),
        (2, None, 1),
    ]
    assert report_coverage(inventory, NOW, account_id=2).total == CoverageCounts(
        devices=1, without_address=1, without_valid=1
    )


def test_assigned_phones_without_an_address_are_listed_first() -> None:
    inventory = inventory_of(
        account(),
        user(1),
        user(2),
        device(1),
        device(2, address=REFUSED),
        device(3, address=DRAFT),
        device(4),
        device(5, type=DeviceType.SOFTPHONE),
        line(1, device_id=3, user_id=2),
        line(2, device_id=4, user_id=1),
        line(3, device_id=5, user_id=1),
    )
    gaps = report_coverage(inventory, NOW).gaps
    assert [(gap.device_id, gap.level, gap.is_assigned) for gap in gaps] == [
        (4, CoverageLevel.MISSING, True),
        (1, CoverageLevel.MISSING, False),
        (5, CoverageLevel.MISSING, False),
        (3, CoverageLevel.UNCHECKED, True),
        (2, CoverageLevel.REFUSED, False),
    ]


def test_a_handset_counts_at_its_bases_location() -> None:
    inventory = inventory_of(
        account(),
        location(7, address=VALID),
        device(1, type=DeviceType.DECT_BASE, location_id=7),
        device(2, type=DeviceType.DECT_HANDSET, mac=None, ipei="065850047939", base_id=1),
    )
    assert [(entry.location_id, entry.level) for entry in list_coverage(inventory, NOW)] == [
        (7, CoverageLevel.DISPATCHABLE),
        (7, CoverageLevel.DISPATCHABLE),
    ]


def test_in_a_building_of_many_floors_the_street_address_alone_is_incomplete() -> None:
    upstairs = replace(HERE, floor="3")
    other = replace(VALID, entered=upstairs, in_force=upstairs)
    inventory = inventory_of(account(), device(1, address=VALID), device(2, address=other))
    by_id = {entry.device_id: entry for entry in list_coverage(inventory, NOW)}
    assert by_id[1].level is CoverageLevel.INCOMPLETE
    assert [fault.element for fault in by_id[1].address.faults] == ["floor"]
    assert by_id[2].level is CoverageLevel.DISPATCHABLE
    assert report_coverage(inventory, NOW).total.incomplete == 1


def test_newer_drafts_and_old_checks_are_counted() -> None:
    pending = replace(VALID, entered=replace(HERE, house_number="9"), state=AddressState.DRAFT)
    old = replace(VALID, in_force_at=NOW - RECHECK_AFTER_SECONDS - 1)
    total = report_coverage(inventory_of(account(), device(1, address=pending), device(2, address=old)), NOW).total
    assert (total.dispatchable, total.pending, total.old) == (2, 1, 1)


def test_one_device_is_judged_as_the_report_judges_it() -> None:
    upstairs = replace(HERE, floor="3")
    other = replace(VALID, entered=upstairs, in_force=upstairs)
    phone = device(1, address=VALID)
    inventory = inventory_of(account(), phone, device(2, address=other))
    assert [fault.element for fault in resolve_in_full(inventory, phone, NOW).faults] == ["floor"]


def test_what_only_its_form_spoke_for_is_counted_apart() -> None:
    by_form = replace(VALID, in_force_by=CheckedBy.FORM)
    upstairs = replace(HERE, street="Elm", floor="3")
    incomplete = replace(by_form, in_force=replace(upstairs, floor=""))
    other = replace(VALID, in_force=upstairs, in_force_by=CheckedBy.HTTP)
    devices = [device(n, address=address) for n, address in enumerate((by_form, incomplete, other), start=1)]
    total = report_coverage(inventory_of(account(), *devices), NOW).total
    assert (total.dispatchable, total.form_only, total.incomplete) == (2, 1, 1)


def test_a_report_limited_to_accounts_is_that_of_those_accounts() -> None:
    inventory = inventory_of(
        account(1),
        account(2),
        account(3),
        location(1, address=VALID),
        location(2, account_id=2),
        device(1, location_id=1),
        device(2, account_id=2, location_id=2),
        device(3, account_id=2),
        device(4, account_id=3),
    )
    whole = report_coverage(inventory, NOW)
    assert limit_report(whole, {1, 2, 3}) == whole
    for number in (1, 2, 3):
        assert limit_report(whole, {number}) == report_coverage(inventory, NOW, account_id=number)
    assert limit_report(whole, set()) == CoverageReport(CoverageCounts(), (), (), ())
    at_place = limit_report(whole, {1, 2, 3}, {2, None})
    assert [gap.device_id for gap in at_place.gaps] == [2, 3, 4]
    assert [(place.account_id, place.counts.devices) for place in at_place.accounts] == [(2, 2), (3, 1)]
    assert at_place.total.devices == 3


def test_addresses_are_counted_by_state() -> None:
    inventory = inventory_of(
        account(), location(1, address=VALID), location(2), user(1, offsite_address=DRAFT), device(1, address=REFUSED)
    )
    assert count_addresses(inventory) == AddressCounts(draft=1, valid=1, rejected=1)


def test_nothing_to_report() -> None:
    report = report_coverage(inventory_of(account()), NOW)
    assert (report.total, report.accounts, report.gaps) == (CoverageCounts(), (), ())

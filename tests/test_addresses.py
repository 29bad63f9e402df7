"""The daemon's part for emergency addresses: who is asked by the configuration, and what is counted."""

import asyncio
from functools import partial
from pathlib import Path

import pytest
from tests.support.daemon import eventually
from tests.support.inventory import account, device, location
from tests.support.validator import RENO
from tests.support.workbench import InlineExecutor, Workbench

from offhook import addresses
from offhook.addresses import Addresses
from offhook.config.emergency import ReadEmergency
from offhook.config.load import parse_config
from offhook.inventory.address import CheckedBy, EmergencyAddress
from offhook.inventory.emergency.street_ranges import COLUMNS, StreetRanges
from offhook.inventory.models import Location
from offhook.observability.metrics import Metrics

RANGES = StreetRanges.parse(f"{','.join(COLUMNS)}\nUS,NV,Reno,89501,,Main,St,,1,99,both\n")


def read(text: str, street_ranges: StreetRanges | None = None) -> ReadEmergency:
    section = parse_config(f"emergency: {{{text}}}", Path("/etc/offhook/offhook.yaml")).emergency
    return ReadEmergency(section, street_ranges)


async def made(*entities: Location) -> tuple[Addresses, Workbench, Metrics]:
    bench, metrics = Workbench([account(), device(1, location_id=1), *entities]), Metrics("0")
    await bench.service.load()
    return Addresses(bench.service, metrics, bench.clock, InlineExecutor()), bench, metrics


async def test_the_configuration_says_who_is_asked() -> None:
    it, _, _ = await made(location())
    it.use(read("recheck_days: 10"))
    assert it.validation.authority.judge_of(RENO) is CheckedBy.FORM
    assert it.validation.authority.recheck_after_seconds == 864_000

    it.use(read("validator: street_ranges, street_ranges: x.csv", RANGES))
    authority = it.validation.authority
    assert (authority.validator, authority.judge_of(RENO)) == (RANGES, CheckedBy.STREET_RANGES)

    it.use(read("validator: http, http: {url: 'https://validator.test/', timeout_seconds: 3}"))
    first = it.validation.authority
    it.use(read("validator: http, http: {url: 'https://validator.test/2'}"))
    assert first.judge_of(RENO) is it.validation.authority.judge_of(RENO) is CheckedBy.HTTP
    assert it.validation.authority.validator is not first.validator
    await it.close()


async def _shows(metrics: Metrics, text: str) -> bool:
    return text in metrics.exposition().decode()


async def test_drafts_are_validated_and_gaps_counted_while_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "_VALIDATE_SECONDS", 0)
    monkeypatch.setattr(addresses, "_COUNT_SECONDS", 0)
    it, bench, metrics = await made(location(1, address=EmergencyAddress(entered=RENO)))
    it.use(read("validator: street_ranges, street_ranges: x.csv", RANGES))
    running = asyncio.create_task(it.run())
    try:
        is_counted = partial(_shows, metrics, 'offhook_emergency_addresses{state="valid"} 1.0')
        await eventually(is_counted, "the draft is valid")
    finally:
        running.cancel()
    text = metrics.exposition().decode()
    assert "offhook_devices_without_dispatchable_location 0.0" in text
    assert "offhook_assigned_phones_without_dispatchable_location 0.0" in text
    assert 'offhook_address_validations_total{result="valid"} 1.0' in text
    address = bench.inventory.get(Location, 1).address
    assert address is not None
    assert address.in_force_by is CheckedBy.STREET_RANGES
    await it.close()


async def test_gaps_are_counted_at_once() -> None:
    it, _, metrics = await made(location())
    running = asyncio.create_task(it.run())
    is_counted = partial(_shows, metrics, "offhook_devices_without_dispatchable_location 1.0")
    await eventually(is_counted, "the phone without an address is counted", seconds=addresses._COUNT_SECONDS / 2)
    running.cancel()
    await it.close()

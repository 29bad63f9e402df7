from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from tests.support.inventory import account, device, location
from tests.support.workbench import JANE, InlineExecutor, Workbench

from offhook.inventory.address import AddressState, CivicAddress, EmergencyAddress
from offhook.inventory.editor import Editor
from offhook.inventory.emergency.coverage import AddressCounts, CoverageReport
from offhook.inventory.emergency.coverage_book import CoverageBook
from offhook.inventory.models import Location

HERE = CivicAddress(
    country="US", state="NV", city="Reno", house_number="1", street="Main", suffix="St", postal_code="89501"
)


async def test_the_report_is_made_anew_only_when_something_changed() -> None:
    bench = Workbench([account(), location(1), device(1, location_id=1)])
    await bench.service.load()
    seen: list[tuple[CoverageReport, AddressCounts]] = []
    with ThreadPoolExecutor(1) as executor:
        book = CoverageBook(lambda: bench.inventory, bench.clock, executor, lambda *made: seen.append(made))
        first = await book.current()
        assert await book.current() is first
        assert (first.report.total.dispatchable, first.addresses) == (0, AddressCounts())

        now = bench.clock.now()
        valid = EmergencyAddress(entered=HERE, state=AddressState.VALID, in_force=HERE, in_force_at=now)

        def edit(editor: Editor) -> None:
            editor.change(editor.draft.get(Location, 1), address=valid)

        await bench.service.change(edit, JANE)
        second = await book.current()
        assert (second.report.total.dispatchable, second.addresses) == (1, AddressCounts(valid=1))
        assert seen == [(first.report, first.addresses), (second.report, second.addresses)]


async def test_addresses_grow_old_without_any_change() -> None:
    bench = Workbench([account(), device(1)])
    now = bench.clock.now()
    old = EmergencyAddress(entered=HERE, state=AddressState.VALID, in_force=HERE, in_force_at=now)
    bench.store.entities[type(device(1)), 1] = replace(device(1), address=old)
    await bench.service.load()
    book = CoverageBook(lambda: bench.inventory, bench.clock, InlineExecutor(), lambda *_: None)
    assert (await book.current()).report.total.old == 0
    bench.clock.advance(4000)
    assert (await book.current()).report.total.old == 0
    book.use(3600.0)
    assert (await book.current()).report.total.old == 1

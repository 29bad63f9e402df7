"""What is entered without a verdict gets one in the background; what cannot have one now waits, and does not hammer."""

from dataclasses import replace

import pytest
from structlog.testing import capture_logs
from tests.support.inventory import account, device, location, user
from tests.support.validator import RENO, Answers
from tests.support.workbench import JANE, Workbench

from offhook.inventory.address import AddressState, CheckedBy, CivicAddress, EmergencyAddress
from offhook.inventory.editor import Editor
from offhook.inventory.emergency.holders import Holder, address_field, address_of
from offhook.inventory.emergency.upkeep import AddressUpkeep, is_due
from offhook.inventory.emergency.validation import Authority, Validation
from offhook.inventory.emergency.validator import Verdict, enter_address
from offhook.inventory.models import Device, Location, User

DAY = 86400.0


def there(number: int) -> CivicAddress:
    return replace(RENO, house_number=str(number))


class Upkeep:
    """Addresses on a workbench, kept up by a validator."""

    def __init__(self, *holders: Holder) -> None:
        self.bench = Workbench([account(), *holders])
        self.answers = Answers()
        self.counts: list[str] = []
        self.upkeep = AddressUpkeep(self.bench.service, Validation(self.counts.append), self.bench.clock)
        self.upkeep.use(Authority(validator=self.answers, by=CheckedBy.HTTP))

    async def enter(self, kind: type[Holder], holder_id: int, civic: CivicAddress) -> None:
        def edit(editor: Editor) -> None:
            holder = editor.draft.get(kind, holder_id)
            editor.change(holder, **{address_field(holder): enter_address(address_of(holder), civic)})

        await self.bench.service.change(edit, JANE)

    def address(self, kind: type[Holder], holder_id: int) -> EmergencyAddress:
        address = address_of(self.bench.inventory.get(kind, holder_id))
        assert address is not None
        return address


async def started(*holders: Holder) -> Upkeep:
    it = Upkeep(*holders)
    await it.bench.service.load()
    return it


async def test_drafts_of_all_kinds_come_into_force_in_one_change() -> None:
    it = await started(
        location(1, address=EmergencyAddress(entered=there(1))),
        user(1, offsite_address=EmergencyAddress(entered=there(2))),
        device(1, address=EmergencyAddress(entered=there(3))),
        location(2),
    )
    commits = it.bench.store.commits
    await it.upkeep.tend()
    assert it.bench.store.commits == commits + 1
    for kind, number in ((Location, 1), (User, 2), (Device, 3)):
        address = it.address(kind, 1)
        assert (address.state, address.in_force, address.in_force_by) == (
            AddressState.VALID,
            there(number),
            CheckedBy.HTTP,
        )
        assert address.in_force_at == it.bench.clock.now()
    assert it.bench.store.audit[-1].actor == "offhook"
    await it.upkeep.tend()
    assert (sorted(it.answers.asked), it.upkeep.waiting) == (["1", "2", "3"], 0)


async def test_what_is_entered_later_is_seen() -> None:
    it = await started(location(1))
    await it.upkeep.tend()
    await it.enter(Location, 1, there(5))
    await it.upkeep.tend()
    assert it.address(Location, 1).in_force == there(5)


async def test_what_is_refused_leaves_the_one_before_in_force_and_is_said_without_the_address() -> None:
    it = await started(location(1, name="HQ"))
    await it.enter(Location, 1, there(5))
    await it.upkeep.tend()
    it.answers.refused = {"6"}
    await it.enter(Location, 1, there(6))
    with capture_logs() as logs:
        await it.upkeep.tend()
    address = it.address(Location, 1)
    assert (address.state, address.entered, address.in_force) == (AddressState.REJECTED, there(6), there(5))
    assert "suffix" in address.message
    refused = [entry for entry in logs if entry["event"] == "emergency.address.refused"]
    assert [entry["holder"] for entry in refused] == ["location HQ"]
    assert "Main" not in repr(logs)
    await it.upkeep.tend()
    assert it.answers.asked == ["5", "6"]


async def test_out_of_reach_is_asked_again_after_ever_longer_pauses() -> None:
    it = await started(location(1, address=EmergencyAddress(entered=there(1))))
    it.answers.is_reachable = False
    asked_at: list[float] = []
    start = it.bench.clock.monotonic()
    with capture_logs() as logs:
        for _ in range(300):
            before = len(it.answers.asked)
            await it.upkeep.tend()
            if len(it.answers.asked) > before:
                asked_at.append(it.bench.clock.monotonic() - start)
            it.bench.clock.advance(30)
    assert asked_at == [0, 30, 90, 210, 450, 930, 1890, 3810, 7410]
    assert [entry["event"] for entry in logs] == ["emergency.validator.unreachable"] * len(asked_at)
    assert it.address(Location, 1).state is AddressState.DRAFT
    assert it.counts == ["unreachable"] * len(asked_at)

    it.answers.is_reachable = True
    it.bench.clock.advance(3600)
    with capture_logs() as logs:
        await it.upkeep.tend()
    assert it.address(Location, 1).state is AddressState.VALID
    assert [entry["event"] for entry in logs] == ["emergency.validator.reached", "emergency.addresses.judged"]


async def test_an_address_that_the_validator_chokes_on_does_not_hold_up_the_others() -> None:
    drafts = [location(n, address=EmergencyAddress(entered=there(n))) for n in range(1, 21)]
    it = await started(*drafts)
    it.answers.unreachable_for = {"1"}
    for _ in range(3):
        await it.upkeep.tend()
        it.bench.clock.advance(60)
    states = {n: it.address(Location, n).state for n in range(1, 21)}
    assert [n for n, state in states.items() if state is not AddressState.VALID] == [1]
    assert it.upkeep.waiting == 1


async def test_a_verdict_on_what_was_edited_meanwhile_changes_nothing() -> None:
    it = await started(location(1, address=EmergencyAddress(entered=there(1))))

    async def edit() -> None:
        await it.enter(Location, 1, there(2))

    edits = [edit()]

    class Slow(Answers):
        async def validate(self, address: CivicAddress) -> Verdict:
            if edits:
                await edits.pop()
            return await super().validate(address)

    slow = Slow()
    it.upkeep.use(Authority(validator=slow, by=CheckedBy.HTTP))
    await it.upkeep.tend()
    address = it.address(Location, 1)
    assert (address.state, address.entered, address.in_force) == (AddressState.DRAFT, there(2), None)
    await it.upkeep.tend()
    assert it.address(Location, 1).in_force == there(2)
    assert slow.asked == ["1", "2"]


async def test_a_holder_that_is_deleted_meanwhile_is_forgotten() -> None:
    it = await started(location(1, address=EmergencyAddress(entered=there(1))))
    it.answers.is_reachable = False
    await it.upkeep.tend()
    await it.bench.service.change(lambda editor: editor.delete(editor.draft.get(Location, 1)), JANE)
    it.answers.is_reachable = True
    it.bench.clock.advance(60)
    await it.upkeep.tend()
    assert it.upkeep.waiting == 0


async def test_what_was_judged_long_ago_is_asked_about_again() -> None:
    it = await started(location(1, address=EmergencyAddress(entered=there(1))))
    await it.upkeep.tend()
    it.bench.clock.advance(366 * DAY)
    it.answers.refused = {"1"}
    await it.upkeep.tend()
    address = it.address(Location, 1)
    assert (address.state, address.in_force) == (AddressState.REJECTED, there(1))
    assert it.answers.asked == ["1", "1"]


async def test_another_authority_is_asked_about_what_was_refused_or_passed_by_its_form() -> None:
    it = await started(location(1, address=EmergencyAddress(entered=there(1))))
    it.upkeep.use(Authority())
    await it.upkeep.tend()
    assert it.address(Location, 1).in_force_by is CheckedBy.FORM
    assert it.answers.asked == []
    it.answers.refused = {"1"}
    it.bench.clock.advance(1)
    it.upkeep.use(Authority(validator=it.answers, by=CheckedBy.STREET_RANGES))
    await it.upkeep.tend()
    assert it.address(Location, 1).state is AddressState.REJECTED
    it.answers.refused = set()
    it.bench.clock.advance(1)
    it.upkeep.use(Authority(validator=it.answers, by=CheckedBy.STREET_RANGES))
    await it.upkeep.tend()
    assert it.address(Location, 1).in_force_by is CheckedBy.STREET_RANGES


async def test_a_full_disk_costs_no_verdict() -> None:
    it = await started(location(1, address=EmergencyAddress(entered=there(1))))
    it.bench.store.fails = True
    with capture_logs() as logs:
        await it.upkeep.tend()
        await it.upkeep.tend()
    assert [entry["event"] for entry in logs] == ["emergency.verdicts.not_stored"]
    it.bench.store.fails = False
    it.bench.clock.advance(30)
    await it.upkeep.tend()
    assert it.address(Location, 1).state is AddressState.VALID


@pytest.mark.parametrize(
    ("address", "due"),
    [
        (EmergencyAddress(entered=RENO), True),
        (EmergencyAddress(entered=RENO, state=AddressState.VALID, checked_at=99.0, in_force_by=CheckedBy.HTTP), False),
        (EmergencyAddress(entered=RENO, state=AddressState.VALID, checked_at=99.0, in_force_by=CheckedBy.FORM), True),
        (EmergencyAddress(entered=RENO, state=AddressState.VALID, checked_at=9.0, in_force_by=CheckedBy.HTTP), True),
        (EmergencyAddress(entered=RENO, state=AddressState.VALID), True),
        (EmergencyAddress(entered=RENO, state=AddressState.REJECTED, checked_at=99.0), False),
        (EmergencyAddress(entered=RENO, state=AddressState.REJECTED, checked_at=79.0), True),
    ],
)
def test_what_is_due(address: EmergencyAddress, due: bool) -> None:
    authority = Authority(validator=Answers(), by=CheckedBy.HTTP, recheck_after_seconds=50.0, since=80.0)
    assert is_due(address, authority, 100.0) is due
    by_form = address.state is AddressState.DRAFT
    assert is_due(address, Authority(since=80.0, recheck_after_seconds=50.0), 100.0) is by_form

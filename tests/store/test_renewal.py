"""Secrets move to a new data key while the inventory is changed, and whenever it is cut off, all of them open."""

import asyncio
import shutil
import threading
from collections.abc import AsyncIterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from tests.inventory.test_apply import snapshot
from tests.store.test_rotation import Opened
from tests.support.failpoints import power_cut
from tests.support.keys import begin_as_before, seal_all_directly, secrets_of
from tests.support.workbench import JANE, K2, FakeVendors, InlineExecutor, raise_error

from offhook.errors import Conflict, StoreUnavailable
from offhook.events import EventBus, InventoryChanged
from offhook.inventory.apply import ApplyOptions
from offhook.inventory.editor import Editor, Workshop
from offhook.inventory.generated import IdSource
from offhook.inventory.models import Account, Carrier, Credential, Device, User
from offhook.inventory.ports import ConfigDigests
from offhook.inventory.service import InventoryService
from offhook.inventory.snapshot import KINDS, Inventory
from offhook.store import renewal
from offhook.store.audit import SqlAuditLog
from offhook.store.envelope import Envelope
from offhook.store.renewal import Progress, Renewal


class PasswordDigests:
    """A phone's file is made of the passwords of its lines."""

    def __init__(self, box: Envelope) -> None:
        self._box = box

    def digests(self, inventory: Inventory, carrier: Device) -> ConfigDigests | None:
        credentials = [inventory.active_credential(line.id) for line in inventory.lines_of(carrier.id)]
        digest = self._box.digest(repr(secrets_of([it for it in credentials if it], self._box))).hex()
        return ConfigDigests(config=digest, registration=digest)


class Office:
    """An inventory on disk, and what moves its secrets."""

    def __init__(self, folder: Path, executor: Executor | None = None) -> None:
        self.opened = Opened(folder)
        self.keys, self.box = self.opened.keys, self.opened.keys.box
        self.bus = EventBus(raise_error)
        self.service = InventoryService(
            self.opened.store,
            Workshop(IdSource(self.opened.clock), self.box, FakeVendors()),
            PasswordDigests(self.box),
            bus=self.bus,
            clock=self.opened.clock,
            executor=executor or InlineExecutor(),
        )
        self.renewal = Renewal(self.keys, self.service, self.opened.store)

    async def apply(self, text: str) -> None:
        await self.service.apply(self.service.document(text.encode(), "site.yaml"), ApplyOptions(), JANE)

    async def finish(self, progress: Progress) -> list[Progress]:
        """Batch after batch, until all is done."""
        steps = [progress]
        while steps[-1].left:
            steps.append(await self.renewal.go_on(progress.data_key))
        return steps

    def secrets(self, inventory: Inventory | None = None) -> dict[str, str]:
        """Of an inventory in memory."""
        entities = [entity for kind in KINDS for entity in (inventory or self.service.inventory).all(kind)]
        return secrets_of(entities, self.box)

    def stored(self) -> Inventory:
        """As a start would read it."""
        return Inventory(self.opened.store.load())

    def close(self) -> None:
        self.opened.close()


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewal, "BATCH", 4)


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    path = tmp_path / "state"
    path.mkdir()
    with closing(Office(path)) as office:
        await office.apply(K2)
    return path


@pytest.fixture
async def office(folder: Path) -> AsyncIterator[Office]:
    with closing(Office(folder)) as office:
        await office.service.load()
        yield office


async def test_everything_is_sealed_with_the_new_key_and_the_old_one_is_dropped(office: Office) -> None:
    before, revisions = office.secrets(), list(office.service.inventory.all(Carrier))
    held = office.service.inventory
    total = len({context.rpartition(":")[0] for context in before})
    audit = SqlAuditLog(office.opened.engine)
    written = len(audit.read(100))
    told: list[InventoryChanged] = []
    office.bus.subscribe(InventoryChanged, told.append)

    steps = await office.finish(await office.renewal.begin())
    assert (steps[0].resealed, steps[0].left) == (4, total - 4)
    assert sum(step.resealed for step in steps) == total
    assert [step.dropped for step in steps] == [()] * (len(steps) - 1) + [(2,)]
    assert {step.data_key for step in steps} == {3}

    assert [key.id for key in office.keys.describe().data_keys] == [1, 3]
    assert office.keys.describe().outdated == 0
    assert office.secrets() == before == office.secrets(office.stored())
    assert list(office.service.inventory.all(Carrier)) == revisions
    assert (len(audit.read(100)), told) == (written, [])
    # Whoever began with an older state goes on with it.
    assert office.secrets(held) == before

    await office.service.refresh_revisions()
    assert list(office.service.inventory.all(Carrier)) == revisions


async def test_hashes_are_sealed_with_the_new_key_too(office: Office) -> None:
    hashes = {credential.id: credential.ha1 for credential in office.service.inventory.all(Credential)}
    await office.finish(await office.renewal.begin())
    office.close()
    with closing(Office(office.opened.file.path.parent)) as again:
        assert {credential.id: credential.ha1 for credential in again.stored().all(Credential)} == hashes
        assert again.keys.current_data_key == 3


async def test_changes_in_between_are_not_lost_and_seal_with_the_new_key(office: Office) -> None:
    progress = await office.renewal.begin()
    await office.apply("accounts: [{name: acme, users: [{username: jsmith, first_name: Joan}]}]")
    await office.apply("accounts: [{name: globex, sip_domain: globex.test}]")
    await office.finish(progress)
    assert office.keys.describe().outdated == 0
    assert {user.first_name for user in office.stored().all(User)} == {"Joan", "Robin"}
    assert office.stored().count(Account) == 2
    assert snapshot(office.stored()) == snapshot(office.service.inventory)


async def test_a_change_under_way_is_waited_for(folder: Path) -> None:
    """It holds what the old key sealed: were that dropped before the change is written, the secret would be lost."""
    sealed, may_end = threading.Event(), threading.Event()

    def edit(editor: Editor) -> None:
        editor.create_account(name="globex", sip_domain="globex.test")
        sealed.set()
        may_end.wait(10)

    with ThreadPoolExecutor(2) as executor, closing(Office(folder, executor)) as office:
        await office.service.load()
        changing = asyncio.create_task(office.service.change(edit, JANE))
        await asyncio.to_thread(sealed.wait, 10)
        moving = asyncio.create_task(office.renewal.begin())
        await asyncio.sleep(0)
        assert office.keys.current_data_key == 2
        may_end.set()
        await changing
        await office.finish(await moving)
        assert office.keys.describe().outdated == 0
        assert set(office.secrets(office.stored())) == set(office.secrets())
        assert office.stored().find_account("globex") is not None


async def test_what_somebody_held_meanwhile_is_not_lost_with_the_key_that_sealed_it(office: Office) -> None:
    [acme] = office.service.inventory.all(Account)
    await office.finish(await office.renewal.begin())

    def edit(editor: Editor) -> None:
        editor.change(acme, gateway="sip:pbx.acme.test")

    await office.service.change(edit, JANE)
    assert office.keys.describe().outdated == 0
    office.close()
    with closing(Office(office.opened.file.path.parent)) as again:
        assert set(again.secrets(again.stored())) == set(office.secrets())


async def test_what_was_sealed_directly_moves_without_another_new_key(tmp_path: Path) -> None:
    path = tmp_path / "older"
    path.mkdir()
    with closing(Opened(path)) as opened:
        root = opened.keys.keyring.current
        begin_as_before(opened.engine, root)
    with closing(Office(path)) as office:
        await office.apply(K2)
        before = office.secrets()
        seal_all_directly(office.opened.engine, office.box, root)
    with closing(Office(path)) as office:
        await office.service.load()
        revisions = list(office.service.inventory.all(Carrier))
        assert office.secrets() == before
        progress = await office.renewal.begin()
        assert progress.data_key == 2
        await office.finish(progress)
        assert office.keys.describe().sealed_directly == 0
        assert office.secrets(office.stored()) == before
        await office.service.refresh_revisions()
        assert list(office.service.inventory.all(Carrier)) == revisions


async def test_a_client_that_goes_on_with_an_older_key_is_told_to_begin_again(office: Office) -> None:
    progress = await office.renewal.begin()
    with pytest.raises(Conflict, match="the data key 2 is not current"):
        await office.renewal.go_on(2)
    await office.finish(progress)
    await office.renewal.begin()
    with pytest.raises(Conflict, match="the data key 3 is not current"):
        await office.renewal.go_on(progress.data_key)


async def test_a_disk_that_fails_stops_it_and_it_goes_on_later(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise StoreUnavailable("the disk is full")

    before = office.secrets()
    progress = await office.renewal.begin()
    with monkeypatch.context() as patched:
        patched.setattr(office.opened.store, "commit", fail)
        with pytest.raises(StoreUnavailable):
            await office.renewal.go_on(progress.data_key)
    assert office.secrets() == before == office.secrets(office.stored())
    again = await office.renewal.begin()
    assert again.data_key == progress.data_key
    await office.finish(again)
    assert [key.id for key in office.keys.describe().data_keys] == [1, 3]


async def test_whenever_the_power_is_cut_everything_opens_and_it_can_go_on(folder: Path, tmp_path: Path) -> None:
    with closing(Office(folder)) as office:
        await office.service.load()
        before = office.secrets()
    step, survived = 0, False
    while not survived:
        step += 1
        copy = tmp_path / f"cut before {step}"
        shutil.copytree(folder, copy)
        with closing(Office(copy)) as office:
            await office.service.load()
            with power_cut(step) as points:
                await office.finish(await office.renewal.begin())
            survived = not points.is_cut
        with closing(Office(copy)) as office:
            await office.service.load()
            assert office.secrets() == before
            if not survived:
                await office.finish(await office.renewal.begin())
            assert office.keys.describe().outdated == 0
            assert len(office.keys.describe().data_keys) == 2
            assert office.secrets(office.stored()) == before
        shutil.rmtree(copy)
    assert step > 20

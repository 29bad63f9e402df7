"""The inventory's use cases: one change at a time, computed off the event loop, durable before anyone sees it."""

import asyncio
import copy
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from offhook.clock import Clock
from offhook.collector import collection_paused
from offhook.errors import DocumentError, OffhookError, StoreError
from offhook.events import ChangedThing, ConfigFetched, EventBus, InventoryChanged, Registered
from offhook.inventory.apply import Applied, ApplyOptions, apply_document
from offhook.inventory.auditing import DAEMON as DAEMON
from offhook.inventory.auditing import Accounts, audit_records, changed_things
from offhook.inventory.auditing import Actor as Actor
from offhook.inventory.credentials import find_revoked
from offhook.inventory.differences import find_differences
from offhook.inventory.editor import Editor, Note, Workshop
from offhook.inventory.export import export_document
from offhook.inventory.models import Account, Carrier, Credential, CredentialState, Device
from offhook.inventory.parts import refuse_breaches
from offhook.inventory.plan import Plan as Plan
from offhook.inventory.plan import Reload as Reload
from offhook.inventory.plan import find_reloads
from offhook.inventory.ports import AuditRecord, Change, DigestSource, InventoryStore, Put, Vendors
from offhook.inventory.progress import Progress, Stage
from offhook.inventory.reach import LimitedDraft, LimitedInventory, Reach
from offhook.inventory.reading import Reading, read_document
from offhook.inventory.replacement import find_replaced
from offhook.inventory.retirement import Sightings, find_retirement
from offhook.inventory.revisions import affected_devices, carriers_of, revise
from offhook.inventory.rules import find_breaches
from offhook.inventory.snapshot import KINDS, Inventory
from offhook.inventory.tabular.reading import TableOptions, read_table
from offhook.secret import Secret
from offhook.yamldoc import Bounds

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Changed:
    """A change that was made, or tried."""

    plan: Plan
    inventory: Inventory
    #: As it is afterwards.


#: Gives what is to be applied; called in a worker thread. Raises DocumentError.
Source = Callable[[], Reading]


@dataclass(frozen=True, slots=True)
class _Prepared:
    inventory: Inventory
    before: Inventory
    changes: tuple[Change, ...]
    plan: Plan
    devices: frozenset[int]
    revised: frozenset[int]
    notes: tuple[Note, ...]
    revoked: frozenset[int]
    replaced: frozenset[int]

    @property
    def accounts(self) -> Accounts:
        return Accounts(self.before, self.inventory)


@dataclass(slots=True)
class _Held:
    """What changes while the service lives, and is the same for all who use it."""

    inventory: Inventory
    bounds: Bounds | None


class InventoryService:
    """Holds the snapshot and changes it."""

    def __init__(
        self,
        store: InventoryStore,
        workshop: Workshop,
        digests: DigestSource,
        *,
        bus: EventBus,
        clock: Clock,
        executor: Executor,
        bounds: Bounds | None = None,
    ) -> None:
        self._store = store
        self._workshop = workshop
        self._digests = digests
        self._bus = bus
        self._clock = clock
        self._executor = executor
        self._held = _Held(Inventory(), bounds)
        self._reach: Reach | None = None
        self._turn = asyncio.Lock()
        self._commits: set[asyncio.Task[Any]] = set()
        self._retiring: set[int] = set()
        self._superseded: set[int] = set()
        self._fetched: set[int] = set()

    def use(self, bounds: Bounds) -> None:
        """Takes other bounds for documents."""
        self._held.bounds = bounds

    def limited_to(self, reach: Reach) -> "InventoryService":
        """This service for somebody who reaches some accounts only: it shows, finds and changes nothing else."""
        limited = copy.copy(self)
        limited._reach = reach
        return limited

    @property
    def inventory(self) -> Inventory:
        """The state that everyone sees, or as much of it as is reached."""
        return self._limit(self._held.inventory)

    @property
    def vendors(self) -> Vendors:
        """The vendor folders, as the inventory asks them."""
        return self._workshop.vendors

    def _limit(self, inventory: Inventory) -> Inventory:
        return inventory if self._reach is None else LimitedInventory(inventory, self._reach)

    async def load(self) -> None:
        """Reads the store; then brings revisions up to what templates and settings say now."""
        loop = asyncio.get_running_loop()
        with collection_paused():
            self._held.inventory = await loop.run_in_executor(self._executor, lambda: Inventory(self._store.load()))
        for kind in KINDS:
            self._workshop.ids.pass_over(entity.id for entity in self._held.inventory.all(kind))
        self._note_retiring(Put(credential) for credential in self._held.inventory.all(Credential))
        await self._change(Editor.seal_missing_pins, DAEMON, carriers=_all_carriers)

    async def finish(self) -> None:
        """Waits for a change that is being committed while nobody waits for it any more."""
        if self._commits:
            await asyncio.wait(self._commits)

    async def refresh_revisions(self) -> frozenset[int]:
        """Raises the revision of every carrier whose files would differ now; after templates or settings changed."""
        prepared = await self._change(lambda _: None, DAEMON, carriers=_all_carriers)
        return prepared.revised

    # -- documents ------------------------------------------------------------------------------------------------

    def document(self, text: bytes, file: str) -> Source:
        """A YAML document as :meth:`plan` and :meth:`apply` take it."""
        return partial(read_document, text, file, self._held.bounds)

    def table(self, text: bytes, file: str, options: TableOptions) -> Source:
        """A table as :meth:`plan` and :meth:`apply` take it."""
        return lambda: read_table(text, file, options, self.inventory, self._held.bounds)

    async def plan(self, source: Source, options: ApplyOptions, progress: Progress | None = None) -> Plan:
        """What ``apply`` would do. Raises DocumentError with every fault."""
        with collection_paused():
            return (await self._try(*self._document_edit(source, options, progress))).plan

    async def apply(
        self,
        source: Source,
        options: ApplyOptions,
        actor: Actor,
        *,
        yes: bool = False,
        progress: Progress | None = None,
    ) -> Plan:
        """Brings the inventory to what the source says, all of it or nothing; ``progress`` tells how far it is.

        Raises DocumentError with every fault, Invalid where ``prune`` would delete and ``yes`` was not said.
        """
        edit, applied = self._document_edit(source, options, progress)
        check = None if yes else applied.refuse_to_prune
        with collection_paused():
            return (await self._change(edit, actor, applied=applied, check=check)).plan

    def _document_edit(
        self, source: Source, options: ApplyOptions, progress: Progress | None
    ) -> tuple[Callable[[Editor], object], Applied]:
        applied = Applied(progress=progress or Progress())

        def edit(editor: Editor) -> None:
            applied.progress.begin(Stage.READING)
            apply_document(editor, source(), options, applied)
            if applied.faults:
                raise DocumentError(applied.faults)

        return edit, applied

    async def export(self, accounts: list[str] | None, *, with_secrets: bool, actor: Actor, reason: str = "") -> str:
        """The document of these accounts, or of all. With secrets it is audited first."""
        inventory = self.inventory
        if with_secrets:
            await self.record(actor, "reveal", "inventory", ", ".join(accounts or ["all accounts"]), reason or "export")
        loop = asyncio.get_running_loop()

        def write() -> str:
            editor = Editor(inventory.draft(), self._workshop, self._clock.now())
            return export_document(inventory, accounts, editor if with_secrets else None)

        return await loop.run_in_executor(self._executor, write)

    # -- single changes -------------------------------------------------------------------------------------------

    async def change(self, edit: Callable[[Editor], object], actor: Actor, *, dry_run: bool = False) -> Changed:
        """Runs ``edit`` on a draft, judges the result by the rules, and commits it, unless it is a dry run.

        ``edit`` runs in a worker thread, in its turn: what it finds in the editor's draft is what the change builds
        upon. Raises InventoryError; nothing is changed then.
        """

        def judged(editor: Editor) -> None:
            edit(editor)
            editor.settle()
            refuse_breaches(find_breaches(editor.draft, editor.vendors))

        prepared = await (self._try(judged) if dry_run else self._change(judged, actor))
        return Changed(prepared.plan, self._limit(prepared.inventory))

    async def keep(self, edit: Callable[[Editor], object], actor: Actor) -> Inventory:
        """A change that no rule has a say in, such as a count. The audit has what the editor was told to note."""
        return self._limit((await self._change(edit, actor)).inventory)

    async def record(
        self, actor: Actor, action: str, kind: str, key: str, reason: str = "", *, account_id: int = 0
    ) -> None:
        """Writes an audit record of something that changes nothing, such as a reveal; before it happens.

        ``account_id`` is the account that it concerns, 0 where that is none, or several.
        """
        if not account_id and self._reach is not None and len(self._reach) == 1:
            [account_id] = self._reach
        record = AuditRecord(
            at=self._clock.now(),
            actor=actor.name,
            origin=actor.origin,
            request_id=actor.request_id,
            action=action,
            kind=kind,
            key=key,
            before="",
            after="",
            reason=reason,
            account_id=account_id,
        )
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._executor, lambda: self._store.commit((), (record,)))

    def reveal_account_token(self, account: Account) -> Secret:
        """The provisioning token of an account."""
        return self._workshop.secrets.open(account.sealed_token, f"account:{account.id}:token")

    def find_device_token(self, device: Device) -> Secret | None:
        """The provisioning token of a device; None for one that is out of service."""
        if not device.sealed_token:
            return None
        return self._workshop.secrets.open(device.sealed_token, f"device:{device.id}:token")

    def reveal_password(self, credential: Credential) -> Secret:
        """The password of a credential; the caller has recorded the reveal."""
        return self._workshop.secrets.open(credential.sealed_secret, f"credential:{credential.id}:secret")

    # -- credentials that were replaced ---------------------------------------------------------------------------

    def note_registered(self, event: Registered) -> None:
        """A line that registers with its active credential needs its others no longer."""
        credential = self._held.inventory.find(Credential, event.credential_id)
        if credential is None or credential.state is not CredentialState.ACTIVE:
            return
        if len(self._held.inventory.credentials_of(event.line_id)) > 1:
            self._superseded.add(event.line_id)

    def note_fetched(self, event: ConfigFetched) -> None:
        """A device that holds its new credentials has little time left for the old ones."""
        carrier = self._held.inventory.find(Carrier, event.carrier_id)
        if carrier is not None and event.revision >= carrier.registration_revision:
            self._fetched.add(carrier.id)

    async def retire(self, behind: Callable[[Inventory, Account], bool]) -> None:
        """Lets go of what was replaced and whose time is over; to be called every few seconds.

        ``behind`` tells whether any carrier of an account still runs an older revision.
        """
        sightings = Sightings(frozenset(self._superseded), frozenset(self._fetched))
        self._superseded.clear()
        self._fetched.clear()
        over = find_retirement(self._held.inventory, self._retiring, sightings, behind, self._clock.now())
        if not over:
            return
        try:
            await self._change(over.carry_out, DAEMON)
        except StoreError:
            self._superseded |= sightings.superseded
            self._fetched |= sightings.fetched
            raise

    def _note_retiring(self, changes: Iterable[Change]) -> None:
        for change in changes:
            if not isinstance(change.entity, Credential):
                continue
            if isinstance(change, Put) and change.entity.state is CredentialState.RETIRING:
                self._retiring.add(change.entity.id)
            else:
                self._retiring.discard(change.entity.id)

    # -- how a change is made -------------------------------------------------------------------------------------

    async def _try(self, edit: Callable[[Editor], object], applied: Applied | None = None) -> _Prepared:
        """What a change would come to, without making it."""
        inventory = self._held.inventory
        return await self._in_thread(lambda: self._prepare(inventory, edit, applied))

    def _prepare(
        self,
        inventory: Inventory,
        edit: Callable[[Editor], object],
        applied: Applied | None = None,
        carriers: Callable[[Inventory], Iterable[int]] | None = None,
    ) -> _Prepared:
        """Runs in a worker thread: everything a change implies, on a draft that nobody else sees."""
        now, applied = self._clock.now(), applied or Applied()
        draft = inventory.draft()
        editor = Editor(draft if self._reach is None else LimitedDraft(draft, self._reach), self._workshop, now)
        edit(editor)
        changes = draft.changes
        was, is_now = affected_devices(inventory, changes), affected_devices(draft, changes)
        concerned = carriers(draft) if carriers else carriers_of(inventory, was) | carriers_of(draft, is_now)
        revised = revise(draft, concerned, self._digests, applied.progress)
        changes = draft.changes
        applied.progress.begin(Stage.COMPARING)
        plan = Plan(
            differences=tuple(find_differences(inventory, draft, changes)),
            reloads=tuple(find_reloads(inventory, draft, revised)),
            warnings=tuple(applied.warnings),
            pruned=tuple(applied.pruned.items()),
            unchanged=tuple(applied.unchanged.items()),
        )
        return _Prepared(
            draft.freeze(),
            inventory,
            changes,
            plan,
            frozenset(was | is_now),
            revised,
            tuple(editor.notes),
            find_revoked(draft, changes),
            find_replaced(inventory, changes),
        )

    async def _change(
        self,
        edit: Callable[[Editor], object],
        actor: Actor,
        *,
        applied: Applied | None = None,
        check: Callable[[], None] | None = None,
        carriers: Callable[[Inventory], Iterable[int]] | None = None,
    ) -> _Prepared:
        """Makes a change, in its turn. Once it is under way it is finished, whatever becomes of the caller."""
        return await self._in_turn(lambda: self._commit(edit, actor, applied, check, carriers))

    async def rewrite(self, work: Callable[[Inventory], Inventory]) -> None:
        """Runs ``work`` in a worker thread, in its turn; what it gives becomes the state that everyone sees.

        For another form of the same content, which ``work`` itself stores: it is not judged, and nobody is told.
        """

        async def run() -> None:
            loop = asyncio.get_running_loop()
            self._held.inventory = await loop.run_in_executor(self._executor, work, self._held.inventory)

        await self._in_turn(run)

    async def _in_turn(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        await self._turn.acquire()
        commit = asyncio.create_task(work())
        self._commits.add(commit)
        commit.add_done_callback(self._committed)
        try:
            return await asyncio.shield(commit)
        finally:
            del commit  # An error that it ends with refers to this frame, which is not to refer to it.

    def _committed(self, commit: asyncio.Task[Any]) -> None:
        self._turn.release()
        self._commits.discard(commit)
        if not commit.cancelled():
            commit.exception()  # Raised in the caller, if there still is one.

    async def _commit(
        self,
        edit: Callable[[Editor], object],
        actor: Actor,
        applied: Applied | None,
        check: Callable[[], None] | None,
        carriers: Callable[[Inventory], Iterable[int]] | None,
    ) -> _Prepared:
        def work() -> tuple[_Prepared, tuple[ChangedThing, ...], list[Change]]:
            prepared = self._prepare(self._held.inventory, edit, applied, carriers)
            if check is not None:
                check()
            if not prepared.changes:
                return prepared, (), []
            now = self._clock.now()
            accounts, differences = prepared.accounts, prepared.plan.differences
            records = list(audit_records(actor, accounts, differences, prepared.notes, now))
            if applied is not None:
                applied.progress.begin(Stage.WRITING)
            self._store.commit(prepared.changes, records)
            credentials = [change for change in prepared.changes if isinstance(change.entity, Credential)]
            return prepared, tuple(changed_things(accounts, differences)), credentials

        prepared, things, credentials = await self._in_thread(work)
        if prepared.changes:
            self._held.inventory = prepared.inventory
            self._note_retiring(credentials)
            self._bus.publish(
                InventoryChanged(
                    actor=actor.name,
                    request_id=actor.request_id,
                    device_ids=prepared.devices,
                    revised=prepared.revised,
                    at=self._clock.now(),
                    revoked=prepared.revoked,
                    replaced=prepared.replaced,
                    things=things,
                )
            )
        return prepared

    async def _in_thread(self, work: Callable[[], T]) -> T:
        """What ``work`` gives. A refusal leaves behind the frames that it comes from, and the drafts that they hold."""

        def run() -> T:
            try:
                return work()
            except OffhookError as error:
                error.__context__ = None
                raise error.with_traceback(None) from None

        return await asyncio.get_running_loop().run_in_executor(self._executor, run)


def _all_carriers(inventory: Inventory) -> list[int]:
    return [device.id for device in inventory.all(Device)]

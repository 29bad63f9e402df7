"""The inventory's use cases: one change at a time, computed off the event loop, durable before anyone sees it."""

import asyncio
import json
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final

from offhook.clock import Clock
from offhook.errors import Conflict, DocumentError, Fault, Invalid, StoreError
from offhook.events import ConfigFetched, EventBus, InventoryChanged, Registered
from offhook.inventory.apply import Applied, ApplyOptions, apply_document
from offhook.inventory.differences import Action, Difference, find_differences
from offhook.inventory.editor import Editor, Workshop
from offhook.inventory.export import export_document
from offhook.inventory.models import Account, Carrier, Credential, CredentialState, Device
from offhook.inventory.ports import AuditRecord, Change, DigestSource, InventoryStore, Put
from offhook.inventory.reading import read_document
from offhook.inventory.retirement import find_deadline
from offhook.inventory.revisions import affected_carriers, affected_devices, revise
from offhook.inventory.rules import describe_device, find_breaches
from offhook.inventory.snapshot import KINDS, Inventory
from offhook.secret import Secret
from offhook.yamldoc import Bounds


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks for a change."""

    name: str
    #: ``uid 1000``, ``token NAME``, or ``offhook`` for what the daemon does by itself.
    origin: str
    request_id: str


DAEMON: Final = Actor("offhook", "daemon", "-")


@dataclass(frozen=True, slots=True)
class Reload:
    """A device whose files a change alters."""

    device_id: int
    device: str
    revision: int
    is_new: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What a document would change."""

    differences: tuple[Difference, ...] = ()
    reloads: tuple[Reload, ...] = ()
    warnings: tuple[Fault, ...] = ()
    pruned: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class _Prepared:
    inventory: Inventory
    changes: tuple[Change, ...]
    plan: Plan
    devices: frozenset[int]
    revised: frozenset[int]


def _count(name: str, count: int) -> str:
    """``2 locations``; ``name`` is that of a list, and in the plural."""
    words = name.replace("dect_", "DECT ")
    return f"{count} {words.removesuffix('s') if count == 1 else words}"


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
        self._bounds = bounds
        self._inventory = Inventory()
        self._turn = asyncio.Lock()
        self._commits: set[asyncio.Task[_Prepared]] = set()
        self._retiring: set[int] = set()
        self._superseded: set[int] = set()
        self._fetched: set[int] = set()

    def use(self, bounds: Bounds) -> None:
        """Takes other bounds for documents."""
        self._bounds = bounds

    @property
    def inventory(self) -> Inventory:
        """The state that everyone sees."""
        return self._inventory

    async def load(self) -> None:
        """Reads the store; then brings revisions up to what templates and settings say now."""
        loop = asyncio.get_running_loop()
        self._inventory = await loop.run_in_executor(self._executor, lambda: Inventory(self._store.load()))
        for kind in KINDS:
            self._workshop.ids.pass_over(entity.id for entity in self._inventory.all(kind))
        self._note_retiring(Put(credential) for credential in self._inventory.all(Credential))
        await self.refresh_revisions()

    async def finish(self) -> None:
        """Waits for a change that is being committed while nobody waits for it any more."""
        if self._commits:
            await asyncio.wait(self._commits)

    async def refresh_revisions(self) -> frozenset[int]:
        """Raises the revision of every carrier whose files would differ now; after templates or settings changed."""
        prepared = await self._change(lambda _: None, DAEMON, carriers=_all_carriers)
        return prepared.revised

    # -- documents ------------------------------------------------------------------------------------------------

    async def plan(self, text: bytes, file: str, options: ApplyOptions) -> Plan:
        """What ``apply`` would do. Raises DocumentError with every fault."""
        loop = asyncio.get_running_loop()
        inventory = self._inventory
        prepared = await loop.run_in_executor(
            self._executor, lambda: self._prepare(inventory, *self._document_edit(text, file, options))
        )
        return prepared.plan

    async def apply(self, text: bytes, file: str, options: ApplyOptions, actor: Actor, *, yes: bool = False) -> Plan:
        """Brings the inventory to what the document says, all of it or nothing.

        Raises DocumentError with every fault, Invalid where ``prune`` would delete and ``yes`` was not said.
        """

        def check(plan: Plan) -> None:
            if plan.pruned and not yes:
                counts = ", ".join(_count(name, count) for name, count in plan.pruned)
                raise Invalid(
                    f"--prune would delete {counts}",
                    field="prune",
                    rule="deleting wants a confirmation",
                    remedy="look at `offhook plan --prune FILE`, then add --yes",
                )

        edit, applied = self._document_edit(text, file, options)
        return (await self._change(edit, actor, applied=applied, check=check)).plan

    def _document_edit(self, text: bytes, file: str, options: ApplyOptions) -> tuple[Callable[[Editor], None], Applied]:
        applied = Applied()

        def edit(editor: Editor) -> None:
            result = apply_document(editor, read_document(text, file, self._bounds), options)
            if result.faults:
                raise DocumentError(result.faults)
            applied.warnings.extend(result.warnings)
            applied.pruned.update(result.pruned)

        return edit, applied

    async def export(self, accounts: list[str] | None, *, with_secrets: bool, actor: Actor) -> str:
        """The document of these accounts, or of all. With secrets it is audited first."""
        inventory = self._inventory
        if with_secrets:
            await self.record(actor, "reveal", "inventory", ", ".join(accounts or ["all accounts"]), "export")
        loop = asyncio.get_running_loop()

        def write() -> str:
            editor = Editor(inventory.draft(), self._workshop, self._clock.now())
            return export_document(inventory, accounts, editor if with_secrets else None)

        return await loop.run_in_executor(self._executor, write)

    # -- single changes -------------------------------------------------------------------------------------------

    async def change(self, edit: Callable[[Editor], None], actor: Actor) -> Plan:
        """Runs ``edit`` on a draft, judges the result by the rules, and commits it. Raises InventoryError."""

        def judged(editor: Editor) -> None:
            edit(editor)
            editor.settle()
            for breach in find_breaches(editor.draft):
                kind = Conflict if breach.is_conflict else Invalid
                raise kind(breach.message, field=breach.field)

        return (await self._change(judged, actor)).plan

    async def record(self, actor: Actor, action: str, kind: str, key: str, reason: str = "") -> None:
        """Writes an audit record of something that changes nothing, such as a reveal; before it happens."""
        record = AuditRecord(
            self._clock.now(), actor.name, actor.origin, actor.request_id, action, kind, key, "", "", reason
        )
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._executor, lambda: self._store.commit((), (record,)))

    def reveal_account_token(self, account: Account) -> Secret:
        """The provisioning token of an account."""
        return self._workshop.secrets.open(account.sealed_token, f"account:{account.id}:token")

    def reveal_password(self, credential: Credential) -> Secret:
        """The password of a credential; the caller has recorded the reveal."""
        return self._workshop.secrets.open(credential.sealed_secret, f"credential:{credential.id}:secret")

    # -- credentials that were replaced ---------------------------------------------------------------------------

    def note_registered(self, event: Registered) -> None:
        """A line that registers with its active credential needs its others no longer."""
        credential = self._inventory.find(Credential, event.credential_id)
        if credential is None or credential.state is not CredentialState.ACTIVE:
            return
        if len(self._inventory.credentials_of(event.line_id)) > 1:
            self._superseded.add(event.line_id)

    def note_fetched(self, event: ConfigFetched) -> None:
        """A device that holds its new credentials has little time left for the old ones."""
        carrier = self._inventory.find(Carrier, event.carrier_id)
        if carrier is not None and event.revision >= carrier.registration_revision:
            self._fetched.add(carrier.id)

    async def retire(self, behind: Callable[[Inventory, Account], bool]) -> None:
        """Deletes credentials whose time is over, and lets former domains go; to be called every few seconds.

        ``behind`` tells whether any carrier of an account still runs an older revision.
        """
        now = self._clock.now()
        inventory = self._inventory
        superseded, self._superseded = self._superseded, set()
        fetched, self._fetched = self._fetched, set()
        credentials = [inventory.get(Credential, credential_id) for credential_id in sorted(self._retiring)]
        due = [
            credential.id
            for credential in credentials
            if (deadline := find_deadline(inventory, credential, superseded, fetched, now)) <= now
            or deadline != credential.retire_at
        ]
        settled = {
            account.id: account.former_domains
            for account in inventory.all(Account)
            if account.former_domains and not behind(inventory, account)
        }
        if not (due or settled):
            return

        def edit(editor: Editor) -> None:
            draft = editor.draft
            for credential in [draft.find(Credential, credential_id) for credential_id in due]:
                if credential is None:
                    continue
                deadline = find_deadline(draft, credential, superseded, fetched, now)
                if deadline <= now:
                    editor.delete(credential)
                else:
                    editor.change(credential, retire_at=deadline)
            for account_id, domains in settled.items():
                account = draft.find(Account, account_id)
                if account is not None and account.former_domains == domains:
                    editor.change(account, former_domains=())

        try:
            await self._change(edit, DAEMON)
        except StoreError:
            self._superseded |= superseded
            self._fetched |= fetched
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

    def _prepare(
        self,
        inventory: Inventory,
        edit: Callable[[Editor], None],
        applied: Applied | None = None,
        carriers: Callable[[Inventory], Iterable[int]] | None = None,
    ) -> _Prepared:
        """Runs in a worker thread: everything a change implies, on a draft that nobody else sees."""
        now = self._clock.now()
        draft = inventory.draft()
        editor = Editor(draft, self._workshop, now)
        edit(editor)
        devices = affected_devices(inventory, draft.changes) | affected_devices(draft, draft.changes)
        concerned = carriers(draft) if carriers is not None else affected_carriers(inventory, draft)
        revised = revise(draft, concerned, self._digests)
        changes = draft.changes
        plan = Plan(
            differences=tuple(find_differences(inventory, draft, changes)),
            reloads=tuple(_reloads(inventory, draft, revised)),
            warnings=tuple(applied.warnings) if applied else (),
            pruned=tuple(applied.pruned.items()) if applied else (),
        )
        return _Prepared(draft.freeze(), changes, plan, frozenset(devices), revised)

    async def _change(
        self,
        edit: Callable[[Editor], None],
        actor: Actor,
        *,
        applied: Applied | None = None,
        check: Callable[[Plan], None] | None = None,
        carriers: Callable[[Inventory], Iterable[int]] | None = None,
    ) -> _Prepared:
        """Makes a change, in its turn. Once it is under way it is finished, whatever becomes of the caller."""
        await self._turn.acquire()
        commit = asyncio.create_task(self._commit(edit, actor, applied, check, carriers))
        self._commits.add(commit)
        commit.add_done_callback(self._committed)
        return await asyncio.shield(commit)

    def _committed(self, commit: asyncio.Task[_Prepared]) -> None:
        self._turn.release()
        self._commits.discard(commit)
        if not commit.cancelled():
            commit.exception()  # Raised in the caller, if there still is one.

    async def _commit(
        self,
        edit: Callable[[Editor], None],
        actor: Actor,
        applied: Applied | None,
        check: Callable[[Plan], None] | None,
        carriers: Callable[[Inventory], Iterable[int]] | None,
    ) -> _Prepared:
        def work() -> _Prepared:
            prepared = self._prepare(self._inventory, edit, applied, carriers)
            if check is not None:
                check(prepared.plan)
            if prepared.changes:
                audit = [_audit_record(actor, part, self._clock.now()) for part in prepared.plan.differences]
                self._store.commit(prepared.changes, audit)
            return prepared

        prepared = await asyncio.get_running_loop().run_in_executor(self._executor, work)
        if prepared.changes:
            self._inventory = prepared.inventory
            self._note_retiring(prepared.changes)
            self._bus.publish(
                InventoryChanged(
                    actor=actor.name,
                    request_id=actor.request_id,
                    device_ids=prepared.devices,
                    revised=prepared.revised,
                    at=self._clock.now(),
                )
            )
        return prepared


def _all_carriers(inventory: Inventory) -> list[int]:
    return [device.id for device in inventory.all(Device)]


def _reloads(before: Inventory, after: Inventory, revised: frozenset[int]) -> Iterable[Reload]:
    for device_id in sorted(revised):
        device = after.get(Device, device_id)
        carrier = after.get(Carrier, device_id)
        yield Reload(device_id, describe_device(device), carrier.revision, before.find(Carrier, device_id) is None)


def _audit_record(actor: Actor, difference: Difference, now: float) -> AuditRecord:
    before = {part.field: part.before for part in difference.fields if part.before}
    after = {part.field: part.after for part in difference.fields if part.after}
    return AuditRecord(
        at=now,
        actor=actor.name,
        origin=actor.origin,
        request_id=actor.request_id,
        action=difference.action.value,
        kind=difference.kind,
        key=difference.key,
        before=json.dumps(before, ensure_ascii=False) if difference.action is not Action.CREATE else "",
        after=json.dumps(after, ensure_ascii=False) if difference.action is not Action.DELETE else "",
    )

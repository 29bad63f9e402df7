"""Who did what to which account: the records of a change that the audit keeps, and what its listeners are told."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from offhook.events import ChangedThing
from offhook.inventory.differences import Action, Difference, name_account, name_kind
from offhook.inventory.editor import Note
from offhook.inventory.ports import AuditRecord
from offhook.inventory.rules import describe
from offhook.inventory.snapshot import Inventory


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks for a change."""

    name: str
    #: ``uid 1000``, ``token NAME``, or ``offhook`` for what the daemon does by itself.
    origin: str
    request_id: str


DAEMON: Final = Actor("offhook", "daemon", "-")


@dataclass(frozen=True, slots=True)
class Accounts:
    """Finds the accounts that differences name, those that are gone too."""

    before: Inventory
    after: Inventory

    def id_of(self, name: str) -> int:
        """The account's id; 0 for what belongs to none."""
        found = self.after.find_account(name) or self.before.find_account(name) if name else None
        return found.id if found is not None else 0


def audit_records(
    actor: Actor, accounts: Accounts, differences: Sequence[Difference], noted: Iterable[Note], now: float
) -> Iterator[AuditRecord]:
    """A record for each difference; what the editor noted of a thing names the action."""
    after = accounts.after
    notes = {_place(note, after): note for note in noted}
    for difference in differences:
        note = notes.pop((difference.account, difference.kind, difference.key), None)
        was = {part.field: part.before for part in difference.fields if part.before}
        is_now = {part.field: part.after for part in difference.fields if part.after}
        yield AuditRecord(
            at=now,
            actor=actor.name,
            origin=actor.origin,
            request_id=actor.request_id,
            action=note.action if note else difference.action.value,
            kind=difference.kind,
            key=difference.key,
            before=json.dumps(was, ensure_ascii=False) if difference.action is not Action.CREATE else "",
            after=json.dumps(is_now, ensure_ascii=False) if difference.action is not Action.DELETE else "",
            reason=note.reason if note else "",
            account_id=accounts.id_of(difference.account),
        )
    for (account, kind, key), note in notes.items():
        yield AuditRecord(
            at=now,
            actor=actor.name,
            origin=actor.origin,
            request_id=actor.request_id,
            action=note.action,
            kind=kind,
            key=key,
            before="",
            after="",
            reason=note.reason,
            account_id=accounts.id_of(account),
        )


def _place(note: Note, inventory: Inventory) -> tuple[str, str, str]:
    about = note.about
    return name_account(about, inventory), name_kind(about), describe(about, inventory)


def changed_things(accounts: Accounts, differences: Iterable[Difference]) -> Iterator[ChangedThing]:
    """The differences as events carry them."""
    for difference in differences:
        yield ChangedThing(difference.action.value, difference.kind, difference.key, accounts.id_of(difference.account))

"""When the time of what was replaced is over: credentials, domains, provisioning tokens."""

from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from offhook.inventory.editor import Editor
from offhook.inventory.models import Account, Credential, Device, Line
from offhook.inventory.snapshot import Inventory

#: After a device has fetched its new credentials, the old ones are valid this much longer, for a refresh under way.
OVERLAP_SECONDS: Final = 300.0


@dataclass(frozen=True, slots=True)
class Sightings:
    """What devices have shown by now."""

    superseded: frozenset[int] = frozenset()
    #: Lines that have registered with their active credential.
    fetched: frozenset[int] = frozenset()
    #: Carriers that hold it.


@dataclass(frozen=True, slots=True)
class Retirement:
    """What is over at a time. It was found in one state, and is carried out on a later one."""

    now: float
    sightings: Sightings
    credentials: tuple[int, ...]
    #: Whose deadline has come, or is another one now.
    domains: tuple[tuple[int, tuple[str, ...]], ...]
    #: Former domains that no carrier of the account knows any more.
    tokens: tuple[int, ...]
    #: Accounts whose former token is over.

    def __bool__(self) -> bool:
        return bool(self.credentials or self.domains or self.tokens)

    def carry_out(self, editor: Editor) -> None:
        """Deletes what is over; what was changed meanwhile stays."""
        for credential_id in self.credentials:
            credential = editor.draft.find(Credential, credential_id)
            if credential is None:
                continue
            deadline = find_deadline(
                editor.draft, credential, self.sightings.superseded, self.sightings.fetched, self.now
            )
            if deadline <= self.now:
                editor.delete(credential)
            else:
                editor.change(credential, retire_at=deadline)
        for account_id, domains in self.domains:
            account = editor.draft.find(Account, account_id)
            if account is not None and account.former_domains == domains:
                editor.change(account, former_domains=())
        for account_id in self.tokens:
            account = editor.draft.find(Account, account_id)
            if account is not None and _has_spent_token(account, self.now):
                editor.change(account, former_token_digest=None, former_token_until=None)


def find_retirement(
    inventory: Inventory,
    retiring: Iterable[int],
    sightings: Sightings,
    behind: Callable[[Inventory, Account], bool],
    now: float,
) -> Retirement:
    """What is over. ``retiring`` are credentials that were replaced; ``behind`` is asked of accounts that moved."""
    credentials = [inventory.get(Credential, credential_id) for credential_id in sorted(retiring)]
    deadlines = [
        find_deadline(inventory, credential, sightings.superseded, sightings.fetched, now) for credential in credentials
    ]
    accounts = sorted(inventory.all(Account), key=lambda account: account.id)
    return Retirement(
        now=now,
        sightings=sightings,
        credentials=tuple(
            credential.id
            for credential, deadline in zip(credentials, deadlines, strict=True)
            if deadline <= now or deadline != credential.retire_at
        ),
        domains=tuple(
            (account.id, account.former_domains)
            for account in accounts
            if account.former_domains and not behind(inventory, account)
        ),
        tokens=tuple(account.id for account in accounts if _has_spent_token(account, now)),
    )


def find_deadline(
    inventory: Inventory, credential: Credential, superseded: AbstractSet[int], fetched: AbstractSet[int], now: float
) -> float:
    """Until when a credential that was replaced is valid, with what is known by now.

    ``superseded`` are lines that have registered with their active credential, ``fetched`` carriers that hold it.
    """
    until = credential.retire_at if credential.retire_at is not None else now
    if credential.line_id in superseded:
        return now
    if until > now + OVERLAP_SECONDS and _carrier_id(inventory, credential) in fetched:
        return now + OVERLAP_SECONDS
    return until


def _has_spent_token(account: Account, now: float) -> bool:
    return account.former_token_digest is not None and (account.former_token_until or 0.0) <= now


def _carrier_id(inventory: Inventory, credential: Credential) -> int | None:
    device = inventory.get(Device, inventory.get(Line, credential.line_id).device_id)
    carrier = inventory.carrier_of(device)
    return carrier.id if carrier is not None else None

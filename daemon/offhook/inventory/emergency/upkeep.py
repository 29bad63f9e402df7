"""Validates in the background what was entered while nobody could be asked, or in a document; and what is old, again.

Drafts are asked about in the order in which they were seen, a few at once. When the validator is out of reach all of
them wait, longer each time, and those that were tried go to the end, so that one address that a validator chokes on
does not stand in the way of the others. What was judged is brought into the inventory many at a time, and only where
it still stands as it was judged.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

import structlog

from offhook.clock import Clock
from offhook.errors import StoreError, ValidatorUnreachable
from offhook.inventory.address import AddressState, CheckedBy, EmergencyAddress
from offhook.inventory.editor import Editor
from offhook.inventory.emergency.holders import HOLDERS, Holder, address_field, address_of
from offhook.inventory.emergency.validation import Authority, Validation
from offhook.inventory.emergency.validator import Valid, Verdict, apply_verdict
from offhook.inventory.rules import describe
from offhook.inventory.service import DAEMON, InventoryService
from offhook.inventory.snapshot import Inventory

#: Holders looked at before others may run: well under a millisecond's work.
_LOOKED_AT: Final = 512
#: Addresses that are asked about before what came of it is written.
_ROUND: Final = 256
_AT_ONCE: Final = 4
_RETRY_SECONDS: Final = 30.0
_RETRY_LIMIT_SECONDS: Final = 3600.0
#: How often everything is looked through for what has become old.
_RESCAN_SECONDS: Final = 3600.0

log = structlog.get_logger()

#: What has the address: its kind and id.
_Key = tuple[type[Holder], int]


@dataclass(frozen=True, slots=True)
class _Judged:
    key: _Key
    verdict: Verdict


class AddressUpkeep:
    """Everything that is due, and when to ask."""

    def __init__(self, service: InventoryService, validation: Validation, clock: Clock) -> None:
        self._service = service
        self._validation = validation
        self._clock = clock
        self._seen = Inventory()
        self._due: dict[_Key, None] = {}
        #: First come, first served.
        self._rescan_at = clock.monotonic()
        self._ask_at = clock.monotonic()
        self._delay = _RETRY_SECONDS

    @property
    def waiting(self) -> int:
        """Addresses that are still to be asked about."""
        return len(self._due)

    def use(self, authority: Authority) -> None:
        """Asks somebody else from now on, and at once: what waited for the one before need not."""
        self._validation.authority = replace(authority, since=self._clock.now())
        self._rescan_at = self._ask_at = self._clock.monotonic()
        self._delay = _RETRY_SECONDS

    async def tend(self) -> None:
        """Asks about what is due, if it is time to; to be called every second or so."""
        now = self._clock.monotonic()
        if now >= self._rescan_at:
            self._rescan_at = now + _RESCAN_SECONDS
            self._seen = Inventory()
        await self._scan()
        if self._due and now >= self._ask_at:
            await self._bring_in(await self._ask(list(islice(self._due, _ROUND))))

    async def _scan(self) -> None:
        """Notes what is due among all that differs from what was looked at last."""
        before, inventory = self._seen, self._service.inventory
        if inventory is before:
            return
        authority, now = self._validation.authority, self._clock.now()
        for kind in HOLDERS:
            for part in inventory.changed_since(before, kind):
                ids = iter(part)
                while some := list(islice(ids, _LOOKED_AT)):
                    for holder in [inventory.find(kind, holder_id) for holder_id in some]:
                        address = address_of(holder) if holder is not None else None
                        if holder is not None and address is not None and is_due(address, authority, now):
                            self._due[kind, holder.id] = None
                    await asyncio.sleep(0)
                await asyncio.sleep(0)
        self._seen = inventory

    async def _ask(self, keys: Sequence[_Key]) -> list[_Judged]:
        judged: list[_Judged] = []
        for start in range(0, len(keys), _AT_ONCE):
            part = keys[start : start + _AT_ONCE]
            answers = await asyncio.gather(*map(self._judge, part))
            judged += [answer for answer in answers if isinstance(answer, _Judged)]
            if trouble := [answer for answer in answers if isinstance(answer, ValidatorUnreachable)]:
                self._put_off(part, trouble[0])
                return judged
        if judged and self._delay > _RETRY_SECONDS:
            self._delay = _RETRY_SECONDS
            log.info("emergency.validator.reached", waiting=self.waiting)
        return judged

    async def _judge(self, key: _Key) -> _Judged | ValidatorUnreachable | None:
        holder = self._service.inventory.find(*key)
        address = address_of(holder) if holder is not None else None
        if address is None or not is_due(address, self._validation.authority, self._clock.now()):
            self._due.pop(key, None)
            return None
        try:
            return _Judged(key, await self._validation.judge(address.entered))
        except ValidatorUnreachable as error:
            return error

    def _put_off(self, keys: Iterable[_Key], error: ValidatorUnreachable) -> None:
        for key in keys:
            if key in self._due:
                del self._due[key]
                self._due[key] = None
        log.warning(
            "emergency.validator.unreachable", reason=str(error), waiting=self.waiting, retry_seconds=self._delay
        )
        self._ask_at = self._clock.monotonic() + self._delay
        self._delay = min(2 * self._delay, _RETRY_LIMIT_SECONDS)

    async def _bring_in(self, judged: Sequence[_Judged]) -> None:
        """All of it in one change."""

        def edit(editor: Editor) -> None:
            for one in judged:
                holder = editor.draft.find(*one.key)
                address = address_of(holder) if holder is not None else None
                if holder is not None and address is not None:
                    settled = apply_verdict(address, one.verdict, editor.now)
                    editor.change(holder, **{address_field(holder): settled})

        if not judged:
            return
        try:
            await self._service.keep(edit, DAEMON)
        except StoreError as error:
            log.error("emergency.verdicts.not_stored", reason=str(error), count=len(judged))
            self._ask_at = self._clock.monotonic() + _RETRY_SECONDS
            return
        for one in judged:
            self._due.pop(one.key, None)
        refused = [one for one in judged if not isinstance(one.verdict, Valid)]
        for one in refused:
            log.warning("emergency.address.refused", holder=self._describe(one.key))
        log.info("emergency.addresses.judged", valid=len(judged) - len(refused), refused=len(refused))

    def _describe(self, key: _Key) -> str:
        inventory = self._service.inventory
        holder = inventory.find(*key)
        return describe(holder, inventory) if holder is not None else f"{key[0].__name__.lower()} {key[1]}, deleted"


def is_due(address: EmergencyAddress, authority: Authority, now: float) -> bool:
    """Whether to ask about an address: a draft, one that only its form spoke for, or one judged long ago.

    What was refused is asked about again when the authority is another one, such as a newer file of street ranges.
    """
    if address.state is AddressState.DRAFT:
        return True
    by = authority.judge_of(address.entered)
    if by is CheckedBy.FORM:
        return False
    if address.state is AddressState.VALID and address.in_force_by is CheckedBy.FORM:
        return True
    checked_at = address.checked_at or 0.0
    if address.state is AddressState.REJECTED and checked_at < authority.since:
        return True
    return now - checked_at > authority.recheck_after_seconds

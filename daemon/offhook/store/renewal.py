"""Every secret moved to a new data key, a batch at a time, while the daemon works.

Batches are changes among the others, in their turn, so neither is lost. No revision rises: what a secret is, and so
what a phone is given, stays the same. Whoever asks for the next batch may stop at any; it goes on where it was.
"""

from dataclasses import dataclass
from itertools import islice
from typing import Final

from offhook.errors import Conflict
from offhook.inventory.ports import InventoryStore
from offhook.inventory.resealing import find_outdated, reseal
from offhook.inventory.service import InventoryService
from offhook.inventory.snapshot import Inventory
from offhook.store.rotation import Keys

#: Entities in one transaction: a fraction of a second.
BATCH: Final = 1000


@dataclass(frozen=True, slots=True)
class Progress:
    """What a batch did."""

    data_key: int
    #: The one that secrets move to.
    resealed: int
    left: int
    #: Accounts, users, devices and so on whose secrets were sealed anew, and those that remain.
    dropped: tuple[int, ...] = ()
    #: Data keys that nothing needs any more; they are gone.


class Renewal:
    """Moves the secrets of the inventory."""

    def __init__(self, keys: Keys, service: InventoryService, store: InventoryStore) -> None:
        self._keys = keys
        self._service = service
        self._store = store

    async def begin(self) -> Progress:
        """Makes a new data key, unless secrets are still to be moved to the one that is current; then a batch.

        Raises StoreUnavailable where the disk fails, KeyUnusable where a secret does not open.
        """

        def renew(inventory: Inventory) -> Inventory:
            self._keys.renew()
            return inventory

        await self._service.rewrite(renew)
        return await self.go_on(self._keys.current_data_key)

    async def go_on(self, data_key: int) -> Progress:
        """The next batch; with the last one, data keys that nothing needs any more are dropped.

        Raises Conflict where that data key is not current, else as :meth:`begin`.
        """
        if data_key != self._keys.current_data_key:
            raise Conflict(f"the data key {data_key} is not current", remedy="begin again: offhook key reseal")
        box, done, left = self._keys.box, 0, 0

        def move(inventory: Inventory) -> Inventory:
            nonlocal done, left
            draft = inventory.draft()
            outdated = find_outdated(inventory, box.is_current)
            for entity in islice(outdated, BATCH):
                reseal(draft, entity, box)
                done += 1
            left = sum(1 for _ in outdated)
            if done:
                self._store.commit(draft.changes, ())
            return draft.freeze()

        await self._service.rewrite(move)
        # In a turn of its own: the secrets that everyone sees by then are those under the current key.
        dropped: tuple[int, ...] = ()

        def drop(inventory: Inventory) -> Inventory:
            nonlocal dropped
            dropped = self._keys.drop_unused()
            return inventory

        if not left:
            await self._service.rewrite(drop)
        return Progress(data_key, done, left, dropped)

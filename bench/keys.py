"""What it takes to change the keys of a large inventory: a new root key, then a new data key for every secret.

It runs with 50,000 phones, or as many as its argument says; each has a user, and a line with a credential.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from offhook.adapters import CurrentVendors
from offhook.clock import SystemClock
from offhook.events import EventBus
from offhook.inventory.editor import Workshop
from offhook.inventory.generated import IdSource, new_password, new_token
from offhook.inventory.models import Account, Credential, Device, DeviceType, Entity, Line, User
from offhook.inventory.ports import ConfigDigests, Put, SecretBox
from offhook.inventory.service import InventoryService
from offhook.inventory.snapshot import Inventory
from offhook.provisioning.catalog import find_shipped_templates, load_catalog
from offhook.store.key_file import KeyFile
from offhook.store.renewal import Renewal
from offhook.store.rotation import Keys
from offhook.store.sql.data_keys import SqlDataKeys
from offhook.store.sql.engine import migrate, open_engine
from offhook.store.sql.inventory import SqlInventoryStore

PHONES: Final = 50_000


class _NoFiles:
    """Phones without templates: revisions do not depend on how anything is sealed."""

    def digests(self, inventory: Inventory, carrier: Device) -> ConfigDigests | None:
        return None


def fleet(box: SecretBox, phones: int) -> Iterator[Entity]:
    """An account with so many phones."""
    yield Account(id=1, name="acme", sip_domain="acme.test", sealed_token=box.seal(new_token(), "account:1:token"))
    for number in range(phones):
        user, device, line, credential = range(10 * number + 10, 10 * number + 14)
        pin = box.seal(new_password("0123456789", 4), f"user:{user}:default_pin")
        yield User(id=user, account_id=1, username=f"user{number}", sealed_default_pin=pin)
        token = box.seal(new_token(), f"device:{device}:token")
        yield Device(id=device, account_id=1, type=DeviceType.GENERIC, phone_id=f"{number}", sealed_token=token)
        yield Line(id=line, account_id=1, device_id=device, index=1, user_id=user)
        yield Credential(
            id=credential,
            line_id=line,
            auth_username=f"{number}-abc234",
            realm="acme.test",
            aor_user=f"{number}",
            ha1=(("MD5", f"{number:032x}"),),
            sealed_secret=box.seal(new_token(), f"credential:{credential}:secret"),
        )


async def measure(folder: Path, phones: int, executor: ThreadPoolExecutor) -> None:
    """Prints how long each step takes."""
    clock, path = SystemClock(), folder / "inventory.db"
    file = KeyFile.of(folder, {})
    keyring = file.open(create=True)
    engine = open_engine(path)
    migrate(engine, path, folder / "backups")
    keys = Keys(file, keyring, SqlDataKeys(engine), clock)
    store = SqlInventoryStore(engine, keys.box)
    store.commit([Put(entity) for entity in fleet(keys.box, phones)], ())
    catalog = load_catalog([find_shipped_templates()])
    service = InventoryService(
        store,
        Workshop(IdSource(clock), keys.box, CurrentVendors(lambda: catalog)),
        _NoFiles(),
        bus=EventBus(lambda *_: None),
        clock=clock,
        executor=executor,
    )
    await service.load()
    secrets = sum(key.secrets for key in keys.describe().data_keys)

    began = time.perf_counter()
    keys.rotate()
    print(f"a new root key, with {secrets} secrets: {1000 * (time.perf_counter() - began):.0f} ms")

    renewal, batches, began = Renewal(keys, service, store), [], time.perf_counter()
    progress, resealed = None, 0
    while progress is None or progress.left:
        batch = time.perf_counter()
        progress = await (renewal.go_on(progress.data_key) if progress else renewal.begin())
        batches.append(time.perf_counter() - batch)
        resealed += progress.resealed
    print(
        f"a new data key: {resealed} records in {time.perf_counter() - began:.1f} s, "
        f"{len(batches)} batches of {1000 * sorted(batches)[len(batches) // 2]:.0f} ms (median)"
    )
    engine.dispose()


def main() -> None:
    phones = int(sys.argv[1]) if len(sys.argv) > 1 else PHONES
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as executor:
        asyncio.run(measure(Path(folder), phones, executor))


if __name__ == "__main__":
    main()

"""The inventory comes back from the database as it went in, in one transaction, with its secrets sealed."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from tests.inventory.test_apply import snapshot
from tests.support.inventory import account, credential, device, line, user
from tests.support.keys import new_box
from tests.support.workbench import JANE, K2, FakeDigests, FakeVendors, InlineExecutor, StillClock, raise_error

from offhook.errors import KeyUnusable, StoreUnavailable
from offhook.events import EventBus
from offhook.inventory.apply import ApplyOptions
from offhook.inventory.editor import Workshop
from offhook.inventory.generated import IdSource
from offhook.inventory.models import Credential, User
from offhook.inventory.ports import AuditRecord, Delete, Put
from offhook.inventory.service import InventoryService
from offhook.inventory.snapshot import Inventory
from offhook.store.sql.engine import migrate, open_engine
from offhook.store.sql.inventory import SqlInventoryStore

BOX = new_box()
RECORD = AuditRecord(1.0, "jane", "uid 1000", "request 1", "create", "user", "user jane", "", "{}")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(tmp_path / "inventory.db")
    migrate(engine, tmp_path / "inventory.db", tmp_path / "backups")
    yield engine
    engine.dispose()


@pytest.fixture
def store(engine: Engine) -> SqlInventoryStore:
    return SqlInventoryStore(engine, BOX)


def service_on(store: SqlInventoryStore) -> InventoryService:
    clock = StillClock()
    return InventoryService(
        store,
        Workshop(IdSource(clock), BOX, FakeVendors()),
        FakeDigests(),
        bus=EventBus(raise_error),
        clock=clock,
        executor=InlineExecutor(),
    )


def count(engine: Engine, table: str) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


async def test_an_inventory_with_everything_comes_back_the_same(store: SqlInventoryStore) -> None:
    service = service_on(store)
    await service.apply(service.document(K2.encode(), "site.yaml"), ApplyOptions(), JANE)
    again = service_on(store)
    await again.load()
    assert snapshot(again.inventory) == snapshot(service.inventory)


def read_database(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("inventory.db*"))


async def test_neither_passwords_nor_hashes_nor_tokens_are_readable_in_the_file(
    store: SqlInventoryStore, tmp_path: Path
) -> None:
    service = service_on(store)
    document = K2.replace("user: rlee}", "lines: [{index: 1, user: rlee, password: 'Sesame!234'}]}")
    await service.apply(service.document(document.encode(), "site.yaml"), ApplyOptions(), JANE)
    raw = read_database(tmp_path)
    assert b"jsmith" in raw
    secrets = [
        BOX.open(credential.sealed_secret, f"credential:{credential.id}:secret").reveal()
        for credential in service.inventory.all(Credential)
    ]
    assert "Sesame!234" in secrets
    secrets += [value for credential in service.inventory.all(Credential) for _, value in credential.ha1]
    [acme] = [entity for entity in store.load() if type(entity) is type(account())]
    secrets.append(service.reveal_account_token(acme).reveal())
    assert not [secret for secret in secrets if secret.encode() in raw]


def test_names_and_extensions_swap_in_one_commit(store: SqlInventoryStore) -> None:
    jane, robin = user(2, username="jane", extension="2001"), user(3, username="robin", extension="2002")
    store.commit([Put(account()), Put(jane), Put(robin)], [])
    store.commit([Put(replace(jane, username="robin")), Put(replace(robin, username="jane"))], [])
    assert {entity.id: entity.username for entity in store.load() if isinstance(entity, User)} == {
        2: "robin",
        3: "jane",
    }


def test_a_commit_is_whole_or_not_at_all(store: SqlInventoryStore, engine: Engine) -> None:
    orphan = line(7, device_id=99)
    with pytest.raises(StoreUnavailable, match=r"the inventory was not changed: FOREIGN KEY constraint failed\."):
        store.commit([Put(account()), Put(orphan)], [RECORD])
    assert list(store.load()) == []
    assert count(engine, "audit") == 0


def test_changes_and_their_audit_are_one(store: SqlInventoryStore, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE audit"))
    with pytest.raises(StoreUnavailable):
        store.commit([Put(account())], [RECORD])
    assert list(store.load()) == []


def test_what_is_deleted_is_gone_and_a_thousand_at_once_are_no_trouble(store: SqlInventoryStore) -> None:
    devices = [device(i) for i in range(10, 1210)]
    store.commit([Put(account()), *map(Put, devices)], [])
    store.commit([Delete(entity) for entity in devices], [])
    assert list(store.load()) == [account()]


def test_a_database_that_fails_is_unavailable(store: SqlInventoryStore, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE carriers"))
    with pytest.raises(StoreUnavailable, match="the inventory cannot be read"):
        list(store.load())


def test_hashes_that_another_key_sealed_are_not_read(store: SqlInventoryStore, engine: Engine) -> None:
    store.commit([Put(account()), Put(device()), Put(line()), Put(credential())], [])
    other = SqlInventoryStore(engine, new_box())
    with pytest.raises(KeyUnusable, match="sealed with another key"):
        Inventory(other.load())

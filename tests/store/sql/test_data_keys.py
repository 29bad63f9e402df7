"""Data keys are made once, found again by the root key that wraps them, and cover every secret."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, LargeBinary, inspect, text
from tests.support.inventory import account, credential, device, line
from tests.support.keys import KEYRING, ROOT, begin_as_before

from offhook.errors import KeyUnusable, StoreUnavailable
from offhook.inventory.models import Credential
from offhook.inventory.ports import Put
from offhook.inventory.resealing import SEALED_FIELDS
from offhook.secret import Secret
from offhook.store.envelope import Envelope, Purpose
from offhook.store.keys import Keyring, RootKey
from offhook.store.sql.data_keys import SEALED_COLUMNS, SqlDataKeys
from offhook.store.sql.engine import migrate, open_engine
from offhook.store.sql.inventory import TABLES, SqlInventoryStore
from offhook.store.sql.tables import key_check, metadata

OTHER = RootKey(b"1" * 32)

#: Columns of bytes that hold no secret that could be opened: digests, and the wrapped keys themselves.
WITHOUT_SECRETS = {
    "accounts.token_digest",
    "accounts.former_token_digest",
    "devices.token_digest",
    "admin_tokens.digest",
    "data_keys.wrapped",
}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(tmp_path / "inventory.db")
    migrate(engine, tmp_path / "inventory.db", tmp_path / "backups")
    yield engine
    engine.dispose()


@pytest.fixture
def table(engine: Engine) -> SqlDataKeys:
    return SqlDataKeys(engine)


def test_every_column_of_bytes_is_known_to_hold_a_secret_or_none(engine: Engine) -> None:
    of_bytes = {
        str(column)
        for table in metadata.sorted_tables
        if table is not key_check
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }
    sealed = {str(column) for column in SEALED_COLUMNS}
    assert sealed | WITHOUT_SECRETS == of_bytes
    assert not sealed & WITHOUT_SECRETS
    in_the_database = {
        f"{name}.{column['name']}"
        for name in inspect(engine).get_table_names()
        for column in inspect(engine).get_columns(name)
        if isinstance(column["type"], LargeBinary) and name != "key_check"
    }
    assert in_the_database == of_bytes


def test_every_sealed_column_is_a_field_that_is_sealed_anew_or_written_with_one() -> None:
    of_fields = {f"{TABLES[kind].name}.{field}" for kind, fields in SEALED_FIELDS.items() for field in fields}
    assert {str(column) for column in SEALED_COLUMNS} - of_fields == {"credentials.ha1"}
    assert of_fields <= {str(column) for column in SEALED_COLUMNS}
    assert Credential in SEALED_FIELDS


def test_the_first_start_makes_random_keys_and_the_next_finds_them(table: SqlDataKeys) -> None:
    made = table.open(KEYRING, 5.0)
    assert [(key.id, key.purpose, key.is_current, key.created_at) for key in made] == [
        (1, Purpose.DERIVATION, True, 5.0),
        (2, Purpose.SECRETS, True, 5.0),
    ]
    assert len({ROOT.reveal(), *(key.key for key in made)}) == 3
    assert table.open(KEYRING, 6.0) == made
    assert table.wrapped_under() == {1: (ROOT.id, 5.0), 2: (ROOT.id, 5.0)}


def test_where_the_root_key_sealed_itself_it_goes_on_deriving(table: SqlDataKeys, engine: Engine) -> None:
    begin_as_before(engine, OTHER)
    made = table.open(Keyring(ROOT, OTHER), 5.0)
    assert made[0].key == OTHER.reveal()
    assert made[1].key not in (OTHER.reveal(), ROOT.reveal())
    assert table.open(KEYRING, 6.0) == made
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM key_check")).scalar() == 0


@pytest.mark.parametrize("is_older", [True, False])
def test_another_root_key_is_refused_by_its_name(table: SqlDataKeys, engine: Engine, is_older: bool) -> None:
    if is_older:
        begin_as_before(engine)
    else:
        table.open(KEYRING, 5.0)
    with pytest.raises(KeyUnusable, match=f"another key: .*{ROOT.id.hex()}, and the key file holds {OTHER.id.hex()}"):
        table.open(Keyring(OTHER), 6.0)


def test_a_start_with_a_new_key_before_the_old_wraps_anew(table: SqlDataKeys) -> None:
    made = table.open(KEYRING, 5.0)
    assert table.open(Keyring(OTHER, ROOT), 6.0) == made
    assert table.wrapped_under() == {1: (OTHER.id, 6.0), 2: (OTHER.id, 6.0)}
    assert table.open(Keyring(OTHER), 7.0) == made
    assert table.open(Keyring(OTHER, ROOT), 8.0) == made
    assert table.wrapped_under() == {1: (OTHER.id, 6.0), 2: (OTHER.id, 6.0)}


def test_secrets_are_counted_by_the_key_that_sealed_them(table: SqlDataKeys, engine: Engine) -> None:
    first = table.open(KEYRING, 5.0)
    box = Envelope(first)
    store = SqlInventoryStore(engine, box)
    phone, lone = device(token="phonephonephonephonephone2"), account()

    def seal(text: str, context: str) -> bytes:
        return box.seal(Secret(text), context)

    sealed_device = Put(replace(phone, sealed_token=seal("a", "device:1:token")))
    store.commit([Put(replace(lone, sealed_token=b"")), sealed_device, Put(line())], ())
    assert table.count_sealed() == {first[1].header: 1}

    second = table.replace_current(first, KEYRING, 6.0)
    box.use(second)
    store.commit([Put(replace(credential(), sealed_secret=seal("b", "credential:1:secret")))], ())
    assert [(key.id, key.is_current) for key in second] == [(1, True), (2, False), (3, True)]
    assert table.count_sealed() == {first[1].header: 1, second[2].header: 2}
    assert table.open(KEYRING, 7.0) == second

    table.drop([second[1]])
    assert table.open(KEYRING, 8.0) == (second[0], second[2])
    assert [key.id for key in table.replace_current(second, KEYRING, 9.0)] == [1, 2, 3, 4]


def test_a_database_that_fails_is_unavailable_and_nothing_is_half_done(table: SqlDataKeys, engine: Engine) -> None:
    keys = table.open(KEYRING, 5.0)
    with engine.begin() as connection:
        connection.execute(
            text("CREATE TRIGGER t BEFORE UPDATE ON data_keys WHEN new.id = 2 BEGIN SELECT raise(ABORT, 'no'); END")
        )
    with pytest.raises(StoreUnavailable, match="data keys cannot be read or written: no"):
        table.rewrap(keys, Keyring(OTHER, ROOT), 6.0)
    with pytest.raises(StoreUnavailable):
        table.replace_current(keys, KEYRING, 6.0)
    assert table.wrapped_under() == {1: (ROOT.id, 5.0), 2: (ROOT.id, 5.0)}
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE data_keys"))
        connection.execute(text("DROP TABLE credentials"))
    for work in (lambda: table.drop(keys), table.wrapped_under, table.count_sealed, lambda: table.open(KEYRING, 7.0)):
        with pytest.raises(StoreUnavailable):
            work()

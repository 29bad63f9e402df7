"""What stands in a database of an earlier schema is there afterwards, in the form of the new one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, text
from tests.support.keys import new_box

from offhook.inventory.models import Account, Device, Feature, Features, Line, Number, StationType, User
from offhook.inventory.snapshot import Inventory
from offhook.store.sql import engine as engine_module
from offhook.store.sql.engine import migrate, open_engine
from offhook.store.sql.inventory import SqlInventoryStore

#: An account's row in schema 0001, and those of what it has; ``X''`` is a blob.
ACCOUNTS = """
INSERT INTO accounts (id, name, sip_domain, former_domains, access, digest_algorithms, language, timezone, tones,
                      token_digest, sealed_token)
VALUES (1, 'acme', 'acme.test', '[]', 'token', '["MD5"]', 'en', 'UTC', 'us', X'01', X'02'),
       (2, 'globex', 'globex.test', '[]', 'token', '["MD5"]', 'en', 'UTC', 'us', X'03', X'04')
"""
USERS = """
INSERT INTO users (id, account_id, username, first_name, last_name, plan, voicemail_to_email, pin_hash, pin_is_default)
VALUES (10, 1, 'jane', 'Jane', 'Smith', 'pro', 0, NULL, 1)
"""
NUMBERS = """
INSERT INTO numbers (id, account_id, number, extension, status, is_main, station_type, display_first, display_last,
                     user_id, features, pin_hash, pin_is_default, pin_failures)
VALUES (20, 1, '+12125550101', '0101', 'active', 0, 'Premium', 'Jane', 'S.', 10, '[]', '$argon2id$x', 0, 2),
       (21, 1, '+12125550102', '0102', 'active', 0, 'premium', '', '', NULL, '[]', NULL, 1, 0),
       (22, 1, '+12125550103', '0103', 'reserved', 0, 'Common area', '', '', NULL, '[]', NULL, 1, 0),
       (23, 1, '+12125550104', '0104', 'active', 1, NULL, '', '', NULL, '[]', NULL, 1, 0),
       (24, 2, '+12125550201', '0201', 'active', 0, 'Premium', '', '', NULL, '[]', NULL, 1, 0)
"""
DEVICES = """
INSERT INTO devices (id, account_id, type, mac, state, phone_id, token_digest, sealed_token, created_at)
VALUES (30, 1, 'deskphone', '001565123456', 'active', '100001', X'05', X'06', 1.0)
"""
LINES = """
INSERT INTO lines (id, account_id, device_id, "index", appearances, number_id) VALUES (40, 1, 30, 1, 1, 20)
"""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An engine on a database of schema 0001 with a little in it."""
    engine = open_engine(tmp_path / "inventory.db")
    config = Config()
    config.set_main_option("script_location", str(engine_module._MIGRATIONS))
    with engine.connect() as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    with engine.begin() as connection:
        for rows in (ACCOUNTS, USERS, NUMBERS, DEVICES, LINES):
            connection.execute(text(rows))
    yield engine
    engine.dispose()


@pytest.fixture
def migrated(engine: Engine, tmp_path: Path) -> Inventory:
    assert migrate(engine, tmp_path / "inventory.db", tmp_path / "backups") is not None
    return Inventory(SqlInventoryStore(engine, new_box()).load())


def test_labels_become_station_types_that_allow_everything(migrated: Inventory) -> None:
    kinds = {(kind.account_id, kind.name): kind for kind in migrated.all(StationType)}
    assert set(kinds) == {(1, "Premium"), (1, "Common area"), (2, "Premium")}
    assert all(kind.features == tuple(Feature) for kind in kinds.values())
    assert min(kind.id for kind in kinds.values()) > 40
    numbers = {number.number: number.station_type_id for number in migrated.all(Number)}
    assert numbers == {
        "+12125550101": kinds[1, "Premium"].id,
        "+12125550102": kinds[1, "Premium"].id,
        "+12125550103": kinds[1, "Common area"].id,
        "+12125550104": None,
        "+12125550201": kinds[2, "Premium"].id,
    }


def test_pins_and_features_begin_anew_and_the_rest_stays(migrated: Inventory) -> None:
    number = migrated.get(Number, 20)
    assert (number.pin_hash, number.pin_failures, number.sealed_default_pin) == ("$argon2id$x", 2, b"")
    assert (number.features, number.display_name, number.user_id) == (Features(), "Jane S.", 10)
    user = migrated.get(User, 10)
    assert (user.pin_hash, user.pin_failures, user.sealed_default_pin, user.is_authorised) == (None, 0, b"", False)
    line = migrated.get(Line, 40)
    assert (line.number_id, line.logged_in_at) == (20, None)
    assert migrated.get(Device, 30).former_identifiers == ()
    assert migrated.count(Account) == 2


def test_references_hold_afterwards(engine: Engine, migrated: Inventory) -> None:
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA foreign_key_check")).all() == []

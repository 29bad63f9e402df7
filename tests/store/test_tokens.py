from pathlib import Path

import pytest
from sqlalchemy import Engine

from offhook.errors import StoreUnavailable
from offhook.store.sql.engine import open_engine
from offhook.store.sql.tables import metadata
from offhook.store.tokens import AdminToken, Role, SqlTokenStore


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    engine = open_engine(tmp_path / "inventory.db")
    metadata.create_all(engine)
    return engine


def _token(number: int) -> AdminToken:
    return AdminToken(
        id=number,
        name=f"token {number}",
        role=Role.OPERATOR,
        digest=bytes([number]) * 32,
        created_at=1.5,
        expires_at=2.5 if number % 2 else None,
    )


def test_what_was_added_is_loaded(engine: Engine) -> None:
    store = SqlTokenStore(engine)
    tokens = [_token(1), _token(2)]
    for token in tokens:
        store.add(token)
    assert list(SqlTokenStore(engine).load()) == tokens


def test_removing_one_leaves_the_others(engine: Engine) -> None:
    store = SqlTokenStore(engine)
    store.add(_token(1))
    store.add(_token(2))
    store.remove(1)
    assert list(store.load()) == [_token(2)]


def test_the_last_use_is_remembered(engine: Engine) -> None:
    store = SqlTokenStore(engine)
    store.add(_token(1))
    store.note_used(1, 99.0)
    assert [token.last_used_at for token in store.load()] == [99.0]


def test_a_database_that_cannot_be_written_says_so(engine: Engine) -> None:
    store = SqlTokenStore(engine)
    store.add(_token(1))
    with pytest.raises(StoreUnavailable, match="admin tokens were not changed"):
        store.add(_token(1))

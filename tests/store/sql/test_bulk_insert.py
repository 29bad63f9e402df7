from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Engine, Integer, LargeBinary, MetaData, Table, Text, create_engine, event, insert, select
from sqlalchemy.dialects import postgresql

from offhook.store.sql.bulk_insert import BulkInsert
from offhook.store.sql.tables import EnumText


class Colour(StrEnum):
    RED = "red"


METADATA = MetaData()
THINGS = Table(
    "things",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("colour", EnumText(Colour)),
    Column("content", LargeBinary),
    Column("note", Text, server_default="none"),
)
ROWS: list[dict[str, Any]] = [
    {"content": b"\x00\xff", "name": "ä'?", "colour": Colour.RED},
    {"name": ":x %s", "colour": None, "content": None},
]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = create_engine(f"sqlite:///{tmp_path / 'things.db'}")
    METADATA.create_all(made)
    yield made
    made.dispose()


def test_rows_are_written_as_sqlalchemy_writes_them(engine: Engine) -> None:
    bulk = BulkInsert(THINGS, ("colour", "name", "content"), engine.dialect)
    columns = THINGS.c.name, THINGS.c.colour, THINGS.c.content
    with engine.begin() as connection:
        bulk.execute(connection, ROWS)
        written = connection.execute(select(*columns)).all()
        connection.execute(insert(THINGS), ROWS)
        both = connection.execute(select(*columns)).all()
    assert [row.name for row in written] == ["ä'?", ":x %s"]
    assert [*both] == [*written, *written]


def test_they_are_one_statement_for_the_driver(engine: Engine) -> None:
    executed: list[bool] = []
    event.listen(engine, "before_cursor_execute", lambda *arguments: executed.append(arguments[-1]))
    bulk = BulkInsert(THINGS, ("name", "colour", "content"), engine.dialect)
    with engine.begin() as connection:
        bulk.execute(connection, ROWS)
        bulk.execute(connection, [])
    assert executed == [True]


def test_a_dialect_that_names_its_parameters_is_given_names() -> None:
    given: list[Any] = []

    class Recorder:
        def exec_driver_sql(self, statement: str, parameters: Any) -> None:
            given.extend((statement, parameters))

    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    recorder: Any = Recorder()
    BulkInsert(THINGS, ("name", "colour"), dialect).execute(recorder, ROWS)
    statement, parameters = given
    assert statement.startswith("INSERT INTO things (name, colour) VALUES (%(name)s")
    assert "RETURNING" not in statement
    assert parameters == [{"name": "ä'?", "colour": "red"}, {"name": ":x %s", "colour": None}]

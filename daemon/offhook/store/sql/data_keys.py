"""The data keys of inventory.db: made at the first start, wrapped anew, replaced, and dropped when nothing needs them.

Whatever changes the table begins with a write, so that it waits its turn instead of failing half-way.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

import structlog
from sqlalchemy import Column, Connection, Engine, LargeBinary, delete, func, insert, select, update
from sqlalchemy.exc import DBAPIError

from offhook.errors import KeyUnusable, StoreUnavailable
from offhook.store.envelope import (
    HEADER_BYTES,
    DataKey,
    Purpose,
    new_data_key,
    unwrap,
    wrap,
    wrapped_under,
)
from offhook.store.keys import Keyring
from offhook.store.sql import tables
from offhook.store.sql.tables import data_keys

log = structlog.get_logger()

#: What holds a secret: by their names, so that no new one is forgotten.
SEALED_COLUMNS: Final[tuple[Column[bytes], ...]] = tuple(
    column
    for table in tables.metadata.sorted_tables
    if table is not tables.key_check
    for column in table.columns
    if isinstance(column.type, LargeBinary) and (column.name.startswith("sealed_") or column.name == "ha1")
)


class SqlDataKeys:
    """The table ``data_keys``. Calls block."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def open(self, keyring: Keyring, now: float) -> tuple[DataKey, ...]:
        """Every data key, at a start; makes those of a new database.

        What another of the keyring's keys wraps is wrapped anew under the one in use: so a rotation that was cut off
        is completed. Raises KeyUnusable where none opens it, StoreUnavailable where the disk fails.
        """
        try:
            with self._engine.begin() as connection:
                rows = connection.execute(select(data_keys).order_by(data_keys.c.id)).mappings().all()
                if not rows:
                    keys = _first_keys(connection, keyring, now)
                    _insert(connection, keys, keyring, now)
                    connection.execute(delete(tables.key_check))
                    return keys
                keys = tuple(
                    DataKey(
                        id=row["id"],
                        purpose=Purpose(row["purpose"]),
                        key=unwrap(row["wrapped"], row["id"], Purpose(row["purpose"]), keyring),
                        created_at=row["created_at"],
                        is_current=row["is_current"],
                    )
                    for row in rows
                )
                if any(wrapped_under(row["wrapped"]) != keyring.current.id for row in rows):
                    _rewrap(connection, keys, keyring, now)
                    log.info("store.keys.rewrapped", root_key=keyring.current.id.hex())
                return keys
        except DBAPIError as error:
            raise _unavailable(error) from None

    def rewrap(self, keys: Iterable[DataKey], keyring: Keyring, now: float) -> None:
        """Wraps all of them under the key in use: all or, after StoreUnavailable, it is not known which."""
        try:
            with self._engine.begin() as connection:
                _rewrap(connection, keys, keyring, now)
        except DBAPIError as error:
            raise _unavailable(error) from None

    def replace_current(self, keys: Sequence[DataKey], keyring: Keyring, now: float) -> tuple[DataKey, ...]:
        """Makes a new data key for secrets, and gives all of them. Raises StoreUnavailable."""
        new = new_data_key(max(key.id for key in keys) + 1, Purpose.SECRETS, now)
        try:
            with self._engine.begin() as connection:
                former = data_keys.c.purpose == Purpose.SECRETS.value
                connection.execute(update(data_keys).where(former).values(is_current=False))
                _insert(connection, [new], keyring, now)
        except DBAPIError as error:
            raise _unavailable(error) from None
        return (*(replace(key, is_current=False) if key.purpose is Purpose.SECRETS else key for key in keys), new)

    def drop(self, keys: Iterable[DataKey]) -> None:
        """Deletes them. Raises StoreUnavailable."""
        try:
            with self._engine.begin() as connection:
                connection.execute(delete(data_keys).where(data_keys.c.id.in_([key.id for key in keys])))
        except DBAPIError as error:
            raise _unavailable(error) from None

    def wrapped_under(self) -> dict[int, tuple[bytes, float]]:
        """By id of a data key, the id of the root key that wraps it, and since when."""
        try:
            with self._engine.connect() as connection:
                rows = connection.execute(select(data_keys.c.id, data_keys.c.wrapped, data_keys.c.wrapped_at)).all()
        except DBAPIError as error:
            raise _unavailable(error) from None
        return {key_id: (wrapped_under(wrapped), since) for key_id, wrapped, since in rows}

    def count_sealed(self) -> Counter[bytes]:
        """How many secrets are sealed under each key, by the header that names it."""
        found: Counter[bytes] = Counter()
        try:
            with self._engine.connect() as connection:
                for column in SEALED_COLUMNS:
                    header = func.substr(column, 1, HEADER_BYTES, type_=LargeBinary())
                    query = select(header, func.count()).where(func.length(column) > 0).group_by(header)
                    found.update({bytes(held): count for held, count in connection.execute(query)})
        except DBAPIError as error:
            raise _unavailable(error) from None
        return found


def _first_keys(connection: Connection, keyring: Keyring, now: float) -> tuple[DataKey, ...]:
    """Random ones; where secrets were sealed before there were data keys, what they are derived from stays the same."""
    derivation = new_data_key(1, Purpose.DERIVATION, now)
    check = connection.execute(select(tables.key_check.c.sealed)).scalar()
    if check is not None:
        root = keyring.find(wrapped_under(check))
        if root is None:
            raise KeyUnusable(
                f"the secrets were sealed with another key: {wrapped_under(check).hex()}, and the key file holds "
                f"{keyring.describe()}. Put back the key file that belongs to this state_dir."
            )
        derivation = replace(derivation, key=root.reveal())
    return derivation, new_data_key(2, Purpose.SECRETS, now)


def _insert(connection: Connection, keys: Iterable[DataKey], keyring: Keyring, now: float) -> None:
    rows = [
        {
            "id": key.id,
            "purpose": key.purpose.value,
            "wrapped": wrap(key, keyring.current),
            "is_current": key.is_current,
            "created_at": key.created_at,
            "wrapped_at": now,
        }
        for key in keys
    ]
    connection.execute(insert(data_keys), rows)


def _rewrap(connection: Connection, keys: Iterable[DataKey], keyring: Keyring, now: float) -> None:
    for key in keys:
        values = {"wrapped": wrap(key, keyring.current), "wrapped_at": now}
        connection.execute(update(data_keys).where(data_keys.c.id == key.id).values(values))


def _unavailable(error: DBAPIError) -> StoreUnavailable:
    return StoreUnavailable(
        f"the data keys cannot be read or written: {error.orig}. Check the disk of the state_dir, then try again."
    )

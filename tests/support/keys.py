"""Keys for tests: a root key of zeros, and a box with data keys that no database holds."""

import os
from collections.abc import Iterable
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Engine, delete, insert, select, update

from offhook.inventory.models import Entity
from offhook.inventory.ports import SecretBox
from offhook.inventory.resealing import find_sealed
from offhook.secret import Secret
from offhook.store.envelope import Envelope, Purpose, new_data_key
from offhook.store.keys import Keyring, RootKey
from offhook.store.sql import tables
from offhook.store.sql.data_keys import SEALED_COLUMNS

ROOT: Final = RootKey(bytes(32))
KEYRING: Final = Keyring(ROOT)


def new_box() -> Envelope:
    """A box that opens what it sealed itself."""
    return Envelope([new_data_key(1, Purpose.DERIVATION, 0.0), new_data_key(2, Purpose.SECRETS, 0.0)])


def seal_directly(secret: Secret, context: str, root: RootKey = ROOT) -> bytes:
    """As it was done before there were data keys."""
    nonce = os.urandom(12)
    sealed = AESGCM(root.derive("secrets")).encrypt(nonce, secret.reveal().encode(), context.encode())
    return b"\x01" + root.id + nonce + sealed


def begin_as_before(engine: Engine, root: RootKey = ROOT) -> None:
    """Makes an empty database one of those that are older than data keys."""
    with engine.begin() as connection:
        check = seal_directly(Secret("offhook"), "key check", root)
        connection.execute(delete(tables.data_keys))
        connection.execute(insert(tables.key_check).values(id=1, sealed=check))


def seal_all_directly(engine: Engine, box: Envelope, root: RootKey = ROOT) -> None:
    """Brings everything in a database that began so to how it was sealed then."""
    with engine.begin() as connection:
        for column in SEALED_COLUMNS:
            name = column.name.removeprefix("sealed_")
            for row_id, sealed in connection.execute(select(column.table.c.id, column)).all():
                context = f"{column.table.name.removesuffix('s')}:{row_id}:{name}"
                if sealed:
                    older = seal_directly(box.open(sealed, context), context, root)
                    connection.execute(
                        update(column.table).where(column.table.c.id == row_id).values({column.name: older})
                    )
    begin_as_before(engine, root)


def secrets_of(entities: Iterable[Entity], box: SecretBox) -> dict[str, str]:
    """Every secret by its context. Raises KeyUnusable where one does not open."""
    return {
        sealed.context: box.open(sealed.content, sealed.context).reveal()
        for entity in entities
        for sealed in find_sealed(entity)
    }

"""Admin tokens in the inventory's database: what they may do, and the digest under which each is found."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, Self

from sqlalchemy import Delete, Engine, Insert, Update, delete, insert, select, update
from sqlalchemy.exc import DBAPIError

from offhook.errors import StoreUnavailable
from offhook.store.sql.tables import admin_tokens


class Role(StrEnum):
    """What somebody may do; each may all that the ones before it may."""

    VIEWER = "viewer"
    #: Looks at everything but secrets.
    OPERATOR = "operator"
    #: Changes the inventory, reloads devices, and with the scope ``reveal`` hands out provisioning URLs.
    ADMINISTRATOR = "administrator"
    #: Makes tokens, and with the scope ``reveal`` shows passwords.

    def allows(self, needed: Self) -> bool:
        """Whether this role is enough for what needs ``needed``."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


class Scope(StrEnum):
    """What a role does not give by itself: a token states it beside its role."""

    REVEAL = "reveal"
    #: Secrets of phones: their passwords, and the tokens under which they are given them.


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminToken:
    """A bearer token, without its text: that is shown once, when it is made."""

    id: int
    name: str
    #: Unique; compared without case.
    role: Role
    digest: bytes
    #: SHA-256 of the text.
    created_at: float
    expires_at: float | None = None
    #: None: never.
    last_used_at: float | None = None
    scopes: tuple[Scope, ...] = ()
    accounts: tuple[int, ...] = ()
    #: Ids of the accounts that it reaches; empty: all of them. A name may become another account's, an id never.
    networks: tuple[str, ...] = ()
    #: CIDR blocks that it may be used from; empty: anywhere.


class TokenStore(Protocol):
    """Where tokens are kept. Calls block: they are made from a worker thread."""

    def load(self) -> Iterable[AdminToken]:
        """Every token."""
        ...

    def add(self, token: AdminToken) -> None:
        """Writes a new token durably, or raises StoreUnavailable."""
        ...

    def remove(self, token_id: int) -> None:
        """Deletes a token durably, or raises StoreUnavailable."""
        ...

    def note_used(self, token_id: int, at: float) -> None:
        """Remembers when a token was last used, or raises StoreUnavailable."""
        ...


class SqlTokenStore:
    """The table ``admin_tokens``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def load(self) -> Iterable[AdminToken]:
        with self._engine.connect() as connection:
            rows = connection.execute(select(admin_tokens).order_by(admin_tokens.c.id)).mappings().all()
        return [
            AdminToken(**{**row, "role": Role(row["role"]), "scopes": tuple(map(Scope, row["scopes"]))}) for row in rows
        ]

    def add(self, token: AdminToken) -> None:
        self._write(
            insert(admin_tokens).values(
                id=token.id,
                name=token.name,
                role=token.role.value,
                digest=token.digest,
                created_at=token.created_at,
                expires_at=token.expires_at,
                scopes=token.scopes,
                accounts=token.accounts,
                networks=token.networks,
            )
        )

    def remove(self, token_id: int) -> None:
        self._write(delete(admin_tokens).where(admin_tokens.c.id == token_id))

    def note_used(self, token_id: int, at: float) -> None:
        self._write(update(admin_tokens).where(admin_tokens.c.id == token_id).values(last_used_at=at))

    def _write(self, statement: Insert | Update | Delete) -> None:
        try:
            with self._engine.begin() as connection:
                connection.execute(statement)
        except DBAPIError as error:
            raise StoreUnavailable(
                f"the admin tokens were not changed: {error.orig}. Check the disk of the state_dir, then try again."
            ) from None

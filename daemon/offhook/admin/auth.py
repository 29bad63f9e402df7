"""Who asks, and what they may: peers of the local socket by their uid, everybody else by a bearer token.

A token is 256 random bits, so it is stored as its plain SHA-256 and found by that: what the look-up's time tells is
about digests, of which no one can choose a prefix.
"""

import asyncio
import hashlib
import pwd
import secrets
import socket
import struct
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from enum import StrEnum
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

import structlog

from offhook.clock import Clock
from offhook.errors import Conflict, Invalid, NotFound, RequestRefused, StoreError
from offhook.inventory.identifiers import parse_label
from offhook.inventory.reach import Reach
from offhook.secret import Secret
from offhook.store.tokens import AdminToken, Role, Scope, TokenStore

log = structlog.get_logger()

PREFIX: Final = "ofh_"
_RANDOM_BYTES: Final = 32
_TEXT_LIMIT: Final = 128
#: How often "last used" is written; it is for people who clean up.
_USE_NOTED_SECONDS: Final = 300.0
_MAX_TOKENS: Final = 1000
_MAX_NETWORKS: Final = 32
_SOCKET: Final = "socket"

#: struct ucred of unix(7): pid, uid, gid.
_UCRED: Final = struct.Struct("3i")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a request comes from."""

    name: str
    #: ``uid 1000 (anna)``, or ``token NAME``.
    origin: str
    #: ``socket``, or the address.
    role: Role
    scopes: frozenset[Scope] = frozenset()
    reach: Reach | None = None
    #: The accounts that it may see and change; None: all, and the daemon itself.
    token_id: int = 0
    #: 0: it showed none.

    @property
    def is_local(self) -> bool:
        """Whether it came by the local socket."""
        return self.origin == _SOCKET

    def may(self, role: Role, scope: Scope | None = None) -> bool:
        """Whether role and scopes are enough."""
        return self.role.allows(role) and (scope is None or scope in self.scopes)


class Refusal(StrEnum):
    """Why a token identifies nobody. Whoever shows it is not told which; the log is."""

    UNKNOWN = "unknown"
    EXPIRED = "expired"
    NETWORK = "network"
    #: It is used from where it may not be.


def identify_peer(peer: socket.socket) -> Identity:
    """Whoever may open the local socket is an administrator; the kernel says who it is (SO_PEERCRED)."""
    _, uid, _ = _UCRED.unpack(peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
    return Identity(describe_user(uid), _SOCKET, Role.ADMINISTRATOR, frozenset(Scope))


def describe_user(uid: int) -> str:
    """``uid 1000 (anna)``, without the name where the machine knows none."""
    try:
        return f"uid {uid} ({pwd.getpwuid(uid).pw_name})"
    except KeyError:
        return f"uid {uid}"


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


class Tokens:
    """The admin tokens: all of them in memory, changes on disk before they count."""

    def __init__(self, store: TokenStore, clock: Clock, executor: Executor, new_id: Callable[[], int]) -> None:
        self._store = store
        self._clock = clock
        self._executor = executor
        self._new_id = new_id
        self._by_digest: dict[bytes, AdminToken] = {}
        self._turn = asyncio.Lock()

    async def load(self) -> None:
        """Reads the store."""
        loop = asyncio.get_running_loop()
        tokens = await loop.run_in_executor(self._executor, lambda: list(self._store.load()))
        self._by_digest = {token.digest: token for token in tokens}

    def all(self) -> Sequence[AdminToken]:
        """Every token by name, expired ones too."""
        return sorted(self._by_digest.values(), key=lambda token: token.name.casefold())

    async def create(
        self,
        name: str,
        role: Role,
        expires_at: float | None,
        *,
        scopes: Iterable[Scope] = (),
        accounts: Iterable[int] = (),
        networks: Iterable[str] = (),
    ) -> tuple[AdminToken, Secret]:
        """A new token, and its text, which is nowhere else. Raises Invalid, Conflict, StoreUnavailable."""
        name = parse_label(name)
        if name in (".", ".."):
            raise Invalid(
                f"{name!r} cannot name a token", field="name", rule="it is part of a URL", remedy="choose a word"
            )
        blocks, granted = parse_networks(networks), frozenset(scopes)
        now = self._clock.now()
        if expires_at is not None and expires_at <= now:
            raise Invalid("the token would have expired already", field="expires_at", remedy="name a time to come")
        async with self._turn:
            if self._find(name) is not None:
                raise Conflict(
                    f"there is a token {name} already",
                    field="name",
                    rule="the name of a token is unique",
                    remedy=f"choose another name, or run: offhook token revoke {name!r}",
                )
            if len(self._by_digest) >= _MAX_TOKENS:
                raise Conflict(f"there are {_MAX_TOKENS} tokens", remedy="revoke those that are not used any more")
            text = PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
            token = AdminToken(
                id=self._new_id(),
                name=name,
                role=role,
                digest=_digest(text),
                created_at=now,
                expires_at=expires_at,
                scopes=tuple(scope for scope in Scope if scope in granted),
                accounts=tuple(sorted(set(accounts))),
                networks=blocks,
            )
            await asyncio.get_running_loop().run_in_executor(self._executor, self._store.add, token)
            self._by_digest[token.digest] = token
        return token, Secret(text)

    async def revoke(self, name: str) -> AdminToken:
        """Deletes a token; it counts no more from now on. Raises NotFound, StoreUnavailable."""
        async with self._turn:
            token = self.get(name)
            await asyncio.get_running_loop().run_in_executor(self._executor, self._store.remove, token.id)
            del self._by_digest[token.digest]
        return token

    def get(self, name: str) -> AdminToken:
        """The token of that name. Raises NotFound."""
        token = self._find(name)
        if token is None:
            raise NotFound(f"there is no token {name}", field="name", remedy="see: offhook token list")
        return token

    def _find(self, name: str) -> AdminToken | None:
        return next((token for token in self._by_digest.values() if token.name.casefold() == name.casefold()), None)

    async def identify(self, text: str, source: str) -> Identity | Refusal:
        """Whose token that is, shown by an address."""
        if not text.startswith(PREFIX) or len(text) > _TEXT_LIMIT:
            return Refusal.UNKNOWN
        token = self._by_digest.get(_digest(text))
        now = self._clock.now()
        if token is None:
            return Refusal.UNKNOWN
        if token.expires_at is not None and token.expires_at <= now:
            return Refusal.EXPIRED
        if token.networks and not _is_within(source, token.networks):
            return Refusal.NETWORK
        if token.last_used_at is None or now - token.last_used_at >= _USE_NOTED_SECONDS:
            await self._note_used(token, now)
        return Identity(
            name=f"token {token.name}",
            origin=source,
            role=token.role,
            scopes=frozenset(token.scopes),
            reach=frozenset(token.accounts) or None,
            token_id=token.id,
        )

    def counts(self, identity: Identity) -> bool:
        """Whether somebody who was identified would be still: tokens are revoked, and expire."""
        if identity.is_local:
            return True
        token = next((token for token in self._by_digest.values() if token.id == identity.token_id), None)
        return token is not None and (token.expires_at is None or token.expires_at > self._clock.now())

    async def _note_used(self, token: AdminToken, now: float) -> None:
        self._by_digest[token.digest] = replace(token, last_used_at=now)
        try:
            await asyncio.get_running_loop().run_in_executor(self._executor, self._store.note_used, token.id, now)
        except StoreError as error:
            log.warning("admin.token.use_not_noted", token=token.name, error=str(error))


def parse_networks(texts: Iterable[str]) -> tuple[str, ...]:
    """CIDR blocks as they are kept. Raises Invalid."""
    found: dict[str, None] = {}
    for text in texts:
        try:
            found[str(ip_network(text.strip()))] = None
        except ValueError as error:
            raise Invalid(
                f"{text[:64]!r} is no network: {error}",
                field="networks",
                rule="CIDR (RFC 4632, RFC 4291)",
                remedy="write it like 10.0.0.0/8, 192.0.2.7 or fd00::/8",
            ) from None
    if len(found) > _MAX_NETWORKS:
        raise Invalid(
            f"{len(found)} networks are more than a token can have",
            field="networks",
            rule=f"at most {_MAX_NETWORKS}",
            remedy="write larger ones",
        )
    return tuple(found)


def _is_within(source: str, networks: Iterable[str]) -> bool:
    try:
        address = ip_address(source)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in ip_network(network) for network in networks)


class Penalties:
    """Slows down who shows wrong tokens: so many a minute and source, then 429 until the minute is over.

    A right token is taken at all times, since a proxy gives all its clients one address.
    """

    def __init__(self, clock: Clock, *, allowed: int = 10, seconds: float = 60.0, sources: int = 4096) -> None:
        self._clock = clock
        self._allowed = allowed
        self._seconds = seconds
        self._sources = sources
        self._failures: OrderedDict[str, tuple[float, int]] = OrderedDict()
        #: Source: when its minute began, and wrong tokens since. Where the table is full, the oldest goes.

    def note_wrong_token(self, source: str, reason: Refusal) -> None:
        """Counts it. Raises RequestRefused with 429 where there were too many."""
        now = self._clock.monotonic()
        began, count = self._failures.get(source, (now, 0))
        if now - began >= self._seconds:
            self._failures.pop(source, None)
            began, count = now, 0
        self._failures[source] = (began, count + 1)
        if len(self._failures) > self._sources:
            self._failures.popitem(last=False)
        if count == 0:
            log.warning("admin.token.refused", source=source, reason=reason.value)
        if count >= self._allowed:
            wait = int(began + self._seconds - now) + 1
            raise RequestRefused(
                429, "too many wrong tokens came from this address", remedy="wait", retry_after_seconds=wait
            )

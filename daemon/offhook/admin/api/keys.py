"""The keys that secrets are sealed with, by their ids; never the keys themselves."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from offhook.admin.ports import Services
from offhook.admin.routes import Call, Route, format_time, json_response
from offhook.store.rotation import KeyUse
from offhook.store.tokens import Role

T = TypeVar("T")


class ResealBody(BaseModel):
    """Which batch of secrets is to be sealed anew."""

    model_config = ConfigDict(extra="forbid")

    data_key: Annotated[int, Field(ge=0, le=2**31)] | None = None
    #: The next batch for this data key, which an answer before it named. None: the first.


@dataclass(frozen=True, slots=True, kw_only=True)
class RootKeyView:
    """A root key in the key file."""

    id: str
    is_current: bool
    in_use_since: str | None
    #: null: it wraps nothing any more.


@dataclass(frozen=True, slots=True, kw_only=True)
class DataKeyView:
    """A data key, and how many secrets are sealed with it."""

    id: int
    purpose: str
    is_current: bool
    created_at: str | None
    root_key: str
    secrets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysView:
    """All keys."""

    file: str
    is_writable: bool
    #: false: systemd hands the key file over, and whoever put it there changes it.
    root_keys: tuple[RootKeyView, ...]
    data_keys: tuple[DataKeyView, ...]
    sealed_directly: int
    #: Secrets from before there were data keys.
    outdated: int
    #: Secrets that are not sealed with the data key that is current.


@dataclass(frozen=True, slots=True, kw_only=True)
class ResealView:
    """What a batch did."""

    data_key: int
    resealed: int
    left: int
    dropped: tuple[int, ...]
    #: Data keys that nothing needs any more; they are gone.


def routes(services: Services) -> list[Route]:
    keys = services.keys

    async def in_thread(work: Callable[[], T]) -> T:
        """Whatever becomes of the caller, it is done to its end."""
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(services.executor, work))

    async def show(call: Call) -> web.Response:
        """Shows the keys by their ids, and how many secrets each seals."""
        return json_response(_view(await in_thread(keys.describe)))

    async def rotate(call: Call) -> web.Response:
        """Puts a new root key in use, and wraps the data keys under it.

        The key before it stays in the key file, behind, for backups that were made with it.
        """
        await in_thread(keys.rotate)
        await services.inventory.record(call.actor, "rotate", "key", "root key")
        return json_response(_view(await in_thread(keys.describe)))

    async def forget(call: Call) -> web.Response:
        """Takes a root key that is not in use out of the key file. Backups that were made with it open no more."""
        key_id = call.path("id")
        await in_thread(lambda: keys.forget(key_id))
        await services.inventory.record(call.actor, "delete", "key", f"root key {key_id[:64]}")
        return json_response(_view(await in_thread(keys.describe)))

    async def reseal(call: Call) -> web.Response:
        """Seals secrets with a new data key, a batch at a time.

        The first call makes the data key, unless secrets are still to be moved to the one that is current. While
        the answer has something `left`, call again with its `data_key`.
        """
        body = await call.body(ResealBody)
        if body.data_key is None:
            await services.inventory.record(call.actor, "reseal", "key", "data key")
            progress = await services.renewal.begin()
        else:
            progress = await services.renewal.go_on(body.data_key)
        return json_response(
            ResealView(
                data_key=progress.data_key, resealed=progress.resealed, left=progress.left, dropped=progress.dropped
            )
        )

    return [
        Route(method="GET", path="/keys", role=Role.ADMINISTRATOR, handler=show, gives=KeysView, daemon_wide=True),
        Route(
            method="POST",
            path="/keys/rotate",
            role=Role.ADMINISTRATOR,
            handler=rotate,
            gives=KeysView,
            daemon_wide=True,
        ),
        Route(
            method="POST",
            path="/keys/reseal",
            role=Role.ADMINISTRATOR,
            handler=reseal,
            takes=ResealBody,
            gives=ResealView,
            daemon_wide=True,
        ),
        Route(
            method="DELETE",
            path="/keys/{id}",
            role=Role.ADMINISTRATOR,
            handler=forget,
            gives=KeysView,
            daemon_wide=True,
        ),
    ]


def _view(use: KeyUse) -> KeysView:
    return KeysView(
        file=use.file,
        is_writable=use.is_ours,
        root_keys=tuple(
            RootKeyView(id=key.id, is_current=key.is_current, in_use_since=format_time(key.in_use_since))
            for key in use.root_keys
        ),
        data_keys=tuple(
            DataKeyView(
                id=key.id,
                purpose=key.purpose.value,
                is_current=key.is_current,
                created_at=format_time(key.created_at),
                root_key=key.root_key,
                secrets=key.secrets,
            )
            for key in use.data_keys
        ),
        sealed_directly=use.sealed_directly,
        outdated=use.outdated,
    )

"""A backup of everything the daemon keeps, as one stream.

It may hold the key to every secret, so it is made for those on the local socket alone: passphrase and archive cross no
network.
"""

import asyncio
from http import HTTPStatus
from typing import Annotated, Final, Self

import structlog
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from offhook.admin.ports import Services
from offhook.admin.routes import Call, Route
from offhook.errors import RequestRefused
from offhook.secret import Secret
from offhook.store.backup import Backup
from offhook.store.tokens import Role

log = structlog.get_logger()

CONTENT_TYPE: Final = "application/vnd.offhook.backup"


class BackupBody(BaseModel):
    """What the backup is to hold: the key inside, under a passphrase, or not."""

    model_config = ConfigDict(extra="forbid")

    passphrase: Annotated[SecretStr, Field(min_length=12, max_length=1024)] | None = None
    without_key: bool = False

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.passphrase is None) is not self.without_key:
            raise ValueError("state a passphrase, or without_key: true")
        return self


def routes(services: Services) -> list[Route]:
    async def create(call: Call) -> web.StreamResponse:
        """Make a backup, and send it. On the local socket only."""
        if not call.identity.is_local:
            raise RequestRefused(
                403,
                "backups are made over the local socket only",
                remedy="on the daemon's machine, run: offhook backup FILE",
            )
        body = await call.body(BackupBody)
        passphrase = Secret(body.passphrase.get_secret_value()) if body.passphrase is not None else None
        how = "with the key, under a passphrase" if passphrase is not None else "without the key"
        await services.inventory.record(call.actor, "backup", "daemon", "everything", how)
        loop = asyncio.get_running_loop()
        making = loop.run_in_executor(services.executor, services.backups.make, passphrase, services.clock.now())
        making.add_done_callback(lambda made: _close_unwanted(made, wanted))
        wanted = [True]
        try:
            backup = await asyncio.shield(making)
        except asyncio.CancelledError:
            wanted.clear()
            raise
        try:
            return await _send(call.request, backup, services)
        finally:
            await asyncio.shield(loop.run_in_executor(services.executor, backup.close))

    return [
        Route(
            method="POST",
            path="/backups",
            role=Role.ADMINISTRATOR,
            handler=create,
            takes=BackupBody,
            gives_type=CONTENT_TYPE,
            status=HTTPStatus.CREATED,
            daemon_wide=True,
        )
    ]


def _close_unwanted(made: "asyncio.Future[Backup]", wanted: list[bool]) -> None:
    """Whoever asked has gone before it was made."""
    if not wanted and not made.cancelled() and made.exception() is None:
        made.result().close()


async def _send(request: web.Request, backup: Backup, services: Services) -> web.StreamResponse:
    """Once the response has begun, an error can only break it off: its length tells.

    The last piece leaves when the copies are gone, so that whoever has it may ask for the next backup at once.
    """
    response = web.StreamResponse(status=HTTPStatus.CREATED, headers={"Cache-Control": "no-store"})
    response.content_type = CONTENT_TYPE
    response.content_length = backup.size
    await response.prepare(request)
    pieces, loop, held = backup.pieces(), asyncio.get_running_loop(), b""
    try:
        while piece := await loop.run_in_executor(services.executor, next, pieces, b""):
            await response.write(held)
            held = piece
        await loop.run_in_executor(services.executor, backup.close)
        await response.write_eof(held)
    except OSError as error:
        log.warning("backup.broken_off", error=str(error))
        if request.transport is not None:
            request.transport.abort()
    return response

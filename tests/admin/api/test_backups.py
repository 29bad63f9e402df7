import io
from http import HTTPStatus
from pathlib import Path

import pytest
from tests.admin.conftest import Ask
from tests.support.admin_daemon import AdminDaemon
from tests.support.keys import KEYRING

from offhook.admin.routes import ROOT
from offhook.errors import Conflict
from offhook.secret import Secret
from offhook.store import archive
from offhook.store import backup as store_backup
from offhook.store.archive import Cost, Unsealed, read_header
from offhook.store.backup import extract
from offhook.store.tokens import Role

PASSPHRASE = "four words of mine"


@pytest.fixture(autouse=True)
def cheap_passphrases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "PASSPHRASE_COST", Cost(1, 64, 1))


@pytest.fixture(autouse=True)
def only_the_inventory(monkeypatch: pytest.MonkeyPatch, daemon: AdminDaemon) -> None:
    """The daemon of these tests has one database, and no table of Alembic's."""
    monkeypatch.setattr(store_backup, "DATABASES", ("inventory.db",))
    monkeypatch.setattr(store_backup, "_schema_revision", lambda _: "0001")


@pytest.mark.parametrize("body", [{"passphrase": PASSPHRASE}, {"without_key": True}])
async def test_a_backup_is_streamed_and_audited(daemon: AdminDaemon, tmp_path: Path, body: dict[str, object]) -> None:
    async with daemon.local() as client, client.post(f"{ROOT}/backups", json=body) as response:
        assert (response.status, response.headers["Cache-Control"]) == (HTTPStatus.CREATED, "no-store")
        content = await response.read()
        assert len(content) == int(response.headers["Content-Length"])
    file = io.BytesIO(content)
    header = read_header(file)
    if "passphrase" in body:
        key = header.derive_from_passphrase(Secret(PASSPHRASE))
    else:
        key = header.derive_from_keyring(KEYRING)
    folder = tmp_path / "out"
    folder.mkdir()
    manifest = extract(Unsealed(header, key, file), folder)
    assert manifest.has_key is ("passphrase" in body)
    record = daemon.services.audit.read(1)[0].record
    assert (record.action, record.kind) == ("backup", "daemon")
    assert record.reason.startswith("with the key" if manifest.has_key else "without the key")
    assert not list(daemon.socket.parent.glob(".backup-*"))


async def test_it_is_for_the_local_socket_alone(daemon: AdminDaemon) -> None:
    async with (
        await daemon.remote(Role.ADMINISTRATOR) as client,
        client.post(f"{ROOT}/backups", json={"without_key": True}) as response,
    ):
        assert response.status == HTTPStatus.FORBIDDEN
        assert "offhook backup FILE" in (await response.json(content_type=None))["remedy"]


@pytest.mark.parametrize(
    "body",
    [{}, {"passphrase": PASSPHRASE, "without_key": True}, {"passphrase": "short"}, {"passphrase": 7}, {"key": True}],
)
async def test_a_body_that_says_too_little_or_too_much_is_refused(ask: Ask, body: dict[str, object]) -> None:
    status, problem = await ask("POST", "/backups", json=body)
    assert status == 422
    assert PASSPHRASE not in str(problem)


async def test_while_one_is_made_another_is_a_conflict(ask: Ask, daemon: AdminDaemon) -> None:
    held = daemon.services.backups.make(None, 0.0)
    status, problem = await ask("POST", "/backups", json={"without_key": True})
    assert (status, problem["detail"]) == (409, "a backup is being made already")
    held.close()


async def test_who_goes_away_leaves_nothing_behind(ask: Ask, daemon: AdminDaemon, tmp_path: Path) -> None:
    for _ in range(2):
        async with daemon.local() as client:
            response = await client.post(f"{ROOT}/backups", json={"without_key": True})
            response.close()
    held = None
    while held is None:
        try:
            held = daemon.services.backups.make(None, 0.0)
        except Conflict:
            await ask("GET", "/status")
    held.close()
    assert not list(daemon.socket.parent.glob(".backup-*"))

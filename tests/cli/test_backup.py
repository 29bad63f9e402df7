import pytest
from tests.cli.conftest import Commands
from tests.support.admin_daemon import AdminDaemon

from offhook.store import archive
from offhook.store import backup as store_backup
from offhook.store.archive import Cost

PASSPHRASE = "four words of mine"


@pytest.fixture(autouse=True)
def small_daemon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The daemon of these tests has one database, without Alembic's table."""
    monkeypatch.setattr(archive, "PASSPHRASE_COST", Cost(1, 64, 1))
    monkeypatch.setattr(store_backup, "DATABASES", ("inventory.db",))
    monkeypatch.setattr(store_backup, "_schema_revision", lambda _: "0001")


def test_it_asks_twice_and_writes_a_file_for_its_owner_alone(offhook: Commands, daemon: AdminDaemon) -> None:
    file = offhook.folder / "offhook.backup"
    result = offhook("backup", str(file), text=f"{PASSPHRASE}\n{PASSPHRASE}\n")
    assert result.exit_code == 0, result.output
    assert "the passphrase opens it" in result.stdout
    assert PASSPHRASE not in result.output
    assert file.stat().st_mode & 0o777 == 0o600
    assert PASSPHRASE not in str([entry.record for entry in daemon.services.audit.read(5)])


def test_a_file_that_is_there_is_left_alone_without_force(offhook: Commands, daemon: AdminDaemon) -> None:
    file = offhook.folder / "offhook.backup"
    file.write_text("precious")
    result = offhook("backup", "--without-key", str(file))
    assert (result.exit_code, file.read_text()) == (1, "precious")
    assert "--force" in result.stderr
    assert "the key of this daemon opens it" in offhook.output("backup", "--without-key", "--force", str(file))
    assert file.stat().st_size > 1000


def test_what_the_daemon_refuses_leaves_no_file(offhook: Commands, daemon: AdminDaemon) -> None:
    held = daemon.services.backups.make(None, 0.0)
    result = offhook("backup", "--without-key", str(offhook.folder / "offhook.backup"))
    held.close()
    assert result.exit_code == 1
    assert "being made already" in result.stderr
    assert not list(offhook.folder.glob("*backup*"))


def test_no_passphrase_or_a_short_one_or_one_too_many_is_refused(offhook: Commands) -> None:
    file = str(offhook.folder / "offhook.backup")
    result = offhook("backup", file)
    assert result.exit_code == 1
    assert "--passphrase-file FILE" in result.stderr
    assert "fewer than 12" in offhook("backup", file, text="short\nshort\n").stderr
    assert offhook("backup", "--without-key", "--passphrase-file", file, file).exit_code == 2
    assert offhook("backup", "--passphrase", PASSPHRASE, file).exit_code == 2


def test_without_a_daemon_it_says_how_to_start_one(without_daemon: Commands) -> None:
    result = without_daemon("backup", "--without-key", str(without_daemon.folder / "offhook.backup"))
    assert result.exit_code == 1
    assert "no daemon answers" in result.stderr

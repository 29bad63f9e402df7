import pytest
from tests.cli.conftest import Commands
from tests.support.admin_daemon import AdminDaemon
from tests.support.keys import KEYRING, ROOT

from offhook.store import renewal
from offhook.store.key_file import KeyFile


def test_it_shows_ids_and_counts_and_no_key(offhook: Commands) -> None:
    shown = offhook.output("key", "show")
    assert ROOT.id.hex() in shown
    assert "derivation" in shown
    assert "secret.key" in shown
    assert "reseal" not in shown
    key = KEYRING.format().reveal().strip().partition(":")[2]
    assert key not in shown + offhook.output("key", "show", "--json")


def test_a_new_root_key_and_the_end_of_the_old(offhook: Commands) -> None:
    said = offhook.output("key", "rotate")
    new, old = (key["id"] for key in offhook.json("key", "show")["root_keys"])
    assert (new in said, old == ROOT.id.hex()) == (True, True)
    assert f"offhook key forget {old}" in said
    assert "opens older backups" in offhook.output("key", "show")

    refused = offhook("key", "forget", old)
    assert (refused.exit_code, "add --yes" in refused.stderr) == (1, True)
    assert "is forgotten" in offhook.output("key", "forget", old, "--yes")
    assert [key["id"] for key in offhook.json("key", "show")["root_keys"]] == [new]
    assert offhook("key", "forget", new, "--yes").exit_code == 1
    assert [key["is_current"] for key in offhook.json("key", "rotate")["root_keys"]] == [True, False]


def test_everything_is_sealed_anew_in_batches(offhook: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewal, "BATCH", 3)
    said = offhook.output("key", "reseal")
    assert "sealed with data key 3 now" in said
    assert "data key 2" in said
    assert offhook.json("key", "show")["outdated"] == 0
    again = offhook.json("key", "reseal")
    assert (again["data_key"], again["dropped"]) == (4, [3])
    assert again["resealed"] > 10


def test_one_that_was_cut_off_is_shown_with_what_to_do(offhook: Commands, daemon: AdminDaemon) -> None:
    daemon.call(daemon.services.keys.renew)
    shown = offhook.output("key", "show")
    assert "not sealed with the current data key. Next: offhook key reseal" in shown
    assert "being replaced" in shown
    assert offhook.json("key", "reseal")["data_key"] == 3


def test_a_credential_is_refused_with_what_to_do(offhook: Commands, daemon: AdminDaemon) -> None:
    keys = daemon.services.keys
    keys._file = KeyFile(offhook.folder / "secret.key", is_ours=False)
    refused = offhook("key", "rotate")
    assert refused.exit_code == 1
    assert "systemd hands over" in refused.stderr
    assert "docs/operations.md" in refused.stderr

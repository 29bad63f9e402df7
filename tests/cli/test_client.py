from pathlib import Path

import pytest
from tests.support.admin_daemon import in_background

from offhook.cli.client import Client
from offhook.cli.connection import UnixConnection
from offhook.cli.failure import Failure


@pytest.mark.parametrize(
    ("error", "message", "remedy"),
    [
        (FileNotFoundError(2, "x"), "no daemon answers on", "systemctl start offhook"),
        (ConnectionRefusedError(111, "x"), "no daemon answers on", "systemctl start offhook"),
        (PermissionError(13, "x"), "you may not open", "group offhook"),
        (TimeoutError(), "did not answer in time", "offhook doctor"),
        (BrokenPipeError(32, "Broken pipe"), "cannot be asked: Broken pipe", "offhook doctor"),
    ],
)
def test_what_is_in_the_way_is_told_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, error: OSError, message: str, remedy: str
) -> None:
    def fail(_self: UnixConnection) -> None:
        raise error

    monkeypatch.setattr(UnixConnection, "connect", fail)
    with pytest.raises(Failure) as failed:
        Client(Path("/run/offhook/admin.sock"), Path("offhook.yaml")).get("status")
    assert message in failed.value.message
    assert remedy in failed.value.remedy


def test_a_list_is_read_page_by_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("offhook.cli.client._PAGE", 2)
    with in_background(tmp_path) as daemon:
        client = Client(daemon.socket, Path("offhook.yaml"))
        assert len(list(client.list("devices"))) == 5
        assert len(list(client.list("devices", most=3))) == 3
        assert len(list(client.list("devices", most=9, account="acme"))) == 3


def test_an_internal_error_names_its_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("hunter2")

    with in_background(tmp_path) as daemon:
        monkeypatch.setattr(daemon.reloads, "recent", fail)
        with pytest.raises(Failure, match=r"failed at this request.*\(request [0-9a-f]{16}\)") as failed:
            Client(daemon.socket, Path("offhook.yaml")).get("reloads")
    assert "hunter2" not in failed.value.message


def test_a_fault_of_a_document_is_told_with_its_remedy(tmp_path: Path) -> None:
    document = b"accounts: [{name: acme, users: [{username: jane, location: Nowhere}]}]"
    with in_background(tmp_path) as daemon, pytest.raises(Failure) as failed:
        Client(daemon.socket, Path("offhook.yaml")).post_document("inventory", "plan", text=document, file="site.yaml")
    [fault] = failed.value.faults
    assert fault.startswith("site.yaml:1:")
    assert fault.endswith("account acme has no location 'Nowhere'; add it under locations")

from tests.cli.conftest import Commands
from tests.support.admin_daemon import AdminDaemon

from offhook.cli.client import Client
from offhook.cli.pbx import PbxExport


def test_it_is_told_what_and_why_and_when_that_changes(offhook: Commands, daemon: AdminDaemon) -> None:
    export = PbxExport(Client(daemon.socket, offhook.config), "asterisk", ("acme", "globex"), "office", "a test")
    known = export.wait_for_change("", 30)
    fetched = export.fetch()
    assert "--account acme --account globex" in fetched.text
    assert fetched.notes == ("2 lines without an extension are left out",)
    assert daemon.services.audit.read(1)[0].record.reason == "a test"
    assert "md5_cred" not in repr(fetched)
    assert export.wait_for_change(known, 0) == known

import pytest
from tests.cli.conftest import Commands
from tests.support.admin_daemon import AdminDaemon
from tests.support.pjsip_conf import PjsipConf

from offhook.cli.import_ import KINDS


def test_asterisk_is_given_its_sections(offhook: Commands, daemon: AdminDaemon) -> None:
    result = offhook("export", "--for", "asterisk", "--account", "acme", "--context", "office", "--reason", "new PBX")
    assert result.exit_code == 0, result.output
    conf = PjsipConf(result.stdout)
    conf.check_references()
    assert sorted(conf.of("endpoint")) == ["2001", "2002"]
    assert {it.values["context"] for it in conf.of("endpoint").values()} == {"office"}
    record = daemon.services.audit.read(1)[0].record
    assert (record.action, record.reason) == ("reveal", "new PBX")
    passwords = [line["password"] for line in offhook.json("line", "list", "--reveal")]
    assert not [password for password in passwords if password in result.stdout]


def test_what_is_left_out_is_said_beside_the_file_too(offhook: Commands) -> None:
    result = offhook("export", "--for", "kamailio", "--account", "globex")
    assert "Note: 2 lines without an extension are left out\n" in result.stderr
    assert "-- Note: 2 lines without an extension are left out\n" in result.stdout


def test_a_file_is_for_its_owner_alone_and_replaced_by_force_only(offhook: Commands) -> None:
    for arguments in (("--for", "kamailio"), ()):
        file = offhook.folder / f"exported{len(arguments)}"
        assert offhook.output("export", *arguments, "--output", str(file)) == ""
        assert file.read_text() == offhook.output("export", *arguments)
        assert file.stat().st_mode & 0o777 == 0o600
        assert offhook("export", *arguments, "--output", str(file)).exit_code == 1
        offhook.output("export", *arguments, "--output", str(file), "--force")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--for", "freeswitch"),
        ("--context", "x"),
        ("--watch", "--", "true"),
        ("--for", "kamailio", "--context", "x"),
        ("--for", "kamailio", "--secrets"),
        ("--for", "kamailio", "--watch"),
        ("--for", "kamailio", "true"),
    ],
)
def test_what_does_not_go_together_is_a_usage_error(without_daemon: Commands, arguments: tuple[str, ...]) -> None:
    assert without_daemon("export", *arguments).exit_code == 2


def test_a_table_is_imported_as_it_was_exported(offhook: Commands) -> None:
    for kind in KINDS:
        file = offhook.folder / f"{kind}.csv"
        offhook.output("export", "--csv", kind, "--output", str(file))
        assert file.read_bytes().startswith(b"\xef\xbb\xbfaccount,")
        assert offhook.output("import", "--kind", kind, str(file)).splitlines()[-1] == "Nothing to change."
    one = offhook.output("export", "--csv", "devices", "--account", "globex")
    assert "globex" in one
    assert "acme" not in one


def test_no_secret_is_in_a_table(offhook: Commands) -> None:
    for other in (["--secrets"], ["--for", "asterisk"]):
        result = offhook("export", "--csv", "all", *other)
        assert result.exit_code == 2
        assert "--csv goes without" in result.stderr

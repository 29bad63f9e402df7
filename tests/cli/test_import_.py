from tests.cli.conftest import Commands
from tests.support.admin_daemon import AdminDaemon

from offhook.cli.import_ import KINDS
from offhook.inventory.tabular.columns import Kind

TABLE = (
    "account;username;first_name;type;mac;vendor;extension\n"
    "acme;mlopez;Maria;deskphone;00:15:65:12:34:57;yealink;2003\n"
    "acme;jsmith;Joan;;;;\n"
    "acme;rlee;;;;;2002\n"
)


def test_the_kinds_are_those_of_the_api() -> None:
    assert tuple(Kind) == KINDS


def test_a_dry_run_reads_like_a_diff_and_changes_nothing(offhook: Commands, daemon: AdminDaemon) -> None:
    lines = offhook.output("import", "--dry-run", "-", text=TABLE).splitlines()
    assert lines[0] == "~ user jsmith"
    assert lines[1] == "    first name: Jane → Joan"
    assert "+ user mlopez" in lines
    assert "1 device would have to fetch again (offhook reload DEVICE)." in lines
    assert "    Reception (00:15:65:12:34:56), to revision 2" in lines
    assert "1 new device would have a first configuration to fetch." in lines
    assert lines[-1] == "A dry run: nothing was changed; 4 changes would be made."
    assert daemon.inventory.find_user("mlopez") is None


def test_importing_counts_by_kind_and_twice_changes_nothing_the_second_time(offhook: Commands) -> None:
    file = offhook.folder / "staff.csv"
    file.write_text(TABLE)
    lines = offhook.output("import", str(file)).splitlines()
    assert [line.split() for line in lines[:4]] == [
        ["KIND", "CREATED", "UPDATED", "UNCHANGED"],
        ["user", "1", "1", "1"],
        ["device", "1"],
        ["line", "1"],
    ]
    assert lines[-1] == "Imported: 4 changes."
    again = offhook.output("import", str(file)).splitlines()
    assert [line.split() for line in again[1:4]] == [["user", "3"], ["device", "1"], ["line", "1"]]
    assert again[-1] == "Nothing to change."
    assert offhook.json("import", str(file))["differences"] == []


def test_each_fault_stands_on_its_line_with_its_column(offhook: Commands, daemon: AdminDaemon) -> None:
    before = daemon.inventory
    file = offhook.folder / "bad.csv"
    file.write_text("username,extension\nx,1\n\njsmith,2002\n")
    result = offhook("import", "--account", "acme", str(file))
    assert result.exit_code == 1
    first, second, last = result.stderr.splitlines()
    assert first.startswith(f"{file}:2:2: extension: '1' is not an extension; write it in digits")
    assert second.startswith(f"{file}:4:2: extension: the extension 2002 is taken: by user rlee; choose another")
    assert last == "Error: the document has 2 faults; nothing was changed"
    assert daemon.inventory is before


def test_a_fault_of_a_whole_row_has_no_column(offhook: Commands) -> None:
    result = offhook("import", "-", text="username,first_name\n,Jane\n")
    assert result.stderr.splitlines()[0].startswith("<stdin>:1: the table does not say which account it is of")


def test_a_warning_says_where_and_what_to_do(offhook: Commands) -> None:
    file = offhook.folder / "old.csv"
    file.write_bytes("username,first_name\njorg,Jörg\n".encode("cp1252"))
    output = offhook.output("import", "--account", "acme", str(file))
    assert f"Warning: {file}:2: is not UTF-8 and was read as Windows-1252" in output
    assert 'save it as "CSV UTF-8' in output


def test_the_kind_can_be_said(offhook: Commands) -> None:
    result = offhook("import", "--kind", "numbers", "-", text="account,username\nacme,kim\n")
    assert "a table of numbers needs the column number" in result.stderr
    assert offhook("import", "--kind", "phones", "-", text="").exit_code == 2


def test_moving_a_user_wants_a_confirmation(offhook: Commands) -> None:
    text = "account,username,type,mac,vendor\nacme,jsmith,deskphone,00:15:65:12:34:57,yealink\n"
    assert "--confirm-moves moves the user" in offhook("import", "-", text=text).stderr
    assert offhook.output("import", "--confirm-moves", "-", text=text).splitlines()[-1].startswith("Imported: ")


def test_an_empty_table_is_told(offhook: Commands) -> None:
    result = offhook("import", "--account", "acme", "-", text="username\n")
    assert (result.exit_code, result.stdout) == (0, "Nothing to change.\n")
    assert "The table has no rows." in result.stderr

from tests.cli.conftest import Commands


def test_a_configuration_that_can_be_used(without_daemon: Commands) -> None:
    assert without_daemon.output("check-config") == f"{without_daemon.config} can be used\n"


def test_warnings_do_not_make_it_fail(without_daemon: Commands) -> None:
    without_daemon.config.write_text('state_dir: .\nadmin: {listen: "0.0.0.0:8000"}\n')
    assert "Warning: admin.listen: 0.0.0.0:8000 is open to other machines" in without_daemon.output("check-config")
    assert without_daemon.json("check-config")["warnings"]


def test_faults_end_it_with_2(without_daemon: Commands) -> None:
    without_daemon.config.write_text("nonsense: 1\n")
    assert without_daemon("check-config").exit_code == 2


def test_files_of_the_configuration_are_checked_too(without_daemon: Commands) -> None:
    (without_daemon.folder / "streets.csv").write_text("country,state\n")
    without_daemon.config.write_text(
        "state_dir: .\nemergency: {validator: street_ranges, street_ranges: streets.csv}\n"
    )
    result = without_daemon("check-config")
    assert result.exit_code == 2
    assert "streets.csv:1: the first line must name the columns" in result.output

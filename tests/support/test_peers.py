"""Missing programs are named, skipped, or failed on."""

from pathlib import Path

import pytest
from tests.support import peers


@pytest.fixture
def only_curl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH that has curl and nothing else."""
    program = tmp_path / "curl"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(peers.REQUIRE_VARIABLE, raising=False)
    return program


def test_a_program_that_is_there_is_found(only_curl: Path) -> None:
    assert peers.require_peer("curl") == str(only_curl)


def test_a_missing_program_skips_in_one_sentence(only_curl: Path) -> None:
    with pytest.raises(pytest.skip.Exception, match=r"^sipp is not installed: apt-get install sip-tester$"):
        peers.require_peer("sipp")


def test_a_missing_program_fails_where_all_are_required(only_curl: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(peers.REQUIRE_VARIABLE, "1")
    with pytest.raises(pytest.fail.Exception, match=r"^tftp is not installed: apt-get install tftp-hpa$"):
        peers.require_peer("tftp")


def test_missing_packages_are_one_line(only_curl: Path, capsys: pytest.CaptureFixture[str]) -> None:
    peers.main(["--packages"])
    assert capsys.readouterr().out.split("\n") == [
        "atftp baresip-core busybox kamailio kamailio-sqlite-modules openssl sip-tester sipsak systemd tftp-hpa",
        "",
    ]


def test_nothing_is_printed_when_all_are_there(
    only_curl: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(peers, "PEERS", {"curl": peers.PEERS["curl"]})
    peers.main(["--packages"])
    assert capsys.readouterr().out == ""

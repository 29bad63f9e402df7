"""Every ``sh`` block of the documentation is run as it is printed, a document at a time, each on a daemon of its own.

Only what belongs to the reader's machine is put in place: where the configuration is, the port of the metrics, and
the folder for temporary files.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest
from tests.support.daemon import OFFHOOK, DaemonProcess
from tests.support.daemon import daemon as daemon

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])
_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_SECONDS = 50


def _blocks(document: Path) -> list[str]:
    return [match.group(1) for match in _BLOCK.finditer(document.read_text())]


def test_the_documents_that_show_commands_are_found() -> None:
    assert {document.name for document in DOCUMENTS if _blocks(document)} >= {
        "README.md",
        "operations.md",
        "administration.md",
    }


@pytest.mark.parametrize("document", [d for d in DOCUMENTS if _blocks(d)], ids=lambda document: document.name)
def test_every_command_works_as_printed(document: Path, daemon: DaemonProcess, tmp_path: Path) -> None:
    script = "".join(_blocks(document))
    script = re.sub(r"^export OFFHOOK_CONFIG=.*$", ":", script, flags=re.MULTILINE)
    script = script.replace(":9161/", f":{daemon.ports.metrics}/").replace("/tmp/", f"{tmp_path}/")
    environment = {
        **os.environ,
        "PATH": f"{OFFHOOK.parent}:{os.environ['PATH']}",
        "OFFHOOK_CONFIG": str(daemon.config_file),
    }
    finished = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert finished.returncode == 0, f"{script}\n{finished.stdout}\n{finished.stderr}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_every_link_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", document.read_text())
    missing = [link for link in links if not (document.parent / link).exists()]
    assert not missing

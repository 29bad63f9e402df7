"""The commands that the documentation shows, and how they are run as they are printed."""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.daemon import OFFHOOK, DaemonProcess

ROOT: Final = Path(__file__).parents[2]
#: Every document that is kept by hand.
DOCUMENTS: Final = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])
ADMINISTRATION: Final = ROOT / "docs" / "administration.md"
#: The section of it that sets up an office. A test of its own runs it, and looks at what came of it.
FIRST_OFFICE: Final = "A first office"

_BLOCK: Final = re.compile(r"^## (?P<heading>[^\n]*)$|^```sh\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """An ``sh`` block."""

    section: str
    #: The heading of the second level that it stands below.
    text: str


def read_blocks(document: Path) -> list[Block]:
    """The ``sh`` blocks of a document, in order."""
    blocks: list[Block] = []
    section = ""
    for match in _BLOCK.finditer(document.read_text()):
        if match["text"] is None:
            section = match["heading"]
        else:
            blocks.append(Block(section, match["text"]))
    return blocks


def run_as_printed(blocks: list[Block], daemon: DaemonProcess, folder: Path, *, seconds: float) -> str:
    """Runs blocks in one shell on a daemon, and gives what they print. AssertionError where a command fails.

    Only what belongs to the reader's machine is put in place: where the configuration is, the ports of the API and of
    the metrics, and the folder for temporary files.
    """
    script = "".join(block.text for block in blocks)
    script = re.sub(r"^export OFFHOOK_CONFIG=.*$", ":", script, flags=re.MULTILINE)
    script = script.replace(":9161/", f":{daemon.ports.metrics}/").replace(":8000/", f":{daemon.ports.admin}/")
    script = script.replace("/tmp/", f"{folder}/")
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
        timeout=seconds,
        check=False,
    )
    assert finished.returncode == 0, f"{script}\n{finished.stdout}\n{finished.stderr}"
    return finished.stdout

"""Every ``sh`` block of the documentation is run as it is printed, each document on a daemon of its own."""

import re
from pathlib import Path

import pytest
from tests.support.daemon import DaemonProcess
from tests.support.daemon import daemon as daemon
from tests.support.documents import ADMINISTRATION, DOCUMENTS, FIRST_OFFICE, Block, read_blocks, run_as_printed

_SECONDS = 120
#: What tests/docs/test_first_office.py runs as printed.
_RUN_ELSEWHERE = {(ADMINISTRATION, FIRST_OFFICE)}


def _blocks(document: Path) -> list[Block]:
    return [block for block in read_blocks(document) if (document, block.section) not in _RUN_ELSEWHERE]


def test_the_documents_that_show_commands_are_found() -> None:
    assert {document.name for document in DOCUMENTS if _blocks(document)} >= {
        "README.md",
        "operations.md",
        "administration.md",
    }


@pytest.mark.timeout(_SECONDS + 60)
@pytest.mark.parametrize("document", [d for d in DOCUMENTS if _blocks(d)], ids=lambda document: document.name)
def test_every_command_works_as_printed(document: Path, daemon: DaemonProcess, tmp_path: Path) -> None:
    run_as_printed(_blocks(document), daemon, tmp_path, seconds=_SECONDS)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_every_link_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", document.read_text())
    missing = [link for link in links if not (document.parent / link).exists()]
    assert not missing

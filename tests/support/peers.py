"""The programs of others that tests run against, and what to install where one is missing.

A test that needs one starts with ``program = require_peer("atftp")``. Without the program it is skipped, in one
sentence that names the package; with ``OFFHOOK_REQUIRE_PEERS=1`` in the environment it fails instead, so that a
run which is meant to be complete cannot pass by skipping. ``python -m tests.support.peers --packages`` prints the
Debian packages of those that are missing.
"""

import argparse
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pytest


@dataclass(frozen=True, slots=True)
class Peer:
    """A program that nobody here wrote."""

    executable: str
    debian_package: str


PEERS: Final = {
    "atftp": Peer("atftp", "atftp"),
    "tftp": Peer("tftp", "tftp-hpa"),
    "busybox": Peer("busybox", "busybox"),
    "curl": Peer("curl", "curl"),
    "baresip": Peer("baresip", "baresip-core"),
    "sipsak": Peer("sipsak", "sipsak"),
    "sipp": Peer("sipp", "sip-tester"),
    "systemd-analyze": Peer("systemd-analyze", "systemd"),
    "openssl": Peer("openssl", "openssl"),
    "kamailio": Peer("kamailio", "kamailio kamailio-sqlite-modules"),
}

REQUIRE_VARIABLE: Final = "OFFHOOK_REQUIRE_PEERS"


def require_peer(name: str) -> str:
    """The path of a program in :data:`PEERS`; where it is missing, skips or fails the test that asks."""
    peer = PEERS[name]
    path = shutil.which(peer.executable)
    if path is not None:
        return path
    sentence = f"{peer.executable} is not installed: apt-get install {peer.debian_package}"
    if os.environ.get(REQUIRE_VARIABLE) == "1":
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)


def missing_packages() -> list[str]:
    """Debian packages of the programs that are not on the PATH, in order."""
    return sorted({peer.debian_package for peer in PEERS.values() if shutil.which(peer.executable) is None})


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints what ``--packages`` asks for: one line, or nothing where all are there."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.peers", description="third-party test programs")
    parser.add_argument("--packages", action="store_true", required=True, help="print the missing Debian packages")
    parser.parse_args(arguments)
    packages = missing_packages()
    if packages:
        print(*packages)


if __name__ == "__main__":
    main()

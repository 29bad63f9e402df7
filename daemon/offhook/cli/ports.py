"""Whether a port can be had, and who has it: /proc tells (proc_net(5)), as far as one may look."""

import socket
from pathlib import Path
from typing import Final

from offhook.endpoint import Transport

_LISTEN: Final = "0A"
_UNCONNECTED: Final = "07"


def is_free(transport: Transport, host: str, port: int) -> None:
    """Tries to listen there, and lets go. Raises OSError with the reason why it cannot be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    kind = socket.SOCK_DGRAM if transport is Transport.UDP else socket.SOCK_STREAM
    with socket.socket(family, kind) as probe:
        if kind == socket.SOCK_STREAM:
            # What is in TIME_WAIT is in nobody's way; what listens still is.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        probe.bind((host, port))


def find_holder(transport: Transport, port: int, proc: Path = Path("/proc")) -> str | None:
    """Who listens on that port: ``process 812 (dnsmasq)``, ``another process`` where it may not be seen; or None."""
    wanted = _UNCONNECTED if transport is Transport.UDP else _LISTEN
    name = "udp" if transport is Transport.UDP else "tcp"
    inodes: set[str] = set()
    for table in (proc / "net" / name, proc / "net" / f"{name}6"):
        inodes |= _inodes(table, port, wanted)
    if not inodes:
        return None
    return _find_process(inodes, proc) or "another process"


def _inodes(table: Path, port: int, state: str) -> set[str]:
    """Inodes of the table's sockets on that port, in that state."""
    try:
        lines = table.read_text().splitlines()[1:]
    except OSError:
        return set()
    found = set()
    for line in lines:
        fields = line.split()
        if len(fields) > 9 and fields[3] == state and int(fields[1].rpartition(":")[2], 16) == port:
            found.add(fields[9])
    return found


def _find_process(inodes: set[str], proc: Path) -> str | None:
    wanted = {f"socket:[{inode}]" for inode in inodes}
    for folder in proc.iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            if any(str(link.readlink()) in wanted for link in (folder / "fd").iterdir()):
                return f"process {folder.name} ({(folder / 'comm').read_text().strip()})"
        except OSError:
            # It has ended, or belongs to somebody else.
            continue
    return None

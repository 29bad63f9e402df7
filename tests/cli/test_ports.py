import os
import socket
from pathlib import Path

import pytest

from offhook.cli.ports import find_holder, is_free
from offhook.endpoint import Transport


def test_a_taken_port_names_its_process() -> None:
    name = Path("/proc/self/comm").read_text().strip()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert find_holder(Transport.TCP, port) == f"process {os.getpid()} ({name})"
        assert find_holder(Transport.UDP, port) is None
        with pytest.raises(OSError, match="in use"):
            is_free(Transport.TCP, "127.0.0.1", port)
    assert find_holder(Transport.TCP, port) is None
    is_free(Transport.TCP, "127.0.0.1", port)


def test_a_datagram_socket_too() -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as listener:
        listener.bind(("::1", 0))
        port = listener.getsockname()[1]
        found = find_holder(Transport.UDP, port)
        assert found is not None
        assert f"process {os.getpid()} " in found


def test_a_holder_that_may_not_be_seen_is_another_process(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "udp").write_text(
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
        "  1: 00000000:0045 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4711 2 0 0\n"
        "garbage\n"
    )
    assert find_holder(Transport.UDP, 69, tmp_path) == "another process"
    assert find_holder(Transport.UDP, 70, tmp_path) is None

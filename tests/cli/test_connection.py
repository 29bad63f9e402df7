import socket
from pathlib import Path

from offhook.cli.connection import UnixConnection


def test_it_speaks_http_down_a_path(tmp_path: Path) -> None:
    path = tmp_path / "admin.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        connection = UnixConnection(path, 5.0)
        connection.request("GET", "/api/v1/status")
        peer, _ = listener.accept()
        with peer:
            assert peer.recv(4096).startswith(b"GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\n")
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        response = connection.getresponse()
        assert (response.status, response.read()) == (200, b"{}")
        connection.close()

"""Where the daemon listens, and what it tells of that."""

import errno
from pathlib import Path

import pytest

from offhook.config.load import parse_config
from offhook.config.schema import Config
from offhook.endpoint import Endpoint, Transport
from offhook.places import CannotStart, Places, find_own_address

SIP = Endpoint(Transport.UDP, "127.0.0.1", 0)


def _config(text: str = "{}", folder: Path = Path("/etc/offhook")) -> Config:
    return parse_config(text, folder / "offhook.yaml")


async def test_what_listens_is_noted_with_the_port_that_it_got() -> None:
    places = Places()
    await places.listen("sip", SIP, lambda: ("127.0.0.1", 5062))

    async def later() -> tuple[str, int]:
        return "::1", 8080

    await places.listen("http", Endpoint(None, "::1", 0), later)
    assert [(entry.service, entry.address) for entry in places.all] == [
        ("sip", "udp://127.0.0.1:5062"),
        ("http", "http://[::1]:8080"),
    ]
    assert places.sip_port == 5062


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.EACCES, "ports below 1024 need a right"),
        (errno.EADDRINUSE, "something else listens there"),
        (errno.EADDRNOTAVAIL, "this machine has no such address"),
        (errno.ENOBUFS, "choose another address or port"),
    ],
)
async def test_what_cannot_listen_is_said_with_the_remedy(number: int, remedy: str) -> None:
    def refuse() -> tuple[str, int]:
        raise OSError(number, "refused")

    with pytest.raises(CannotStart, match=remedy) as caught:
        await Places().listen("sip", SIP, refuse)
    assert "SIP cannot listen on udp://127.0.0.1:0" in str(caught.value)


def test_a_configured_address_is_given_out_as_it_is() -> None:
    config = _config('sip: {advertise: "pbx.acme.test:5070"}\nprovisioning: {public_url: "http://prov.acme.test"}\n')
    assert str(Places().sip_proxy(config)) == "pbx.acme.test:5070"
    assert Places().public_url(config) == "http://prov.acme.test"


def test_a_wildcard_is_given_out_as_an_address_of_this_machine() -> None:
    places = Places()
    places.note("sip", "udp://0.0.0.0:5060")
    places.note("tftp", "tftp://0.0.0.0:6969")
    assert places.public_url(_config()) == f"tftp://{find_own_address()}:6969"
    places.note("http", "http://0.0.0.0:8080")
    assert places.public_url(_config()) == f"http://{find_own_address()}:8080"
    assert str(places.sip_proxy(_config())) == f"{find_own_address()}:5060"


def test_the_greeting_tells_where_everything_is_and_what_to_try() -> None:
    places = Places()
    places.note("sip", "udp://0.0.0.0:5060")
    places.note("tftp", "tftp://0.0.0.0:6969")
    greeting = places.greeting(Path("config/offhook.yaml"))
    assert "udp://0.0.0.0:5060" in greeting
    assert "ip_unprivileged_port_start=69" in greeting
    for command in ("offhook doctor", "offhook apply config/inventory/first-phone.yaml", "offhook account show acme"):
        assert command in greeting
    places.note("tftp", "tftp://0.0.0.0:69")
    assert "TFTP on port 69" not in places.greeting(Path("config/offhook.yaml"))

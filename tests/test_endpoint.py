from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offhook.endpoint import Endpoint, HostPort, Transport

ADDRESSES = st.ip_addresses().map(str)
PORTS = st.integers(1, 65535)


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("udp://0.0.0.0:5060", Endpoint(Transport.UDP, "0.0.0.0", 5060)),
        ("tcp://[::]:5060", Endpoint(Transport.TCP, "::", 5060)),
        ("0.0.0.0:8080", Endpoint(None, "0.0.0.0", 8080)),
        ("[::1]:69", Endpoint(None, "::1", 69)),
        ("127.0.0.1:0", Endpoint(None, "127.0.0.1", 0)),
    ],
)
def test_endpoints_are_read_and_written_alike(text: str, endpoint: Endpoint) -> None:
    assert Endpoint.parse(text) == endpoint
    assert str(endpoint) == text


@given(st.sampled_from([None, *Transport]), ADDRESSES, PORTS)
@settings(max_examples=50)
def test_writing_is_the_inverse_of_reading(transport: Transport | None, host: str, port: int) -> None:
    assert Endpoint.parse(str(Endpoint(transport, host, port))) == Endpoint(transport, host, port)
    assert HostPort.parse(str(HostPort(host, port))) == HostPort(host, port)
    assert HostPort.parse(str(HostPort(host))) == HostPort(host)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("http://1.2.3.4:80", "'http' is no transport"),
        ("1.2.3.4", "has no port"),
        ("[::1]", "has no port"),
        ("::1:69", "needs brackets"),
        ("[::1", "written \\[::1\\]:port"),
        ("[::1]69", "written \\[::1\\]:port"),
        ("1.2.3.4:65536", "'65536' is no port"),
        ("1.2.3.4:٣", "is no port"),
        ("1.2.3.4:" + "9" * 5000, "is no port"),
        ("localhost:80", "'localhost' is no IP address"),
        (":80", "'' is no IP address"),
        ("", "has no port"),
    ],
)
def test_what_is_wrong_with_an_endpoint_is_said(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Endpoint.parse(text)


@given(st.text(max_size=40))
@settings(max_examples=150)
def test_any_text_is_an_endpoint_or_a_value_error(text: str) -> None:
    for kind in (Endpoint, HostPort):
        with suppress(ValueError):
            assert kind.parse(text) == kind.parse(str(kind.parse(text)))


def test_wildcards_and_loopback_are_told_apart() -> None:
    assert Endpoint.parse("[::]:1").is_wildcard
    assert not Endpoint.parse("[::1]:1").is_wildcard
    assert Endpoint.parse("127.0.0.5:1").is_loopback


@pytest.mark.parametrize("text", ["a b", "1.2.3", "-a.test", "a..b", "[a]:1", "host:0", "x" * 64, "a:b:c", "host:"])
def test_what_cannot_be_told_to_a_phone_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        HostPort.parse(text)


def test_host_names_are_lower_case() -> None:
    assert HostPort.parse("PBX.Acme.test:5070") == HostPort("pbx.acme.test", 5070)

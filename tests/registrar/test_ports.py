"""Flows."""

from offhook.endpoint import Transport
from offhook.registrar.ports import Flow


def test_flow_is_shown_as_the_phones_address() -> None:
    assert str(Flow(Transport.UDP, ("10.0.0.21", 5060), ("10.0.0.1", 5060))) == "10.0.0.21:5060"
    assert str(Flow(Transport.TCP, ("fe80::1%2", 40000), ("fe80::2%2", 5060), 3)) == "[fe80::1%2]:40000"


def test_only_datagrams_need_no_connection() -> None:
    assert [Flow(transport, ("h", 1), ("l", 1)).is_stream for transport in Transport] == [False, True, True]

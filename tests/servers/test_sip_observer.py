"""Events in the log, in the counts, and on the bus."""

from structlog.testing import capture_logs

from offhook.events import CallUnroutable, EventBus, RegistrationRefused, Unregistered
from offhook.observability.metrics import Metrics
from offhook.servers.sip_observer import EventReporter

REFUSED = RegistrationRefused("name", "sip:2001@acme.test", "10.0.0.21:5060", 401, "wrong_password", 1.0, 1)


def test_each_event_is_one_line_and_goes_to_the_bus() -> None:
    bus = EventBus(lambda *_: None)
    seen: list[object] = []
    events = [
        REFUSED,
        Unregistered(11, 1, "sip:2001@acme.test", "sip:a@h", "expired", 1.0),
        CallUnroutable("acme", "2002", "10.0.0.21:5060", 1.0),
    ]
    for event in events:
        bus.subscribe(type(event), seen.append)
    metrics = Metrics("test")
    with capture_logs() as logs:
        EventReporter(bus, metrics).publish(events)
    assert seen == events
    assert [entry["event"] for entry in logs] == [
        "sip.register.refused",
        "sip.binding.removed",
        "sip.invite.no_gateway",
    ]
    shown = metrics.exposition().decode()
    assert 'offhook_auth_failures_total{reason="wrong_password"} 1.0' in shown
    assert "offhook_invite_refused_total 1.0" in shown


def test_refusal_of_nobody_in_particular_is_only_logged() -> None:
    bus = EventBus(lambda *_: None)
    seen: list[object] = []
    bus.subscribe(RegistrationRefused, seen.append)
    with capture_logs() as logs:
        EventReporter(bus, Metrics("test")).publish([RegistrationRefused("", "", "h:1", 404, "Unknown Domain", 1.0)])
    assert seen == []
    assert len(logs) == 1

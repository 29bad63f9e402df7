"""Events in the log, in the counts, and on the bus."""

from dataclasses import replace

from structlog.testing import capture_logs

from offhook.events import CallUnroutable, ContactIgnored, EventBus, RegistrationRefused, Unregistered
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


def test_what_a_stranger_repeats_is_a_line_a_minute_and_is_all_counted_and_published() -> None:
    bus = EventBus(lambda *_: None)
    seen: list[object] = []
    bus.subscribe(RegistrationRefused, seen.append)
    metrics = Metrics("test")
    reporter = EventReporter(bus, metrics)
    with capture_logs() as logs:
        for second in range(61):
            reporter.publish([replace(REFUSED, at=1.0 + second, source=f"[2001:db8::1]:{5060 + second}")])
        reporter.publish([replace(REFUSED, at=62.0, source="10.0.0.22:5060")])
    lines = [entry for entry in logs if entry["log_level"] == "info"]
    assert [(entry["source"], entry.get("repeated")) for entry in lines] == [
        ("[2001:db8::1]:5060", None),
        ("[2001:db8::1]:5120", 59),
        ("10.0.0.22:5060", None),
    ]
    assert len(seen) == 62
    assert 'offhook_auth_failures_total{reason="wrong_password"} 62.0' in metrics.exposition().decode()


def test_lost_calls_are_an_alarm_a_minute_for_each_account() -> None:
    metrics = Metrics("test")
    reporter = EventReporter(EventBus(lambda *_: None), metrics)
    with capture_logs() as logs:
        for account, at in (("acme", 1.0), ("acme", 2.0), ("other", 2.0), ("acme", 61.0)):
            reporter.publish([CallUnroutable(account, "2002", f"10.0.0.{at:.0f}:5060", at)])
    lines = [(entry["account"], entry.get("repeated")) for entry in logs if entry["log_level"] == "error"]
    assert lines == [("acme", None), ("other", None), ("acme", 1)]
    assert "offhook_invite_refused_total 4.0" in metrics.exposition().decode()


def test_contact_that_is_ignored_is_told_with_its_scheme() -> None:
    with capture_logs() as logs:
        EventReporter(EventBus(lambda *_: None), Metrics("test")).publish(
            [
                ContactIgnored("sip:2001@acme.test", scheme, "10.0.0.21:5060", 1, 1.0)
                for scheme in ("tel", "http", "tel")
            ]
        )
    lines = [(entry["log_level"], entry["event"], entry["scheme"], entry["aor"]) for entry in logs]
    assert lines[:2] == [
        ("info", "sip.register.contact_ignored", "tel", "sip:2001@acme.test"),
        ("info", "sip.register.contact_ignored", "http", "sip:2001@acme.test"),
    ]
    assert [level for level, *_ in lines[2:]] == ["debug"]

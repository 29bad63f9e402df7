from collections.abc import Callable

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from offhook.observability.metrics import Metrics


def families(metrics: Metrics) -> dict[str, Metric]:
    text = metrics.exposition().decode()
    return {family.name: family for family in text_string_to_metric_families(text)}


def samples(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families(metrics).values()
        for sample in family.samples
    }


def everything() -> Metrics:
    metrics = Metrics("1.2.3")
    metrics.sip_request("REGISTER", "udp")
    metrics.sip_response("REGISTER", 200)
    metrics.register_answered(0.01)
    metrics.auth_failure("wrong_password")
    metrics.nonce_stale()
    metrics.sip_parse_error("tcp")
    metrics.invite_refused()
    metrics.udp_dropped("sip", 3)
    metrics.tcp_connection_opened("sip")
    metrics.tcp_connection_opened("sip")
    metrics.tcp_connection_closed("sip")
    metrics.commit(0.002, 17)
    metrics.commit_queue(5)
    metrics.store_error("commit")
    metrics.provisioning_request("tftp", "served")
    metrics.rendered(0.003)
    metrics.tftp_transfer("completed")
    metrics.tftp_sessions(4)
    metrics.http_request("provisioning", 404)
    metrics.reload_ended("done")
    metrics.notify_answered(481)
    metrics.devices_without_location(8, 3)
    metrics.emergency_addresses("draft", 2)
    metrics.address_validated("refused")
    metrics.events_followed(2, 0)
    metrics.events_followed(1, 30)
    metrics.event_loop_lag(0.2)
    metrics.watch_bindings(lambda: {"udp": 7, "tcp": 2})
    metrics.watch_devices(lambda: {"registered": 9})
    return metrics


@pytest.mark.parametrize(
    ("name", "labels", "value"),
    [
        ("event_listeners", {}, 1),
        ("events_missed_total", {}, 30),
        ("sip_requests_total", {"method": "REGISTER", "transport": "udp"}, 1),
        ("sip_responses_total", {"method": "REGISTER", "code": "200"}, 1),
        ("sip_register_seconds_count", {}, 1),
        ("devices_without_dispatchable_location", {}, 8),
        ("assigned_phones_without_dispatchable_location", {}, 3),
        ("emergency_addresses", {"state": "draft"}, 2),
        ("address_validations_total", {"result": "refused"}, 1),
        ("auth_failures_total", {"reason": "wrong_password"}, 1),
        ("nonce_stale_total", {}, 1),
        ("sip_parse_errors_total", {"transport": "tcp"}, 1),
        ("invite_refused_total", {}, 1),
        ("udp_dropped_total", {"server": "sip"}, 3),
        ("tcp_connections", {"server": "sip"}, 1),
        ("commit_seconds_sum", {}, 0.002),
        ("commit_batch_size_sum", {}, 17),
        ("commit_queue_depth", {}, 5),
        ("store_errors_total", {"op": "commit"}, 1),
        ("provisioning_requests_total", {"protocol": "tftp", "result": "served"}, 1),
        ("render_seconds_count", {}, 1),
        ("tftp_transfers_total", {"outcome": "completed"}, 1),
        ("tftp_sessions", {}, 4),
        ("http_requests_total", {"server": "provisioning", "code": "4xx"}, 1),
        ("reloads_total", {"outcome": "done"}, 1),
        ("notify_answers_total", {"code": "4xx"}, 1),
        ("event_loop_lag_seconds_sum", {}, 0.2),
        ("bindings", {"transport": "udp"}, 7),
        ("devices", {"status": "registered"}, 9),
        ("build_info", {"version": "1.2.3"}, 1),
    ],
)
def test_what_happened_is_counted(name: str, labels: dict[str, str], value: float) -> None:
    assert samples(everything())[(f"offhook_{name}", tuple(sorted(labels.items())))] == value


def test_every_metric_is_offhooks_explained_and_named_by_its_unit() -> None:
    found = families(everything())
    assert found
    for name, family in found.items():
        assert name.startswith("offhook_")
        assert family.documentation
        assert family.type != "unknown"
        assert not name.endswith("_created")
        if family.type == "counter":
            assert {sample.name for sample in family.samples} <= {f"{name}_total"}
        if family.type == "histogram":
            assert name.endswith(("_seconds", "_size"))


def test_no_label_names_a_phone() -> None:
    labels = {
        label for family in families(everything()).values() for sample in family.samples for label in sample.labels
    }
    assert labels == {
        "code", "implementation", "le", "major", "method", "op", "outcome", "protocol", "reason", "result", "server",
        "state", "status", "transport", "version",
    } - {"implementation", "major"}  # fmt: skip


def test_a_stranger_cannot_add_series() -> None:
    metrics = Metrics("1")
    for number in range(100):
        metrics.sip_request(f"M{number}", "udp")
    assert samples(metrics)[("offhook_sip_requests_total", (("method", "other"), ("transport", "udp")))] == 100


def test_each_daemon_has_a_registry_of_its_own() -> None:
    one, other = Metrics("1"), Metrics("1")
    one.nonce_stale()
    assert samples(other)[("offhook_nonce_stale_total", ())] == 0


def test_what_is_watched_is_read_at_each_scrape() -> None:
    counts = {"udp": 1}
    read: Callable[[], dict[str, int]] = lambda: counts  # noqa: E731 # the callback that is tested
    metrics = Metrics("1")
    metrics.watch_bindings(read)
    assert samples(metrics)[("offhook_bindings", (("transport", "udp"),))] == 1
    counts["udp"] = 2
    assert samples(metrics)[("offhook_bindings", (("transport", "udp"),))] == 2

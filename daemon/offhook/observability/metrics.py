"""Every metric of the daemon.

Callers say what happened (``metrics.sip_request("REGISTER", "udp")``); names and labels are decided here alone. No MAC
address, address of record or IP address is a label, and a label that a stranger can choose is held to known values.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

# A series more for each counter and histogram, which nothing here reads.
disable_created_metrics()  # type: ignore[no-untyped-call]

#: What a response with :meth:`Metrics.exposition` as its body says it is.
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

#: RFC 3261, 3262, 3265, 3311, 3428, 3515, 3903, 6086. Any other is counted as ``other``.
_METHODS: Final = frozenset(
    {
        "ACK",
        "BYE",
        "CANCEL",
        "INFO",
        "INVITE",
        "MESSAGE",
        "NOTIFY",
        "OPTIONS",
        "PRACK",
        "PUBLISH",
        "REFER",
        "REGISTER",
        "SUBSCRIBE",
        "UPDATE",
    }
)
_QUICK: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
_BATCH: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class Metrics:
    """The metrics of one daemon, with a registry of their own."""

    def __init__(self, version: str) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(namespace="offhook", registry=self.registry)
        registry = self.registry

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"offhook_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"offhook_{name}", text, labels, registry=registry)

        def histogram(name: str, text: str, buckets: tuple[float, ...] = _QUICK) -> Histogram:
            return Histogram(f"offhook_{name}", text, buckets=buckets, registry=registry)

        self._sip_requests = counter("sip_requests_total", "SIP requests received.", "method", "transport")
        self._sip_responses = counter("sip_responses_total", "SIP responses sent.", "method", "code")
        self._register_seconds = histogram("sip_register_seconds", "From a REGISTER's arrival to its final answer.")
        self._auth_failures = counter("auth_failures_total", "Requests whose credentials were refused.", "reason")
        self._nonce_stale = counter("nonce_stale_total", "Requests whose nonce had expired; phones then try again.")
        self._parse_errors = counter("sip_parse_errors_total", "Messages that are not SIP.", "transport")
        self._invites_refused = counter("invite_refused_total", "INVITEs for accounts without a gateway: lost calls.")
        self._udp_dropped = counter("udp_dropped_total", "Datagrams dropped unanswered.", "server")
        self._tcp_connections = gauge("tcp_connections", "TCP connections open.", "server")

        self._commit_seconds = histogram("commit_seconds", "From the first change of a batch to its being on disk.")
        self._commit_batch = histogram("commit_batch_size", "Changes that one commit made durable.", _BATCH)
        self._commit_queue = gauge("commit_queue_depth", "Changes that wait for a commit.")
        self._store_errors = counter("store_errors_total", "Operations of the store that failed.", "op")

        self._provisioning = counter("provisioning_requests_total", "Files asked for.", "protocol", "result")
        self._render_seconds = histogram("render_seconds", "Time to render one file.")
        self._tftp_transfers = counter("tftp_transfers_total", "TFTP transfers ended.", "outcome")
        self._tftp_sessions = gauge("tftp_sessions", "TFTP transfers under way.")
        self._http_requests = counter("http_requests_total", "HTTP requests answered.", "server", "code")

        self._reloads = counter("reloads_total", "Reloads ended.", "outcome")
        self._notify_answers = counter("notify_answers_total", "Final answers to NOTIFY.", "code")

        self._event_listeners = gauge("event_listeners", "Connections that follow /api/v1/events.")
        self._events_missed = counter("events_missed_total", "Events that a listener was too slow, or too late, for.")

        self._unlocated = gauge("devices_without_dispatchable_location", "Devices that help cannot be sent to.")
        self._unlocated_phones = gauge("assigned_phones_without_dispatchable_location", "Phones of users among them.")
        self._addresses = gauge("emergency_addresses", "Emergency addresses that were entered, by state.", "state")
        self._validations = counter(
            "address_validations_total", "Emergency addresses that the validator was asked about.", "result"
        )

        self._loop_lag = histogram("event_loop_lag_seconds", "How much later than planned a timer ran.")
        gauge("build_info", "Always 1; the version is its label.", "version").labels(version).set(1)
        gauge("start_time_seconds", "When the daemon started, since the epoch.").set(time.time())

    def exposition(self) -> bytes:
        """What Prometheus reads, in the text format 0.0.4."""
        return generate_latest(self.registry)

    def sip_request(self, method: str, transport: str) -> None:
        """A request came in and could be parsed."""
        self._sip_requests.labels(_method(method), transport).inc()

    def sip_response(self, method: str, status: int) -> None:
        """An answer to a ``method`` went out."""
        self._sip_responses.labels(_method(method), str(status)).inc()

    def register_answered(self, seconds: float) -> None:
        """A REGISTER got its final answer, that long after it came."""
        self._register_seconds.observe(seconds)

    def auth_failure(self, reason: str) -> None:
        """Credentials were refused; ``reason`` is a value of an enumeration, never a text of the request."""
        self._auth_failures.labels(reason).inc()

    def nonce_stale(self) -> None:
        """The credentials were right and the nonce too old."""
        self._nonce_stale.inc()

    def sip_parse_error(self, transport: str) -> None:
        """Something came in that is not SIP."""
        self._parse_errors.labels(transport).inc()

    def invite_refused(self) -> None:
        """A call was lost because its account has no gateway."""
        self._invites_refused.inc()

    def udp_dropped(self, server: str, count: int = 1) -> None:
        """Datagrams were dropped unanswered: ``server`` is ``sip`` or ``tftp``."""
        self._udp_dropped.labels(server).inc(count)

    def tcp_connection_opened(self, server: str) -> None:
        """``server`` (``sip``, ``http``, ``admin``) accepted a connection."""
        self._tcp_connections.labels(server).inc()

    def tcp_connection_closed(self, server: str) -> None:
        """One that was opened is closed."""
        self._tcp_connections.labels(server).dec()

    def commit(self, seconds: float, changes: int) -> None:
        """A batch of ``changes`` is on disk, that long after the first of them was handed over."""
        self._commit_seconds.observe(seconds)
        self._commit_batch.observe(changes)

    def commit_queue(self, depth: int) -> None:
        """So many changes wait now."""
        self._commit_queue.set(depth)

    def store_error(self, operation: str) -> None:
        """The store could not do ``operation``, such as ``commit`` or ``read``."""
        self._store_errors.labels(operation).inc()

    def provisioning_request(self, protocol: str, result: str) -> None:
        """A file was asked for over ``http``, ``https`` or ``tftp``, and ``result`` is how it went."""
        self._provisioning.labels(protocol, result).inc()

    def rendered(self, seconds: float) -> None:
        """A file was rendered."""
        self._render_seconds.observe(seconds)

    def tftp_transfer(self, outcome: str) -> None:
        """A transfer ended, ``completed`` or otherwise."""
        self._tftp_transfers.labels(outcome).inc()

    def tftp_sessions(self, count: int) -> None:
        """So many transfers are under way."""
        self._tftp_sessions.set(count)

    def http_request(self, server: str, status: int) -> None:
        """A request to ``provisioning``, ``admin`` or ``metrics`` was answered."""
        self._http_requests.labels(server, _class(status)).inc()

    def reload_ended(self, outcome: str) -> None:
        """A device's reload ended, ``done`` or with a named failure."""
        self._reloads.labels(outcome).inc()

    def notify_answered(self, status: int) -> None:
        """A NOTIFY got its final answer."""
        self._notify_answers.labels(_class(status)).inc()

    def events_followed(self, listeners: int, missed: int) -> None:
        """So many follow the events now, and one of them has missed some."""
        self._event_listeners.set(listeners)
        self._events_missed.inc(missed)

    def devices_without_location(self, devices: int, assigned_phones: int) -> None:
        """So many devices, and phones of users among them, have no address that help can be sent to."""
        self._unlocated.set(devices)
        self._unlocated_phones.set(assigned_phones)

    def emergency_addresses(self, state: str, count: int) -> None:
        """So many addresses are ``draft``, ``valid`` or ``rejected``."""
        self._addresses.labels(state).set(count)

    def address_validated(self, result: str) -> None:
        """A validator said ``valid``, ``corrected`` or ``refused``, or was ``unreachable``."""
        self._validations.labels(result).inc()

    def event_loop_lag(self, seconds: float) -> None:
        """A timer ran that much late."""
        self._loop_lag.observe(seconds)

    def watch_bindings(self, read: Callable[[], Mapping[str, int]]) -> None:
        """``read`` tells at each scrape how many live bindings there are, by transport."""
        self.registry.register(_Counts("offhook_bindings", "Live bindings.", "transport", read))

    def watch_devices(self, read: Callable[[], Mapping[str, int]]) -> None:
        """``read`` tells at each scrape how many devices there are, by status."""
        self.registry.register(_Counts("offhook_devices", "Devices of the inventory.", "status", read))


class _Counts(Collector):
    """A gauge with one label that is read when it is scraped."""

    def __init__(self, name: str, text: str, label: str, read: Callable[[], Mapping[str, int]]) -> None:
        self._name = name
        self._text = text
        self._label = label
        self._read = read

    def describe(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(self._name, self._text, labels=[self._label])

    def collect(self) -> Iterator[Metric]:
        family = GaugeMetricFamily(self._name, self._text, labels=[self._label])
        for value, count in sorted(self._read().items()):
            family.add_metric([value], count)
        yield family


def _method(method: str) -> str:
    return method if method in _METHODS else "other"


def _class(status: int) -> str:
    return f"{status // 100}xx"

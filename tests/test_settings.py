"""Every bound of the configuration reaches the part that it binds."""

from pathlib import Path

from offhook import settings
from offhook.config.load import parse_config
from offhook.config.schema import Config

TEXT = """
sip:
  advertise: "pbx.acme.test:5070"
  expires: {min: 61, default: 1801, max: 3601}
provisioning: {public_url: "http://prov.acme.test", lan_networks: ["10.0.0.0/8"]}
limits:
  sip: {datagram_bytes: 9001, stream_message_bytes: 9002, connections: 11, connections_per_source: 12,
        first_byte_seconds: 13, message_seconds: 14, transactions: 15, contacts_per_aor: 16}
  tftp: {sessions: 21, sessions_per_source_listed: 22, sessions_per_source_other: 23}
  http: {connections: 31, request_seconds: 32}
  provisioning: {render_cache_bytes: 4096}
  reload: {in_flight: 41, answer_seconds: 5, fetch_seconds: 43, register_seconds: 44}
"""


def _config() -> Config:
    return parse_config(TEXT, Path("/etc/offhook/offhook.yaml"))


def test_sip() -> None:
    limits = settings.sip_limits(_config())
    streams = limits.streams
    assert (limits.datagram_bytes, limits.kept_answers, limits.client_transactions) == (9001, 15, 15)
    assert (streams.connections, streams.connections_per_source) == (11, 12)
    assert (streams.first_byte_seconds, streams.message_seconds, streams.framing.body_bytes) == (13, 14, 9002)


def test_registrar() -> None:
    policy = settings.register_policy(_config())
    assert (policy.min_expires, policy.default_expires, policy.max_expires) == (61, 1801, 3601)
    assert (policy.max_bindings, policy.own_hosts) == (16, frozenset({"pbx.acme.test"}))


def test_provisioning() -> None:
    told = settings.provisioning_settings(_config(), 5099)
    assert (told.public_url, told.sip_port, told.expires_seconds) == ("http://prov.acme.test", 5099, 1801)
    assert (str(told.sip_advertise), told.cache_bytes) == ("pbx.acme.test:5070", 4096)
    assert [str(network) for network in told.lan_networks] == ["10.0.0.0/8"]
    every = settings.told_to_every_phone(_config())
    assert (every.expires_seconds, every.public_url) == (1801, "http://prov.acme.test")
    assert str(every.sip_advertise) == "pbx.acme.test:5070"


def test_tftp_and_http() -> None:
    tftp, http = settings.tftp_limits(_config()), settings.http_limits(_config())
    assert (tftp.sessions, tftp.sessions_per_source, tftp.sessions_per_unlisted_source) == (21, 22, 23)
    assert (http.connections, http.request_seconds) == (31, 32)


def test_reload() -> None:
    limits = settings.reload_limits(_config())
    assert (limits.in_flight, limits.answer_seconds) == (41, 5)
    assert (limits.fetch_seconds, limits.register_seconds) == (43, 44)

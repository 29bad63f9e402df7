import ipaddress
from pathlib import Path

import pytest

from offhook.config.load import parse_config
from offhook.config.schema import Config, Limits
from offhook.endpoint import Endpoint, HostPort, Transport
from offhook.errors import ConfigError

FILE = Path("/etc/offhook/offhook.yaml")


def faults(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, FILE)
    return [str(fault).removeprefix(f"{FILE}:") for fault in caught.value.faults]


def test_an_empty_file_means_the_defaults() -> None:
    config = parse_config("", FILE)
    assert config.state_dir == Path("/etc/var")
    assert config.sip.listen == (Endpoint(Transport.UDP, "0.0.0.0", 5060), Endpoint(Transport.TCP, "0.0.0.0", 5060))
    assert (config.sip.expires.min, config.sip.expires.default, config.sip.expires.max) == (60, 3600, 7200)
    assert config.provisioning.http == (Endpoint(None, "0.0.0.0", 8080),)
    assert config.provisioning.tftp == (Endpoint(None, "0.0.0.0", 69),)
    assert ipaddress.ip_network("10.0.0.0/8") in config.provisioning.lan_networks
    assert config.admin.listen == Endpoint(None, "127.0.0.1", 8000)
    assert config.metrics.listen == Endpoint(None, "127.0.0.1", 9161)
    assert config.limits == Limits()


def test_a_section_with_nothing_below_means_its_defaults() -> None:
    assert parse_config("sip:\nlimits:\n  sip:\n", FILE) == parse_config("", FILE)


def test_values_are_read_as_what_they_are() -> None:
    config = parse_config(
        """
state_dir: data
sip: {advertise: "PBX.acme.test:5070", trusted_peers: [10.0.0.1, "fd00::/8"]}
provisioning: {public_url: "https://prov.acme.test/phones/", http: [], lan_networks: []}
admin: {listen: null, socket: /run/offhook/admin.sock}
metrics: {listen: "[::1]:9161"}
limits: {sip: {datagram_bytes: 32 KiB}, provisioning: {render_cache_bytes: 1000000}}
log: {format: json, level: debug}
""",
        FILE,
    )
    assert config.state_dir == Path("/etc/offhook/data")
    assert config.sip.advertise == HostPort("pbx.acme.test", 5070)
    assert config.sip.trusted_peers == (ipaddress.ip_network("10.0.0.1/32"), ipaddress.ip_network("fd00::/8"))
    assert config.provisioning.public_url == "https://prov.acme.test/phones"
    assert (config.provisioning.http, config.provisioning.lan_networks) == ((), ())
    assert (config.admin.listen, config.admin.socket) == (None, Path("/run/offhook/admin.sock"))
    assert (config.limits.sip.datagram_bytes, config.limits.provisioning.render_cache_bytes) == (32768, 1_000_000)


def test_a_configuration_cannot_be_changed() -> None:
    config = Config()
    with pytest.raises(ValueError, match="frozen"):
        config.sip.expires.__setattr__("min", 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sip: {tls: {certificate: x}}", "1:7: sip.tls: TLS is not in this version"),
        ("sip: {listen: ['tls://0.0.0.0:5061']}", "1:16: sip.listen[0]: TLS is not in this version"),
        ("provisioning: {https: ['0.0.0.0:443']}", "1:16: provisioning.https: HTTPS is not in this version"),
        ("provisioning: {tls: {}}", "1:16: provisioning.tls: HTTPS is not in this version"),
        (
            "provisioning: {pnp: {interfaces: [eth0]}}",
            "1:34: provisioning.pnp.interfaces: plug and play",
        ),
        ("store: {url: 'postgresql://u:hunter2@db/x'}", "1:14: store.url: PostgreSQL is not in this version"),
        ("smtp: {host: mail}", "1:7: smtp: mail is not in this version"),
    ],
)
def test_what_a_later_version_brings_is_refused_in_so_many_words(text: str, message: str) -> None:
    (fault,) = faults(text)
    assert fault.startswith(message)
    assert "hunter2" not in fault


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sip: {listn: []}", "1:7: sip.listn: unknown key; did you mean 'listen'?"),
        ("sip: {listen: []}", "1:15: sip.listen: is too short a list; entries needed: 1"),
        ("sip: {listen: ['0.0.0.0:5060']}", "sip.listen[0]: 0.0.0.0:5060 has no transport"),
        ("sip: {listen: ['udp://[::]:1', 'udp://[::]:1']}", "sip.listen[1]: udp://[::]:1 is taken by sip.listen[0]"),
        ("sip: {expires: {min: 60, default: 20}}", "1:16: sip.expires: must have min <= default <= max"),
        ("sip: {expires: {min: 0}}", "sip.expires.min: must be at least 1, not '0'"),
        ("sip: {trusted_peers: [10.0.0.1/8]}", "did you mean 10.0.0.0/8?"),
        ("sip: {trusted_peers: [pbx]}", "'pbx' is no network"),
        ("provisioning: {tftp: ['udp://0.0.0.0:69']}", "only one transport is possible here; write 0.0.0.0:69"),
        ("provisioning: {tftp: [true]}", "provisioning.tftp[0]: wants address:port"),
        ("store: {url: 'sqlite:////var/db'}", "store.url: write sqlite:///, without a path"),
        ("limits: {tftp: {sessions: 0}}", "limits.tftp.sessions: must be at least 1, not '0'"),
        ("limits: {sip: {datagram_bytes: 65536}}", "must be at most 65535, not '65536'"),
        ("limits: {sip: {datagram_bytes: 1 XB}}", "wants a size such as 65536 or 64 MiB, not '1 XB'"),
        ("log: {level: inf}", "not 'inf'; did you mean 'info'?"),
        ("- a", "1:1: wants keys with values below it"),
        ("admin: {socket: ''}", "admin.socket: is empty; write a file name such as admin.sock"),
        ("provisioning: {tftp: null}", "provisioning.tftp: is empty; write [] to turn it off"),
        ("provisioning: {http: }", "provisioning.http: is empty; write [] to turn it off"),
        ("sip: {trusted_peers: null}", "is empty; it wants a list, such as [a, b], or [] for none"),
        ("state_dir: null", "state_dir: is empty; it wants a path"),
    ],
)
def test_a_wrong_value_is_told_with_what_is_wanted(text: str, message: str) -> None:
    (fault,) = faults(text)
    assert message in fault


@pytest.mark.parametrize(
    "host", ["192.0.2.7", "198.51.100.1", "203.0.113.9", "[2001:db8::1]", "0.0.0.0", "[::]", "224.0.1.75"]
)
def test_an_address_that_no_phone_reaches_is_not_given_out(host: str) -> None:
    told = faults(f"sip: {{advertise: '{host}:5060'}}\nprovisioning: {{public_url: 'http://{host}:8080'}}")
    assert [fault.split(": ")[1] for fault in told] == ["sip.advertise", "provisioning.public_url"]


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a",
        "http://",
        "a",
        "http://a?x",
        "http://a/#",
        "http://u:hunter2@a",
        "http://a b",
        "http://a:99999",
        "http://a:0",
        "http://[::1",
        "http://a..b/",
    ],
)
def test_a_public_url_is_one_that_a_path_can_follow(url: str) -> None:
    (fault,) = faults(f"provisioning: {{public_url: '{url}'}}")
    assert "provisioning.public_url" in fault
    assert "hunter2" not in fault


@pytest.mark.parametrize(
    "url",
    ["validator.test", "ftp://validator.test/", "https://", "https://u:p@validator.test/", "https://v.test/#x",
     "https://v.test:0/", "https://v.test/a b", "https://[::1/"],
)  # fmt: skip
def test_the_url_of_a_validator_is_one_that_can_be_asked(url: str) -> None:
    assert "emergency.http.url: " in faults(f"emergency: {{http: {{url: '{url}'}}}}")[0]


def test_files_of_the_emergency_section_count_from_the_configuration() -> None:
    emergency = parse_config("emergency: {street_ranges: nv.csv, http: {token_file: /run/token}}", FILE).emergency
    assert emergency.street_ranges == Path("/etc/offhook/nv.csv")
    assert emergency.http.token_file == Path("/run/token")
    assert (emergency.validator.value, emergency.recheck_days, emergency.http.timeout_seconds) == ("none", 365, 10)

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from offhook import yamldoc
from offhook.config.load import compare_for_reload, find_lowest_port, find_warnings, load_config, parse_config
from offhook.config.schema import Config
from offhook.endpoint import Endpoint
from offhook.errors import ConfigError

FOLDER = Path(__file__).parents[2] / "config"
EXAMPLES = sorted((FOLDER / "examples").glob("*.yaml"))
FILE = Path("/etc/offhook/offhook.yaml")


def faults(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, FILE)
    return [str(fault) for fault in caught.value.faults]


def with_defaults_uncommented(text: str) -> str:
    """A commented key has no space between ``#`` and its indentation, which is even; prose has one."""
    return re.sub(r"^#(?=(  )+[a-z_]+:)", "", text, flags=re.MULTILINE)


def keys_of(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, info in model.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            yield from keys_of(info.annotation, f"{prefix}{name}.")
        else:
            yield prefix + name


def keys_in(data: yamldoc.Value, known: set[str], prefix: str = "") -> Iterator[str]:
    if prefix[:-1] in known or not isinstance(data, dict):
        yield prefix[:-1]
        return
    for key, value in data.items():
        yield from keys_in(value, known, f"{prefix}{key}.")


def test_the_file_delivered_says_what_the_schema_does() -> None:
    text = (FOLDER / "offhook.yaml").read_text()
    config = load_config(FOLDER / "offhook.yaml")
    assert config.provisioning.tftp == (Endpoint(None, "0.0.0.0", 6969),)
    assert config.state_dir == FOLDER.parent / "var"
    defaults = parse_config("provisioning: {tftp: ['0.0.0.0:6969']}", FOLDER / "offhook.yaml")
    assert config == defaults
    assert parse_config(with_defaults_uncommented(text), FOLDER / "offhook.yaml") == defaults


def test_the_file_delivered_has_every_key() -> None:
    text = with_defaults_uncommented((FOLDER / "offhook.yaml").read_text())
    known = set(keys_of(Config))
    assert sorted(keys_in(yamldoc.load(text, "offhook.yaml").data, known)) == sorted(known)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_right_where_it_is_meant_to_be(path: Path) -> None:
    config = parse_config(path.read_text(), FILE)
    assert config.state_dir == Path("/var/lib/offhook")
    assert find_warnings(config, lowest_port=1) == []


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 2


def test_a_file_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing\.yaml: cannot be read: No such file"):
        load_config(tmp_path / "nothing.yaml")


def test_a_syntax_error_is_a_configuration_error() -> None:
    assert "a [ or { is not closed" in faults("sip: [")[0]


def test_faults_of_all_sections_are_told_at_once_in_order() -> None:
    told = faults("log: {level: loud}\nsip: {advertise: 0.0.0.0}\nstate_dri: x\nlimits: {http: {connections: many}}")
    assert [fault.split(":")[1] for fault in told] == ["1", "2", "3", "4"]


def test_contradictions_are_told_beside_wrong_values() -> None:
    told = faults("""\
sip:
  listen: ["udp://0.0.0.0:5060", "0.0.0.0:5062", "tcp://0.0.0.0:8000"]
  expires: {min: 600, default: 60, max: abc}
admin: {listen: "127.0.0.1:8000", sockt: x}
metrics: {listen: nowhere}
templates: {paths: [nope, nope]}
log: {level: loud, level: info}
""")
    assert [fault.removeprefix(f"{FILE}:").partition(": ")[::2] for fault in told] == [
        ("2:34", "sip.listen[1]: 0.0.0.0:5062 has no transport; write udp://0.0.0.0:5062 or tcp://0.0.0.0:5062"),
        ("3:12", "sip.expires: must have min <= default <= max, but min 600 > default 60"),
        ("3:41", "sip.expires.max: wants a whole number, not 'abc'"),
        ("4:17", "admin.listen: 127.0.0.1:8000 is taken by sip.listen[2] (tcp://0.0.0.0:8000); choose another port"),
        ("4:35", "admin.sockt: unknown key; did you mean 'socket'?"),
        ("5:19", "metrics.listen: 'nowhere' has no port; write address:port"),
        ("6:21", "templates.paths[0]: /etc/offhook/nope is no folder; create it or remove it here"),
        ("6:27", "templates.paths[1]: /etc/offhook/nope is no folder; create it or remove it here"),
        ("7:14", "log.level: wants one of 'debug', 'info', 'warning' or 'error', not 'loud'"),
        ("7:20", "log.level: the key stands twice, first in line 7; remove one"),
    ]


def test_the_default_of_a_key_at_fault_contradicts_nothing() -> None:
    told = faults("""\
sip: {listen: ["tcp://0.0.0.0"]}
provisioning: {http: ["127.0.0.1:5060"], tftb: []}
admin: {listen: "127.0.0.1:9161"}
metrics: {lisen: "127.0.0.1:9162"}
<<: {state_dir: /srv}
""")
    assert [fault.split(": ")[1] for fault in told] == [
        "sip.listen[0]", "provisioning.tftb", "metrics.lisen", "merge keys (<<) are not taken; write the keys out"
    ]  # fmt: skip


def test_a_file_that_is_no_mapping_has_one_fault() -> None:
    assert len(faults("- a")) == 1


def test_the_socket_is_not_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"admin\.socket: .* is a folder; name a file in it, such as \./admin\.sock"):
        parse_config(f"state_dir: {tmp_path}\nadmin: {{socket: .}}", FILE)


def test_paths_count_from_the_files_folder(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "site").mkdir()
    path = tmp_path / "etc" / "offhook.yaml"
    path.write_text("state_dir: ../state\ntemplates: {paths: [site]}")
    config = load_config(path)
    assert config.state_dir == tmp_path.resolve() / "state"
    assert config.templates.paths == (tmp_path.resolve() / "etc" / "site",)
    assert config.admin.socket == tmp_path.resolve() / "state" / "admin.sock"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("admin: {listen: '127.0.0.1:9161'}\nmetrics: {}", "metrics.listen: 127.0.0.1:9161 is taken by admin.listen"),
        ("provisioning: {http: ['127.0.0.1:5060']}", "provisioning.http[0]: 127.0.0.1:5060 is taken by sip.listen[1]"),
        ("provisioning: {tftp: ['0.0.0.0:5060']}", "provisioning.tftp[0]: 0.0.0.0:5060 is taken by sip.listen[0]"),
        ("templates: {paths: [nope]}", "templates.paths[0]: /etc/offhook/nope is no folder"),
        (f"state_dir: /{'x' * 200}", "admin.socket: /xxx"),
    ],
)
def test_contradictions_are_found(text: str, message: str) -> None:
    (fault,) = faults(text)
    assert message in fault


def test_the_same_port_for_other_transports_or_families_is_no_contradiction() -> None:
    parse_config("sip: {listen: ['udp://0.0.0.0:9161', 'tcp://[::]:9161']}", FILE)
    parse_config("sip: {listen: ['udp://127.0.0.1:0']}\nprovisioning: {tftp: ['127.0.0.1:0', '127.0.0.1:0']}", FILE)


def test_what_looks_dangerous_is_warned_of() -> None:
    config = parse_config(
        "admin: {listen: '0.0.0.0:8000'}\nprovisioning: {tftp: ['0.0.0.0:69'], lan_networks: ['0.0.0.0/0']}", FILE
    )
    warnings = find_warnings(config, lowest_port=1024)
    assert [warning.split(":")[0] for warning in warnings] == [
        "provisioning.tftp[0]",
        "admin.listen",
        "provisioning.lan_networks[0]",
    ]
    assert not find_warnings(parse_config("provisioning: {tftp: ['0.0.0.0:69']}", FILE), lowest_port=1)


def test_the_lowest_port_is_a_port() -> None:
    assert 0 <= find_lowest_port() <= 1024


def test_a_reload_names_what_it_cannot_change() -> None:
    old = parse_config("", FILE)
    assert compare_for_reload(old, parse_config("log: {level: debug}\nsip: {advertise: 10.0.0.1}", FILE)) == []
    new = parse_config(
        """
state_dir: /srv
sip: {listen: ['udp://0.0.0.0:5061']}
provisioning: {http: [], tftp: []}
admin: {listen: null}
metrics: {listen: null}
""",
        FILE,
    )
    assert compare_for_reload(old, new) == [
        "state_dir",
        "sip.listen",
        "provisioning.http",
        "provisioning.tftp",
        "admin.listen",
        "admin.socket",
        "metrics.listen",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("validator: street_ranges", "street_ranges needs emergency.street_ranges; add it"),
        ("validator: http, http: {timeout_seconds: 5}", "http needs emergency.http.url; add it"),
        ("validator: nobody", "wants one of 'none', 'street_ranges' or 'http', not 'nobody'"),
    ],
)
def test_a_validator_says_what_it_needs(text: str, told: str) -> None:
    assert faults(f"emergency: {{{text}}}") == [f"{FILE}:1:24: emergency.validator: {told}"]


@pytest.mark.parametrize("text", ["validator: street_ranges, street_range: x", "validator: http, http: {url: nowhere}"])
def test_a_validator_needs_nothing_beside_a_key_at_fault(text: str) -> None:
    assert len(faults(f"emergency: {{{text}}}")) == 1


@pytest.mark.parametrize(
    ("url", "is_warned_about"),
    [
        ("https://validator.test/", False),
        ("http://127.0.0.1:9000/", False),
        ("http://localhost/", False),
        ("http://[::1]/", False),
        ("http://validator.test/", True),
        ("http://10.0.0.9/", True),
    ],
)
def test_addresses_that_others_could_read_on_their_way_are_warned_about(url: str, is_warned_about: bool) -> None:
    config = parse_config(f"emergency: {{validator: http, http: {{url: '{url}'}}}}", FILE)
    warnings = [warning for warning in find_warnings(config, lowest_port=1) if "emergency" in warning]
    assert len(warnings) == is_warned_about

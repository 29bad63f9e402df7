"""What holds for every vendor folder and every model in it."""

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.inventory import (
    ACCOUNT_TOKEN,
    account,
    carrier,
    credential,
    device,
    inventory_of,
    line,
    number,
    user,
)
from tests.support.provisioning import Desk, shipped
from tests.templates.cases import CASES, GoldenCase, parse

from offhook.events import ConfigFetched
from offhook.inventory.generated import new_password
from offhook.inventory.models import Entity, Features
from offhook.inventory.snapshot import Inventory
from offhook.provisioning.answer import AnswerStatus
from offhook.provisioning.render import Renderer
from offhook.provisioning.vendors import AgentKind, ModelSpec, Vendor
from offhook.secret import Secret

FOLDERS = tuple(shipped().vendors.values())
VENDORS = tuple(vendor for vendor in FOLDERS if vendor.device_types)
MODELS = tuple((vendor, model) for vendor in VENDORS for model in vendor.models.values() if vendor.has_templates(model))
PASSWORD = "Swordfish99"
AWKWARD = "\"<&>'\n{{7*7}}"

of_each_folder = pytest.mark.parametrize("vendor", FOLDERS, ids=lambda vendor: vendor.name)
of_each_vendor = pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)
of_each_model = pytest.mark.parametrize(("vendor", "model"), MODELS, ids=lambda value: value.name)


def _mac(vendor: Vendor) -> str:
    return (vendor.ouis[0] + "123456123456")[:12]


def _file(vendor: Vendor, model: ModelSpec, mac: str) -> str:
    return {"yealink": f"{mac}.cfg", "snom": f"snom{model.name}-{mac.upper()}.htm"}[vendor.name]


def _common(vendor: Vendor, model: ModelSpec) -> str:
    return {"yealink": f"y000000000{model.code}.cfg", "snom": f"snom{model.name}.htm"}[vendor.name]


def _full(vendor: Vendor, model: ModelSpec) -> Inventory:
    """A phone with all the lines that it can hold."""
    entities: list[Entity] = [account()]
    entities.append(device(vendor=vendor.name, model=model.name, mac=_mac(vendor)))
    for index in range(1, model.lines + 1):
        entities.append(user(index))
        entities.append(line(index, index=index, user_id=index))
        entities.append(credential(index, line_id=index, aor_user=f"{2000 + index}", password=PASSWORD))
    return inventory_of(*entities, carrier(revision=3))


@of_each_model
def test_every_model_gets_all_its_lines(vendor: Vendor, model: ModelSpec) -> None:
    mac = _mac(vendor)
    answer = Desk(_full(vendor, model)).ask(f"p/{ACCOUNT_TOKEN}/{_file(vendor, model, mac)}")
    assert answer.status is AnswerStatus.FOUND
    text = answer.content.decode()
    assert text.count(PASSWORD) == model.lines
    assert re.findall(r"[^0-9]20\d\d-abc0(\d\d)", text) == [f"{index:02}" for index in range(1, model.lines + 1)]


def _with_features(vendor: Vendor, model: ModelSpec, features: Features) -> dict[str, str]:
    """The file of a phone whose lines have numbers with these features, as the phone reads it."""
    mac = _mac(vendor)
    numbers = [number(index, user_id=index, features=features) for index in range(1, model.lines + 1)]
    inventory = _full(vendor, model).draft()
    for part in numbers:
        inventory.put(part)
    file = _file(vendor, model, mac)
    answer = Desk(inventory).ask(f"p/{ACCOUNT_TOKEN}/{file}")
    return parse(GoldenCase(vendor.name, model.name, mac, file, "", inventory), answer.content)


@of_each_model
def test_features_reach_every_line_and_are_taken_back_by_the_next_file(vendor: Vendor, model: ModelSpec) -> None:
    targets: dict[str, Any] = {"forward_always": "+49301", "forward_busy": "+49302", "forward_no_answer": "+49303"}
    on = _with_features(vendor, model, replace(Features(call_waiting=False, do_not_disturb=True), **targets))
    off = _with_features(vendor, model, Features())
    assert on.keys() == off.keys()
    for target in targets.values():
        assert list(on.values()).count(target) == model.lines
        assert target not in off.values()
    changed = {key for key in on if on[key] != off[key]}
    # Of each line a switch and a target for each of three forwardings, and do not disturb.
    assert len([key for key in changed if "waiting" not in key]) == 7 * model.lines
    assert [key for key in changed if "waiting" in key]


@of_each_model
def test_common_file_is_alike_for_all_and_holds_no_secret(vendor: Vendor, model: ModelSpec) -> None:
    name = _common(vendor, model)
    with_phone = Desk(_full(vendor, model)).ask(f"p/{ACCOUNT_TOKEN}/{name}")
    without = Desk(inventory_of(account())).ask(f"p/{ACCOUNT_TOKEN}/{name}", source="10.9.9.9")
    assert with_phone.status is AnswerStatus.FOUND
    assert with_phone.content == without.content
    for text in (PASSWORD, ACCOUNT_TOKEN, "2001", "acme"):
        assert text not in with_phone.content.decode()


class _Canary(Secret):
    """A secret that notes that it was looked at."""

    revealed = False

    def reveal(self) -> str:
        type(self).revealed = True
        return super().reveal()


@of_each_vendor
def test_files_not_marked_so_hold_no_secret(vendor: Vendor) -> None:
    for spec in vendor.files:
        if spec.template is None or spec.holds_secrets:
            continue
        values = {"vendor": vendor, "settings": vendor.settings, "model": next(iter(vendor.models.values()))}
        Renderer(shipped().sources).render(spec.template, spec.format, {**values, "secret": _Canary("canary")})
        assert not _Canary.revealed
        assert "password" not in shipped().sources[spec.template].lower()


@of_each_vendor
def test_one_kind_of_file_proves_a_revision(vendor: Vendor) -> None:
    desk = Desk(_full(vendor, model := next(iter(vendor.models.values()))))
    for name in (_common(vendor, model), _file(vendor, model, _mac(vendor))):
        desk.ask(f"p/{ACCOUNT_TOKEN}/{name}").on_delivered()
    assert [event.revision for event in desk.events if isinstance(event, ConfigFetched)] == [3]


@of_each_vendor
def test_manifest_names_the_event_and_its_sources(vendor: Vendor) -> None:
    assert vendor.reload is not None
    assert vendor.reload.reload
    assert vendor.reload.reboot != vendor.reload.reload


@of_each_folder
def test_passwords_of_every_vendor_cannot_be_guessed(vendor: Vendor) -> None:
    alphabet, length = shipped().secret_shape(vendor.name)
    assert len(set(alphabet)) == len(alphabet)
    assert length * math.log2(len(alphabet)) >= 112
    assert set(new_password(alphabet, length).reveal()) <= set(alphabet)


@of_each_folder
def test_models_without_templates_get_no_file(vendor: Vendor) -> None:
    for model in vendor.models.values():
        told = shipped().missing_templates(model.type, vendor.name, model.name)
        assert (told is None) == vendor.has_templates(model)
        assert told is None or "there are no templates for" in told


GRANDSTREAM_AGENTS = [
    (AgentKind.HTTP, "Grandstream Model HW HT802V2 V1.0A SW 1.0.5.4 DevId ec74d763e419", "HT802", "1.0.5.4"),
    (AgentKind.HTTP, "Grandstream Model HW HT814 SW 1.0.29.8 DevId c074ad150b88", "HT814", "1.0.29.8"),
    (AgentKind.SIP, "Grandstream HT802 1.0.17.5", "HT802", "1.0.17.5"),
]


@pytest.mark.parametrize(("kind", "agent", "model", "firmware"), GRANDSTREAM_AGENTS)
def test_user_agent_of_an_adapter_says_what_it_is(kind: AgentKind, agent: str, model: str, firmware: str) -> None:
    match = shipped().match_agent(kind, agent)
    assert match is not None
    assert (match.vendor, match.firmware) == ("grandstream", firmware)
    assert match.mac == (agent.rpartition(" ")[2] if kind is AgentKind.HTTP else None)
    found = shipped().vendors["grandstream"].find_model(match.model)
    assert found is not None
    assert found.name == model


def _named(case: GoldenCase, text: str) -> Iterator[Entity]:
    yield account()
    yield user(first_name=text, last_name="")
    yield device(vendor=case.vendor, model=case.model, mac=case.mac, name=text)
    yield line(user_id=1, label=text, appearances=2)
    yield line(2, index=2, extension="2009")
    yield credential(password=PASSWORD)
    yield credential(2, line_id=2, aor_user="2009", password=PASSWORD)


def _render_named(case: GoldenCase, text: str) -> bytes:
    answer = Desk(inventory_of(*_named(case, text))).ask(f"p/{ACCOUNT_TOKEN}/{case.file}")
    assert answer.status is AnswerStatus.FOUND, answer.decision.error
    return answer.content


device_cases = pytest.mark.parametrize(
    "case", [case for case in CASES if case.mac in case.file.lower()], ids=lambda case: case.model
)


@device_cases
def test_awkward_name_stays_a_name(case: GoldenCase) -> None:
    plain, awkward = (parse(case, _render_named(case, text)) for text in ("Jane", AWKWARD))
    assert plain.keys() == awkward.keys()
    shown = {awkward[key] for key in plain if plain[key] == "Jane"}
    assert shown == {"\"<&>' {{7*7}}"}
    assert not any("49" in value for key, value in awkward.items() if plain[key] != value)


@device_cases
@settings(max_examples=25)
@given(text=st.text(max_size=60).filter(lambda text: "%null%" not in text.lower()))
def test_no_name_breaks_a_file_or_adds_a_key(case: GoldenCase, text: str) -> None:
    assert len(parse(case, _render_named(case, text))) == _count_of_plain_keys(case)


@cache
def _count_of_plain_keys(case: GoldenCase) -> int:
    return len(parse(case, _render_named(case, "Jane")))


YEALINK_AGENTS = [
    ("Yealink SIP-T46G 28.72.0.1 00:15:65:4a:a9:37", "T46G", "28.72.0.1", "0015654aa937"),
    ("yealink SIP-T28P 2.70.0.140 00:15:65:13:ae:0b", "T28P", "2.70.0.140", "00156513ae0b"),
    ("Yealink SIP-T19P_E2 53.80.0.3 00:15:65:4c:4c:26", "T19P", "53.80.0.3", "0015654c4c26"),
    ("Yealink SIP VP-T49G 51.80.0.10 00:15:65:9b:5a:44", "T49G", "51.80.0.10", "0015659b5a44"),
    ("Yealink SIP-T56A  58.80.0.25 001565f429a4", "T56A", "58.80.0.25", "001565f429a4"),
    ("Yealink SIP-T38G  38.70.0.125 00:15:65:00:00:00", "T38G", "38.70.0.125", "001565000000"),
    ("Yealink-T46G 28.71.0.81 28.1.0.128.0.0.0", "T46G", "28.71.0.81", None),
    ("Yealink SIP-T54W 96.85.0.5", "T54W", "96.85.0.5", None),
    ("Yealink SIP-T77U 185.87.0.10 80:5e:0c:1d:65:4e", "T77U", "185.87.0.10", "805e0c1d654e"),
]
SNOM_AGENTS = [
    (
        "Mozilla/4.0 (compatible; snomD785-SIP 10.1.33.33 2010.12-00004-g9ba52f5 000413922D24 SXM:0 UXM:0)",
        "D785",
        "10.1.33.33",
        "000413922d24",
    ),
    (
        "Mozilla/4.0 (compatible; snomD785-SIP 10.1.169.16 2010.12-00001-gd311851f1 (Feb 25 2019 - 14:19:43) "
        "00041396D9B4 SXM:0 UXM:0 UXMC:0)",
        "D785",
        "10.1.169.16",
        "00041396d9b4",
    ),
    ("Mozilla/4.0 (compatible; snomD345-SIP 8.9.3.60 1.1.3-s)", "D345", "8.9.3.60", None),
]


@pytest.mark.parametrize(
    ("vendor", "agent", "model", "firmware", "mac"),
    [("yealink", *row) for row in YEALINK_AGENTS] + [("snom", *row) for row in SNOM_AGENTS],
)
def test_user_agent_says_what_it_shows(vendor: str, agent: str, model: str, firmware: str, mac: str | None) -> None:
    match = shipped().match_agent(AgentKind.HTTP, agent)
    assert match is not None
    assert (match.vendor, match.firmware, match.mac) == (vendor, firmware, mac)
    found = shipped().vendors[vendor].find_model(match.model)
    assert found is not None
    assert found.name == model


def test_sip_user_agent_of_snom() -> None:
    match = shipped().match_agent(AgentKind.SIP, "snomD862/10.1.226.13")
    assert match is not None
    assert (match.vendor, match.model, match.firmware) == ("snom", "D862", "10.1.226.13")


@pytest.mark.parametrize("agent", ["curl/8.0", "FileTransport PolycomVVX-VVX_400-UA/4.1.4.7430 Type/Application", ""])
def test_foreign_user_agent_says_nothing(agent: str) -> None:
    assert shipped().match_agent(AgentKind.HTTP, agent) is None

"""The phones whose files are kept as golden files, and how they are read back."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from tests.support.inventory import (
    ACCOUNT_TOKEN,
    account,
    carrier,
    credential,
    device,
    inventory_of,
    line,
    location,
    number,
    user,
)
from tests.support.provisioning import Desk

from offhook.inventory.models import Entity, Features
from offhook.inventory.snapshot import Inventory
from offhook.provisioning.answer import AnswerStatus

GOLDEN = Path(__file__).parent / "golden"
_Build = Callable[[str, str, str], tuple[Entity, ...]]


@dataclass(frozen=True)
class GoldenCase:
    """A phone that asks for one file."""

    vendor: str
    model: str
    mac: str
    file: str
    user_agent: str
    inventory: Inventory

    @property
    def path(self) -> Path:
        return GOLDEN / self.vendor / f"{self.model}_{self.file}"

    def render(self) -> bytes:
        answer = Desk(self.inventory).ask(f"/p/{ACCOUNT_TOKEN}/{self.file}", user_agent=self.user_agent)
        assert answer.status is AnswerStatus.FOUND, answer.decision
        return answer.content


def _plain(vendor: str, model: str, mac: str) -> tuple[Entity, ...]:
    """One user's phone in New York."""
    return (
        account(),
        user(),
        device(vendor=vendor, model=model, mac=mac, name="Reception"),
        line(user_id=1),
        credential(),
        carrier(revision=7),
    )


def _rich(vendor: str, model: str, mac: str) -> tuple[Entity, ...]:
    """Three lines, one of them twice on the keys, a gap between them, in Berlin, with an awkward name."""
    return (
        account(language="de-DE", tones="de", ntp_server="ntp.acme.test"),
        location(1, timezone="Europe/Berlin"),
        user(1, first_name="Jürgen", last_name="\"<&>' Öz"),
        number(1, display_first="Front", display_last="Desk", extension="3001"),
        device(vendor=vendor, model=model, mac=mac, location_id=1),
        line(1, user_id=1, index=1, appearances=2),
        line(2, number_id=1, index=2),
        line(3, extension="2003", label="Gate", index=4),
        credential(1, line_id=1, aor_user="2001"),
        credential(2, line_id=2, aor_user="3001", password="Pass2word"),
        credential(3, line_id=3, aor_user="2003", password="Third3pass"),
        carrier(revision=9),
    )


def _featured(vendor: str, model: str, mac: str) -> tuple[Entity, ...]:
    """Two lines whose numbers forward, hide and refuse, each in its own way."""
    first = Features(
        forward_busy="2002", forward_no_answer="+12125550199", call_waiting=False, hide_caller_id=True, voicemail=True
    )
    return (
        account(),
        user(),
        number(1, user_id=1, features=first, display_first="Jane", display_last="at work"),
        number(2, extension="2002", features=Features(forward_always="+4930123456", do_not_disturb=True)),
        device(vendor=vendor, model=model, mac=mac, name="Reception"),
        line(1, user_id=1, index=1),
        line(2, number_id=2, index=2),
        credential(1, line_id=1, aor_user="2001"),
        credential(2, line_id=2, aor_user="2002", password="Pass2word"),
        carrier(revision=3),
    )


def _external(vendor: str, model: str, mac: str) -> tuple[Entity, ...]:
    """A phone that registers with somebody else's registrar."""
    return (
        account(external_registrar="sip.provider.test:5070", timezone="America/Phoenix"),
        user(),
        device(vendor=vendor, model=model, mac=mac),
        line(user_id=1),
        credential(auth_username="cust-77", aor_user="4930123", is_external=True, realm="provider"),
        carrier(revision=2),
    )


def _yealink(model: str, code: str, firmware: str, build: _Build) -> list[GoldenCase]:
    mac = "001565123456"
    agent = f"Yealink SIP-{model} {firmware} 00:15:65:12:34:56"
    inventory = inventory_of(*build("yealink", model, mac))
    return [
        GoldenCase("yealink", model, mac, f"y000000000{code}.cfg", agent, inventory),
        GoldenCase("yealink", model, mac, f"{mac}.cfg", agent, inventory),
    ]


def _snom(model: str, build: _Build) -> list[GoldenCase]:
    mac = "0004131a2b3c"
    agent = f"Mozilla/4.0 (compatible; snom{model}-SIP 10.1.169.16 2010.12-00001-gd311851f1 {mac.upper()} SXM:0)"
    inventory = inventory_of(*build("snom", model, mac))
    return [
        GoldenCase("snom", model, mac, f"snom{model}.htm", agent, inventory),
        GoldenCase("snom", model, mac, f"snom{model}-{mac.upper()}.htm", agent, inventory),
    ]


CASES: tuple[GoldenCase, ...] = (
    *_yealink("T46U", "108", "108.86.0.20", _rich),
    *_yealink("T54W", "096", "96.86.0.23", _plain),
    *_yealink("T31P", "123", "124.86.0.40", _plain),
    *_yealink("T58W", "150", "150.86.0.5", _external),
    *_yealink("T53W", "095", "96.86.0.23", _featured),
    *_yealink("T19P", "053", "53.84.0.125", _featured),
    *_snom("D862", _featured),
    *_snom("D785", _rich),
    *_snom("D865", _plain),
    *_snom("D120", _plain),
    *_snom("D735", _external),
)


def parse_cfg(content: bytes) -> dict[str, str]:
    """A Yealink file as the phone reads it. Fails on a line that is none, and on a key given twice."""
    first, *lines = content.decode().split("\n")
    assert first == "#!version:1.0.0.1"
    values: dict[str, str] = {}
    for text in lines:
        if not text or text.startswith("#"):
            continue
        match = re.fullmatch(r"([a-z0-9_.]+) = (\S|\S.*\S)", text)
        assert match, text
        assert match[1] not in values, text
        values[match[1]] = match[2]
    return values


def parse_settings(content: bytes) -> dict[str, str]:
    """A Snom file as the phone reads it: settings by name and index, and keys."""
    root = ElementTree.fromstring(content)
    assert root.tag == "settings"
    values: dict[str, str] = {}
    for element in root.iterfind("phone-settings/*"):
        key = f"{element.tag}[{element.get('idx')}]" if element.get("idx") else element.tag
        assert key not in values, key
        values[key] = element.text or ""
    for element in root.iterfind("functionKeys/fkey"):
        key = f"fkey[{element.get('idx')}]"
        assert key not in values, key
        values[key] = f"{element.text} {element.get('context')} {element.get('label')}"
    return values


def parse(case: GoldenCase, content: bytes) -> dict[str, str]:
    return parse_cfg(content) if case.vendor == "yealink" else parse_settings(content)

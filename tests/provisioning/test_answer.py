import ipaddress
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from tests.support.inventory import (
    ACCOUNT_TOKEN,
    BOX,
    DEVICE_TOKEN,
    account,
    carrier,
    credential,
    device,
    inventory_of,
    line,
    one_phone,
    user,
)
from tests.support.provisioning import LAN, Desk
from tests.templates.cases import parse_cfg

from offhook.endpoint import HostPort
from offhook.events import ConfigFetched, RenderFailed
from offhook.inventory.models import AccessLevel, DeviceState
from offhook.provisioning.answer import Answer, AnswerStatus, Protocol, ProvisioningSettings
from offhook.provisioning.catalog import find_shipped_templates, load_catalog
from offhook.provisioning.identify import Reason

MINE = f"/p/{ACCOUNT_TOKEN}/001565123456.cfg"
COMMON = f"/p/{ACCOUNT_TOKEN}/y000000000108.cfg"
T46U = "Yealink SIP-T46U 108.86.0.20 00:15:65:12:34:56"


def values(answer: Answer) -> dict[str, str]:
    assert answer.status is AnswerStatus.FOUND, answer.decision
    return parse_cfg(answer.content)


def test_phone_gets_its_file() -> None:
    answer = Desk(one_phone()).ask(MINE, user_agent=T46U)
    assert values(answer)["account.1.password"] == "Sesame234"
    assert answer.content_type == "text/plain; charset=utf-8"
    assert answer.decision.reason is Reason.GRANTED
    assert answer.decision.revision == 7


def test_fetch_is_reported_once_and_only_when_delivered() -> None:
    desk = Desk(one_phone())
    answer = desk.ask(MINE, user_agent=T46U, protocol=Protocol.TFTP)
    assert desk.events == []
    answer.on_delivered()
    answer.on_delivered()
    assert desk.events == [
        ConfigFetched(
            carrier_id=1,
            revision=7,
            file="001565123456.cfg",
            kind="device",
            at=1000.0,
            source="10.0.0.9",
            protocol="tftp",
            user_agent=T46U,
            vendor="yealink",
            model="T46U",
            firmware="108.86.0.20",
        )
    ]


def test_revision_is_that_of_the_render_even_if_a_new_one_came_meanwhile() -> None:
    desk = Desk(one_phone())
    answer = desk.ask(MINE)
    desk.inventory = inventory_of(account(), user(), device(), line(user_id=1), credential(), carrier(revision=8))
    answer.on_delivered()
    [event] = desk.events
    assert isinstance(event, ConfigFetched)
    assert event.revision == 7


def test_common_file_proves_nothing() -> None:
    desk = Desk(one_phone())
    desk.ask(COMMON, user_agent=T46U).on_delivered()
    [event] = desk.events
    assert isinstance(event, ConfigFetched)
    assert (event.carrier_id, event.revision, event.kind) == (1, 0, "common")


def test_common_file_for_nobody_known_is_not_reported() -> None:
    desk = Desk(one_phone())
    desk.ask(COMMON).on_delivered()
    assert desk.events == []


def test_phone_named_by_its_user_agent_must_belong_to_the_token() -> None:
    other = account(2, token="otherotherotherotherother2")
    desk = Desk(inventory_of(account(), other, user(), device(account_id=2), line(user_id=1), credential()))
    desk.ask(COMMON, user_agent=T46U).on_delivered()
    assert desk.events == []


def test_carrier_that_has_no_revision_yet_has_revision_0() -> None:
    desk = Desk(inventory_of(account(), user(), device(), line(user_id=1), credential()))
    answer = desk.ask(MINE)
    assert values(answer)
    assert answer.decision.revision == 0


def test_same_revision_is_rendered_once_and_a_new_one_anew() -> None:
    desk = Desk(one_phone())
    assert values(desk.ask(MINE))["account.1.display_name"] == "Jane Smith"
    joan = user(first_name="Joan")
    desk.inventory = inventory_of(account(), joan, device(), line(user_id=1), credential(), carrier(revision=7))
    assert values(desk.ask(MINE))["account.1.display_name"] == "Jane Smith"
    desk.inventory = inventory_of(account(), joan, device(), line(user_id=1), credential(), carrier(revision=8))
    assert values(desk.ask(MINE))["account.1.display_name"] == "Joan Smith"


def test_etag_is_that_of_the_content() -> None:
    desk = Desk(one_phone())
    first = desk.ask(MINE)
    assert desk.ask(MINE).etag == first.etag
    for sent in (first.etag, f'"x", W/{first.etag}', "*"):
        again = desk.ask(MINE, if_none_match=sent)
        assert (again.status, again.content, again.etag) == (AnswerStatus.NOT_MODIFIED, b"", first.etag)
    assert desk.ask(MINE, if_none_match='"x"').status is AnswerStatus.FOUND


def test_not_modified_counts_as_fetched() -> None:
    desk = Desk(one_phone())
    desk.ask(MINE, if_none_match="*").on_delivered()
    assert len(desk.events) == 1


def test_unknown_etag_does_not_reveal_that_a_refused_file_exists() -> None:
    answer = Desk(one_phone()).ask("/001565123456.cfg", if_none_match="*")
    assert answer.status is AnswerStatus.NOT_FOUND


URL = "static.auto_provision.server.url"


@pytest.mark.parametrize(
    ("protocol", "address", "port", "url"),
    [
        (Protocol.HTTP, "10.0.0.1", 8080, f"http://10.0.0.1:8080/p/{ACCOUNT_TOKEN}/"),
        (Protocol.HTTP, "10.0.0.1", 80, f"http://10.0.0.1/p/{ACCOUNT_TOKEN}/"),
        (Protocol.HTTPS, "10.0.0.1", 443, f"https://10.0.0.1/p/{ACCOUNT_TOKEN}/"),
        (Protocol.TFTP, "10.0.0.1", 69, f"tftp://10.0.0.1/p/{ACCOUNT_TOKEN}/"),
        (Protocol.HTTP, "fd00::1", 8080, f"http://[fd00::1]:8080/p/{ACCOUNT_TOKEN}/"),
        (Protocol.HTTP, "fe80::1%eth0", 8080, f"http://[fe80::1]:8080/p/{ACCOUNT_TOKEN}/"),
    ],
)
def test_phone_is_told_to_come_back_the_way_it_came(protocol: Protocol, address: str, port: int, url: str) -> None:
    answer = Desk(one_phone()).ask(MINE, protocol=protocol, local_address=address, local_port=port)
    assert values(answer)[URL] == url


def test_public_url_and_advertised_address_go_first() -> None:
    told = ProvisioningSettings(
        public_url="https://prov.acme.test/x/", sip_advertise=HostPort("sip.acme.test"), sip_port=5070, lan_networks=LAN
    )
    found = values(Desk(one_phone(), told).ask(MINE))
    assert found[URL] == f"https://prov.acme.test/x/p/{ACCOUNT_TOKEN}/"
    assert found["account.1.outbound_proxy.1.address"] == "sip.acme.test"
    assert found["account.1.outbound_proxy.1.port"] == "5070"


def test_url_keeps_the_token_that_was_shown_and_no_other() -> None:
    inventory = inventory_of(
        account(access=AccessLevel.LAN), user(), device(token=DEVICE_TOKEN), line(user_id=1), credential(), carrier()
    )
    desk = Desk(inventory)
    assert values(desk.ask("001565123456.cfg"))[URL] == "http://10.0.0.1:8080/"
    assert values(desk.ask(f"d/{DEVICE_TOKEN}/001565123456.cfg"))[URL] == f"http://10.0.0.1:8080/d/{DEVICE_TOKEN}/"
    assert values(desk.ask(MINE))[URL] == f"http://10.0.0.1:8080/p/{ACCOUNT_TOKEN}/"


def test_who_comes_by_the_former_token_is_told_the_present_one() -> None:
    former = "f" * 26
    changed = account(former_token_digest=BOX.digest(former), former_token_until=2000.0)
    desk = Desk(inventory_of(changed, user(), device(), line(user_id=1), credential(), carrier()))
    assert values(desk.ask(f"p/{former}/001565123456.cfg"))[URL] == f"http://10.0.0.1:8080/p/{ACCOUNT_TOKEN}/"
    assert desk.ask(f"p/{former}/001565123456.cfg", now=2000.0).status is AnswerStatus.NOT_FOUND


def test_reported_model_decides_how_many_accounts_are_written() -> None:
    agent = "Yealink SIP-T31P 124.86.0.40 00:15:65:12:34:56"
    desk = Desk(one_phone())
    with capture_logs() as logs:
        small = values(desk.ask(MINE, user_agent=agent))
    assert "account.2.enable" in small
    assert "account.3.enable" not in small
    assert logs[0]["typed_model"] == "T46U"
    assert "account.16.enable" in values(desk.ask(MINE, user_agent=T46U))


REFUSED = {
    "unknown MAC": "/p/TOKEN/001565999999.cfg",
    "wrong token": f"/p/{'a' * 26}/001565123456.cfg",
    "token of the wrong kind": "/d/TOKEN/001565123456.cfg",
    "half a token": "/p/acme/001565123456.cfg",
    "no token": "/001565123456.cfg",
    "wrong vendor": "/p/TOKEN/snomD785-001565123456.htm",
    "absent boot file": "/p/TOKEN/001565123456.boot",
    "unknown file": "/p/TOKEN/favicon.ico",
    "traversal": "/p/TOKEN/../../etc/passwd",
    "long name": "/p/TOKEN/" + "a" * 600,
    "script": "/<script>alert(1)</script>",
    "nothing": "",
}


@pytest.mark.parametrize("path", REFUSED.values(), ids=REFUSED)
def test_refusals_look_alike(path: str) -> None:
    desk = Desk(one_phone())
    answer = desk.ask(path.replace("TOKEN", ACCOUNT_TOKEN), user_agent=T46U)
    shown = (answer.status, answer.content, answer.content_type, answer.etag)
    assert shown == (AnswerStatus.NOT_FOUND, b"", "", "")
    answer.on_delivered()
    assert desk.events == []


def test_disabled_device_looks_like_an_unknown_one() -> None:
    answer = Desk(one_phone(state=DeviceState.DISABLED)).ask(MINE)
    assert (answer.status, answer.decision.reason) == (AnswerStatus.NOT_FOUND, Reason.DISABLED)


def test_thousand_guesses_find_nothing() -> None:
    desk = Desk(one_phone())
    for guess in range(0x123000, 0x123000 + 1110):
        for name in (f"/001565{guess:06x}.cfg", f"/p/{'b' * 26}/001565{guess:06x}.cfg"):
            answer = desk.ask(name, source="198.51.100.7")
            assert (answer.status, answer.content) == (AnswerStatus.NOT_FOUND, b"")


def test_one_line_is_logged_without_token_and_control_characters() -> None:
    with capture_logs() as logs:
        Desk(one_phone()).ask(MINE, user_agent=T46U)
        Desk(one_phone()).ask(f"/p/{ACCOUNT_TOKEN}/\u202e\x85x.cfg")
    assert logs[0] == {
        "event": "provisioning.request.answered",
        "log_level": "info",
        "protocol": "http",
        "source": "10.0.0.9",
        "file": "p/***/001565123456.cfg",
        "reason": "granted",
        "vendor": "yealink",
        "model": "T46U",
        "device": "001565123456",
        "status": "found",
        "bytes": logs[0]["bytes"],
        "revision": 7,
    }
    assert logs[1]["file"] == "p/***/x.cfg"
    assert len(logs) == 2


def test_refusals_are_a_line_a_minute_for_each_source_and_reason_and_what_is_given_is_always_told() -> None:
    desk = Desk(one_phone())
    with capture_logs() as logs:
        for _ in range(3):
            desk.ask(MINE)
            desk.ask("/p/TOKEN/001565999999.cfg")
            desk.ask("/p/TOKEN/favicon.ico")
        desk.ask("/p/TOKEN/favicon.ico", source="198.51.100.7")
    lines = [(entry["reason"], entry["source"]) for entry in logs if entry["log_level"] == "info"]
    assert sorted(lines) == [
        ("granted", "10.0.0.9"),
        ("granted", "10.0.0.9"),
        ("granted", "10.0.0.9"),
        ("unknown_device", "10.0.0.9"),
        ("unknown_file", "10.0.0.9"),
        ("unknown_file", "198.51.100.7"),
    ]


def _broken(tmp_path: Path, source: str) -> Desk:
    folder = tmp_path / "yealink"
    folder.mkdir()
    (folder / "device.cfg.j2").write_text(source)
    return Desk(one_phone(), catalog=load_catalog([tmp_path, find_shipped_templates()]))


def test_failed_render_says_nothing_and_is_reported(tmp_path: Path) -> None:
    desk = _broken(tmp_path, "account = {{ phone.lines[0].password }}\n{{ absent }}")
    with capture_logs() as logs:
        answer = desk.ask(MINE)
    assert (answer.status, answer.content) == (AnswerStatus.ERROR, b"")
    [event] = desk.events
    assert event == RenderFailed(1, 7, "yealink/device.cfg.j2:2: uses what is not there: 'absent' is undefined", 1000.0)
    assert [(entry["log_level"], entry["reason"]) for entry in logs] == [("error", "render_failed")]
    assert "Sesame234" not in str(logs)


def test_value_that_a_file_cannot_carry_fails_the_render() -> None:
    bad = credential(password="two\nlines")
    desk = Desk(inventory_of(account(), user(), device(), line(user_id=1), bad, carrier()))
    answer = desk.ask(MINE)
    assert answer.status is AnswerStatus.ERROR
    assert "two" not in answer.decision.error


def test_secret_that_cannot_be_opened_fails_the_render() -> None:
    bad = credential(sealed_secret=credential(9).sealed_secret)
    desk = Desk(inventory_of(account(), user(), device(), line(user_id=1), bad, carrier()))
    assert desk.ask(MINE).status is AnswerStatus.ERROR
    assert isinstance(desk.events[0], RenderFailed)


def test_other_settings_count_from_the_next_request_on() -> None:
    desk = Desk(one_phone())
    assert values(desk.ask(MINE))
    desk.provisioner.use(desk.catalog, ProvisioningSettings(lan_networks=(ipaddress.ip_network("192.0.2.0/24"),)))
    assert desk.ask(MINE).decision.reason is Reason.OUTSIDE_LAN

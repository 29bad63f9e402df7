"""Yealink and Snom phones ask for the files that their vendors document, and read them as their firmware does."""

from collections.abc import Mapping

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.phone.snom import Snom, parse_snom_xml
from tests.support.phone.vendors import FetchedFile, Firmware, MalformedFile, Reaction, ReadFiles
from tests.support.phone.yealink import Yealink, parse_boot, parse_cfg

from offhook.endpoint import HostPort, Transport

MAC = "001565123456"
SNOM_MAC = "0004139a0b0c"

YEALINK_FILE = b"""#!version:1.0.0.1
# comment = no setting
account.1.enable = 1
account.1.label = 2001
account.1.display_name = Jane = Smith
account.1.user_name = 2001
account.1.auth_name = 2001-abc
account.1.password = s3cret
account.1.sip_server.1.address = acme.test
account.1.sip_server.1.port = 5060
account.1.sip_server.1.transport_type = 1
account.1.sip_server.1.expires = 600
account.1.outbound_proxy_enable = 1
account.1.outbound_proxy.1.address = 127.0.0.1
account.1.outbound_proxy.1.port = 25060
account.2.enable = 0
account.2.user_name = 2002
"""

SNOM_FILE = b"""<?xml version="1.0" encoding="UTF-8"?>
<settings><phone-settings e="2">
<user_active idx="1" perm="R">on</user_active>
<user_realname idx="1" perm="R">Jane &amp; Smith</user_realname>
<user_name idx="1" perm="R">2001</user_name>
<user_pname idx="1" perm="R">2001-abc</user_pname>
<user_pass idx="1" perm="R">s3cret</user_pass>
<user_host idx="1" perm="R">acme.test</user_host>
<user_outbound idx="1" perm="R">127.0.0.1:25060;transport=tcp</user_outbound>
<user_expiry idx="1" perm="R">600</user_expiry>
<user_active idx="2" perm="R">off</user_active>
<filter_registrar perm="R">on</filter_registrar>
</phone-settings><functionKeys e="2"><fkey idx="0" context="1" perm="R">line</fkey></functionKeys></settings>
"""


def read(firmware: Firmware, mac: str, files: Mapping[str, bytes | int | None]) -> tuple[list[str], ReadFiles]:
    """Answers what the phone asks for; an int is a status, a name that is absent is 404."""
    asked: list[str] = []
    sequence = firmware.file_sequence(mac)
    try:
        name = next(sequence)
        while True:
            asked.append(name)
            content = files.get(name, 404)
            if isinstance(content, bytes):
                name = sequence.send(FetchedFile(200, content))
            else:
                name = sequence.send(FetchedFile(content))
    except StopIteration as end:
        result = end.value
        assert isinstance(result, ReadFiles)
        return asked, result


def test_a_yealink_without_boot_files_asks_for_the_common_file_and_its_own() -> None:
    asked, result = read(Yealink(), MAC, {f"{MAC}.cfg": YEALINK_FILE})

    assert asked == [f"{MAC}.boot", "y000000000000.boot", "y000000000108.cfg", f"{MAC}.cfg"]
    assert result.found == [f"{MAC}.cfg"]
    assert result.missing == [f"{MAC}.boot", "y000000000000.boot", "y000000000108.cfg"]


def test_a_yealink_follows_its_boot_file_and_the_model_guards_in_it() -> None:
    boot = b'#!version:1.0.0.1\ninclude:config "all.cfg"\n[T46U, T48U]include:config t46u.cfg\n[T42S]include:config n\n'

    asked, _ = read(Yealink(), MAC, {f"{MAC}.boot": boot})

    assert asked == [f"{MAC}.boot", "all.cfg", "t46u.cfg"]


def test_later_files_win_and_null_brings_the_factory_value_back() -> None:
    common = b"#!version:1.0.0.1\nlang.gui = English\nsip.trust_ctrl = 1\nsip.notify_reboot_enable = 0\n"
    own = b"#!version:1.0.0.1\nlang.gui = German\nsip.trust_ctrl = %NULL%\nphone.x = %NULL%\n"
    firmware = Yealink()
    _, result = read(firmware, MAC, {"y000000000108.cfg": common, f"{MAC}.cfg": own})

    settings = firmware.merge({**firmware.factory_settings, "phone.x": "1", "kept": "yes"}, result.values)

    assert settings["lang.gui"] == "German"
    assert settings["sip.trust_ctrl"] == "0"
    assert settings["sip.notify_reboot_enable"] == "0"
    assert settings["kept"] == "yes"
    assert "phone.x" not in settings


@pytest.mark.parametrize("firmware", [Yealink(), Snom()], ids=["yealink", "snom"])
def test_a_server_that_does_not_answer_ends_the_round(firmware: Firmware) -> None:
    sequence = firmware.file_sequence(MAC)
    next(sequence)

    with pytest.raises(StopIteration) as end:
        sequence.send(FetchedFile(None))

    assert not end.value.value.is_complete


@pytest.mark.parametrize(
    "data", [b"", b"account.1.enable = 1\n", b"\n#!version:1.0.0.1\n", b"#!version:1.0.0.1\nlabel = \xff\n"]
)
def test_a_yealink_refuses_a_file_that_is_not_one(data: bytes) -> None:
    with pytest.raises(MalformedFile):
        parse_cfg(data)
    _, result = read(Yealink(), MAC, {f"{MAC}.cfg": data})
    assert [name for name, _ in result.rejected] == [f"{MAC}.cfg"]
    assert result.values == {}


def test_a_carriage_return_alone_begins_a_line_so_that_an_injected_key_shows() -> None:
    assert parse_cfg(b"#!version:1.0.0.1\r\nlabel = x\rinjected = 1\r\n") == {"label": "x", "injected": "1"}


def test_a_yealink_account_is_what_its_settings_say() -> None:
    firmware = Yealink()
    (account,) = firmware.accounts(parse_cfg(YEALINK_FILE))

    assert account.index == 1
    assert account.address_of_record == "sip:2001@acme.test"
    assert account.registrar_uri == "sip:acme.test"
    assert account.destination == ("127.0.0.1", 25060)
    assert account.transport is Transport.TCP
    assert (account.auth_name, account.password, account.expires_seconds) == ("2001-abc", "s3cret", 600)
    assert account.display_name == "Jane = Smith"
    assert "s3cret" not in repr(account)


def test_without_a_proxy_requests_go_to_the_registrar_and_without_an_auth_name_the_user_is_it() -> None:
    text = YEALINK_FILE.replace(b"outbound_proxy_enable = 1", b"outbound_proxy_enable = 0")
    text = text.replace(b"account.1.auth_name = 2001-abc\n", b"").replace(b"port = 5060", b"port = 5070")
    (account,) = Yealink().accounts(parse_cfg(text))

    assert account.destination == ("acme.test", 5070)
    assert account.registrar_uri == "sip:acme.test:5070"
    assert account.auth_name == "2001"


def test_a_snom_asks_for_its_models_file_and_its_own() -> None:
    asked, result = read(Snom(), SNOM_MAC, {"snomD785-0004139A0B0C.htm": SNOM_FILE})

    assert asked == ["snomD785.htm", "snomD785-0004139A0B0C.htm"]
    assert result.missing == ["snomD785.htm"]
    assert result.values["filter_registrar"] == "on"
    assert result.values["fkey[0]"] == "line"


def test_a_snom_reads_the_files_of_a_list_in_its_place() -> None:
    listed = b'<setting-files><file url="http://127.0.0.1/a.xml"/><file url="b.xml"/></setting-files>'

    asked, _ = read(Snom(), SNOM_MAC, {"snomD785.htm": listed})

    assert asked == ["snomD785.htm", "http://127.0.0.1/a.xml", "b.xml", "snomD785-0004139A0B0C.htm"]


def test_a_list_that_names_itself_comes_to_an_end() -> None:
    asked, _ = read(Snom(), SNOM_MAC, {"snomD785.htm": b'<setting-files><file url="snomD785.htm"/></setting-files>'})

    assert len(asked) == 16


@pytest.mark.parametrize("data", [b"", b"<settings>", b"<html/>", b"<settings>&x;</settings>"])
def test_a_snom_refuses_a_file_that_is_not_one(data: bytes) -> None:
    with pytest.raises(MalformedFile):
        parse_snom_xml(data)


def test_a_snom_account_is_what_its_settings_say() -> None:
    settings, _ = parse_snom_xml(SNOM_FILE)
    (account,) = Snom().accounts(settings)

    assert account.address_of_record == "sip:2001@acme.test"
    assert account.destination == ("127.0.0.1", 25060)
    assert account.transport is Transport.TCP
    assert (account.auth_name, account.password, account.expires_seconds) == ("2001-abc", "s3cret", 600)
    assert account.display_name == "Jane & Smith"


def test_a_snom_identity_whose_proxy_is_no_address_is_not_used() -> None:
    settings, _ = parse_snom_xml(SNOM_FILE.replace(b"127.0.0.1:25060;", b"127.0.0.1:x;"))

    assert Snom().accounts(settings) == ()


def test_a_boot_file_for_other_models_includes_nothing() -> None:
    assert parse_boot(b"#!version:1.0.0.1\n[T42S]include:config x.cfg\noverwrite_mode = 1\n", "T46U") == []


@pytest.mark.parametrize(
    ("event", "mode", "expected"),
    [
        ("check-sync;reboot=false", "0", Reaction.REFETCH),
        ("check-sync", "0", Reaction.REFETCH),
        ("check-sync;reboot=true", "0", Reaction.REBOOT),
        ("check-sync;reboot=false", "1", Reaction.REBOOT),
        ("check-sync;reboot=true", "2", Reaction.NOTHING),
        ("Check-Sync ; Reboot=TRUE", "0", Reaction.REBOOT),
        ("presence", "0", Reaction.UNKNOWN),
        ("", "0", Reaction.UNKNOWN),
    ],
)
def test_a_yealink_obeys_check_sync_as_notify_reboot_enable_says(event: str, mode: str, expected: Reaction) -> None:
    assert Yealink().react(event, {"sip.notify_reboot_enable": mode}) is expected


@pytest.mark.parametrize(
    ("event", "action", "expected"),
    [
        ("check-sync;reboot=false", "", Reaction.REFETCH),
        ("check-sync;reboot=true", "", Reaction.REBOOT),
        ("check-sync", "", Reaction.REBOOT),
        ("check-sync;reboot=reregister-only", "", Reaction.REREGISTER),
        ("check-sync;reboot=true", "sync", Reaction.REFETCH),
        ("check-sync;reboot=false", "delete-contacts", Reaction.NOTHING),
        ("reboot", "sync", Reaction.REBOOT),
        ("resync", "", Reaction.UNKNOWN),
    ],
)
def test_a_snom_obeys_check_sync_unless_checksync_action_says_otherwise(
    event: str, action: str, expected: Reaction
) -> None:
    assert Snom().react(event, {"checksync_action": action}) is expected


def test_user_agents_are_those_that_the_phones_send() -> None:
    yealink, snom = Yealink(), Snom()
    with_mac = {"static.auto_provision.user_agent_mac.enable": "1", "sip.mac_in_ua": "1"}

    assert yealink.http_user_agent(MAC, with_mac) == "Yealink SIP-T46U 108.86.0.20 00:15:65:12:34:56"
    assert yealink.http_user_agent(MAC, {}) == "Yealink SIP-T46U 108.86.0.20"
    assert yealink.sip_user_agent(MAC, with_mac) == "Yealink SIP-T46U 108.86.0.20 001565123456"
    assert yealink.sip_user_agent(MAC, {}) == "Yealink SIP-T46U 108.86.0.20"
    assert " 0004139A0B0C SXM:0" in snom.http_user_agent(SNOM_MAC, {})
    assert snom.sip_user_agent(SNOM_MAC, {}) == "snomD785/10.1.169.16"


def test_contacts_have_the_vendors_form() -> None:
    (yealink,) = Yealink().accounts(parse_cfg(YEALINK_FILE))
    settings, _ = parse_snom_xml(SNOM_FILE)
    (snom,) = Snom().accounts(settings)
    here = HostPort("127.0.0.1", 5062)

    assert str(Yealink().contact(yealink, here, MAC)) == "<sip:2001@127.0.0.1:5062;transport=TCP>"
    assert str(Snom().contact(snom, here, SNOM_MAC)) == (
        "<sip:2001@127.0.0.1:5062;transport=tcp;line=a0b0c01>;reg-id=1;q=1.0;"
        '+sip.instance="<urn:uuid:00000000-0000-1000-8000-0004139a0b0c>";audio'
    )


def test_a_yealink_names_its_mac_in_register_when_told_to() -> None:
    (account,) = Yealink().accounts(parse_cfg(YEALINK_FILE))

    assert ("Mac", "00:15:65:12:34:56") in Yealink().register_headers(account, MAC, {"account.1.register_mac": "1"})
    assert "Mac" not in dict(Yealink().register_headers(account, MAC, {}))


@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda text: b"#!version:1.0.0.1\n" + text.encode()))
def test_any_bytes_are_a_yealink_file_or_refused(data: bytes) -> None:
    try:
        settings = parse_cfg(data)
    except MalformedFile:
        return
    assert not [name for name in settings if "\n" in name or "\r" in name or "=" in name]
    assert parse_boot(data, "T46U") is not None
    Yealink().accounts(settings)


@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda text: f"<settings>{text}</settings>".encode()))
@example(SNOM_FILE)
def test_any_bytes_are_a_snom_file_or_refused(data: bytes) -> None:
    try:
        settings, _ = parse_snom_xml(data)
    except MalformedFile:
        return
    Snom().accounts(settings)

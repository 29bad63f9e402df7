"""pjsip.conf, read as Asterisk reads it."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.pjsip_conf import PjsipConf

from offhook.inventory.asterisk import escape, format_pjsip
from offhook.inventory.pbx import PbxCredential, PbxExport, PbxExtension

MADE_BY = "Made by Offhook 1.2.3: offhook export --for asterisk"


def extension(
    name: str = "Jane Smith", *, domain: str = "acme.test", number: str = "2001", lines: int = 1
) -> PbxExtension:
    credentials = tuple(
        PbxCredential(f"{number}-{domain[0]}{index}", domain, f"{index:032x}", "") for index in range(lines)
    )
    return PbxExtension(number, domain, name, lines, credentials)


def export(*extensions: PbxExtension, notes: tuple[str, ...] = ()) -> PbxExport:
    domains = tuple(sorted({it.domain for it in extensions}))
    return PbxExport(domains, domains, extensions, notes)


def read(*extensions: PbxExtension, notes: tuple[str, ...] = ()) -> PjsipConf:
    conf = PjsipConf(format_pjsip(export(*extensions, notes=notes), context="office", made_by=MADE_BY))
    conf.check_references()
    return conf


def test_an_extension_is_an_endpoint_an_aor_and_an_auth_for_each_line() -> None:
    conf = read(extension(lines=2))
    [endpoint] = conf.of("endpoint").values()
    assert endpoint.name == "2001"
    assert endpoint.values["context"] == "office"
    assert endpoint.values["callerid"] == '"Jane Smith" <2001>'
    assert endpoint.values["auth"].split(",") == list(conf.of("auth")) == ["2001-a0", "2001-a1"]
    assert conf.of("aor")["2001"].values["max_contacts"] == "2"
    auth = conf.of("auth")["2001-a1"].values
    assert (auth["username"], auth["realm"], auth["md5_cred"]) == ("2001-a1", "acme.test", f"{1:032x}")


def test_the_same_extension_in_two_accounts_stays_two() -> None:
    conf = read(extension(), extension(domain="globex.test"))
    assert list(conf.of("endpoint")) == list(conf.of("aor")) == ["2001@acme.test", "2001@globex.test"]


def test_how_it_was_made_and_what_it_lacks_stands_at_its_top() -> None:
    text = format_pjsip(export(notes=("a; b",)), context="x", made_by=MADE_BY)
    assert text.splitlines()[0] == f"; {MADE_BY}"
    assert text.splitlines()[2] == "; Note: a, b"
    assert not PjsipConf(text).objects


@settings(max_examples=100)
@given(st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp")), max_size=20).map(str.strip))
def test_any_name_is_a_caller_id_and_nothing_else(name: str) -> None:
    [endpoint] = read(extension(name)).of("endpoint").values()
    caller_id = endpoint.values["callerid"]
    assert caller_id.endswith("<2001>")
    if name:
        assert caller_id.count('"') == 2
        assert len(caller_id) == len(name) + len('"" <2001>')


def test_a_semicolon_is_written_so_that_it_is_no_comment() -> None:
    assert escape("a;b #c") == "a\\;b #c"
    [endpoint] = read(extension("A; #exec B")).of("endpoint").values()
    assert endpoint.values["callerid"] == '"A; #exec B" <2001>'


def test_the_caller_identity_stands_in_the_extensions_place_and_hiding_is_said() -> None:
    [endpoint] = read(replace(extension(), caller_identity="+12125550100")).of("endpoint").values()
    assert endpoint.values["callerid"] == '"Jane Smith" <+12125550100>'
    assert "callerid_privacy" not in endpoint.values
    [hidden] = read(replace(extension(), hides_caller_id=True)).of("endpoint").values()
    assert hidden.values["callerid_privacy"] == "prohib"

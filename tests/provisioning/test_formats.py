from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.provisioning.formats import UnwritableValue, escape_cfg, escape_plain, escape_xml


@given(st.text())
def test_xml_reads_back_what_was_written_or_refuses(text: str) -> None:
    try:
        escaped = escape_xml(text)
    except UnwritableValue:
        with pytest.raises(ElementTree.ParseError):
            ElementTree.fromstring(f"<a>{text.translate({38: None, 60: None})}</a>")
        return
    root = ElementTree.fromstring(f"<a b=\"{escaped}\" c='{escaped}'>{escaped}</a>")
    assert (root.text or "", root.get("b"), root.get("c")) == (text, text, text)


@pytest.mark.parametrize("text", ["\x00", "\x0b", "\ufffe", "\ud800"])
def test_xml_refuses_what_it_cannot_carry(text: str) -> None:
    with pytest.raises(UnwritableValue, match="XML"):
        escape_xml(f"a{text}b")


@given(st.text())
def test_cfg_writes_a_value_as_it_is_or_refuses(text: str) -> None:
    try:
        escaped = escape_cfg(text)
    except UnwritableValue:
        return
    assert f"key = {escaped}".splitlines() == [f"key = {text}"]
    assert escaped == text == text.strip()


@pytest.mark.parametrize(
    "text", ["a\nb", "a\rb", "a\x00b", "a\x85b", "a\u2028b", " a", "a ", "a\t", "%NULL%", "%null%", "a%NULL%"]
)
def test_cfg_refuses_what_would_be_read_otherwise(text: str) -> None:
    with pytest.raises(UnwritableValue) as caught:
        escape_cfg(text)
    assert "a\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "#1", "a = b", "{{7*7}}", "\"<&>'", "100 %", "Öz", "%NUL%"])
def test_cfg_carries_what_is_harmless(text: str) -> None:
    assert escape_cfg(text) == text


def test_plain_refuses_line_ends() -> None:
    assert escape_plain(" a ") == " a "
    with pytest.raises(UnwritableValue):
        escape_plain("a\nb")

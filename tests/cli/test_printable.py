import json

from hypothesis import given
from hypothesis import strategies as st

from offhook.cli.printable import printable


@given(st.text())
def test_nothing_printable_obeys_a_terminal(text: str) -> None:
    safe = printable(text)
    assert all(char in "\n\t" or not (ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0) for char in safe)
    assert printable(safe) == safe


@given(st.text())
def test_json_stays_what_it_was(text: str) -> None:
    assert json.loads(printable(json.dumps(text, ensure_ascii=False))) == text


def test_what_people_write_stays_as_it_is() -> None:
    assert printable("Zoë Łukasz 田中 👍\n\tx") == "Zoë Łukasz 田中 👍\n\tx"

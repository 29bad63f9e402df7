import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.inventory.identifiers import format_ipei
from offhook.inventory.tabular.spreadsheet import Notation, find_damage, guard, unguard

#: Texts that begin as something else than text, more often than chance has it.
NASTY = st.one_of(
    st.text(),
    st.text("'=+-@0123456789.,eE:()$\t\r\n", max_size=16),
    st.from_regex(r"'{0,3}(mar|Sept|MAY)[-. ]?[0-9]{0,3}", fullmatch=True),
)


@given(NASTY)
def test_what_is_guarded_comes_back(text: str) -> None:
    assert unguard(guard(text)) == text


@given(NASTY)
def test_nothing_that_is_guarded_begins_a_formula(text: str) -> None:
    assert not guard(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"))


@pytest.mark.parametrize("text", ["Jane", "2001", "0", "350", "00:15:65:12:34:56", "", "'t Hooft", "O'Neill", "T46U"])
def test_what_a_spreadsheet_leaves_alone_stays_readable(text: str) -> None:
    assert guard(text) == text


@pytest.mark.parametrize(
    "text",
    ["+12125550101", "=1+1", "@SUM(A1)", "-2", "007", "001565123456", "0658500479393", "1E5", "1-2", "12:30", "mar12",
     "Sept 2", "(5)", "$5", ".5", "123456789012", "\uff1d1+1"],
)  # fmt: skip
def test_what_a_spreadsheet_would_change_has_an_apostrophe_before_it(text: str) -> None:
    assert guard(text) == f"'{text}"


def test_an_apostrophe_that_a_person_wrote_before_digits_goes_too() -> None:
    assert unguard("'2001") == "2001"
    assert unguard("'t Hooft") == "'t Hooft"


@pytest.mark.parametrize(
    ("text", "notation", "said"),
    [
        ("1.23457E+11", Notation.MAC, "long number"),
        ("6,585E+11", Notation.IPEI, "long number"),
        ("1.21E+10", Notation.NUMBER, "long number"),
        ("2E+03", Notation.DIGITS, "long number"),
        ("2001.0", Notation.DIGITS, "made of 2001"),
        ("+12125550101.00", Notation.NUMBER, "made of +12125550101"),
        ("1565123456", Notation.MAC, "10 digits, and a MAC has twelve"),
        ("65850047939", Notation.IPEI, "11 digits, and an IPEI has thirteen"),
        ("12125550101", Notation.NUMBER, "no plus sign"),
        ("12125550101", Notation.TARGET, "no plus sign"),
        ("#N/A", Notation.TEXT, "error of the spreadsheet"),
        ("Err:502", Notation.CHOICE, "error of the spreadsheet"),
        ("#######", Notation.TEXT, "too narrow"),
    ],
)
def test_what_was_destroyed_is_told_with_a_remedy(text: str, notation: Notation, said: str) -> None:
    assert said in (find_damage(text, notation) or "")


@pytest.mark.parametrize(
    ("text", "notation"),
    [
        ("001565e12345", Notation.MAC),
        ("00:15:65:12:34:56", Notation.MAC),
        ("Floor 2", Notation.MAC),
        ("12", Notation.MAC),
        ("0658500479393", Notation.IPEI),
        ("0012345678", Notation.IPEI),
        ("+1.212.555.0100", Notation.NUMBER),
        ("2001", Notation.TARGET),
        ("0123", Notation.DIGITS),
        ("2001.0", Notation.TEXT),
        ("#1", Notation.TEXT),
        ("1.23457E+11", Notation.SECRET),
        ("########", Notation.SECRET),
    ],
)
def test_what_is_whole_is_left_alone(text: str, notation: Notation) -> None:
    assert find_damage(text, notation) is None


@given(st.integers(0, 6553), st.integers(0, 1048575))
def test_an_ipei_that_lost_its_zero_is_never_taken_for_another(emc: int, psn: int) -> None:
    """Thirteen digits without the first are twelve, which is an IPEI without check digit in its form."""
    text = format_ipei(f"{emc:05d}{psn:07d}")
    lost = text.lstrip("0")
    if lost.isdecimal() and not (len(lost) == 10 and lost[0] == "0"):
        assert find_damage(lost, Notation.IPEI) is not None

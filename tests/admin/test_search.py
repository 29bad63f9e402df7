import string
import unicodedata
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.admin.search import EVERYTHING, MAX_LENGTH, fold, natural_key, parse_search
from offhook.errors import Invalid


@dataclass(frozen=True)
class Row:
    text: str
    codes: str = ""


def row(*words: str, codes: str = "") -> Row:
    return Row("\n".join([fold("\n".join(words)), codes]), codes)


PHONE = row("Réception Süd", "yealink", "T46U", "2001", "Jane Smith", "jane@acme.test", codes="001565123456")
HANDSET = row("Ward 3", codes="0658500479393\n019b90bb71")


def finds(query: str, found: Row = PHONE) -> bool:
    return bool(parse_search(query).narrow([found]))


@pytest.mark.parametrize(
    "query",
    ["", "  ", "reception", "RÉCEPTION", "sud", "SÜD", "t46", "smith jane", "jane@acme", "200", "réc sm t46u", "ane s"],
)
def test_every_word_is_found_somewhere_without_case_and_accents(query: str) -> None:
    assert finds(query)


@pytest.mark.parametrize("query", ["receptions", "smith john", "2002", "jane.acme"])
def test_one_word_that_is_nowhere_is_enough_not_to_be_found(query: str) -> None:
    assert not finds(query)


@pytest.mark.parametrize(
    "query",
    ["00:15:65", "00-15-65-12-34-56", "0015.6512.3456", "00 15 65 12 34 56", "00 15 6", "5:65:1", "3456", "15.65"],
)
def test_a_mac_is_found_in_any_notation_and_in_part(query: str) -> None:
    assert finds(query)
    assert not finds(query, row("Reception", "1565", codes="001fc1000000"))


@pytest.mark.parametrize("query", ["06585 0047939 3", "06585-0047939-3", "0658500479393", "01:9b90:bb71", "00479393"])
def test_an_ipei_is_found_as_it_is_printed_and_in_hexadecimal(query: str) -> None:
    assert finds(query, HANDSET)


def test_what_could_be_a_code_is_looked_for_without_dots_among_codes_only() -> None:
    assert finds("10.1.2", row("10.1.2.3"))
    assert not finds("10.1.2", row("extension 1012"))
    assert finds("+1 (212) 555-0101", row(codes="+12125550101"))


@given(
    st.text("0123456789abcdef", min_size=12, max_size=12),
    st.sampled_from([":", "-", ".", ""]),
    st.sampled_from([2, 4, 6]),
    st.integers(0, 16),
    st.integers(2, 17),
)
def test_any_part_of_a_mac_that_is_written_in_any_way_is_found(
    mac: str, separator: str, size: int, start: int, length: int
) -> None:
    written = separator.join(mac[i : i + size] for i in range(0, 12, size)).upper()
    assert finds(written[start : start + length], row("phone", codes=mac))


@given(st.text(max_size=40), st.integers(0, 40), st.integers(0, 40))
def test_any_part_of_a_name_is_found(name: str, start: int, length: int) -> None:
    assert finds(name[start : start + length], row(name))


@given(st.text(string.ascii_letters + "äéîøñçßÅ "))
def test_accents_and_case_make_no_difference(name: str) -> None:
    plain = "".join(char for char in unicodedata.normalize("NFD", name) if not unicodedata.combining(char))
    assert fold(plain) == fold(name) == fold(name.upper()) == fold(unicodedata.normalize("NFD", name))


@given(st.integers(0, 10**12), st.integers(0, 10**12), st.sampled_from(["Phone ", "", "höhe-", "a1b"]))
def test_numbers_in_names_sort_as_numbers(one: int, other: int, name: str) -> None:
    keys = natural_key(f"{name}{one} x"), natural_key(f"{name}{other} x")
    assert (keys[0] < keys[1], keys[0] == keys[1]) == (one < other, one == other)


def test_leading_zeros_and_letters_after_digits() -> None:
    assert natural_key("Phone 02") == natural_key("phone 2")
    assert sorted(["b10", "b9a", "b9", "a"], key=natural_key) == ["a", "b9", "b9a", "b10"]


@pytest.mark.parametrize("query", ["x" * (MAX_LENGTH + 1), " ".join("abcdefghijklmnopq")])
def test_what_nobody_types_is_refused(query: str) -> None:
    with pytest.raises(Invalid, match="q has") as refused:
        parse_search(query)
    assert refused.value.remedy == "search for fewer words"


def test_without_words_everything_is_found() -> None:
    assert parse_search(" ") == EVERYTHING
    assert EVERYTHING.narrow([PHONE, HANDSET]) == [PHONE, HANDSET]

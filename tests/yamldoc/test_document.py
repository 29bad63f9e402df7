from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offhook.errors import DocumentError
from offhook.yamldoc import Bounds, Document, Placed, Value, document_of, format_path, load, read


def faults(text: str | bytes, bounds: Bounds | None = None) -> list[str]:
    with pytest.raises(DocumentError) as caught:
        load(text, "f.yaml", bounds)
    return [str(fault) for fault in caught.value.faults]


@pytest.mark.parametrize(
    "text",
    ["001565123456", "00:15:65:12:34:56", "2001", "NO", "yes", "True", "1e3", "010", "0x1f", "12:30:45", "2001-01-01"],
)
def test_what_other_loaders_convert_stays_text(text: str) -> None:
    assert load(f"a: {text}", "f.yaml").data == {"a": text}


@pytest.mark.parametrize(
    ("text", "value"), [("", None), ("~", None), ("null", None), ("true", True), ("false", False), ("'null'", "null")]
)
def test_null_and_booleans_are_plain_lower_case_words(text: str, value: object) -> None:
    assert load(f"a: {text}", "f.yaml").data == {"a": value}


def test_an_empty_file_is_null() -> None:
    assert load("", "f.yaml").data is None


def test_a_byte_order_mark_is_no_text() -> None:
    assert load(b"\xef\xbb\xbfa: 1", "f.yaml").data == {"a": "1"}


def test_positions_name_value_key_and_nearest_parent() -> None:
    document = load("a:\n  b: [x, {c: y}]\n", "f.yaml")
    assert document.position(("a", "b", 1, "c")) == (2, 14)
    assert document.position(("a", "b", 1, "c"), key=True) == (2, 11)
    assert document.position(("a", "b", 1, "missing")) == (2, 10)
    assert document.position(("a", "b", 7)) == (2, 6)
    assert document.position(("nothing",)) == (1, 1)
    assert document.known(("a", "tag", "b", 1, "c", 5)) == ("a", "b", 1, "c")


def test_an_alias_stands_for_its_anchor() -> None:
    assert load("a: &x {b: [1]}\nc: *x\nd: &y text\ne: *y", "f.yaml").data == {
        "a": {"b": ["1"]},
        "c": {"b": ["1"]},
        "d": "text",
        "e": "text",
    }


def test_every_fault_of_structure_is_told_at_once() -> None:
    text = "null: 1\ntrue: {x: y}\nb: !!int 5\n<<: {a: 1}\nc: [{d: 1, d: 2}]\nb: 3"
    assert faults(text) == [
        "f.yaml:1:1: a key must be text; put null in quotes",
        "f.yaml:2:1: a key must be text; put true in quotes",
        "f.yaml:3:4: b: the tag 'tag:yaml.org,2002:int' is not taken; remove it",
        "f.yaml:4:1: merge keys (<<) are not taken; write the keys out",
        "f.yaml:5:12: c[0].d: the key stands twice, first in line 5; remove one",
        "f.yaml:6:1: b: the key stands twice, first in line 3; remove one",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a:\n\tb: 1", "f.yaml:2:1: a: a tab stands here; indent with spaces"),
        ("a: @x", "f.yaml:1:4: a: a value cannot begin with '@'; put it in quotes"),
        ("a: b: c", "f.yaml:1:5: a ':' stands where no key can be; indent it as its neighbours, or quote text"),
        ("a: [1,2", "f.yaml:2:1: a[2]: a [ or { is not closed, or a comma is missing"),
        ("a: 'x", "f.yaml:1:6: a: a quote, [ or { is not closed"),
        ("- a\nb: 1", "f.yaml:2:1: [1]: the indentation does not match the list above"),
        ("--- a\n--- b", "f.yaml:2:1: a second document begins here; a file holds one"),
        ("a: *x", "f.yaml:1:4: a: the alias *x comes before its anchor, or has none"),
        ("a: &x [*x]", "f.yaml:1:8: a[0]: the alias *x stands inside what it names"),
        ("&k a: 1\n*k : 2", "f.yaml:2:1: an alias cannot be a key; write the key out"),
        ("[a]: 1", "f.yaml:1:1: a key must be text, not a list or a mapping; is a value with braces to be quoted?"),
        ("a: \x01", "f.yaml:1:4: has a character that YAML forbids, U+0001"),
        (b"a: 1\nb: \xff", "f.yaml:2:4: is not UTF-8; save the file as UTF-8"),
        ("a: \ud800", "f.yaml:1:4: is not valid Unicode; save the file as UTF-8"),
    ],
)
def test_what_cannot_be_read_on_is_told_with_a_remedy(text: str | bytes, message: str) -> None:
    assert faults(text) == [message]


@pytest.mark.timeout(5)
def test_a_document_that_stands_for_billions_fails_at_once() -> None:
    lines = ["a: &a0 [x,x,x,x,x,x,x,x,x]"]
    lines += [f"b{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    (fault,) = faults("\n".join(lines))
    assert "holds more than 2000000 values, aliases followed" in fault


def test_aliases_count_towards_the_depth() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 100)]
    (fault,) = faults("\n".join(lines))
    assert fault.startswith("f.yaml:64:")
    assert "64 levels deep, aliases followed" in fault


@pytest.mark.parametrize("text", ["[", "{a: ", "- ", "[{a: "])
def test_depth_is_bounded(text: str) -> None:
    (fault,) = faults(text * 100_000)
    assert "is nested more than 64 levels deep" in fault


def test_length_and_number_of_faults_are_bounded() -> None:
    assert faults("a: 123456", Bounds(document_bytes=8)) == ["f.yaml: is 9 bytes long; at most 8 are read"]
    assert len(faults("a: 1\n" * 1000)) == 101


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"]), max_size=8)


@given(st.recursive(TEXTS | st.booleans() | st.none(), lambda v: st.lists(v, max_size=4) | st.dictionaries(TEXTS, v)))
@settings(max_examples=80)
def test_quoted_documents_come_back_as_they_were(value: object) -> None:
    assert load(_quote(value), "f.yaml").data == value


def _quote(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"? {_quote(key)} : {_quote(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_quote(entry) for entry in value) + "]"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return {None: "null", True: "true", False: "false"}[value]  # type: ignore[index] # of the three that are left


@given(st.binary(max_size=200) | st.text(max_size=200))
@settings(max_examples=200)
def test_any_input_is_a_document_or_an_error(text: str | bytes) -> None:
    with suppress(DocumentError):
        assert load(text, "f.yaml").file == "f.yaml"


@given(st.lists(st.sampled_from([*"[]{}:,?-&*!|>'\"%@`#\n a", "<<", "&a ", "*a", "---\n", "...\n", "\t"]), max_size=30))
@settings(max_examples=300)
def test_any_markup_is_a_document_or_an_error(parts: list[str]) -> None:
    with suppress(DocumentError):
        assert load("".join(parts), "f.yaml").file == "f.yaml"


def test_paths_are_written_as_one_would_say_them() -> None:
    assert format_path(("accounts", 0, "users", 2, "extension")) == "accounts[0].users[2].extension"
    assert format_path(()) == ""


def test_what_is_read_with_faults_keeps_the_first_value_and_hands_out_what_was_refused() -> None:
    document = read("a: {b: 1, b: [2], <<: {c: 3}}\nd: !!int 5\n", "f.yaml")
    assert document.data == {"a": {"b": "1"}, "d": "5"}
    assert [(fault.line, fault.column) for fault in document.faults] == [(1, 11), (1, 19), (2, 4)]
    assert [(part.path, part.value) for part in document.refused] == [(("a", "b"), ["2"]), (("a", "<<"), {"c": "3"})]


def test_what_is_refused_inside_a_refused_value_is_told_and_not_handed_out_again() -> None:
    document = read("a: 1\na: [{b: 1, b: 2}]\n", "f.yaml")
    assert [fault.path for fault in document.faults] == ["a", "a[0].b"]
    assert [(part.path, part.value) for part in document.refused] == [(("a",), [{"b": "1"}])]


def table() -> Document:
    """A user in line 2 whose name stands in column 1 and whose extension in column 3."""
    user: dict[str, Value] = {"username": "jane", "extension": "x"}
    users: list[Value] = [user]
    data: dict[str, Value] = {"users": users}
    places: list[Placed] = [
        (data, {"users": (2, 0)}),
        (users, {0: (2, 0)}),
        (user, {"username": (2, 1), "extension": (2, 3)}),
    ]
    return document_of(data, "t.csv", places, columns=("User name", "Plan", "Extension"))


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (("users", 0, "extension"), "t.csv:2:3: Extension: is wrong"),
        (("users", 0, "plan"), "t.csv:2: plan: is wrong"),
        (("users", 0), "t.csv:2: is wrong"),
        ((), "t.csv: is wrong"),
    ],
)
def test_faults_of_a_table_name_its_columns_and_else_the_field(path: tuple[str | int, ...], told: str) -> None:
    assert str(table().fault(path, "is wrong")) == told


def test_what_was_not_read_from_a_file_has_paths_and_no_places() -> None:
    assert str(document_of({"users": [{}]}).fault(("users", 0, "plan"), "is wrong")) == "users[0].plan: is wrong"

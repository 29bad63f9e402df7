"""What is left of a document without what is at fault, and where each part of it came from."""

from offhook.yamldoc import Path, Remainder, load, read, take_out


def without(text: str, *paths: Path) -> Remainder:
    return take_out(load(text, "f.yaml"), paths)


def test_keys_and_entries_are_taken_out_and_the_document_stays_as_it_was() -> None:
    document = load("a: [{b: 1, c: 2}, x, {b: 3}]\nd: 4\n", "f.yaml")
    left = take_out(document, [("a", 0, "c"), ("a", 1), ("d",)])
    assert left.data == {"a": [{"b": "1"}, {"b": "3"}]}
    assert document.data == {"a": [{"b": "1", "c": "2"}, "x", {"b": "3"}], "d": "4"}


def test_entries_know_where_they_stood() -> None:
    left = without("a: [x, y, z]", ("a", 1))
    assert list(left.each(("a",), ["x", "z"])) == [(("a", 0), "x"), (("a", 2), "z")]
    assert list(without("a: [x]").each(("a",), ["x"])) == [(("a", 0), "x")]


def test_a_list_without_entries_goes_with_them() -> None:
    left = without("a: [x, y]\nb: []", ("a", 0), ("a", 1))
    assert left.data == {"b": []}
    assert left.is_doubtful(("a", 0))
    assert not left.is_doubtful(("b",))


def test_what_was_taken_out_is_doubtful_and_so_is_what_it_may_have_meant() -> None:
    left = without("a: {b: 1, lisen: 2}\nc: 3", ("a", "lisen"))
    assert left.is_doubtful(("a", "lisen"))
    assert left.is_doubtful(("a", "listen", 0))
    assert not left.is_doubtful(("a", "socket"))
    assert not left.is_doubtful(("a", "b"))
    assert not left.is_doubtful(("c",))


def test_what_may_have_been_merged_is_doubtful() -> None:
    left = take_out(read("a: {b: 1, <<: {c: 2}}", "f.yaml"), [("a", "<<")])
    assert left.is_doubtful(("a", "c"))
    assert not left.is_doubtful(("a", "b"))


def test_of_a_document_that_is_at_fault_as_a_whole_nothing_is_left() -> None:
    assert without("[a]", ()).data is None


def test_an_alias_loses_only_what_was_taken_out_where_it_stands() -> None:
    assert without("a: &x {b: 1, c: 2}\nd: *x", ("d", "b")).data == {"a": {"b": "1", "c": "2"}, "d": {"c": "2"}}


def test_paths_that_lead_nowhere_take_nothing_out() -> None:
    assert without("a: [{b: 1}]", ("a", 7), ("a", 0, "b", "c"), ("z",)).data == {"a": [{"b": "1"}]}

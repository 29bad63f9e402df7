"""The files that the shipped templates make, byte for byte."""

import pytest
from tests.templates.cases import CASES, GOLDEN, GoldenCase, parse

by_name = pytest.mark.parametrize("case", CASES, ids=lambda case: case.path.name)


@by_name
def test_file_is_as_kept(case: GoldenCase) -> None:
    assert case.path.exists(), "run python -m tests.templates.update, and read what it wrote"
    assert case.render().decode() == case.path.read_text(encoding="utf-8")


@by_name
def test_phone_can_read_the_file(case: GoldenCase) -> None:
    assert parse(case, case.render())


def test_no_golden_file_is_left_over() -> None:
    assert {path for path in GOLDEN.rglob("*") if path.is_file()} == {case.path for case in CASES}

"""The whole API, asked by schemathesis: briefly here, at length by ``make fuzz-api``."""

import copy
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from tests.fuzz.api import DOCUMENT, EXCLUDED, NAMES, enrich, fuzz
from tests.support.admin_daemon import in_background, routes_of, running

from offhook.admin.openapi import describe_api


@pytest.mark.timeout(240)
def test_every_answer_is_as_described_and_none_is_a_500(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    with in_background(state, document=DOCUMENT) as daemon:
        finished = fuzz(daemon, tmp_path, "--phases", "fuzzing", "--max-examples", "3", "--seed", "1", "--no-shrink")
    assert finished.returncode == 0, _digest(finished.stdout)
    assert "No issues found" in finished.stdout


def _digest(text: str) -> str:
    """What failed; requests as long as a page are cut."""
    return "\n".join(line[:300] for line in text.splitlines())[-20_000:]


async def test_nothing_is_left_out_but_what_is_listed(tmp_path: Path) -> None:
    async with running(tmp_path) as daemon:
        description = describe_api(routes_of(daemon), "0")
    assert set(EXCLUDED) <= description["paths"].keys()
    narrowed: dict[str, Any] = enrich(copy.deepcopy(description))
    OpenAPIV31SpecValidator(narrowed).validate()
    assert narrowed["paths"].keys() == description["paths"].keys()
    names = set(NAMES)
    for path, operations in narrowed["paths"].items():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                if parameter["name"] == "id":
                    kind = path.split("/")[1]
                    assert kind in names or path in EXCLUDED or kind in ("keys",), f"no names of {kind} to ask for"


async def test_answers_are_judged_as_they_are_described(tmp_path: Path) -> None:
    async with running(tmp_path) as daemon:
        description = describe_api(routes_of(daemon), "0")
    narrowed = enrich(copy.deepcopy(description))
    for name in ("UserView", "DeviceView", "ProblemView"):
        assert narrowed["components"]["schemas"][name] == description["components"]["schemas"][name]

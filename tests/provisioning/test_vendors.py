import pytest
from tests.support.provisioning import shipped

YEALINK = shipped().vendors["yealink"]
SNOM = shipped().vendors["snom"]


@pytest.mark.parametrize("text", ["T46U", "t46u", "SIP-T46U", "sip t46u", "SIP_T46U"])
def test_model_is_found_in_any_notation(text: str) -> None:
    found = YEALINK.find_model(text)
    assert found is not None
    assert found.name == "T46U"


@pytest.mark.parametrize("text", [None, "", "T46", "T46UX"])
def test_unknown_model_is_none(text: str | None) -> None:
    assert YEALINK.find_model(text) is None


@pytest.mark.parametrize(
    ("name", "kind", "mac", "models"),
    [
        ("y000000000108.cfg", "common", None, {"T46U"}),
        ("Y000000000123.CFG", "common", None, {"T31", "T31P", "T31G"}),
        ("y000000000000.cfg", "common", None, {"T28P"}),
        ("y000000000000.boot", "boot", None, set()),
        ("001565123456.boot", "boot", "001565123456", set()),
        ("001565ABCDEF.cfg", "device", "001565abcdef", set()),
    ],
)
def test_yealink_names(name: str, kind: str, mac: str | None, models: set[str]) -> None:
    match = YEALINK.match_file(name)
    assert match is not None
    assert (match.file.kind, match.mac, {model.name for model in match.models}) == (kind, mac, models)


@pytest.mark.parametrize(
    "name",
    [
        "y0000000123.cfg",
        "001565123456.cfg.bak",
        "x001565123456.cfg",
        "00156512345.cfg",
        "001565123456",
        "001565123456.cfg\n",
    ],
)
def test_other_names_mean_nothing_to_yealink(name: str) -> None:
    assert YEALINK.match_file(name) is None


@pytest.mark.parametrize(
    ("name", "kind", "mac", "model"),
    [
        ("snomD785.htm", "common", None, "D785"),
        ("snomd785.htm", "common", None, "D785"),
        ("snomD785-0004131A2B3C.htm", "device", "0004131a2b3c", "D785"),
    ],
)
def test_snom_names(name: str, kind: str, mac: str | None, model: str) -> None:
    match = SNOM.match_file(name)
    assert match is not None
    assert (match.file.kind, match.mac, [spec.name for spec in match.models]) == (kind, mac, [model])


@pytest.mark.parametrize("name", ["snomM900.htm", "snom.htm", "snomD785-firmware.htm", "snomD785.html"])
def test_other_names_mean_nothing_to_snom(name: str) -> None:
    assert SNOM.match_file(name) is None

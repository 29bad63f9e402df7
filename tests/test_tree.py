"""The tests mirror the tree: every module has a test file of its own at the same place."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "daemon" / "offhook"

#: Modules without behaviour: protocols that others satisfy, and enumerations that are tested where they are used.
WITHOUT_BEHAVIOUR = {"__init__.py", "ports.py", "log_settings.py", "apply_state.py"}


def test_every_module_has_its_test_file() -> None:
    modules = [path.relative_to(SOURCE) for path in SOURCE.rglob("*.py") if "migrations" not in path.parts]
    assert len(modules) > 100
    tested = [module for module in modules if module.name not in WITHOUT_BEHAVIOUR]
    missing = [str(m) for m in tested if not (ROOT / "tests" / m.parent / f"test_{m.name}").exists()]
    assert not missing


def test_no_module_is_longer_than_people_read() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in SOURCE.rglob("*.py")
        if (lines := len(path.read_text().splitlines())) > 460
    }
    assert not long

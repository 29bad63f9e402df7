"""Writes the golden files anew: ``python -m tests.templates.update``. Read the difference before it is kept."""

import logging

import structlog
from tests.templates.cases import CASES, GOLDEN


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    wanted = {case.path: case.render() for case in CASES}
    for stale in set(GOLDEN.rglob("*.*")) - set(wanted):
        if stale.is_file():
            print(f"removes {stale.relative_to(GOLDEN)}")
            stale.unlink()
    for path, content in wanted.items():
        if not path.exists() or path.read_bytes() != content:
            print(f"writes {path.relative_to(GOLDEN)}")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


if __name__ == "__main__":
    main()

"""A bar for work that the daemon tells the progress of."""

import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final, Generic, TypeVar

from offhook.cli.failure import Failure
from offhook.cli.output import console

T = TypeVar("T")

_LOOK_SECONDS: Final = 0.2
#: What is said of each stage.
_SAID: Final = {
    "waiting": "waiting for other changes",
    "reading": "reading the file",
    "applying": "looking at the rows",
    "judging": "checking the rules",
    "revising": "making configurations",
    "comparing": "comparing",
    "writing": "writing",
}


def with_bar(work: Callable[[], T], look: Callable[[], Mapping[str, Any]]) -> T:
    """What ``work`` gives; on a terminal a bar shows meanwhile what ``look`` says (``stage``, ``done``, ``total``)."""
    if not sys.stderr.isatty():
        return work()
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    running = _Running(work)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task("sending", total=None)
        while not running.wait(_LOOK_SECONDS):
            try:
                seen = look()
            except Failure:
                continue  # It has not begun, or has ended just now; what comes of it is told by the work itself.
            said = _SAID.get(seen["stage"], seen["stage"])
            bar.update(task, description=said, completed=seen["done"], total=seen["total"] or None)
    return running.result()


class _Running(Generic[T]):
    """Work in a thread of its own, which does not keep a command from being interrupted."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._results: list[T] = []
        self._error: BaseException | None = None
        self._ended = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        try:
            self._results.append(self._work())
        except BaseException as error:
            self._error = error
        finally:
            self._ended.set()

    def wait(self, seconds: float) -> bool:
        """Whether it has ended, after so long at most."""
        return self._ended.wait(seconds)

    def result(self) -> T:
        if self._error is not None:
            raise self._error
        return self._results[0]

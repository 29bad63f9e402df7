"""A power cut at a chosen moment: whatever is about to be written at it never is, nor anything after."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event


class PowerCut(BaseException):
    """No error handler catches it."""


class Failpoints:
    """Counts the steps by which anything on a disk changes, and cuts the power before one of them."""

    def __init__(self, cut_before: int) -> None:
        self.steps = 0
        self._cut_before = cut_before

    @property
    def is_cut(self) -> bool:
        return self.steps >= self._cut_before

    def step(self, *_arguments: Any) -> None:
        self.steps += 1
        if self.is_cut:
            raise PowerCut


@contextmanager
def power_cut(cut_before: int) -> Iterator[Failpoints]:
    """Cuts the power before the step of that number, counted from 1: a system call on files, a statement, a commit.

    What is raised after that goes no further: there is nobody any more to see it.
    """
    points = Failpoints(cut_before)

    def after_a_step(call: Any) -> Any:
        def stepping(*arguments: Any, **named: Any) -> Any:
            points.step()
            return call(*arguments, **named)

        return stepping

    with pytest.MonkeyPatch.context() as patched:
        for module, name in ((os, "open"), (os, "fsync"), (os, "fdopen"), (Path, "rename"), (Path, "unlink")):
            patched.setattr(module, name, after_a_step(getattr(module, name)))
        event.listen(Engine, "before_cursor_execute", points.step)
        event.listen(Engine, "commit", points.step)
        try:
            yield points
        except BaseException:
            if not points.is_cut:
                raise
        finally:
            event.remove(Engine, "before_cursor_execute", points.step)
            event.remove(Engine, "commit", points.step)

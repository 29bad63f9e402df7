"""How far a long change has come, for people who wait for it."""

from enum import StrEnum


class Stage(StrEnum):
    """What is under way, in this order."""

    WAITING = "waiting"
    #: For the changes before it.
    READING = "reading"
    APPLYING = "applying"
    #: Parts of the document.
    JUDGING = "judging"
    REVISING = "revising"
    #: Configurations of devices.
    COMPARING = "comparing"
    WRITING = "writing"
    DONE = "done"
    FAILED = "failed"


class Progress:
    """Written by the thread that works, read by others; each value by itself is true, the pair may lag behind."""

    __slots__ = ("done", "stage", "total")

    def __init__(self) -> None:
        self.stage = Stage.WAITING
        self.done = 0
        self.total = 0
        #: 0 where nobody can tell.

    def begin(self, stage: Stage, total: int = 0) -> None:
        """Goes on to another stage, of so many steps."""
        self.done, self.total = 0, total
        self.stage = stage

    def advance(self) -> None:
        """A step of this stage is done."""
        self.done += 1

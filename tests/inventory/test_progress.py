from tests.support.workbench import JANE, Workbench

from offhook.inventory.apply import ApplyOptions
from offhook.inventory.progress import Progress, Stage
from offhook.inventory.reading import read_document

TEXT = """accounts:
  - name: acme
    sip_domain: acme.test
    users: [{username: jane}, {username: rob}]
    devices: [{type: generic, mac: "000001000001", vendor: snom}]
"""


class Recorder(Progress):
    """Remembers every stage with its steps."""

    def __init__(self) -> None:
        super().__init__()
        self.stages: list[tuple[Stage, int]] = []

    def begin(self, stage: Stage, total: int = 0) -> None:
        super().begin(stage, total)
        self.stages.append((stage, total))


def test_a_stage_begins_anew() -> None:
    progress = Progress()
    assert (progress.stage, progress.done, progress.total) == (Stage.WAITING, 0, 0)
    progress.begin(Stage.APPLYING, 2)
    progress.advance()
    assert (progress.done, progress.total) == (1, 2)
    progress.begin(Stage.JUDGING)
    assert (progress.stage, progress.done, progress.total) == (Stage.JUDGING, 0, 0)


async def test_a_change_goes_through_its_stages_and_through_all_their_steps() -> None:
    bench, progress = Workbench(), Recorder()
    source = bench.service.document(TEXT.encode(), "site.yaml")
    await bench.service.apply(source, ApplyOptions(), JANE, progress=progress)
    assert progress.stages == [
        (Stage.READING, 0),
        (Stage.APPLYING, 3),
        (Stage.JUDGING, 0),
        (Stage.REVISING, 1),
        (Stage.COMPARING, 0),
        (Stage.WRITING, 0),
    ]


async def test_a_plan_writes_nothing() -> None:
    bench, progress = Workbench(), Recorder()
    await bench.service.plan(lambda: read_document(TEXT, "site.yaml"), ApplyOptions(), progress)
    assert progress.stages[-1] == (Stage.COMPARING, 0)
    assert not bench.store.commits

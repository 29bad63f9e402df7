import asyncio

import pytest
from tests.support.admin_daemon import FakeClock

from offhook.admin.announcements import Announcements, EventType, News, Wanted
from offhook.errors import RequestRefused

ALL = Wanted(frozenset(EventType))
OURS, THEIRS = 1, 2


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def seen() -> list[tuple[int, int]]:
    """What the observer was told: how many listen, and how many announcements were missed."""
    return []


@pytest.fixture
def announcements(clock: FakeClock, seen: list[tuple[int, int]]) -> Announcements:
    return Announcements(clock, kept=3, listeners=2, observer=lambda *told: seen.append(told))


def tell(announcements: Announcements, *names: str, kind: EventType = EventType.DEVICE, account: int = OURS) -> None:
    for name in names:
        announcements.announce(kind, account, name)


def names(news: News | None) -> list[str]:
    assert news is not None
    assert news.missed == 0
    return [announcement.data.strip('"') for announcement in news.items]


async def test_who_listens_is_told_what_happens_from_then_on(announcements: Announcements) -> None:
    tell(announcements, "before")
    with announcements.listen(ALL) as listener:
        tell(announcements, "a", "b")
        assert names(await listener.read(0)) == ["a", "b"]
        assert names(await listener.read(0)) == []
        tell(announcements, "c")
        assert names(await listener.read(0)) == ["c"]


async def test_each_listens_at_its_own_pace(announcements: Announcements) -> None:
    with announcements.listen(ALL) as one, announcements.listen(ALL) as other:
        tell(announcements, "a")
        assert names(await one.read(0)) == ["a"]
        tell(announcements, "b")
        assert names(await one.read(0)) == ["b"]
        assert names(await other.read(0)) == ["a", "b"]


async def test_who_waits_is_woken(announcements: Announcements) -> None:
    with announcements.listen(ALL) as listener:
        waiting = asyncio.create_task(listener.read(60))
        await asyncio.sleep(0)
        tell(announcements, "a")
        assert names(await waiting) == ["a"]


async def test_types_and_accounts_are_told_apart(announcements: Announcements) -> None:
    changes = Wanted(frozenset({EventType.CHANGE}))
    ours = Wanted(frozenset(EventType), frozenset({OURS}))
    with announcements.listen(changes) as one, announcements.listen(ours) as other:
        tell(announcements, "a", kind=EventType.CHANGE, account=THEIRS)
        tell(announcements, "b", kind=EventType.DEVICE, account=OURS)
        assert names(await one.read(0)) == ["a"]
        assert names(await other.read(0)) == ["b"]


async def test_who_comes_back_goes_on_where_he_was(announcements: Announcements) -> None:
    with announcements.listen(ALL) as listener:
        tell(announcements, "a")
        await listener.read(0)
        last = listener.id
    tell(announcements, "b", "c")
    with announcements.listen(ALL, last) as listener:
        assert names(await listener.read(0)) == ["b", "c"]


async def test_who_is_too_slow_is_told_how_much_he_missed(
    announcements: Announcements, seen: list[tuple[int, int]]
) -> None:
    with announcements.listen(ALL) as listener:
        tell(announcements, "a", "b", "c", "d", "e")
        news = await listener.read(0)
        assert news is not None
        assert (news.missed, news.items) == (2, ())
        assert seen[-1] == (1, 2)
        tell(announcements, "f")
        assert names(await listener.read(0)) == ["f"]


@pytest.mark.parametrize("last", ["x-1", "1", "-", "ffff-0", "nonsense", "-1", "٣"])
async def test_who_comes_from_elsewhere_has_missed_something(announcements: Announcements, last: str) -> None:
    with announcements.listen(ALL, last) as listener:
        tell(announcements, "a")
        news = await listener.read(0)
        assert news is not None
        assert (news.missed, news.items) == (-1, ())
        tell(announcements, "b")
        assert names(await listener.read(0)) == ["b"]


async def test_an_id_that_was_never_given_is_from_elsewhere(announcements: Announcements) -> None:
    with announcements.listen(ALL) as listener:
        ahead = announcements.id_of(99)
    with announcements.listen(ALL, ahead) as listener:
        news = await listener.read(0)
        assert news is None or news.missed == -1


async def test_nothing_is_announced_while_nobody_could_hear(announcements: Announcements, clock: FakeClock) -> None:
    assert not announcements.are_heard
    with announcements.listen(ALL) as listener:
        assert announcements.are_heard
        last = listener.id
    clock.time += 119
    assert announcements.are_heard
    clock.time += 1
    assert not announcements.are_heard
    tell(announcements, "a")
    with announcements.listen(ALL, last) as listener:
        news = await listener.read(0)
        assert news is not None
        assert news.missed == 1


async def test_listeners_are_bounded_and_counted(announcements: Announcements, seen: list[tuple[int, int]]) -> None:
    with announcements.listen(ALL), announcements.listen(ALL):
        with pytest.raises(RequestRefused) as refused, announcements.listen(ALL):
            pass
        assert (refused.value.status, refused.value.retry_after_seconds) == (503, 30)
    assert [listening for listening, _ in seen] == [1, 2, 1, 0]
    announcements.use(kept=1, listeners=1)
    with announcements.listen(ALL) as listener:
        tell(announcements, "a", "b")
        with pytest.raises(RequestRefused), announcements.listen(ALL):
            pass
        news = await listener.read(0)
        assert news is not None
        assert news.missed == 1


async def test_in_the_end_everyone_is_let_go_at_once(announcements: Announcements) -> None:
    with announcements.listen(ALL) as listener:
        waiting = asyncio.create_task(listener.read(60))
        await asyncio.sleep(0)
        announcements.close()
        assert await waiting is None
        assert await listener.read(60) is None
    with pytest.raises(RequestRefused), announcements.listen(ALL):
        pass

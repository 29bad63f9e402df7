import gc
from collections.abc import Iterator

import pytest

from offhook.collector import collection_paused, set_apart


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    gc.enable()
    gc.unfreeze()


def test_nothing_is_collected_meanwhile() -> None:
    with collection_paused():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_is_off_until_the_last_of_several_ends() -> None:
    first, second = collection_paused(), collection_paused()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert not gc.isenabled()
    second.__exit__(None, None, None)
    assert gc.isenabled()


def test_a_failure_ends_it_too() -> None:
    with pytest.raises(KeyError), collection_paused():
        raise KeyError
    assert gc.isenabled()


def test_whoever_has_switched_it_off_finds_it_so() -> None:
    gc.disable()
    with collection_paused():
        pass
    assert not gc.isenabled()


def test_many_objects_that_came_into_being_are_set_apart_and_a_few_are_not() -> None:
    before = gc.get_freeze_count()
    with collection_paused():
        kept = [[number] for number in range(100)]
    assert gc.get_freeze_count() == before
    with collection_paused():
        kept = [[number] for number in range(60_000)]
    assert gc.get_freeze_count() - before > len(kept)


def test_what_is_set_apart_is_not_looked_at() -> None:
    before = gc.get_freeze_count()
    kept = [[number] for number in range(1000)]
    set_apart()
    assert gc.get_freeze_count() - before > len(kept)

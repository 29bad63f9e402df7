import pytest

from offhook.provisioning.cache import RenderCache


def test_renders_once() -> None:
    cache = RenderCache(100)
    assert cache.get("a", lambda: b"one") == b"one"
    assert cache.get("a", lambda: b"two") == b"one"


def test_drops_what_was_used_longest_ago() -> None:
    cache = RenderCache(10)
    cache.get("a", lambda: b"aaaa")
    cache.get("b", lambda: b"bbbb")
    cache.get("a", lambda: b"----")
    cache.get("c", lambda: b"cccc")
    assert cache.get("a", lambda: b"new") == b"aaaa"
    assert cache.get("b", lambda: b"new") == b"new"


def test_does_not_keep_what_is_larger_than_itself() -> None:
    cache = RenderCache(3)
    assert cache.get("a", lambda: b"aaaa") == b"aaaa"
    assert cache.get("a", lambda: b"new") == b"new"


def test_failure_is_not_kept() -> None:
    cache = RenderCache(10)

    def fail() -> bytes:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        cache.get("a", fail)
    assert cache.get("a", lambda: b"fine") == b"fine"

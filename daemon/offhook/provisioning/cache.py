"""Rendered files, kept while there is room; the one used longest ago goes first."""

from collections import OrderedDict
from collections.abc import Callable, Hashable


class RenderCache:
    """Contents by whatever decides them. Bounded in bytes."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._contents: OrderedDict[Hashable, bytes] = OrderedDict()

    def get(self, key: Hashable, render: Callable[[], bytes]) -> bytes:
        """The content under ``key``, rendered if it is not there. What ``render`` raises is passed on, not kept."""
        content = self._contents.get(key)
        if content is not None:
            self._contents.move_to_end(key)
            return content
        content = render()
        if len(content) <= self._max_bytes:
            self._contents[key] = content
            self._bytes += len(content)
            while self._bytes > self._max_bytes:
                _, dropped = self._contents.popitem(last=False)
                self._bytes -= len(dropped)
        return content

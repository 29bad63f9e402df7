"""Tests with the programs of others: a daemon for one test, or one with the example site for a file of them."""

from tests.support.acme import acme
from tests.support.daemon import daemon

__all__ = ["acme", "daemon"]

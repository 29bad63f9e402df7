"""Asks the daemon for credentials in the form of a PBX."""

from dataclasses import dataclass, field

from offhook.cli.client import Client


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file for a PBX."""

    text: str = field(repr=False)
    notes: tuple[str, ...]
    #: What it lacks, and why.


@dataclass(frozen=True, slots=True)
class PbxExport:
    """What is to be exported."""

    client: Client
    program: str
    accounts: tuple[str, ...] = ()
    #: None: all.
    context: str | None = None
    reason: str | None = None

    def fetch(self) -> Fetched:
        """The file as it is now; the daemon writes that to its audit. Raises Failure."""
        it = self.client.get(
            "inventory",
            "export",
            self.program,
            account=self.accounts,
            context=self.context,
            reason=self.reason,
            timeout=600.0,
        )
        return Fetched(it["text"], tuple(it["notes"]))

    def wait_for_change(self, known: str, seconds: int) -> str:
        """Names the state of the inventory as soon as it is not ``known``, at the latest after so many seconds."""
        change = self.client.get("inventory", "change", known=known, wait=seconds, timeout=seconds + 30.0)["change"]
        assert isinstance(change, str)
        return change

"""Tables for tests: read beside an inventory, and applied to it."""

from typing import Any

from tests.support.workbench import JANE, Workbench

from offhook.errors import DocumentError
from offhook.inventory.apply import ApplyOptions
from offhook.inventory.reading import Reading
from offhook.inventory.service import Plan, Source
from offhook.inventory.snapshot import Inventory
from offhook.inventory.tabular.columns import Kind
from offhook.inventory.tabular.reading import TableOptions, read_table

FILE = "site.csv"


def read(inventory: Inventory, text: str | bytes, *, kind: Kind | None = None, account: str | None = None) -> Reading:
    """What a table says."""
    raw = text if isinstance(text, bytes) else text.encode()
    return read_table(raw, FILE, TableOptions(kind, account), inventory)


def source(bench: Workbench, text: str | bytes, **options: Any) -> Source:
    """A table as the service takes it."""
    return lambda: read(bench.inventory, text, **options)


async def apply_table(bench: Workbench, text: str | bytes, *, confirm_moves: bool = False, **options: Any) -> Plan:
    """Applies a table."""
    return await bench.service.apply(source(bench, text, **options), ApplyOptions(confirm_moves=confirm_moves), JANE)


async def table_faults(
    bench: Workbench, text: str | bytes, *, confirm_moves: bool = False, **options: Any
) -> list[str]:
    """What is wrong with a table: line, column's number and name, message."""
    try:
        await bench.service.plan(source(bench, text, **options), ApplyOptions(confirm_moves=confirm_moves))
    except DocumentError as error:
        return [str(fault).removeprefix(f"{FILE}:") for fault in error.faults]
    return []

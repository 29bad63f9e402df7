"""Documents that operators write: the configuration and the inventory."""

from offhook.yamldoc.document import (
    Bounds,
    Document,
    Path,
    Place,
    Placed,
    Value,
    document_of,
    format_path,
    load,
    read,
)
from offhook.yamldoc.remainder import Remainder, take_out
from offhook.yamldoc.schema_faults import faults_of, paths_of

__all__ = [
    "Bounds",
    "Document",
    "Path",
    "Place",
    "Placed",
    "Remainder",
    "Value",
    "document_of",
    "faults_of",
    "format_path",
    "load",
    "paths_of",
    "read",
    "take_out",
]

"""Documents that operators write: the configuration and the inventory."""

from offhook.yamldoc.document import Bounds, Document, Value, format_path, load
from offhook.yamldoc.schema_faults import faults_of

__all__ = ["Bounds", "Document", "Value", "faults_of", "format_path", "load"]

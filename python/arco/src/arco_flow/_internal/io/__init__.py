"""IO managers: how values of assets are stored and loaded."""

from arco_flow._internal.io.base import InputContext, IOManager, OutputContext
from arco_flow._internal.io.filesystem import FilesystemIOManager
from arco_flow._internal.io.memory import InMemoryIOManager
from arco_flow._internal.io.parquet import ParquetIOManager

__all__ = [
    "FilesystemIOManager",
    "IOManager",
    "InMemoryIOManager",
    "InputContext",
    "OutputContext",
    "ParquetIOManager",
]

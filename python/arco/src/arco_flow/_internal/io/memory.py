"""An IO manager that keeps values in memory, for tests."""

from __future__ import annotations

from typing import Any

from arco_flow._internal.errors import StorageError
from arco_flow._internal.io.base import InputContext, IOManager, OutputContext
from arco_flow._internal.io.partitioned import _by_key


class InMemoryIOManager(IOManager):
    """Keeps values in this process. `values` maps (key text, partition or None) to the value."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, str | None], Any] = {}

    def handle_output(self, context: OutputContext, obj: Any) -> None:
        """Keeps the value, or each value of a dict for a task over several partitions."""
        if not context.has_asset_key:
            self.values["/".join(context.get_identifier()), None] = obj
            return
        name = context.asset_key.to_user_string()
        if not context.has_asset_partitions:
            self.values[name, None] = obj
            return
        keys = context.asset_partition_keys
        for key, value in ({keys[0]: obj} if len(keys) == 1 else _by_key(context, obj)).items():
            self.values[name, key] = value

    def load_input(self, context: InputContext) -> Any:
        """The value; several partitions give a dict."""
        if not context.has_asset_key:
            return self.values["/".join(context.get_identifier()), None]
        name = context.asset_key.to_user_string()
        keys = context.asset_partition_keys if context.has_asset_partitions else [None]
        for key in keys:
            if (name, key) not in self.values:
                of = f" of partition `{key}`" if key is not None else ""
                raise StorageError(
                    f"no value{of} of asset `{name}` is in memory; materialize it in the same call"
                )
        if len(keys) == 1:
            return self.values[name, keys[0]]
        return {key: self.values[name, key] for key in keys}

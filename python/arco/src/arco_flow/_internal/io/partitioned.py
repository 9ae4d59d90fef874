"""What file-based IO managers share: which file of which partition (M-23)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from arco_flow._internal.errors import StorageError
from arco_flow._internal.io import paths
from arco_flow._internal.io.base import InputContext, IOManager, OutputContext
from arco_flow._internal.metadata import MetadataValue


class PartitionedFileIOManager(IOManager):
    """A file per asset, or per partition of it. Subclasses say how one file is written and read.

    Loading one partition gives its value, several give a dict from key to value, also when the
    mapping happened to need none. A task over several partitions stores a dict with exactly its
    keys, each value in its own file. An input with metadata `allow_missing_partitions` is always a
    dict, of the partitions that are stored.

    Differs from Dagster, whose file managers refuse to store several partitions in one task.
    """

    extension = ""
    base_dir: str | None = None

    def write(self, context: OutputContext, path: str, value: Any) -> None:
        """Stores one value at `path`."""
        raise NotImplementedError

    def read(self, context: InputContext, path: str) -> Any:
        """The value stored at `path`."""
        raise NotImplementedError

    def wants_dict(self, context: InputContext) -> bool:
        """Whether one partition, too, is to be given in a dict."""
        del context
        return False

    def join(self, context: InputContext, files: Mapping[str, str]) -> Any:
        """The values of several partitions, given path by key."""
        return {key: self._read(context, path, key) for key, path in files.items()}

    def handle_output(self, context: OutputContext, obj: Any) -> None:
        """Stores the value, or each value of a dict for a task over several partitions."""
        root = paths.storage_root(self.base_dir, context._storage)
        if not context.has_asset_key:
            path = paths.identifier_path(root, context.get_identifier(), self.extension)
            self.write(context, path, obj)
            return
        if not context.has_asset_partitions:
            path = paths.value_path(root, context.asset_key, None, self.extension)
            self.write(context, path, obj)
            context._metadata.setdefault("path", MetadataValue("path", path))
            return
        keys = context.asset_partition_keys
        for key, value in ({keys[0]: obj} if len(keys) == 1 else _by_key(context, obj)).items():
            path = paths.value_path(root, context.asset_key, key, self.extension)
            self.write(context, path, value)
            if len(keys) == 1:
                context._metadata.setdefault("path", MetadataValue("path", path))

    def load_input(self, context: InputContext) -> Any:
        """The value; several partitions are joined."""
        root = paths.storage_root(self.base_dir, context._storage)
        if not context.has_asset_key:
            path = paths.identifier_path(root, context.get_identifier(), self.extension)
            return self._read(context, path, None)
        if not context.has_asset_partitions:
            return self._read(
                context, paths.value_path(root, context.asset_key, None, self.extension), None
            )
        keys = context.asset_partition_keys
        files = {
            key: paths.value_path(root, context.asset_key, key, self.extension) for key in keys
        }
        if context.metadata.get("allow_missing_partitions"):
            return self.join(
                context, {key: path for key, path in files.items() if paths.exists(path)}
            )
        if len(keys) == 1 and not self.wants_dict(context):
            return self._read(context, files[keys[0]], keys[0])
        return self.join(context, files)

    def _read(self, context: InputContext, path: str, partition: str | None) -> Any:
        try:
            return self.read(context, path)
        except FileNotFoundError as error:
            raise missing(context, path, partition) from error


def missing(context: InputContext, path: str, partition: str | None) -> StorageError:
    """The error for a file that is not there."""
    if not context.has_asset_key:
        return StorageError(
            f"{context.what} has no stored value at {path}; rerun the whole graph, or select its asset anew"
        )
    what = context.what if partition is None else f"partition `{partition}` of {context.what}"
    return StorageError(
        f"{what} has no stored value at {path}; materialize it first. If its function stores the data "
        f"itself and returns nothing, name it in deps=[...] and not as the parameter `{context.name}`"
    )


def _by_key(context: OutputContext, obj: Any) -> Mapping[str, Any]:
    keys = context.asset_partition_keys
    if isinstance(obj, Mapping) and set(obj) == set(keys):
        return obj
    asset = context.asset_key.to_user_string()
    raise StorageError(
        f"the task makes {len(keys)} partitions of asset `{asset}`; return a dict with a value for each "
        "key of context.partition_keys, so that each can be stored on its own"
    )

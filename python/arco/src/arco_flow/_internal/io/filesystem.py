"""The default IO manager: pickles in files."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import Any

from arco_flow._internal.errors import StorageError
from arco_flow._internal.io import paths
from arco_flow._internal.io.base import InputContext, OutputContext
from arco_flow._internal.io.partitioned import PartitionedFileIOManager


@dataclass(frozen=True)
class FilesystemIOManager(PartitionedFileIOManager):
    """Pickles values: a file per asset, or per partition (M-23).

    The file is `<root>/<key parts>/<partition>.pickle`, or `value.pickle`; it is replaced whole.

    Args:
        base_dir: Folder or URL (`s3://bucket/prefix`, through universal-pathlib). When absent: the
            environment's `ARCO_STORAGE`, else `./.arco/storage`.
    """

    base_dir: str | None = None

    extension = ".pickle"

    def write(self, context: OutputContext, path: str, value: Any) -> None:
        """Pickles one value."""
        try:
            data = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise StorageError(
                f"the value of {context.what} cannot be pickled: {error}; "
                "return plain data, or give the asset an io_manager_key of its own"
            ) from error
        paths.write_atomic(path, lambda file: file.write(data))

    def read(self, context: InputContext, path: str) -> Any:
        """Unpickles one value."""
        del context
        return paths.read(path, pickle.load)

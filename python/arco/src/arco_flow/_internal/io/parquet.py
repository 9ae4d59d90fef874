"""Frames in Parquet files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from arco_flow._internal.errors import StorageError
from arco_flow._internal.io import frames, paths
from arco_flow._internal.io.base import InputContext, OutputContext
from arco_flow._internal.io.partitioned import PartitionedFileIOManager, missing


@dataclass(frozen=True)
class ParquetIOManager(PartitionedFileIOManager):
    """Stores frames as Parquet: a file per asset, or per partition.

    Frames are those of Polars, pandas, Arrow (`pyarrow.Table`) and DuckDB (relations); each needs its
    library: `arco-flow[polars]`, `[pandas]`, `[arrow]`, `[duckdb]`. The file is
    `<root>/<key parts>/<partition>.parquet`, or `value.parquet`. What a parameter gets follows its
    annotation, whoever wrote the file: `pl.LazyFrame` scans the files, `pl.DataFrame`, `pd.DataFrame`
    and `pa.Table` read them, `duckdb.DuckDBPyRelation` queries them; without an annotation it is a
    frame of the first of these libraries that is installed. Several partitions are one frame, in
    partition order; `dict[str, pl.DataFrame]` gives a frame by key.

    Args:
        base_dir: Folder or URL. When absent: the environment's `ARCO_STORAGE`, else `./.arco/storage`.
        compression: As the library has it; `zstd`, `snappy` and `gzip` are known to all.
    """

    base_dir: str | None = None
    compression: str = "zstd"

    extension = ".parquet"
    _arco_imports = ("polars",)

    def write(self, context: OutputContext, path: str, value: Any) -> None:
        """Writes one frame."""
        kind = frames.kind_of(value)
        if kind is None:
            raise StorageError(
                f"{context.what} gave a {type(value).__name__}; "
                "ParquetIOManager stores polars.DataFrame and polars.LazyFrame, pandas.DataFrame, "
                "pyarrow.Table and duckdb relations"
            )
        value = kind.prepared(value)
        paths.write_atomic(path, lambda file: kind.write(value, file, self.compression))
        context._metadata.setdefault("dagster/row_count", kind.rows(value))

    def wants_dict(self, context: InputContext) -> bool:
        """Whether the parameter is annotated as a dict of frames."""
        return frames.wants_dict(context.annotation)

    def read(self, context: InputContext, path: str) -> Any:
        """One frame, of the kind and as lazy as annotated."""
        return self._frame(context, {"": path})

    def join(self, context: InputContext, files: Mapping[str, str]) -> Any:
        """One frame of several partitions, or a dict when the parameter is annotated so."""
        if self.wants_dict(context):
            return {key: self._read(context, path, key) for key, path in files.items()}
        if not files:
            raise StorageError(
                f"no partition of asset `{context.asset_key.to_user_string()}` is needed here, so there is no "
                f"frame for `{context.name}`; annotate it `dict[str, pl.DataFrame]` to allow that"
            )
        return self._frame(context, files)

    def _frame(self, context: InputContext, files: Mapping[str, str]) -> Any:
        for key, path in files.items():
            # Lazy frames would find out late, in user code, when they are collected.
            if not paths.is_url(path) and not paths.exists(path):
                raise missing(context, path, key or None)
        kind = frames.wanted(context.annotation)
        return kind.read(list(files.values()), frames.wants_lazy(context.annotation))

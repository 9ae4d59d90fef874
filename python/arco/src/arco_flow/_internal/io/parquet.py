"""Polars frames in Parquet files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_origin

from arco_flow._internal.errors import StorageError
from arco_flow._internal.io import paths
from arco_flow._internal.io.base import InputContext, OutputContext
from arco_flow._internal.io.partitioned import PartitionedFileIOManager, missing


@dataclass(frozen=True)
class ParquetIOManager(PartitionedFileIOManager):
    """Stores Polars frames as Parquet: a file per asset, or per partition. Needs `arco-flow[polars]`.

    The file is `<root>/<key parts>/<partition>.parquet`, or `value.parquet`. What a parameter gets
    follows its annotation: `pl.LazyFrame` scans the files, `pl.DataFrame` and anything else reads
    them. Several partitions are one frame, in partition order; `dict[str, pl.DataFrame]` gives a
    frame by key.

    Args:
        base_dir: Folder or URL. When absent: the environment's `ARCO_STORAGE`, else `./.arco/storage`.
        compression: As Polars has it.
    """

    base_dir: str | None = None
    compression: str = "zstd"

    extension = ".parquet"
    _arco_imports = ("polars",)

    def write(self, context: OutputContext, path: str, value: Any) -> None:
        """Writes one frame."""
        pl = _polars()
        if isinstance(value, pl.LazyFrame):
            value = value.collect()
        if not isinstance(value, pl.DataFrame):
            raise StorageError(
                f"asset `{context.asset_key.to_user_string()}` gave a {type(value).__name__}; "
                "ParquetIOManager stores polars.DataFrame and polars.LazyFrame"
            )
        paths.write_atomic(
            path, lambda file: value.write_parquet(file, compression=self.compression)
        )
        context._metadata.setdefault("dagster/row_count", value.height)

    def wants_dict(self, context: InputContext) -> bool:
        """Whether the parameter is annotated as a dict of frames."""
        return _wants_dict(context.annotation)

    def read(self, context: InputContext, path: str) -> Any:
        """One frame, lazy or not by annotation."""
        return self._scan(context, {"": path})

    def join(self, context: InputContext, files: Mapping[str, str]) -> Any:
        """One frame of several partitions, or a dict when the parameter is annotated so."""
        if self.wants_dict(context):
            return {key: self._read(context, path, key) for key, path in files.items()}
        if not files:
            raise StorageError(
                f"no partition of asset `{context.asset_key.to_user_string()}` is needed here, so there is no "
                f"frame for `{context.name}`; annotate it `dict[str, pl.DataFrame]` to allow that"
            )
        return self._scan(context, files)

    def _scan(self, context: InputContext, files: Mapping[str, str]) -> Any:
        pl = _polars()
        lazy = _is_lazy(context.annotation)
        if any(paths.is_url(path) for path in files.values()):
            frames = [paths.read(path, pl.read_parquet) for path in files.values()]
            frame = pl.concat(frames, how="vertical_relaxed")
            return frame.lazy() if lazy else frame
        for key, path in files.items():
            # Polars would find out late, in user code, when the frame is collected.
            if not paths.exists(path):
                raise missing(context, path, key or None)
        scans = [pl.scan_parquet(path, glob=False) for path in files.values()]
        # Relaxed: a column may be wider in some partitions. One scan of all files would want one schema.
        scan = scans[0] if len(scans) == 1 else pl.concat(scans, how="vertical_relaxed")
        return scan if lazy else scan.collect()


def _polars() -> Any:
    try:
        import polars
    except ImportError as error:
        raise StorageError("ParquetIOManager needs polars; install arco-flow[polars]") from error
    return polars


def _text(annotation: Any) -> str:
    return (
        annotation
        if isinstance(annotation, str)
        else getattr(annotation, "__name__", "") or str(annotation)
    )


def _is_lazy(annotation: Any) -> bool:
    return "LazyFrame" in (str(annotation) if _wants_dict(annotation) else _text(annotation))


def _wants_dict(annotation: Any) -> bool:
    origin = get_origin(annotation) or annotation
    if isinstance(annotation, str):
        return annotation.lower().startswith(("dict[", "mapping[", "typing.dict["))
    return isinstance(origin, type) and issubclass(origin, Mapping)

"""Kinds of frames that a Parquet file can hold and give: Polars, pandas, Arrow, DuckDB.

Which kind a value is, is said by its class; which kind a parameter wants, by its annotation. Each
library is imported when a frame of it is met, and is needed by nobody else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import IO, Any, get_args, get_origin

from arco_flow._internal.errors import StorageError
from arco_flow._internal.io import paths


class Frames:
    """One kind of frame."""

    library = ""
    extra = ""
    names: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    """What its library is called in annotations that are text."""

    def module(self, name: str | None = None) -> Any:
        """The library, or another module that goes with it.

        Raises:
            StorageError: When it is not installed.
        """
        try:
            return import_module(name or self.library)
        except ImportError as error:
            raise StorageError(
                f"ParquetIOManager needs {name or self.library}; install arco-flow[{self.extra}]"
            ) from error

    def holds(self, value: Any) -> bool:
        """Whether a value is a frame of this kind."""
        root = type(value).__module__.partition(".")[0].lstrip("_")
        return root == self.library and type(value).__name__ in self.names

    def write(self, value: Any, file: IO[bytes], compression: str) -> None:
        """Writes one frame."""
        raise NotImplementedError

    def rows(self, value: Any) -> int:
        """How many rows a frame has."""
        return len(value)

    def prepared(self, value: Any) -> Any:
        """The frame as it is written: computed, when it is lazy."""
        return value

    def read(self, files: Sequence[str], lazy: bool) -> Any:
        """One frame of the rows of all files, in order; there is at least one."""
        raise NotImplementedError


class PolarsFrames(Frames):
    """`polars.DataFrame` and `polars.LazyFrame`."""

    library = "polars"
    extra = "polars"
    names = ("DataFrame", "LazyFrame")
    prefixes = ("pl", "polars")

    def prepared(self, value: Any) -> Any:
        """A lazy frame is collected."""
        return value.collect() if type(value).__name__ == "LazyFrame" else value

    def write(self, value: Any, file: IO[bytes], compression: str) -> None:
        """Writes one frame."""
        value.write_parquet(file, compression=compression)

    def read(self, files: Sequence[str], lazy: bool) -> Any:
        """One frame; a lazy one scans local files."""
        pl = self.module()
        if any(paths.is_url(path) for path in files):
            frames = [paths.read(path, pl.read_parquet) for path in files]
            frame = pl.concat(frames, how="vertical_relaxed")
            return frame.lazy() if lazy else frame
        scans = [pl.scan_parquet(path, glob=False) for path in files]
        # Relaxed: a column may be wider in some partitions. One scan of all files would want one schema.
        scan = scans[0] if len(scans) == 1 else pl.concat(scans, how="vertical_relaxed")
        return scan if lazy else scan.collect()


class PandasFrames(Frames):
    """`pandas.DataFrame`, with its index."""

    library = "pandas"
    extra = "pandas"
    names = ("DataFrame",)
    prefixes = ("pd", "pandas")

    def write(self, value: Any, file: IO[bytes], compression: str) -> None:
        """Writes one frame."""
        self.module("pyarrow")
        value.to_parquet(file, engine="pyarrow", compression=compression)

    def read(self, files: Sequence[str], lazy: bool) -> Any:
        """One frame; of several files, rows are numbered anew unless they have an index."""
        del lazy
        pd = self.module()
        self.module("pyarrow")
        frames = [paths.read(path, pd.read_parquet) for path in files]
        if len(frames) == 1:
            return frames[0]
        plain = all(isinstance(frame.index, pd.RangeIndex) for frame in frames)
        return pd.concat(frames, ignore_index=plain)


class ArrowFrames(Frames):
    """`pyarrow.Table`, record batches and their readers."""

    library = "pyarrow"
    extra = "arrow"
    names: tuple[str, ...] = ("Table", "RecordBatch", "RecordBatchReader")
    prefixes: tuple[str, ...] = ("pa", "pyarrow")

    def prepared(self, value: Any) -> Any:
        """As a table."""
        pa = self.module()
        if isinstance(value, pa.RecordBatch):
            return pa.Table.from_batches([value])
        return value.read_all() if isinstance(value, pa.RecordBatchReader) else value

    def rows(self, value: Any) -> int:
        """How many rows a table has."""
        return int(value.num_rows)

    def write(self, value: Any, file: IO[bytes], compression: str) -> None:
        """Writes one table."""
        self.module("pyarrow.parquet").write_table(value, file, compression=compression)

    def read(self, files: Sequence[str], lazy: bool) -> Any:
        """One table; columns may be wider in some files."""
        del lazy
        parquet = self.module("pyarrow.parquet")
        tables = [paths.read(path, parquet.read_table) for path in files]
        if len(tables) == 1:
            return tables[0]
        return self.module().concat_tables(tables, promote_options="permissive")


class DuckDBFrames(ArrowFrames):
    """`duckdb.DuckDBPyRelation`, which is computed when it is stored and scans the files when loaded."""

    library = "duckdb"
    extra = "duckdb"
    names = ("DuckDBPyRelation",)
    prefixes = ("duckdb",)

    def prepared(self, value: Any) -> Any:
        """As an Arrow table."""
        self.module("pyarrow")
        return value.to_arrow_table()

    def read(self, files: Sequence[str], lazy: bool) -> Any:
        """One relation, on a connection of its own."""
        connection = self.module().connect()
        if any(paths.is_url(path) for path in files):
            return connection.from_arrow(super().read(files, lazy))
        return connection.read_parquet(list(files), union_by_name=True)


KINDS: tuple[Frames, ...] = (PolarsFrames(), PandasFrames(), ArrowFrames(), DuckDBFrames())


def kind_of(value: Any) -> Frames | None:
    """The kind a value is a frame of."""
    return next((kind for kind in KINDS if kind.holds(value)), None)


def wanted(annotation: Any) -> Frames:
    """The kind that a parameter wants, by its annotation; of a dict, by that of its values.

    What says nothing gets the first library that is installed: Polars, pandas, Arrow.
    """
    text = frame_text(annotation)
    root = text.partition(".")[0].lstrip("_")
    for kind in KINDS:
        if root in kind.prefixes:
            return kind
    installed = (kind for kind in KINDS if find_spec(kind.library) is not None)
    return next(installed, KINDS[0])


def wants_dict(annotation: Any) -> bool:
    """Whether the parameter is annotated as a dict of frames."""
    origin = get_origin(annotation) or annotation
    if isinstance(annotation, str):
        return annotation.lower().startswith(("dict[", "mapping[", "typing.dict["))
    return isinstance(origin, type) and issubclass(origin, Mapping)


def wants_lazy(annotation: Any) -> bool:
    """Whether the annotation names a lazy frame."""
    return frame_text(annotation).endswith("LazyFrame")


def frame_text(annotation: Any) -> str:
    """`pandas.core.frame.DataFrame`: the annotation of one frame, as text."""
    if wants_dict(annotation):
        if isinstance(annotation, str):
            return annotation.partition(",")[2].strip().rstrip("]").strip("'\" ")
        values = get_args(annotation)
        return frame_text(values[1]) if len(values) == 2 else ""
    if isinstance(annotation, type):
        return f"{annotation.__module__}.{annotation.__qualname__}"
    return annotation if isinstance(annotation, str) else str(annotation)

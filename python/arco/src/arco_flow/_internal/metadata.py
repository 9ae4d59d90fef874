"""Metadata: typed values that people see beside an asset, a materialization or a check (M-16).

Plain Python values are converted: text, int, float, bool, None, paths, datetimes, asset keys, dicts
and lists. On the wire a value is `{"type": ..., "value": ...}`.
"""

from __future__ import annotations

import datetime as _dt
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from arco_flow._internal.errors import UsageError
from arco_flow._internal.keys import AssetKey, CoercibleToAssetKey

if TYPE_CHECKING:
    from arco_flow._internal.tables import TableColumnLineage, TableRecord, TableSchema

_EXACT_MAX = 2**53

_Float: TypeAlias = float
"""The number; within `MetadataValue` the name means the method."""

RawMetadataValue: TypeAlias = Any
"""A `MetadataValue`, or a plain value that is converted to one."""

RawMetadataMapping: TypeAlias = Mapping[str, RawMetadataValue]


@dataclass(frozen=True)
class MetadataValue:
    """One typed value. Make it with the class methods: `MetadataValue.md("**bold**")`.

    Differs from Dagster: one class for all kinds (`kind` tells which), and `png` is Arco's own.
    Notebooks, jobs, pools and Python artifacts are given as `path` and `text`.
    """

    kind: str
    value: Any = field(hash=False)

    @staticmethod
    def text(text: str) -> MetadataValue:
        """Plain text."""
        return MetadataValue("text", str(text))

    @staticmethod
    def md(data: str) -> MetadataValue:
        """Markdown, rendered."""
        return MetadataValue("md", str(data))

    @staticmethod
    def json(data: Any) -> MetadataValue:
        """A JSON document: dicts, lists, texts, numbers, bools, None."""
        return MetadataValue("json", _json(data, "json"))

    @staticmethod
    def url(url: str) -> MetadataValue:
        """A link."""
        return MetadataValue("url", str(url))

    @staticmethod
    def path(path: str | os.PathLike[str]) -> MetadataValue:
        """A path in a file system or bucket."""
        return MetadataValue("path", os.fspath(path))

    @staticmethod
    def int(value: int) -> MetadataValue:
        """A whole number. Beyond 2**53 it travels as text, so that no digit is lost."""
        return MetadataValue("int", value if abs(value) <= _EXACT_MAX else str(value))

    @staticmethod
    def float(value: float) -> MetadataValue:
        """A number. NaN and infinities, which JSON cannot say, become text."""
        return (
            MetadataValue("float", value)
            if math.isfinite(value)
            else MetadataValue("text", str(value))
        )

    @staticmethod
    def bool(value: bool) -> MetadataValue:
        """True or false."""
        return MetadataValue("bool", value)

    @staticmethod
    def null() -> MetadataValue:
        """Nothing, on purpose."""
        return MetadataValue("null", None)

    @staticmethod
    def timestamp(value: _Float | _dt.datetime) -> MetadataValue:
        """An instant: seconds since 1970-01-01 UTC, or an aware datetime."""
        if isinstance(value, _dt.datetime):
            if value.tzinfo is None:
                raise UsageError(
                    f"timestamp {value.isoformat()} has no time zone; add one, as in "
                    "value.replace(tzinfo=datetime.timezone.utc)"
                )
            value = value.timestamp()
        return MetadataValue("timestamp", value)

    @staticmethod
    def asset(asset_key: CoercibleToAssetKey) -> MetadataValue:
        """A link to an asset."""
        return MetadataValue("asset", AssetKey.from_coercible(asset_key).to_user_string())

    @staticmethod
    def run(run_id: str) -> MetadataValue:
        """A link to a run."""
        return MetadataValue("run", run_id)

    @staticmethod
    def dagster_run(run_id: str) -> MetadataValue:
        """The same as `run`, by its Dagster name."""
        return MetadataValue("run", run_id)

    @staticmethod
    def table(
        records: Sequence[TableRecord | Mapping[str, Any]], schema: TableSchema | None = None
    ) -> MetadataValue:
        """A small table: rows, and a schema, inferred from the first row when absent."""
        from arco_flow._internal.tables import TableRecord, TableSchema

        rows = [dict(r.data if isinstance(r, TableRecord) else r) for r in records]
        schema = schema or TableSchema.of_rows(rows)
        return MetadataValue("table", {"records": _json(rows, "table"), "schema": schema.to_json()})

    @staticmethod
    def table_schema(schema: TableSchema) -> MetadataValue:
        """Columns of a table."""
        return MetadataValue("table_schema", schema.to_json())

    @staticmethod
    def column_lineage(lineage: TableColumnLineage) -> MetadataValue:
        """Which upstream columns each column comes from."""
        return MetadataValue("column_lineage", lineage.to_json())

    @staticmethod
    def png(data: bytes) -> MetadataValue:
        """A small picture in PNG format, shown in the UI. Arco's own.

        Args:
            data: The bytes of the file, at most 1 MiB.
        """
        if not data.startswith(b"\x89PNG\r\n\x1a\n"):
            raise UsageError("MetadataValue.png takes the bytes of a PNG file; these are not")
        if len(data) > 1 << 20:
            raise UsageError(
                f"a picture of {len(data)} bytes is too big for metadata (at most 1 MiB); "
                "write it to a file and give MetadataValue.path"
            )
        from base64 import b64encode

        return MetadataValue("png", b64encode(data).decode("ascii"))

    def to_json(self) -> dict[str, Any]:
        """`{"type": kind, "value": value}`."""
        return {"type": self.kind, "value": self.value}


def metadata_value(value: RawMetadataValue, name: str) -> MetadataValue:
    """The typed value of a plain one.

    Raises:
        UsageError: For a type that has no metadata kind.
    """
    if isinstance(value, MetadataValue):
        return value
    if value is None:
        return MetadataValue.null()
    if isinstance(value, bool):
        return MetadataValue.bool(value)
    if isinstance(value, str):
        return MetadataValue.text(value)
    if isinstance(value, int):
        return MetadataValue.int(int(value))
    if isinstance(value, float):
        return MetadataValue.float(float(value))
    if isinstance(value, (dict, list, tuple)):
        return MetadataValue("json", _json(value, name))
    return _less_usual(value, name)


def _less_usual(value: Any, name: str) -> MetadataValue:
    if isinstance(value, AssetKey):
        return MetadataValue.asset(value)
    kind = getattr(value, "_arco_metadata", None)
    if isinstance(kind, str):
        return MetadataValue(kind, value.to_json())
    if isinstance(value, os.PathLike):
        return MetadataValue.path(value)
    if isinstance(value, _dt.datetime):
        return MetadataValue.timestamp(value)
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "shape", None) == ():
        return metadata_value(item(), name)  # A scalar of numpy or alike.
    raise UsageError(
        f"metadata `{name}` is a {type(value).__name__}, which has no metadata kind; "
        "give MetadataValue.text(str(value)), MetadataValue.json(...) or a plain value"
    )


def metadata_json(metadata: RawMetadataMapping | None) -> dict[str, Any]:
    """A mapping of plain or typed values as it travels."""
    if not metadata:
        return {}
    return {_name(k): metadata_value(v, k).to_json() for k, v in metadata.items()}


def normalize(metadata: RawMetadataMapping | None) -> dict[str, MetadataValue]:
    """A mapping of plain or typed values as typed values."""
    return {_name(k): metadata_value(v, k) for k, v in (metadata or {}).items()}


def _name(name: Any) -> str:
    if not isinstance(name, str):
        raise UsageError(f"names of metadata are text, not {name!r}")
    return name


def _json(value: Any, name: str) -> Any:
    """`value` as JSON can say it: tuples to lists, scalars of numpy unpacked, NaN to null."""
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, int):
        return int(value) if abs(value) <= _EXACT_MAX else str(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(k): _json(v, name) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_json(v, name) for v in value]
    if isinstance(value, (_dt.date, _dt.datetime, _dt.time)):
        return value.isoformat()
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "shape", None) == ():
        return _json(item(), name)
    raise UsageError(
        f"metadata `{name}` holds a {type(value).__name__}, which JSON cannot say: {value!r}"
    )

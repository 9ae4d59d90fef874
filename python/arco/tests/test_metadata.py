"""Typed values, and plain ones converted to them (M-16)."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

import arco_flow as dg
from arco_flow._internal.metadata import metadata_json, metadata_value

V = dg.MetadataValue
UTC = dt.timezone.utc
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 8


class Scalar:
    """What a scalar of numpy looks like."""

    shape = ()

    def item(self) -> int:
        return 7


@pytest.mark.parametrize(
    ("plain", "typed"),
    [
        ("a", {"type": "text", "value": "a"}),
        (True, {"type": "bool", "value": True}),
        (1, {"type": "int", "value": 1}),
        (1.5, {"type": "float", "value": 1.5}),
        (None, {"type": "null", "value": None}),
        (Path("/x/y"), {"type": "path", "value": "/x/y"}),
        ({"a": [1, (2,)]}, {"type": "json", "value": {"a": [1, [2]]}}),
        ([1, dt.date(2024, 1, 2)], {"type": "json", "value": [1, "2024-01-02"]}),
        (dg.AssetKey(["a", "b"]), {"type": "asset", "value": "a/b"}),
        (dt.datetime(1970, 1, 2, tzinfo=UTC), {"type": "timestamp", "value": 86400.0}),
        (Scalar(), {"type": "int", "value": 7}),
        (V.md("**x**"), {"type": "md", "value": "**x**"}),
        (V.url("https://x"), {"type": "url", "value": "https://x"}),
        (V.run("run_1"), {"type": "run", "value": "run_1"}),
        (V.png(PNG), {"type": "png", "value": "iVBORw0KGgowMDAwMDAwMA=="}),
        (
            dg.TableSchema(
                [dg.TableColumn("x", "int", constraints=dg.TableColumnConstraints(nullable=False))]
            ),
            {
                "type": "table_schema",
                "value": {
                    "columns": [
                        {
                            "name": "x",
                            "type": "int",
                            "constraints": {"nullable": False, "unique": False, "other": []},
                        }
                    ]
                },
            },
        ),
        (
            dg.TableColumnLineage({"x": [dg.TableColumnDep(dg.AssetKey("up"), "y")]}),
            {"type": "column_lineage", "value": {"x": [{"asset": "up", "column": "y"}]}},
        ),
    ],
)
def test_a_plain_value_has_its_kind(plain, typed) -> None:
    assert metadata_value(plain, "name").to_json() == typed


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (
            lambda: metadata_json({"x": object()}),
            "metadata `x` is a object, which has no metadata kind",
        ),
        (
            lambda: metadata_json({"x": {"y": object()}}),
            "metadata `x` holds a object, which JSON cannot say",
        ),
        (lambda: metadata_json({1: "x"}), "names of metadata are text, not 1"),
        (lambda: V.png(b"GIF89a"), "takes the bytes of a PNG file"),
        (lambda: V.png(PNG + b"0" * (1 << 20)), "is too big for metadata"),
        (lambda: V.timestamp(dt.datetime(2024, 1, 1)), "has no time zone; add one"),
    ],
)
def test_what_has_no_kind_is_told(bad, message) -> None:
    with pytest.raises(dg.UsageError, match=message):
        bad()

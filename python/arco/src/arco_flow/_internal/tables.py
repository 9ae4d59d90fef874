"""Small tables, schemas and column lineage for metadata (M-17)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from arco_flow._internal.keys import AssetKey


@dataclass(frozen=True)
class TableRecord:
    """One row of a table: values by column."""

    data: Mapping[str, Any]


@dataclass(frozen=True)
class TableColumn:
    """One column.

    Args:
        name: Its name.
        type: Its type, in the words of whatever holds the table.
        description: For people.
        tags: Free tags.
    """

    name: str
    type: str = "string"
    description: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The column as it travels; absent rather than null."""
        column: dict[str, Any] = {"name": self.name, "type": self.type}
        if self.description:
            column["description"] = self.description
        if self.tags:
            column["tags"] = dict(self.tags)
        return column


@dataclass(frozen=True)
class TableSchema:
    """The columns of a table, in order."""

    columns: Sequence[TableColumn]

    @staticmethod
    def of_rows(rows: Sequence[Mapping[str, Any]]) -> TableSchema:
        """Columns of the first row, typed by its values."""
        words = {"str": "string", "NoneType": "string"}
        first = rows[0] if rows else {}
        return TableSchema(
            [
                TableColumn(str(k), words.get(type(v).__name__, type(v).__name__))
                for k, v in first.items()
            ]
        )

    def to_json(self) -> dict[str, Any]:
        """The schema as it travels."""
        return {"columns": [column.to_json() for column in self.columns]}


@dataclass(frozen=True)
class TableColumnDep:
    """A column of an upstream asset."""

    asset_key: AssetKey
    column_name: str


@dataclass(frozen=True)
class TableColumnLineage:
    """For each column, the upstream columns it comes from."""

    deps_by_column: Mapping[str, Sequence[TableColumnDep]]

    def to_json(self) -> dict[str, Any]:
        """The lineage as it travels."""
        return {
            name: [
                {"asset": dep.asset_key.to_user_string(), "column": dep.column_name} for dep in deps
            ]
            for name, deps in self.deps_by_column.items()
        }

"""Small tables, schemas and column lineage for metadata (M-17)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from arco_flow._internal.keys import AssetKey


@dataclass(frozen=True)
class TableRecord:
    """One row of a table: values by column."""

    data: Mapping[str, Any]


@dataclass(frozen=True)
class TableColumnConstraints:
    """What holds for each value of a column.

    Args:
        nullable: Whether a value may be missing.
        unique: Whether no value comes twice.
        other: Further rules, in words.
    """

    nullable: bool = True
    unique: bool = False
    other: Sequence[str] = ()

    def to_json(self) -> dict[str, Any]:
        """The constraints as they travel."""
        return {"nullable": self.nullable, "unique": self.unique, "other": list(self.other)}


@dataclass(frozen=True)
class TableConstraints:
    """What holds for a table as a whole, in words."""

    other: Sequence[str]


@dataclass(frozen=True)
class TableColumn:
    """One column.

    Args:
        name: Its name.
        type: Its type, in the words of whatever holds the table.
        description: For people.
        constraints: What holds for its values.
        tags: Free tags.
    """

    name: str
    type: str = "string"
    description: str | None = None
    constraints: TableColumnConstraints | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The column as it travels; absent rather than null."""
        column: dict[str, Any] = {"name": self.name, "type": self.type}
        if self.description:
            column["description"] = self.description
        if self.constraints:
            column["constraints"] = self.constraints.to_json()
        if self.tags:
            column["tags"] = dict(self.tags)
        return column


@dataclass(frozen=True)
class TableSchema:
    """The columns of a table, in order."""

    columns: Sequence[TableColumn]
    constraints: TableConstraints | None = None

    _arco_metadata: ClassVar[str] = "table_schema"

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
        schema: dict[str, Any] = {"columns": [column.to_json() for column in self.columns]}
        if self.constraints:
            schema["constraints"] = {"other": list(self.constraints.other)}
        return schema


@dataclass(frozen=True)
class TableColumnDep:
    """A column of an upstream asset."""

    asset_key: AssetKey
    column_name: str


@dataclass(frozen=True)
class TableColumnLineage:
    """For each column, the upstream columns it comes from."""

    deps_by_column: Mapping[str, Sequence[TableColumnDep]]

    _arco_metadata: ClassVar[str] = "column_lineage"

    def to_json(self) -> dict[str, Any]:
        """The lineage as it travels."""
        return {
            name: [
                {"asset": dep.asset_key.to_user_string(), "column": dep.column_name} for dep in deps
            ]
            for name, deps in self.deps_by_column.items()
        }

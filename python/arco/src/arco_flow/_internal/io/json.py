"""Values as JSON files that people and other programs read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from arco_flow._internal.errors import StorageError
from arco_flow._internal.io import paths
from arco_flow._internal.io.base import InputContext, OutputContext
from arco_flow._internal.io.partitioned import PartitionedFileIOManager


@dataclass(frozen=True)
class JsonIOManager(PartitionedFileIOManager):
    """Stores plain data as JSON: a file per asset, or per partition.

    The file is `<root>/<key parts>/<partition>.json`, or `value.json`; it is replaced whole. Data is
    what JSON has: None, booleans, numbers, text, lists, and dicts with text as keys. A pydantic model
    is stored as its data, and loaded as the model when the parameter is annotated with its class.
    What would come back as something else (tuples, sets, dates, NaN) is refused.

    Args:
        base_dir: Folder or URL. When absent: the environment's `ARCO_STORAGE`, else `./.arco/storage`.
        indent: Spaces per level; all in one line when absent.
    """

    base_dir: str | None = None
    indent: int | None = None

    extension = ".json"

    def write(self, context: OutputContext, path: str, value: Any) -> None:
        """Writes one value."""
        if hasattr(type(value), "model_dump"):
            value = value.model_dump(mode="json")
        wrong = _not_json(value, "")
        if wrong:
            raise StorageError(
                f"the value of {context.what} is not JSON: {wrong}; return plain "
                "data, or give the asset an io_manager_key of its own"
            )
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=self.indent)
        paths.write_atomic(path, lambda file: file.write(text.encode("utf-8") + b"\n"))

    def read(self, context: InputContext, path: str) -> Any:
        """Reads one value."""
        try:
            value = paths.read(path, json.load)
        except ValueError as error:
            raise StorageError(
                f"the stored value of {context.what} at {path} is not JSON: {error}; materialize it again"
            ) from error
        model = context.annotation
        if isinstance(model, type) and hasattr(model, "model_validate"):
            return model.model_validate(value)
        return value


def _not_json(value: Any, at: str) -> str | None:
    """What in a value would not come back from JSON as it is, and where."""
    place = f" at {at}" if at else ""
    if value is None or isinstance(value, (bool, int)):
        return None
    if isinstance(value, str):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            return f"the text{place} has half of a surrogate pair"
        return None
    if isinstance(value, float):
        finite = value - value == 0.0
        return None if finite else f"{value}{place}"
    if type(value) is list:
        found = (_not_json(item, f"{at}[{n}]") for n, item in enumerate(value))
        return next((wrong for wrong in found if wrong), None)
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                return f"the key {key!r}{place} is a {type(key).__name__}"
            wrong = _not_json(item, f"{at}.{key}" if at else key)
            if wrong:
                return wrong
        return None
    return f"a {type(value).__name__}{place}"

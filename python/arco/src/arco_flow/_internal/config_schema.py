"""JSON schemas of configuration, for the manifest. pydantic is touched only where it is used."""

from __future__ import annotations

from typing import Any

from arco_flow._internal.assets import StepDefinition
from arco_flow._internal.errors import DefinitionError


def config_schema(step: StepDefinition[..., Any]) -> dict[str, Any] | None:
    """The schema of the configuration of a step; None when it takes none."""
    config = step.signature.config
    if config is None:
        return None
    if getattr(config.annotation, "_arco_kind", None) != "config":
        return {"type": "object"}
    return _schema(config.annotation, f"configuration of `{step.step_name}`")


def resource_schema(value: Any) -> dict[str, Any] | None:
    """The schema of the configuration of a resource; None for a plain object."""
    schema = getattr(value, "_arco_schema", None)
    return schema() if callable(schema) else None


def _schema(model: Any, what: str) -> dict[str, Any]:
    try:
        schema: dict[str, Any] = model.model_json_schema()
    except Exception as error:
        raise DefinitionError(f"the {what} has no JSON schema: {error}") from error
    return schema

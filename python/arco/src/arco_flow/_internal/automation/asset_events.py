"""Facts about assets that a sensor records beside what it asks for (N-17)."""

from __future__ import annotations

from typing import Any, TypeAlias

from arco_flow._internal.checks import AssetCheckEvaluation
from arco_flow._internal.errors import DefinitionError, UsageError
from arco_flow._internal.metadata import metadata_json
from arco_flow._internal.names import check_tags
from arco_flow._internal.observations import DATA_VERSION_TAG, AssetObservation
from arco_flow._internal.results import AssetMaterialization

AssetEvent: TypeAlias = AssetMaterialization | AssetObservation | AssetCheckEvaluation
ASSET_EVENTS = (AssetMaterialization, AssetObservation, AssetCheckEvaluation)


def version_and_tags(
    event: AssetMaterialization | AssetObservation,
) -> tuple[str | None, dict[str, str]]:
    """The version of the data, which Dagster says by the tag `dagster/data_version`, and the other tags."""
    tags = dict(event.tags)
    return tags.pop(DATA_VERSION_TAG, None), tags


def event_json(event: AssetEvent) -> dict[str, Any]:
    """As the control plane reads it; absent rather than null.

    Raises:
        UsageError: For metadata and tags that cannot stand.
    """
    asset = event.asset_key.to_user_string()
    found: dict[str, Any] = {"asset": asset}
    if event.partition is not None:
        found["partition"] = event.partition
    if event.metadata:
        found["metadata"] = metadata_json(event.metadata)
    if not isinstance(event, AssetMaterialization) and event.description is not None:
        found["description"] = event.description
    if isinstance(event, AssetCheckEvaluation):
        return {
            "event": "check",
            "check": event.check_name,
            "passed": event.passed,
            "severity": event.severity.value,
            **found,
        }
    version, tags = version_and_tags(event)
    if version is not None:
        if not isinstance(version, str) or not version:
            raise UsageError(
                f"tag `{DATA_VERSION_TAG}` of an event of asset `{asset}` is a text, not {version!r}"
            )
        found["data_version"] = version
    if tags:
        try:
            found["tags"] = check_tags(tags, asset)
        except DefinitionError as error:
            raise UsageError(str(error)) from error
    word = "materialization" if isinstance(event, AssetMaterialization) else "observation"
    return {"event": word, **found}

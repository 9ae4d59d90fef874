"""Talking to a control plane from any program: reports of what no run made, backfills, dynamic partitions."""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from arco_flow._internal.automation.asset_events import version_and_tags
from arco_flow._internal.checks import AssetCheckEvaluation, AssetCheckSeverity
from arco_flow._internal.client_backfills import BackfillCalls
from arco_flow._internal.client_partitions import PartitionCalls
from arco_flow._internal.errors import ArcoError, UsageError
from arco_flow._internal.keys import AssetKey, CoercibleToAssetKey
from arco_flow._internal.metadata import RawMetadataMapping, metadata_json, normalize
from arco_flow._internal.observations import AssetObservation
from arco_flow._internal.results import AssetMaterialization, DataVersion

_TRIES = 4


class ArcoApiError(ArcoError):
    """A control plane that refused, or could not be reached.

    `code` is the word of the problem (`unknown_asset`), `status` the status of HTTP; both are None when
    nobody answered.
    """

    def __init__(self, message: str, code: str | None = None, status: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


@dataclass(frozen=True)
class Reported:
    """A report that stands: where in the log, and whether this call made it."""

    position: str
    created: bool


class ArcoClient(BackfillCalls, PartitionCalls):
    """Reports facts about assets to a control plane (Dagster's `report_runless_asset_event`), asks for
    backfills, and changes dynamic partitions.

    Each report is sent under an idempotency key and tried again for some seconds when the control
    plane does not answer, so that it counts once.

    Args:
        server: Address of the control plane; `ARCO_SERVER`, else http://127.0.0.1:3000.
        workspace: Workspace; `ARCO_WORKSPACE`, else `default`.
        token: Token of role `client`; `ARCO_TOKEN` when absent.
        timeout: Longest wait for one answer, in seconds.
    """

    def __init__(
        self,
        server: str | None = None,
        *,
        workspace: str | None = None,
        token: str | None = None,
        timeout: float = 30.0,
    ) -> None:
        given = server or os.environ.get("ARCO_SERVER") or "http://127.0.0.1:3000"
        if urllib.parse.urlsplit(given).scheme not in ("http", "https"):
            raise UsageError(
                f"`{given}` is not the address of a server; write http://127.0.0.1:3000"
            )
        name = workspace or os.environ.get("ARCO_WORKSPACE") or "default"
        self._root = f"{given.rstrip('/')}/api/v1/workspaces/{urllib.parse.quote(name, safe='')}"
        self._token = token or os.environ.get("ARCO_TOKEN")
        self._timeout = timeout
        # A control plane is asked directly: a proxy for the web has no business here.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def report_materialization(
        self,
        asset_key: CoercibleToAssetKey,
        *,
        partition: str | None = None,
        metadata: RawMetadataMapping | None = None,
        data_version: DataVersion | str | None = None,
        tags: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> Reported:
        """Says that something else made an asset, or a partition of it.

        Raises:
            ArcoApiError: When it is refused, or nobody answers.
        """
        body = _body(partition, metadata, data_version, None, tags)
        return self._report(asset_key, "materializations", body, idempotency_key)

    def report_observation(
        self,
        asset_key: CoercibleToAssetKey,
        *,
        partition: str | None = None,
        metadata: RawMetadataMapping | None = None,
        data_version: DataVersion | str | None = None,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> Reported:
        """Says that somebody looked at an asset, or a partition of it.

        Raises:
            ArcoApiError: When it is refused, or nobody answers.
        """
        body = _body(partition, metadata, data_version, description, tags)
        return self._report(asset_key, "observations", body, idempotency_key)

    def report_check(
        self,
        asset_key: CoercibleToAssetKey,
        check_name: str,
        passed: bool,
        *,
        severity: AssetCheckSeverity = AssetCheckSeverity.ERROR,
        partition: str | None = None,
        metadata: RawMetadataMapping | None = None,
        description: str | None = None,
        idempotency_key: str | None = None,
    ) -> Reported:
        """Says how a check of an asset was judged.

        Raises:
            ArcoApiError: When it is refused, or nobody answers.
        """
        body = _body(partition, metadata, None, description, None)
        body.update({"check": check_name, "passed": passed, "severity": severity.value})
        return self._report(asset_key, "checks", body, idempotency_key)

    def report_runless_asset_event(
        self,
        asset_event: AssetMaterialization | AssetObservation | AssetCheckEvaluation,
        *,
        idempotency_key: str | None = None,
    ) -> Reported:
        """Reports an event, by Dagster's name. A tag `dagster/data_version` is the version of the data.

        Raises:
            ArcoApiError: When it is refused, or nobody answers.
        """
        event = asset_event
        if isinstance(event, AssetCheckEvaluation):
            return self.report_check(
                event.asset_key,
                event.check_name,
                event.passed,
                severity=event.severity,
                partition=event.partition,
                metadata=event.metadata,
                description=event.description,
                idempotency_key=idempotency_key,
            )
        if not isinstance(event, (AssetMaterialization, AssetObservation)):
            raise UsageError(
                f"{event!r} cannot be reported; give an AssetMaterialization, an AssetObservation or an "
                "AssetCheckEvaluation"
            )
        version, tags = version_and_tags(event)
        if isinstance(event, AssetMaterialization):
            return self.report_materialization(
                event.asset_key,
                partition=event.partition,
                metadata=event.metadata,
                data_version=version,
                tags=tags,
                idempotency_key=idempotency_key,
            )
        return self.report_observation(
            event.asset_key,
            partition=event.partition,
            metadata=event.metadata,
            data_version=version,
            description=event.description,
            tags=tags,
            idempotency_key=idempotency_key,
        )

    def _report(
        self, asset: CoercibleToAssetKey, what: str, body: dict[str, Any], key: str | None
    ) -> Reported:
        text = AssetKey.from_coercible(asset).to_user_string()
        path = f"assets/{urllib.parse.quote(text, safe='')}/{what}"
        said = self._call("POST", path, body, key or os.urandom(16).hex())
        return Reported(said["position"], said["created"])

    def _call(self, method: str, path: str, body: Any = None, key: str | None = None) -> Any:
        """Every call may be made twice: it reads, has a key, or says what is to be so."""
        headers = {}
        if body is not None:
            headers["content-type"] = "application/json"
        if key is not None:
            headers["idempotency-key"] = key
        if self._token:
            headers["authorization"] = f"Bearer {self._token}"
        data = None if body is None else json.dumps(body).encode()
        for attempt in range(_TRIES):
            try:
                request = urllib.request.Request(
                    f"{self._root}/{path}", data, headers, method=method
                )
                with self._opener.open(request, timeout=self._timeout) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                refused = _refused(error)
                if error.code not in (502, 503, 504) or attempt == _TRIES - 1:
                    raise refused from None
            except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
                if attempt == _TRIES - 1:
                    reason = getattr(error, "reason", error)
                    raise ArcoApiError(f"{self._root} does not answer: {reason}") from error
            time.sleep(0.5 * 2**attempt)
        raise AssertionError("the last try raises")


def _body(
    partition: str | None,
    metadata: RawMetadataMapping | None,
    data_version: DataVersion | str | None,
    description: str | None,
    tags: Mapping[str, str] | None,
) -> dict[str, Any]:
    version = data_version.value if isinstance(data_version, DataVersion) else data_version
    found = {
        "partition": partition,
        "metadata": metadata_json(normalize(metadata)) or None,
        "data_version": version,
        "description": description,
        "tags": dict(tags) if tags else None,
    }
    return {name: value for name, value in found.items() if value is not None}


def _refused(error: urllib.error.HTTPError) -> ArcoApiError:
    try:
        problem = json.load(error)
        return ArcoApiError(problem["detail"], problem.get("code"), error.code)
    except (ValueError, KeyError, TypeError):
        return ArcoApiError(f"the server answered {error.code} {error.reason}", None, error.code)

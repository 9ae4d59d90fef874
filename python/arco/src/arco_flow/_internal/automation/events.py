"""What lies before a sensor: messages, materializations, runs that entered a status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from enum import Enum
from typing import Any

from arco_flow._internal.jobs import IMPLICIT_JOB
from arco_flow._internal.keys import AssetKey
from arco_flow._internal.metadata import MetadataValue
from arco_flow._internal.results import AssetMaterialization, DataVersion


class DagsterRunStatus(Enum):
    """Status of a run, by Dagster's names."""

    QUEUED = "QUEUED"
    NOT_STARTED = "NOT_STARTED"
    MANAGED = "MANAGED"
    STARTING = "STARTING"
    STARTED = "STARTED"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    CANCELING = "CANCELING"
    CANCELED = "CANCELED"


STATUS_WORDS = {
    DagsterRunStatus.STARTED: "started",
    DagsterRunStatus.SUCCESS: "succeeded",
    DagsterRunStatus.FAILURE: "failed",
    DagsterRunStatus.CANCELED: "cancelled",
}
"""Statuses that a sensor can wait for, in the words of the control plane."""


@dataclass(frozen=True)
class Message:
    """A message that was pushed to a sensor. Arco's own.

    Attributes:
        id: Its id: the same id is the same message.
        data: What it says: JSON.
        attributes: CloudEvents attributes, headers, or attributes of its envelope.
        time: When it was accepted, in UTC.
    """

    id: str
    data: Any = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    time: datetime = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class DagsterRun:
    """A run, as a run-status sensor sees it.

    Differs from Dagster: its configuration and plan are not there; ask the API by `run_id`.
    """

    run_id: str
    job_name: str = IMPLICIT_JOB
    status: DagsterRunStatus = DagsterRunStatus.NOT_STARTED
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_success(self) -> bool:
        """Whether all of it was done."""
        return self.status is DagsterRunStatus.SUCCESS

    @property
    def is_failure(self) -> bool:
        """Whether part of it failed."""
        return self.status is DagsterRunStatus.FAILURE

    @property
    def is_cancelled(self) -> bool:
        """Whether it was cancelled."""
        return self.status is DagsterRunStatus.CANCELED

    is_canceled = is_cancelled

    @property
    def is_finished(self) -> bool:
        """Whether it is over."""
        return self.is_success or self.is_failure or self.is_cancelled


@dataclass(frozen=True)
class DagsterEvent:
    """What happened, as event sensors see it.

    Attributes:
        event_type_value: Dagster's word, such as `ASSET_MATERIALIZATION` or `PIPELINE_FAILURE`.
        job_name: The job of the run.
        message: For people.
        asset_key: The asset, of a materialization.
        partition: The partition, of a materialization.
        materialization: What was made, of a materialization.
    """

    event_type_value: str
    job_name: str = IMPLICIT_JOB
    message: str | None = None
    asset_key: AssetKey | None = None
    partition: str | None = None
    materialization: AssetMaterialization | None = None

    @property
    def event_specific_data(self) -> DagsterEvent:
        """Itself: what Dagster keeps apart (`event_specific_data.materialization`) is here."""
        return self


@dataclass(frozen=True)
class EventLogEntry:
    """One materialization, as an asset sensor sees it.

    Attributes:
        asset_key: The asset.
        run_id: The run that made it; empty when it was reported from outside.
        timestamp: When, in seconds since the epoch.
        position: Its place in the log, `segment.index`: later ones are greater.
        partition_key: Its partition, if it has one.
        metadata: Typed values by name.
        data_version: Version of the data.
    """

    asset_key: AssetKey
    run_id: str = ""
    timestamp: float = 0.0
    position: str = ""
    partition_key: str | None = None
    metadata: Mapping[str, MetadataValue] = field(default_factory=dict)
    data_version: DataVersion | None = None

    @property
    def asset_materialization(self) -> AssetMaterialization:
        """What was made."""
        version = (
            {} if self.data_version is None else {"dagster/data_version": self.data_version.value}
        )
        return AssetMaterialization(
            self.asset_key, metadata=self.metadata, partition=self.partition_key, tags=version
        )

    @property
    def dagster_event(self) -> DagsterEvent:
        """The event by Dagster's names."""
        return DagsterEvent(
            "ASSET_MATERIALIZATION",
            asset_key=self.asset_key,
            partition=self.partition_key,
            materialization=self.asset_materialization,
        )

    @property
    def event_log_entry(self) -> EventLogEntry:
        """Itself: Dagster's records hold entries."""
        return self

    @property
    def storage_id(self) -> str:
        """Its `position`; Dagster has a number here."""
        return self.position


def message_of(item: Mapping[str, Any]) -> Message:
    """The message of an item of a sensor's queue."""
    return Message(
        item["id"], item.get("data"), dict(item.get("attributes") or {}), when(item["time"])
    )


def entry_of(item: Mapping[str, Any]) -> EventLogEntry:
    """The materialization of an item of a sensor's queue."""
    version = item.get("data_version")
    return EventLogEntry(
        asset_key=AssetKey.from_user_string(item["asset"]),
        run_id=item.get("run") or "",
        timestamp=item["time"] / 1000,
        position=item["position"],
        partition_key=item.get("partition"),
        metadata={
            name: MetadataValue(value["type"], value.get("value"))
            for name, value in (item.get("metadata") or {}).items()
        },
        data_version=None if version is None else DataVersion(version),
    )


def run_of(item: Mapping[str, Any]) -> tuple[DagsterRun, DagsterEvent]:
    """The run of an item of a sensor's queue, and what happened to it."""
    status = next(status for status, word in STATUS_WORDS.items() if word == item["status"])
    job = item.get("job") or IMPLICIT_JOB
    run = DagsterRun(item["run"], job, status, dict(item.get("tags") or {}))
    # Dagster's words for the events of runs.
    kind = {
        DagsterRunStatus.STARTED: "PIPELINE_START",
        DagsterRunStatus.SUCCESS: "PIPELINE_SUCCESS",
        DagsterRunStatus.FAILURE: "PIPELINE_FAILURE",
        DagsterRunStatus.CANCELED: "PIPELINE_CANCELED",
    }[status]
    return run, DagsterEvent(kind, job, item.get("message"))


def when(milliseconds: int) -> datetime:
    """The instant so many milliseconds after the epoch, in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, tz=timezone.utc)

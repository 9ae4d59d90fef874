"""Backfills, asked for and steered from any program."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from arco_flow._internal.errors import UsageError


@dataclass(frozen=True)
class BackfillStatus:
    """Where a backfill stands. Partitions that one run makes of several assets are counted once.

    Attributes:
        id: Its id, `backfill_…`.
        status: `pending`, `running`, `paused`, `canceling`, `succeeded`, `failed` or `canceled`.
        state_version: How often the status changed.
        partitions: All it is to make.
        succeeded: Made.
        failed: Their run ended without making them, or a blocking check failed.
        remaining: Not yet; when it is over: not tried.
        raw: The whole answer of the API.
    """

    id: str
    status: str
    state_version: int
    partitions: int
    succeeded: int
    failed: int
    remaining: int
    raw: Mapping[str, Any]

    @property
    def is_over(self) -> bool:
        """Whether it will never change again."""
        return self.status in ("succeeded", "failed", "canceled")


def status_of(answer: Mapping[str, Any]) -> BackfillStatus:
    progress = answer["progress"]
    return BackfillStatus(
        answer["id"],
        answer["status"],
        answer["state_version"],
        progress["partitions"],
        progress["succeeded"],
        progress["failed"],
        progress["remaining"],
        answer,
    )


class BackfillCalls:
    """The calls of `ArcoClient` that are about backfills."""

    def _call(self, method: str, path: str, body: Any = None, key: str | None = None) -> Any:
        raise NotImplementedError

    def create_backfill(
        self,
        selection: str | Iterable[str],
        *,
        partition_range: tuple[str, str] | None = None,
        partition_keys: Iterable[str] | None = None,
        all_partitions: bool = False,
        statuses: Iterable[str] = (),
        dimensions: Mapping[str, Iterable[str]] | None = None,
        max_partitions_per_run: int | None = None,
        refuse_left_out: bool = False,
        title: str | None = None,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
        config: Mapping[str, Any] | None = None,
        concurrency: int | None = None,
        priority: int | None = None,
        order: str | None = None,
        runs_per_minute: int | None = None,
        idempotency_key: str | None = None,
    ) -> BackfillStatus:
        """Asks for a backfill.

        Args:
            selection: Which assets, as for `arco run`.
            partition_range: First and last key, both included.
            partition_keys: Keys.
            all_partitions: Every partition that exists.
            statuses: Only partitions like this: `missing`, `failed`, `materialized`.
            dimensions: Only these keys by dimension.
            max_partitions_per_run: In place of what the assets say; 0 for all in one run.
            refuse_left_out: Refuse it when a partition needs a parent partition that does not exist.
            title: For people.
            description: For people.
            tags: Tags of its runs.
            config: Configuration of its runs.
            concurrency: Runs that go on at once, at most.
            priority: Of its runs: higher goes first.
            order: `oldest` or `newest`.
            runs_per_minute: Runs begun in a minute, at most.
            idempotency_key: The same key and request again, within a day, is the same backfill.

        Raises:
            ArcoApiError: When it is refused, or nobody answers.
            UsageError: When the partitions are said in two ways.
        """
        body = _body(
            selection, partition_range, partition_keys, all_partitions, statuses, dimensions
        )
        more = {
            "partitions_per_run": max_partitions_per_run,
            "refuse_left_out": refuse_left_out or None,
            "title": title,
            "description": description,
            "tags": dict(tags) if tags else None,
            "config": dict(config) if config else None,
            "concurrency": concurrency,
            "priority": priority,
            "order": order,
            "runs_per_minute": runs_per_minute,
        }
        body.update({name: value for name, value in more.items() if value is not None})
        key = idempotency_key or os.urandom(16).hex()
        return status_of(self._call("POST", "backfills", body, key)["backfill"])

    def plan_backfill(
        self,
        selection: str | Iterable[str],
        *,
        partition_range: tuple[str, str] | None = None,
        partition_keys: Iterable[str] | None = None,
        all_partitions: bool = False,
        statuses: Iterable[str] = (),
        dimensions: Mapping[str, Iterable[str]] | None = None,
        max_partitions_per_run: int | None = None,
        refuse_left_out: bool = False,
    ) -> dict[str, Any]:
        """What a backfill would do: runs, rounds, units, what is left out. Nothing is written. The arguments
        are those of `create_backfill`.

        Raises:
            ArcoApiError: When it is refused, as `create_backfill` would be, or nobody answers.
        """
        body = _body(
            selection, partition_range, partition_keys, all_partitions, statuses, dimensions
        )
        if max_partitions_per_run is not None:
            body["partitions_per_run"] = max_partitions_per_run
        if refuse_left_out:
            body["refuse_left_out"] = True
        found: dict[str, Any] = self._call("POST", "backfills/plan", body)
        return found

    def get_backfill(self, backfill_id: str) -> BackfillStatus:
        """Where a backfill stands.

        Raises:
            ArcoApiError: When there is no such backfill, or nobody answers.
        """
        return status_of(self._call("GET", f"backfills/{backfill_id}"))

    def list_backfills(self, *, status: str | None = None) -> Iterator[BackfillStatus]:
        """Backfills, newest first.

        Raises:
            ArcoApiError: When nobody answers.
        """
        wanted = f"&status={status}" if status else ""
        token = ""
        while True:
            page = self._call("GET", f"backfills?limit=1000{wanted}{token}")
            yield from map(status_of, page["items"])
            if "next_page_token" not in page:
                return
            token = f"&page_token={page['next_page_token']}"

    def pause_backfill(self, backfill_id: str) -> BackfillStatus:
        """Asks for no more runs; those that go on end. Again changes nothing."""
        return self._steer(backfill_id, "pause", {})

    def resume_backfill(self, backfill_id: str) -> BackfillStatus:
        """Goes on with a paused backfill."""
        return self._steer(backfill_id, "resume", {})

    def cancel_backfill(self, backfill_id: str, *, drain: bool = False) -> BackfillStatus:
        """Asks for no more runs, for good, and stops those that go on, unless `drain`."""
        return self._steer(backfill_id, "cancel", {"drain": drain})

    def retry_failed_backfill(self, backfill_id: str) -> BackfillStatus:
        """Makes what a backfill that is over left undone, as a backfill of its own; once."""
        return self._steer(backfill_id, "retry-failed", {})

    def edit_backfill(
        self,
        backfill_id: str,
        *,
        concurrency: int | None = None,
        priority: int | None = None,
        order: str | None = None,
        runs_per_minute: int | None = None,
    ) -> BackfillStatus:
        """Changes how a backfill goes on; `runs_per_minute=0` takes that limit away."""
        given = {
            "concurrency": concurrency,
            "priority": priority,
            "order": order,
            "runs_per_minute": runs_per_minute,
        }
        body = {name: value for name, value in given.items() if value is not None}
        return status_of(self._call("PATCH", f"backfills/{backfill_id}", body)["backfill"])

    def _steer(self, backfill_id: str, what: str, body: dict[str, Any]) -> BackfillStatus:
        answer = self._call("POST", f"backfills/{backfill_id}/{what}", body)
        return status_of(answer["backfill"])


def _body(
    selection: str | Iterable[str],
    partition_range: tuple[str, str] | None,
    partition_keys: Iterable[str] | None,
    all_partitions: bool,
    statuses: Iterable[str],
    dimensions: Mapping[str, Iterable[str]] | None,
) -> dict[str, Any]:
    keys = [] if partition_keys is None else list(partition_keys)
    if partition_range is not None:
        keys.append("...".join(partition_range))
    if all_partitions and keys:
        raise UsageError("all_partitions and keys are two ways to say which partitions; give one")
    wanted = sorted(set(statuses))
    body: dict[str, Any] = {
        "selection": [selection] if isinstance(selection, str) else list(selection)
    }
    if wanted or dimensions:
        found = {name: list(values) for name, values in (dimensions or {}).items()}
        body["partitions"] = {"filter": {"keys": keys, "dimensions": found, "statuses": wanted}}
    elif all_partitions:
        body["partitions"] = "all"
    elif keys:
        body["partitions"] = {"keys": keys}
    return body

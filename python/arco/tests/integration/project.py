"""What the integration tests run: every body notes that it began in a file."""

import os
from pathlib import Path

import arco_flow as dg

days = dg.DailyPartitionsDefinition(start_date="2026-01-01", end_date="2026-01-06")


def note(*words: str) -> None:
    with Path(os.environ["JOURNAL"]).open("a", encoding="utf-8") as journal:
        journal.write(" ".join(words) + "\n")


@dg.asset
def numbers():
    note("numbers")
    return [1, 2, 3]


@dg.asset
def doubled(numbers):
    note("doubled")
    return [2 * number for number in numbers]


@dg.asset
def total(doubled):
    note("total")
    return sum(doubled)


@dg.asset(partitions_def=days)
def daily(context: dg.AssetExecutionContext):
    note("daily", context.partition_key)
    if Path(os.environ["JOURNAL"] + ".bad").exists() and context.partition_key == "2026-01-02":
        raise ValueError("no rows on this day")
    return context.partition_key


@dg.sensor(target=[daily], minimum_interval_seconds=1)
def watcher(context: dg.SensorEvaluationContext):
    """Says what it saw at each look, and asks for the same days again and again under one key."""
    look = int(context.cursor or 0) + 1
    return dg.SensorResult(
        cursor=str(look),
        asset_events=[
            dg.AssetMaterialization("numbers", metadata={"look": look}),
            dg.AssetObservation("total", tags={"dagster/data_version": f"v{look}"}),
        ],
        backfill_requests=[
            dg.BackfillRequest([daily], ["2026-01-03...2026-01-04"], run_key="days")
        ],
    )


defs = dg.Definitions(assets=[numbers, doubled, total, daily], sensors=[watcher])

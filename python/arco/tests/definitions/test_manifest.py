"""The manifest of a location that uses everything, beside the committed one."""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path

import arco_flow as dg
from arco_flow._internal import canonical

SNAPSHOT = Path(__file__).parent / "manifest.json"

DAILY = dg.DailyPartitionsDefinition(
    "2024-01-01", end_date="2025-01-01", hour_offset=2, timezone="Europe/Berlin"
)
PAST = dg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1)


class Limit(dg.Config):
    rows: int = 10


class Warehouse(dg.ConfigurableResource):
    url: str
    password: str = ""


@dg.asset(
    key_prefix="raw", group_name="ingest", kinds={"csv", "duckdb"}, tags={"team": "x", "flag": ""}, owners=["team:core"],
    code_version="2", metadata={"source": dg.MetadataValue.url("https://example.com"), "rows": 3}, partitions_def=DAILY,
    retry_policy=dg.RetryPolicy(3, delay=0.5, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS),
    pool="db", op_tags={"cpu": 2}, isolation="fork", timeout_seconds=60,
    check_specs=[dg.AssetCheckSpec("fresh", asset=["raw", "events"], blocking=True)],
)  # fmt: skip
def events(config: Limit, warehouse: Warehouse):
    """All events of a day."""


@dg.asset(
    partitions_def=DAILY,
    ins={"events": dg.AssetIn(key_prefix="raw", partition_mapping=PAST)},
    deps=[dg.AssetDep("clean", partition_mapping=PAST), "elsewhere"],
    io_manager_key="lake",
)
def clean(events): ...


@dg.asset(partitions_def=dg.MonthlyPartitionsDefinition("2024-01-01", end_offset=1, day_offset=15))
def month(context: dg.AssetExecutionContext): ...


@dg.asset(
    partitions_def=dg.StaticPartitionsDefinition(["eu", "us"]),
    ins={"c": dg.AssetIn("clean", partition_mapping=dg.LastPartitionMapping())},
)
def region(c): ...


@dg.multi_asset(specs=[dg.AssetSpec("left"), dg.AssetSpec("right", deps=["left"])])
def both(region: dict): ...


@dg.asset_check(
    asset=["raw", "events"], additional_ins={"month": dg.AssetIn("month")}, metadata={"n": 1}
)
def counts(events, month):
    """As many as in the month."""


def definitions() -> dg.Definitions:
    return dg.Definitions(
        assets=[events, clean, month, region, both, dg.AssetSpec("outside", group_name="ext")],
        asset_checks=[counts],
        resources={
            "warehouse": Warehouse(url="duckdb://", password=dg.EnvVar("PASSWORD")),
            "lake": dg.ParquetIOManager(),
        },
    )


def test_the_manifest_is_the_committed_one() -> None:
    manifest = definitions().to_manifest("example")
    manifest["sdk"]["language"] = "python"
    text = json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SNAPSHOT.write_text(text)
    assert text == SNAPSHOT.read_text()


def test_equal_code_has_an_equal_digest() -> None:
    assert canonical.digest(definitions().to_manifest("x")) == canonical.digest(
        definitions().to_manifest("x")
    )
    reversed_ = dg.Definitions(
        assets=list(definitions().assets)[::-1],
        asset_checks=[counts],
        resources=dict(reversed(definitions().resources.items())),
    )
    assert canonical.dumps(reversed_.to_manifest("x")) == canonical.dumps(
        definitions().to_manifest("x")
    )


def test_nothing_is_null_and_the_language_is_told() -> None:
    manifest = definitions().to_manifest("x")

    def walk(value: object) -> None:
        assert value is not None
        for inner in (
            value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        ):
            walk(inner)

    for part in ("assets", "checks", "steps"):
        walk(manifest[part])
    assert manifest["sdk"]["language"] == f"python {platform.python_version()}"


def test_every_reference_is_in_the_manifest() -> None:
    manifest = definitions().to_manifest("x")
    assets = {asset["key"] for asset in manifest["assets"]}
    steps = {step["name"]: step for step in manifest["steps"]}
    for asset in manifest["assets"]:
        assert {dep["asset"] for dep in asset["deps"]} <= assets
        assert "step" not in asset or asset["key"] in steps[asset["step"]]["outputs"]
    for check in manifest["checks"]:
        assert [check["asset"], check["name"]] in steps[check["step"]]["checks"]
        assert check["deps"][0]["asset"] == check["asset"]

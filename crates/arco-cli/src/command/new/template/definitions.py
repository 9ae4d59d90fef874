"""What PROJECT makes: assets, their checks, and a job of all of them."""

import arco_flow as dg

DAYS = dg.DailyPartitionsDefinition(start_date="2026-01-01")


@dg.asset(partitions_def=DAYS, group_name="raw")
def numbers(context: dg.AssetExecutionContext) -> list[int]:
    """Numbers of a day. A real one would read a file or ask a service."""
    day = int(context.partition_key[-2:])
    context.log.info("making %s numbers", day)
    return list(range(day))


@dg.asset(
    group_name="reports",
    ins={"numbers": dg.AssetIn(metadata={"allow_missing_partitions": True})},
)
def summary(numbers: dict[str, list[int]]) -> dg.MaterializeResult:
    """How many numbers the days have that were made. `numbers` has a value for each of them."""
    rows = sum(len(values) for values in numbers.values())
    return dg.MaterializeResult(value=rows, metadata={"rows": rows, "days": len(numbers)})


@dg.asset_check(asset=numbers, partitions_def=DAYS, blocking=True)
def not_empty(numbers: list[int]) -> dg.AssetCheckResult:
    """A day without numbers stops what is downstream."""
    return dg.AssetCheckResult(passed=len(numbers) > 0, metadata={"rows": len(numbers)})


daily = dg.define_asset_job("daily", dg.AssetSelection.assets(numbers), description="One day.")

defs = dg.Definitions(assets=[numbers, summary], asset_checks=[not_empty], jobs=[daily])

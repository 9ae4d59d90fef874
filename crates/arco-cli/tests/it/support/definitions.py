"""What the tests of the command line run."""

import os
import sys
import time
from pathlib import Path

import arco_flow as dg

days = dg.DailyPartitionsDefinition(start_date="2026-01-01", end_date="2026-01-04")


class Limit(dg.Config):
    rows: int = 3


@dg.asset(group_name="raw", kinds={"memory"})
def numbers(context: dg.AssetExecutionContext):
    """Three numbers."""
    print("making numbers")
    print("and complaining", file=sys.stderr)
    context.log.info("numbers are made")
    return dg.MaterializeResult(value=[1, 2, 3], metadata={"rows": 3})


@dg.asset(partitions_def=days, group_name="daily")
def daily(context: dg.AssetExecutionContext, numbers):
    """The numbers of a day."""
    print(f"day {context.partition_key}")
    return len(numbers)


@dg.asset(group_name="odd")
def limited(config: Limit):
    return list(range(config.rows))


@dg.asset(group_name="odd")
def broken():
    print("about to fail")
    raise ValueError("no rows today")


@dg.asset(group_name="odd", deps=[broken])
def after_broken():
    return 1


@dg.asset(group_name="odd")
def slow(context: dg.AssetExecutionContext):
    """Notes that it began, and ends when it is let."""
    folder = Path(os.environ["TEST_FOLDER"])
    with open(folder / "began", "a") as file:
        file.write(f"{os.getpid()}\n")
    for _ in range(3000):
        if (folder / "go").exists():
            return 1
        time.sleep(0.02)
    raise TimeoutError("nobody let it go")


@dg.asset(group_name="odd")
def environment():
    """Everything a task can see of its environment."""
    for name, value in os.environ.items():
        print(f"{name}={value}")


@dg.asset_check(asset=numbers)
def not_empty(numbers):
    return dg.AssetCheckResult(passed=len(numbers) > 0)


defs = dg.Definitions(
    assets=[numbers, daily, limited, broken, after_broken, slow, environment],
    asset_checks=[not_empty],
)

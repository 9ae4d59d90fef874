"""BENCH_SCHEDULES (default 500) schedules, each of one asset of its own, all due at every minute.

With BENCH_FUNCTION=1 a function says what each runs.
"""

import os

import arco_flow as dg

SCHEDULES = int(os.environ.get("BENCH_SCHEDULES", "500"))
FUNCTION = os.environ.get("BENCH_FUNCTION") == "1"


def trivial(index: int) -> dg.AssetsDefinition:
    @dg.asset(name=f"a{index}")
    def body() -> int:
        return 1

    return body


def every_minute(index: int, asset: dg.AssetsDefinition) -> dg.ScheduleDefinition:
    if not FUNCTION:
        return dg.ScheduleDefinition(
            f"s{index}",
            cron_schedule="* * * * *",
            target=[asset],
            default_status=dg.DefaultScheduleStatus.RUNNING,
        )

    @dg.schedule(
        name=f"s{index}",
        cron_schedule="* * * * *",
        target=[asset],
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    def say(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        return dg.RunRequest()

    return say


assets = [trivial(index) for index in range(SCHEDULES)]

defs = dg.Definitions(
    assets=assets,
    schedules=[every_minute(index, asset) for index, asset in enumerate(assets)],
)

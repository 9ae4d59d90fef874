"""BENCH_SCHEDULES (default 500) schedules, each of one asset of its own, all due at every minute."""

import os

import arco_flow as dg

SCHEDULES = int(os.environ.get("BENCH_SCHEDULES", "500"))


def trivial(index: int) -> dg.AssetsDefinition:
    @dg.asset(name=f"a{index}")
    def body() -> int:
        return 1

    return body


assets = [trivial(index) for index in range(SCHEDULES)]

defs = dg.Definitions(
    assets=assets,
    schedules=[
        dg.ScheduleDefinition(
            f"s{index}",
            cron_schedule="* * * * *",
            target=[asset],
            default_status=dg.DefaultScheduleStatus.RUNNING,
        )
        for index, asset in enumerate(assets)
    ],
)

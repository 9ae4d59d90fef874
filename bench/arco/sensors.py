"""BENCH_SENSORS (default 100) polling sensors of BENCH_INTERVAL (default 1) seconds that find nothing.

Each look is a byte at the end of the file BENCH_LOOKS.
"""

import os

import arco_flow as dg

SENSORS = int(os.environ.get("BENCH_SENSORS", "100"))
INTERVAL = int(os.environ.get("BENCH_INTERVAL", "1"))
LOOKS = os.environ.get("BENCH_LOOKS", os.devnull)


@dg.asset
def a0() -> int:
    return 1


def idle(index: int) -> dg.SensorDefinition:
    @dg.sensor(
        name=f"s{index}",
        target=[a0],
        minimum_interval_seconds=INTERVAL,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def look(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        looks = os.open(LOOKS, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        os.write(looks, b".")
        os.close(looks)
        return dg.SkipReason("nothing is there")

    return look


defs = dg.Definitions(assets=[a0], sensors=[idle(index) for index in range(SENSORS)])

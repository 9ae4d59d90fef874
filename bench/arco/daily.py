"""One daily asset of BENCH_PARTITIONS (default 1,000) days from 2020 on, whose body returns 1."""

import datetime
import os

import arco_flow as dg

DAYS = int(os.environ.get("BENCH_PARTITIONS", "1000"))
START = datetime.date(2020, 1, 1)
END = START + datetime.timedelta(days=DAYS)


@dg.asset(
    partitions_def=dg.DailyPartitionsDefinition(
        start_date=START.isoformat(), end_date=END.isoformat()
    )
)
def daily() -> int:
    return 1


defs = dg.Definitions(assets=[daily])

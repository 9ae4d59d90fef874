"""When what is made again: the last day that is over, every morning (UTC)."""

import arco_flow as dg

daily_flights = dg.build_schedule_from_partitioned_job(
    dg.define_asset_job("daily_flights", selection="group:daily"),
    hour_of_day=5,
    description="The day before, once its last flights have landed.",
    catch_up=dg.CatchUp("all", max_ticks=31),
)

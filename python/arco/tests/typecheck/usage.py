"""Not run: `mypy --strict` reads it. What users write type-checks, and keeps its types."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_type

import arco_flow as dg


class Limit(dg.Config):
    rows: int = 10


class Warehouse(dg.ConfigurableResource[str]):
    url: str


class Lake(dg.ConfigurableIOManager):
    prefix: str

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        context.add_output_metadata({"n": 1})

    def load_input(self, context: dg.InputContext) -> object:
        return context.asset_key


@dg.asset
def bare(context: dg.AssetExecutionContext) -> int:
    context.log.info("%s", context.partition_key)
    return 1


@dg.asset(group_name="g", deps=[bare, "x", dg.AssetKey("y"), dg.AssetSpec("z")])
def called(bare: int, config: Limit, warehouse: Warehouse) -> dg.MaterializeResult[int]:
    return dg.MaterializeResult(value=bare + config.rows, metadata={"url": warehouse.url})


@dg.asset(
    ins={"a": dg.AssetIn("bare"), "b": "called"},
    partitions_def=dg.DailyPartitionsDefinition("2024-01-01"),
)
def generator(a: int, b: int) -> Iterator[dg.Output[int]]:
    yield dg.Output(a + b)


@dg.asset_check(asset=bare, blocking=True)
def positive(bare: int) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=bare > 0, severity=dg.AssetCheckSeverity.WARN)


@dg.multi_asset(specs=[dg.AssetSpec("m"), dg.AssetSpec("n")])
def several() -> tuple[int, int]:
    return 1, 2


assert_type(bare(dg.build_asset_context()), int)
assert_type(called(1, Limit(), Warehouse(url="u")), dg.MaterializeResult[int])
assert_type(positive(1), dg.AssetCheckResult)
assert_type(bare.key, dg.AssetKey)

assets: list[dg.AssetsDefinition] = [bare, called, generator, several]
defs = dg.Definitions(
    assets=assets,
    asset_checks=[positive],
    resources={"warehouse": Warehouse(url="u"), "io_manager": Lake(prefix="p")},
)
assert_type(dg.materialize([bare]).success, bool)
assert_type(str(dg.AssetSelection.groups("g") | "key:a"), str)


@dg.sensor(target=[bare], run_keys="until_success")
def files(context: dg.SensorEvaluationContext, warehouse: Warehouse) -> dg.SensorResult:
    context.update_cursor(warehouse.url)
    return dg.SensorResult([dg.RunRequest(run_key=context.cursor)])


@dg.sensor
def quiet() -> dg.SkipReason:
    return dg.SkipReason("nothing to do")


@dg.push_sensor(target=[bare])
def orders(context: dg.SensorEvaluationContext, message: dg.Message) -> dg.RunRequest:
    return dg.RunRequest(run_key=message.id)


@dg.asset_sensor(asset_key=bare)
def again(context: dg.SensorEvaluationContext, event: dg.EventLogEntry) -> dg.RunRequest:
    return dg.RunRequest(partition_key=event.partition_key)


@dg.run_failure_sensor
def alert(context: dg.RunFailureSensorContext) -> None:
    context.log.info("%s %s", context.dagster_run.run_id, context.failure_event.message)


@dg.schedule(cron_schedule="@daily", target=[bare])
def morning(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
    yield dg.RunRequest(run_key=context.scheduled_execution_time.isoformat())


automation = dg.Definitions(
    assets=assets, schedules=[morning], sensors=[files, quiet, orders, again, alert]
)
assert_type(files, dg.SensorDefinition)
assert_type(morning, dg.ScheduleDefinition)
assert_type(files.evaluate_tick(dg.build_sensor_context()).cursor, str | None)

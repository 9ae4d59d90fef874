"""Assets made in process, for users' tests."""

from __future__ import annotations

from pathlib import Path

import pytest

import arco_flow as dg

DAILY = dg.DailyPartitionsDefinition("2024-01-01", end_date="2024-03-01")


@dg.asset
def numbers():
    return [1, 2, 3]


@dg.asset
def total(context: dg.AssetExecutionContext, numbers):
    context.add_output_metadata({"count": len(numbers)})
    return sum(numbers)


@dg.asset_check(asset=numbers, blocking=True)
def small(numbers):
    return dg.AssetCheckResult(
        passed=len(numbers) < 3, severity=dg.AssetCheckSeverity.ERROR, metadata={"n": 3}
    )


def test_upstream_comes_first_and_values_are_there() -> None:
    result = dg.materialize([total, numbers])
    assert result.success
    assert result.asset_value("total") == result.output_for_node("total") == 6
    (made,) = result.asset_materializations_for_node("total")
    assert made.metadata["count"] == dg.MetadataValue.int(3)
    with pytest.raises(dg.UsageError, match="asset `totall` was not made; did you mean `total`"):
        result.asset_value("totall")


def test_in_memory_no_file_is_written(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    lake = dg.asset(name="lake", io_manager_key="lake")(lambda: 1)
    result = dg.materialize_to_memory([total, numbers, lake])
    assert result.asset_value("total") == 6
    assert not list(tmp_path.iterdir())


def test_the_temporary_folder_is_gone_and_a_given_one_stays(tmp_path) -> None:
    made = dg.materialize([numbers]).asset_materializations_for_node("numbers")[0]
    assert not Path(made.metadata["path"].value).exists()
    dg.materialize([numbers], storage=str(tmp_path))
    assert (
        dg.materialize([numbers, total], selection="total", storage=str(tmp_path)).asset_value(
            "total"
        )
        == 6
    )


def test_an_exception_is_raised_as_it_is() -> None:
    @dg.asset
    def broken():
        raise ZeroDivisionError("here")

    with pytest.raises(ZeroDivisionError, match="here"):
        dg.materialize([broken])


def test_without_raising_the_result_tells_what_failed_and_what_was_left_out() -> None:
    @dg.asset
    def broken(numbers):
        raise dg.Failure("no")

    @dg.asset
    def after(broken): ...

    @dg.asset
    def beside(numbers): ...

    result = dg.materialize([numbers, broken, after, beside], raise_on_error=False)
    assert not result.success
    assert result.get_failed_step_keys() == {"broken"}
    assert result.is_node_skipped("after")
    assert result.is_node_success("beside")
    assert result.error_for_node("broken")["message"] == "no"


def test_a_failed_blocking_check_stops_what_is_downstream() -> None:
    result = dg.materialize([numbers, total, small], raise_on_error=False)
    (judged,) = result.get_asset_check_evaluations()
    assert (judged.check_name, judged.passed, judged.metadata["n"].value) == ("small", False, 3)
    assert result.is_node_skipped("total")
    assert result.asset_value("numbers") == [1, 2, 3]
    with pytest.raises(
        dg.AssetCheckFailed, match="blocking check `small` of asset `numbers` failed"
    ):
        dg.materialize([numbers, total, small])


def test_retries_are_made_and_counted() -> None:
    tries: list[int] = []

    @dg.asset(retry_policy=dg.RetryPolicy(max_retries=2))
    def flaky(context: dg.AssetExecutionContext):
        tries.append(context.retry_number)
        if context.retry_number < 2:
            raise OSError
        return "done"

    @dg.asset
    def asks():
        if tries.count(9) < 2:
            tries.append(9)
            raise dg.RetryRequested(max_retries=3)

    @dg.asset(retry_policy=dg.RetryPolicy(max_retries=2))
    def gives_up():
        tries.append(-1)
        raise dg.Failure(allow_retries=False)

    result = dg.materialize([flaky, asks], raise_on_error=False)
    assert result.success
    assert (result.retry_attempts_for_node("flaky"), result.retry_attempts_for_node("asks")) == (
        2,
        2,
    )
    assert not dg.materialize([gives_up], raise_on_error=False).success
    assert (tries.count(9), [n for n in tries if n != 9]) == (2, [0, 1, 2, -1])


def test_partitions_load_what_a_run_would_load() -> None:
    @dg.asset(partitions_def=DAILY)
    def day(context: dg.AssetExecutionContext):
        return context.partition_key

    @dg.asset(
        partitions_def=DAILY,
        ins={"day": dg.AssetIn(partition_mapping=dg.TimeWindowPartitionMapping(start_offset=-1))},
    )
    def two_days(day):
        return day

    with dg_storage() as storage:
        dg.materialize([day], partition_key="2024-01-01", storage=storage)
        assert (
            dg.materialize(
                [day, two_days], partition_key="2024-01-01", storage=storage
            ).asset_value("two_days")
            == "2024-01-01"
        )
        result = dg.materialize([day, two_days], partition_key="2024-01-02", storage=storage)
        assert result.asset_value("two_days") == {
            "2024-01-01": "2024-01-01",
            "2024-01-02": "2024-01-02",
        }


def test_a_month_from_its_days_and_a_total_of_all() -> None:
    @dg.asset(partitions_def=DAILY)
    def day(context: dg.AssetExecutionContext):
        return dict.fromkeys(context.partition_keys, 1)

    @dg.asset(partitions_def=dg.MonthlyPartitionsDefinition("2024-01-01", end_date="2024-03-01"))
    def month(day):
        return sum(day.values())

    @dg.asset
    def year(month):
        return month

    with dg_storage() as storage:
        dg.materialize([day], partition_keys=DAILY.get_partition_keys(), storage=storage)
        for key in ("2024-01-01", "2024-02-01"):
            dg.materialize([day, month], partition_key=key, selection=[month], storage=storage)
        result = dg.materialize([day, month, year], selection=[year], storage=storage)
    assert result.asset_value("year") == {"2024-01-01": 31, "2024-02-01": 29}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {},
            r"asset `day` is partitioned; give partition_key= \(daily keys look like `2024-01-01`\)",
        ),
        (
            {"partition_key": "2024-13-01"},
            "partition `2024-13-01` of `day` does not exist; daily keys look like",
        ),
        ({"partition_key": "2024-03-01"}, "does not exist"),
    ],
)
def test_a_missing_or_wrong_partition_key_is_told(given, message) -> None:
    day = dg.asset(name="day", partitions_def=DAILY)(lambda: 1)
    with pytest.raises(dg.UsageError, match=message):
        dg.materialize([day], **given)


def test_a_partition_key_nobody_wants_and_two_definitions_are_told() -> None:
    with pytest.raises(dg.UsageError, match="no selected asset is partitioned"):
        dg.materialize([numbers], partition_key="x")
    one = dg.asset(name="one", partitions_def=dg.StaticPartitionsDefinition(["x"]))(lambda: 1)
    two = dg.asset(name="two", partitions_def=dg.StaticPartitionsDefinition(["x", "y"]))(lambda: 1)
    with pytest.raises(dg.UsageError, match="have different partitions"):
        dg.materialize([one, two], partition_key="x")


def test_configuration_resources_and_tags_are_given() -> None:
    class Limit(dg.Config):
        n: int = 1

    @dg.asset
    def a(context: dg.AssetExecutionContext, config: Limit, db: dg.ResourceParam[str]):
        return config.n, db, context.get_tag("t")

    expected = (5, "db", "1")
    as_data = {"ops": {"a": {"config": {"n": 5}}}}
    for config in (as_data, dg.RunConfig(ops={"a": Limit(n=5)}), dg.RunConfig(ops={"a": {"n": 5}})):
        result = dg.materialize([a], run_config=config, resources={"db": "db"}, tags={"t": "1"})
        assert result.asset_value("a") == expected
    with pytest.raises(dg.ConfigError, match=r"ops\.a\.config\.n: Input should be a valid integer"):
        dg.materialize([a], run_config=dg.RunConfig(ops={"a": {"n": "x"}}), resources={"db": "db"})
    with pytest.raises(dg.ConfigError, match="solids: this section is not known"):
        dg.materialize([a], run_config={"solids": {}}, resources={"db": "db"})


def test_a_selection_of_nothing_is_told() -> None:
    with pytest.raises(dg.UsageError, match="the selection has no asset that can be made"):
        dg.materialize([numbers], selection="key:other")


def dg_storage():
    import tempfile

    return tempfile.TemporaryDirectory()

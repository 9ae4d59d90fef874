"""Contexts built for unit tests, and retry policies."""

from __future__ import annotations

import pytest

import arco_flow as dg

DAILY = dg.DailyPartitionsDefinition("2024-01-01", timezone="America/New_York")


def test_a_context_for_one_partition() -> None:
    context = dg.build_asset_context(
        partition_key="2024-03-10", partitions_def=DAILY, run_tags={"t": "1"}
    )
    assert (context.partition_key, context.has_partition_key) == ("2024-03-10", True)
    window = context.partition_time_window
    assert (window.end.timestamp() - window.start.timestamp()) / 3600 == 23
    assert context.get_tag("t") == "1"


def test_a_context_for_several_partitions() -> None:
    context = dg.build_asset_context(
        partition_key_range=dg.PartitionKeyRange("2024-01-01", "2024-01-03"), partitions_def=DAILY
    )
    assert list(context.partition_keys) == ["2024-01-01", "2024-01-02", "2024-01-03"]
    assert context.partition_key_range == ("2024-01-01", "2024-01-03")
    assert not context.has_partition_key
    assert list(dg.build_asset_context(partition_keys=["a", "b"]).partition_keys) == ["a", "b"]


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda c: c.partition_key, "the task is not partitioned; look at has_partition_key first"),
        (lambda c: c.asset_key, "was built for a test by build_asset_context"),
        (lambda c: c.assets_def, "was built for a test by build_asset_context"),
        (lambda c: c.resources.db, "resource `db` is not there"),
        (
            lambda c: c.asset_partition_keys_for_input("x"),
            "`x` is no loaded parameter of the step; there are: none",
        ),
        (lambda c: c.load_asset_value("x"), "pass them to the function"),
        (lambda c: c.add_asset_metadata({}, "x"), "the step does not make asset `x`"),
        (lambda c: c.asset_partitions_def, "the step has no partitions_def"),
    ],
)
def test_what_a_context_cannot_answer_is_told(ask, message) -> None:
    with pytest.raises(dg.UsageError, match=message):
        ask(dg.build_asset_context())


def test_metadata_added_in_a_unit_test_can_be_looked_at() -> None:
    context = dg.build_asset_context()
    context.add_output_metadata({"rows": 3})
    assert context.get_output_metadata("result") == {"rows": 3}


def test_a_range_without_its_definition_is_told() -> None:
    with pytest.raises(dg.UsageError, match="needs partitions_def= too"):
        dg.build_asset_context(partition_key_range=dg.PartitionKeyRange("a", "b"))


def test_a_context_for_checks() -> None:
    context = dg.build_asset_check_context(resources={"db": 1})
    assert isinstance(context, dg.AssetCheckExecutionContext)
    assert context.resources.db == 1


@pytest.mark.parametrize(
    ("policy", "delays"),
    [
        (dg.RetryPolicy(), [0]),
        (dg.RetryPolicy(3), [0, 0, 0]),
        (dg.RetryPolicy(3, delay=2), [2, 2, 2]),
        (dg.RetryPolicy(5, delay=2, backoff=dg.Backoff.LINEAR), [2, 4, 6, 8, 10]),
        (dg.RetryPolicy(5, delay=2, backoff=dg.Backoff.EXPONENTIAL), [2, 6, 14, 30, 62]),
    ],
)
def test_delays_grow_as_the_policy_says(policy, delays) -> None:
    assert [policy.delay_seconds(retry) for retry in range(1, policy.max_retries + 1)] == delays


def test_environment_variables_hold_their_name_alone(monkeypatch) -> None:
    monkeypatch.setenv("X", "5")
    assert (dg.EnvVar("X").get_value(), dg.EnvVar("Y").get_value("d")) == ("5", "d")
    assert dg.EnvVar.int("X").read() == 5
    assert repr(dg.EnvVar("X")) == "EnvVar('X')"
    monkeypatch.setenv("X", "five")
    with pytest.raises(dg.ConfigError, match="`X` is no whole number: 'five'"):
        dg.EnvVar.int("X").read()

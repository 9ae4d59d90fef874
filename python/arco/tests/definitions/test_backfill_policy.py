"""Backfill policies in definitions and in the manifest (B-8)."""

from __future__ import annotations

import pytest

import arco_flow as dg


def test_policies_stand_in_the_manifest() -> None:
    days = dg.DailyPartitionsDefinition(start_date="2026-01-01")

    @dg.asset(partitions_def=days, backfill_policy=dg.BackfillPolicy.single_run())
    def whole() -> None: ...

    @dg.asset(partitions_def=days, backfill_policy=dg.BackfillPolicy.multi_run(10))
    def tens() -> None: ...

    @dg.multi_asset(
        specs=[dg.AssetSpec("x"), dg.AssetSpec("y")],
        partitions_def=days,
        backfill_policy=dg.BackfillPolicy.multi_run(),
    )
    def both() -> None: ...

    @dg.asset(partitions_def=days)
    def plain() -> None: ...

    made = dg.Definitions(assets=[whole, tens, both, plain]).to_manifest("loc")
    policies = {asset["key"]: asset.get("backfill_policy") for asset in made["assets"]}
    assert policies == {
        "whole": {},
        "tens": {"max_partitions_per_run": 10},
        "x": {"max_partitions_per_run": 1},
        "y": {"max_partitions_per_run": 1},
        "plain": None,
    }


def test_what_is_no_policy_is_refused_with_the_line_to_write() -> None:
    with pytest.raises(dg.DefinitionError, match="1 or more, not 0"):
        dg.BackfillPolicy.multi_run(0)
    with pytest.raises(dg.DefinitionError, match=r"BackfillPolicy\.single_run\(\)"):

        @dg.asset(backfill_policy="single_run")  # type: ignore[arg-type]
        def a() -> None: ...

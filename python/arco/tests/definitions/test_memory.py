"""Memory limits: what is read, what is refused, and what the manifest says."""

from __future__ import annotations

from typing import Any

import pytest

import arco_flow as dg


def step(limit: Any, **options: Any) -> dict[str, Any]:
    a = dg.asset(name="a", memory_limit=limit, **options)(lambda: 1)
    found: dict[str, Any] = dg.Definitions(assets=[a]).to_manifest("loc")["steps"][0]
    return found


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ("2GiB", 2 * 2**30),
        ("512 MiB", 512 * 2**20),
        ("1.5GB", 1_500_000_000),
        ("300mib", 300 * 2**20),
        (2**30, 2**30),
    ],
)
def test_sizes_are_read(limit: Any, expected: int) -> None:
    assert step(limit)["memory_limit_bytes"] == expected


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ("2", "has no unit that is known"),
        ("2 gigs", "has no unit that is known"),
        ("-1GiB", "has no unit that is known"),
        (2, "less than a Python process takes"),
        ("1KiB", "less than a Python process takes"),
        (2.5, "a number of bytes or text"),
        (True, "a number of bytes or text"),
    ],
)
def test_what_is_no_size_is_refused(limit: Any, message: str) -> None:
    with pytest.raises(dg.DefinitionError, match=message):
        step(limit)


def test_a_task_with_a_limit_has_a_process_of_its_own() -> None:
    assert step("1GiB")["isolation"] == "fork"
    assert step("1GiB", isolation="spawn")["isolation"] == "spawn"
    assert step(None)["isolation"] == "reuse"
    assert "memory_limit_bytes" not in step(None)


def test_checks_and_multi_assets_take_one_too() -> None:
    @dg.multi_asset(outs={"x": dg.AssetOut()}, memory_limit="1GiB")
    def several(): ...

    @dg.asset_check(asset="x", memory_limit="1GiB")
    def good(x): ...

    steps = dg.Definitions(assets=[several], asset_checks=[good]).to_manifest("loc")["steps"]
    assert [one["memory_limit_bytes"] for one in steps] == [2**30, 2**30]

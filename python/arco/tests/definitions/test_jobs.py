"""Jobs: what they select, what their runs carry, and what is refused when the location loads."""

from __future__ import annotations

from typing import Any

import pytest

import arco_flow as dg

DAILY = dg.DailyPartitionsDefinition("2024-01-01")
STATIC = dg.StaticPartitionsDefinition(["x"])
S = dg.AssetSelection


class Limit(dg.Config):
    rows: int = 10


@dg.asset(group_name="g")
def a(config: Limit): ...


@dg.asset(deps=[a])
def b(): ...


@dg.asset(partitions_def=DAILY)
def daily(): ...


@dg.asset(partitions_def=STATIC)
def static(): ...


outside = dg.AssetSpec("outside")


def load(*jobs: Any) -> dg.Definitions:
    defs = dg.Definitions(assets=[a, b, daily, static, outside], jobs=jobs)
    dg.Definitions.validate_loadable(defs)
    return defs


def manifest(*jobs: Any) -> Any:
    return load(*jobs).to_manifest("loc")["jobs"]


def keys(selection: Any) -> list[str]:
    node = load(dg.define_asset_job("j", selection)).job_nodes()["j"]
    return sorted(key.to_user_string() for key in node.keys)


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ("a", ["a"]),
        ("*b", ["a", "b"]),
        (["a", "*b"], ["a", "b"]),
        ([a, b], ["a", "b"]),
        (dg.AssetKey("a"), ["a"]),
        ([dg.AssetKey("a"), dg.AssetKey("daily")], ["a", "daily"]),
        (S.groups("g").downstream(), ["a", "b"]),
        (S.groups("none"), []),
        ('key:"nope"', []),
        (S.keys("b").upstream() - S.keys("b"), ["a"]),
        (S.assets(a) | "daily", ["a", "daily"]),
    ],
)
def test_selects_as_dagster_does(selection: Any, expected: list[str]) -> None:
    assert keys(selection) == expected


def test_all_that_is_made_here_when_no_selection_is_given() -> None:
    defs = dg.Definitions(assets=[a, b, outside], jobs=[dg.define_asset_job("j")])
    assert defs.to_manifest("loc")["jobs"] == [{"name": "j", "selection": ["*"]}]


@pytest.mark.parametrize(
    ("selection", "texts"),
    [
        (["a", "*b"], ['key:"a"', '+key:"b"']),
        ("++b", ['2+key:"b"']),
        (S.from_string("+b") & S.groups("g"), ['1+key:"b" and group:"g"']),
        ([], []),
        (S.groups("g") - S.keys("a"), ['group:"g" and (not key:"a")']),
    ],
)
def test_the_manifest_has_no_older_spellings(selection: Any, texts: list[str]) -> None:
    assert manifest(dg.define_asset_job("j", selection))[0]["selection"] == texts


def test_the_manifest_says_all() -> None:
    job = dg.define_asset_job(
        "nightly",
        [daily],
        config=dg.RunConfig(ops={}),
        description="Every night.",
        tags={"team": "core", "size": {"k": 1}},
        run_tags={"only": "runs"},
        metadata={"rows": 3},
        partitions_def=DAILY,
        op_retry_policy=dg.RetryPolicy(2, delay=1),
        owners=["team:core"],
    )
    assert manifest(job) == [
        {
            "name": "nightly",
            "selection": ['key:"daily"'],
            "description": "Every night.",
            "tags": {"size": '{"k":1}', "team": "core"},
            "run_tags": {"only": "runs"},
            "metadata": {"rows": {"type": "int", "value": 3}},
            "owners": ["team:core"],
            "config": {},
            "partitions": DAILY.to_json(),
            "retry": {"max_retries": 2, "delay_ms": 1000},
        }
    ]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: dg.define_asset_job("a b"), "'a b' is no name for a job"),
        (lambda: dg.define_asset_job("__ASSET_JOB_0"), "begin with `__ASSET_JOB` are reserved"),
        (
            lambda: dg.define_asset_job("j", S.keys("aa")),
            "there is no asset `aa`; did you mean `a`",
        ),
        (lambda: dg.define_asset_job("j", "nope"), "job `j`: there is no asset `nope`"),
        (lambda: dg.define_asset_job("j", "key:("), "cannot be read"),
        (lambda: dg.define_asset_job("j", outside), "`outside`, which is external"),
        (lambda: dg.define_asset_job("j", [daily, static]), "have different partitions"),
        (
            lambda: dg.define_asset_job("j", [daily], partitions_def=STATIC),
            "given other partitions than its asset `daily` has",
        ),
        (
            lambda: dg.define_asset_job("j", [a], config={"ops": {"b": {}}}),
            r"`ops.b` is not of this job; it has `a`",
        ),
        (
            lambda: dg.define_asset_job("j", [a], config={"ops": {"a": {"config": {"rows": "x"}}}}),
            "config of job `j`: ops.a.config.rows",
        ),
        (lambda: dg.define_asset_job("j", tags={"for whom": "x"}), "tag key 'for whom' of job `j`"),
        (lambda: dg.define_asset_job("j", config={"zz": {}}), "zz: this section is not known"),
        (lambda: dg.define_asset_job("j", config=print), "not builtin_function_or_method"),  # type: ignore[arg-type]
        (lambda: dg.define_asset_job("j", hooks={print}), "`hooks` is not supported"),  # type: ignore[arg-type]
        (lambda: a, "jobs holds `a`, which is no job"),
    ],
)
def test_what_cannot_stand_is_told_with_the_mend(make: Any, message: str) -> None:
    with pytest.raises(dg.ArcoError, match=message):
        load(make())


@dg.asset_check(asset=b)
def good(): ...


@dg.asset_check(asset=a)
def fine(): ...


@pytest.mark.parametrize(
    ("selection", "assets", "checks"),
    [
        (S.keys("a", "b"), ["a", "b"], None),
        (S.checks(good), [], ["b:good"]),
        (S.checks(dg.AssetCheckKey(dg.AssetKey("a"), "fine")), [], ["a:fine"]),
        (S.all_asset_checks(), [], ["a:fine", "b:good"]),
        (S.checks_for_assets(a), [], ["a:fine"]),
        (S.keys("a").without_checks(), ["a"], []),
        (S.keys("a", "b") - S.checks_for_assets(a), ["a", "b"], ["b:good"]),
        (S.keys("b") | S.checks(fine), ["b"], ["a:fine", "b:good"]),
        ([a, dg.AssetCheckKey(dg.AssetKey("b"), "good")], ["a"], ["a:fine", "b:good"]),
        (S.keys("b").upstream_source_assets() | S.keys("b"), ["b"], None),
        (S.keys("a").required_multi_asset_neighbors(), ["a"], None),
        (S.key_substring("aily"), ["daily"], None),
    ],
)
def test_checks_are_chosen_with_assets_or_by_name(
    selection: Any, assets: list[str], checks: list[str] | None
) -> None:
    defs = dg.Definitions(
        assets=[a, b, daily, outside],
        asset_checks=[good, fine],
        jobs=[dg.define_asset_job("j", selection)],
    )
    node = defs.job_nodes()["j"]
    assert sorted(key.to_user_string() for key in node.keys) == assets
    found = defs.to_manifest("loc")["jobs"][0].get("checks")
    assert (None if found is None else [":".join(one) for one in found]) == checks


def test_a_check_that_is_not_defined_is_told() -> None:
    job = dg.define_asset_job("j", S.checks(good))
    with pytest.raises(dg.DefinitionError, match="job `j`: there is no check `good` of asset `b`"):
        load(job)


def test_a_name_given_twice_is_told_and_one_job_given_twice_is_one() -> None:
    with pytest.raises(dg.DefinitionError, match="job `j` is defined twice"):
        load(dg.define_asset_job("j", "a"), dg.define_asset_job("j", "b"))
    job = dg.define_asset_job("j", "a")
    merged = dg.Definitions.merge(load(job), dg.Definitions(jobs=[job]))
    assert [one.name for one in merged.jobs] == ["j"]
    assert merged.get_job_def("j") is job
    with pytest.raises(dg.DefinitionError, match="there is no job `jj`; did you mean `j`"):
        merged.get_job_def("jj")

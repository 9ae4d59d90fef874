"""What a user reads when a definition is wrong: each message names the thing and the mend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import arco_flow as dg

PARTS = dg.StaticPartitionsDefinition(["x"])


def f(): ...


def g(x): ...


def make(**given: Any) -> Callable[[], Any]:
    return lambda: dg.asset(**given)(f)


BAD: dict[str, tuple[Callable[[], Any], str]] = {
    "name": (make(name="a-b"), "'a-b' is no name for an asset: names are letters, digits and underscores"),
    "empty name": (make(name=""), "'' is no name for an asset"),
    "lambda": (lambda: dg.asset(lambda: 1), 'write asset(name="my_asset")'),
    "no keyword": (lambda: dg.asset("sales"), "`@asset(name='sales')`"),
    "key and name": (make(key="a", name="b"), "takes `key`, or `name` and `key_prefix`, not both"),
    "empty key": (make(key=[]), "an asset key is one or more non-empty texts"),
    "group": (make(group_name="a-b"), "group 'a-b' of asset `f`: groups are letters"),
    "tag key": (make(tags={"a b": "x"}), "tag key 'a b' of asset `f`: a key is `name` or `prefix/name`"),
    "tag value": (make(tags={"a": "x y"}), "value 'x y' of tag `a` of asset `f`"),
    "kinds": (make(kinds={str(n) for n in range(11)}), "has 11 kinds, at most 10"),
    "kinds text": (make(kinds="python"), "write kinds={'python'}"),
    "owner": (make(owners=["me"]), "owner 'me' of asset `f` is neither an e-mail address nor `team:NAME`"),
    "owners text": (make(owners="team:x"), "write owners=['team:x']"),
    "deps text": (make(deps="x"), "deps of asset `f` is a list, write deps=['x']"),
    "deps function": (make(deps=[g]), "the function `g` is no asset; did you forget to decorate it with `@asset`?"),
    "partitions": (make(partitions_def="daily"), "partitions_def of asset `f` is a PartitionsDefinition"),
    "mapping class": (lambda: dg.AssetDep("x", partition_mapping=dg.AllPartitionMapping), "did you forget the parentheses?"),
    "retry": (make(retry_policy=3), "write RetryPolicy(max_retries=3)"),
    "jitter": (lambda: dg.RetryPolicy(jitter=dg.Jitter.FULL), "jitter without a delay does nothing"),
    "fewer retries than none": (lambda: dg.RetryPolicy(-1), "max_retries must be 0 or more, not -1"),
    "negative delay": (lambda: dg.RetryPolicy(delay=-1), "delay must be 0 seconds or more, not -1"),
    "backoff": (lambda: dg.RetryPolicy(backoff=dg.Backoff.LINEAR), "backoff without a delay does nothing"),
    "isolation": (make(isolation="forked"), "did you mean `fork`?"),
    "timeout": (make(timeout_seconds=0), "timeout_seconds must be more than 0"),
    "code version": (make(code_version=1), 'write code_version="1"'),
    "metadata": (make(metadata={"x": object()}), "metadata `x` is a object, which has no metadata kind"),
    "config_schema": (make(config_schema={"a": int}), "`config_schema` is not supported: write a class of"),
    "automation": (make(automation_condition=object()), "`automation_condition` is not supported"),
    "compute_kind": (make(compute_kind="x"), "write kinds={...}"),
    "non_argument_deps": (make(non_argument_deps={"x"}), "write deps=[...]"),
    "varargs": (lambda: dg.asset(lambda_args), "`*args` of `lambda_args`"),
    "late context": (lambda: dg.asset(late_context), "it must be the first parameter"),
    "config type": (lambda: dg.asset(int_config), "annotate it with a class of `Config`"),
    "ins": (lambda: dg.asset(ins={"xx": dg.AssetIn("a")})(g), "ins of `g` names `xx`, which is no parameter of the function; did you mean `x`?"),
    "multi": (lambda: dg.multi_asset(), "takes `outs` or `specs`"),
    "multi twice": (lambda: dg.multi_asset(specs=[dg.AssetSpec("a"), dg.AssetSpec("a")])(f), "`f` makes one asset twice"),
    "multi partitions": (
        lambda: dg.multi_asset(specs=[dg.AssetSpec("a"), dg.AssetSpec("b", partitions_def=PARTS)])(f),
        "makes `a` and `b`, which have different partitions",
    ),
    "check name": (lambda: dg.asset_check(asset="a", name="a b")(f), "'a b' is no name for a check"),
    "check params": (lambda: dg.asset_check(asset="a")(two), "has the parameters `x`, `y`; one loads asset `a`"),
    "check own dep": (lambda: dg.AssetCheckSpec("c", asset="a", additional_deps=["a"]), "has its own asset `a` in additional_deps"),
    "check spec of other": (make(check_specs=[dg.AssetCheckSpec("c", asset="a")]), "which this function does not make"),
    "passed": (lambda: dg.AssetCheckResult(passed="yes"), "passed is True or False, not 'yes'"),
    "static keys text": (lambda: dg.StaticPartitionsDefinition("abc"), "StaticPartitionsDefinition(['abc'])"),
    "static twice": (lambda: dg.StaticPartitionsDefinition(["a", "b", "a"]), "partition keys are given twice: 'a'"),
    "static dots": (lambda: dg.StaticPartitionsDefinition(["a...b"]), "has `...` or a control character"),
    "start": (lambda: dg.DailyPartitionsDefinition("01/02/2024"), "start_date `01/02/2024` does not have the form `%Y-%m-%d`"),
    "zone": (lambda: dg.DailyPartitionsDefinition("2024-01-01", timezone="Mars/X"), "time zone `Mars/X` is not known"),
    "hour": (lambda: dg.DailyPartitionsDefinition("2024-01-01", hour_offset=24), "hour_offset must be between 0 and 23"),
    "coarse": (lambda: dg.HourlyPartitionsDefinition("2024-01-01", fmt="%Y-%m-%d"), "do not tell hourly windows apart"),
    "definitions function": (lambda: dg.Definitions([f]), "assets holds `f`, which is no definition; did you forget to decorate it"),
    "definitions not called": (lambda: dg.Definitions([dg.asset(name="x")]), "did you forget to decorate a function?"),
    "definitions one": (lambda: dg.Definitions(dg.asset(f)), "write assets=[...]"),
    "checks": (lambda: dg.Definitions(asset_checks=[dg.asset(f)]), "`f`, which is no check"),
    "schedules": (lambda: dg.Definitions(schedules=[1]), "which is no schedule; write ScheduleDefinition"),
    "sensors": (lambda: dg.Definitions(sensors=[1]), "which is no sensor; write @sensor"),
    "resource name": (lambda: dg.Definitions(resources={"a b": 1}), "'a b' is no name for a resource"),
    "resource class": (lambda: dg.Definitions(resources={"io": dg.FilesystemIOManager}), 'resources={"io": FilesystemIOManager()}'),
}  # fmt: skip


def lambda_args(*args): ...


def late_context(x, ctx: dg.AssetExecutionContext): ...


def int_config(config: int): ...


def two(x, y): ...


@pytest.mark.parametrize("name", BAD)
def test_message(name: str) -> None:
    bad, message = BAD[name]
    with pytest.raises(dg.ArcoError) as raised:
        bad()
    assert message in str(raised.value)
    assert isinstance(raised.value, (dg.DefinitionError, dg.UsageError))


def test_a_keyword_nobody_knows_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'nmae'"):
        dg.asset(nmae="x")
    with pytest.raises(TypeError, match="'partition_def'; did you mean `partitions_def`"):
        dg.asset(partition_def=PARTS)


def test_parts_of_a_key_may_have_any_characters() -> None:
    assert dg.AssetKey(["a b", "ü", "*"]).to_user_string() == "a b/ü/*"
    assert dg.asset(owners=["a@b.c"])(f).specs[0].owners == ("a@b.c",)

"""Names, keywords and order of parameters are those of Dagster 1.13.27 (`dagster_signatures.json`)."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import pytest

import arco_flow as dg
from arco_flow._internal.unsupported import NAMES, PARAMETERS

SIGNATURES: dict[str, list[str] | None] = json.loads(
    (Path(__file__).parent / "dagster_signatures.json").read_text()
)

INTERNAL = {"dynamic_partitions_store"}
"""Parameters that Dagster's own code gives."""


def find(name: str) -> Any:
    owner, _, member = name.partition(".")
    found = getattr(dg, owner)
    return getattr(found, member) if member else found


def parameters(found: Any) -> list[inspect.Parameter]:
    return [p for p in inspect.signature(found).parameters.values() if p.name != "self"]


@pytest.mark.parametrize("name", SIGNATURES)
def test_every_parameter_is_there_or_answers(name: str) -> None:
    theirs, found = SIGNATURES[name], find(name)
    if theirs is None:
        return  # A property: it is there.
    ours = [p.name for p in parameters(found)]
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters(found))
    for parameter in set(theirs) - INTERNAL:
        assert parameter in ours or (takes_any and parameter in PARAMETERS), parameter


@pytest.mark.parametrize("name", SIGNATURES)
def test_positional_parameters_come_in_the_same_order(name: str) -> None:
    theirs, found = SIGNATURES[name], find(name)
    if theirs is None:
        return
    positional = [
        p.name for p in parameters(found) if p.kind in (p.POSITIONAL_OR_KEYWORD, p.POSITIONAL_ONLY)
    ]
    shared = [p for p in theirs if p in positional]
    assert [p for p in positional if p in theirs] == shared


def test_errors_have_dagster_s_names() -> None:
    for name in (
        "InvalidDefinitionError",
        "InvalidConfigError",
        "InvalidInvocationError",
        "UnknownPartitionError",
    ):
        assert issubclass(getattr(dg, f"Dagster{name}"), dg.ArcoError)
    assert dg.DagsterError is dg.ArcoError
    assert not issubclass(dg.TaskCancelled, Exception)


def test_enums_have_dagster_s_members() -> None:
    assert [m.name for m in dg.AssetCheckSeverity] == ["WARN", "ERROR"]
    assert [m.name for m in dg.Backoff] == ["LINEAR", "EXPONENTIAL"]
    assert [m.name for m in dg.Jitter] == ["FULL", "PLUS_MINUS"]


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_name_says_what_comes_instead(name: str) -> None:
    with pytest.raises(dg.UnsupportedError, match=f"arco_flow has no `{name}`: "):
        getattr(dg, name)


def test_an_import_of_a_missing_name_says_it_too() -> None:
    with pytest.raises(dg.UnsupportedError, match="write define_asset_job"):
        from arco_flow import job  # type: ignore[attr-defined]  # noqa: F401


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(dg, "no_such_name")


def test_every_export_is_there_and_documented() -> None:
    for name in dg.__all__:
        found = getattr(dg, name)
        if callable(found) and not name.startswith("__") and name != "ResourceParam":
            assert found.__doc__, name
    assert set(dg.__all__) <= set(dir(dg))

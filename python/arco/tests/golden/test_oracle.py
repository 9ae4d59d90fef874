"""Arco's answers beside those of Dagster 1.13.27 (`golden/oracle/README.md`).

The Rust side has the same test and the same list of deliberate differences, each with the statement
it rests on. A name of the list that no line needs is a failure too, so that it stays true.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import arco_flow as dg
from arco_flow._internal.partitions import infer_mapping
from arco_flow._internal.partitions.mapping import needed_partition_keys

GOLDEN = Path(__file__).resolve().parents[4] / "golden"

Line = dict[str, Any]
CADENCES: dict[str, type[dg.TimeWindowPartitionsDefinition]] = {
    "hourly": dg.HourlyPartitionsDefinition,
    "daily": dg.DailyPartitionsDefinition,
    "weekly": dg.WeeklyPartitionsDefinition,
    "monthly": dg.MonthlyPartitionsDefinition,
}


def lines(name: str) -> Iterator[Line]:
    fresh = os.environ.get("ARCO_ORACLE_CORPUS")
    file = (Path(fresh) if fresh else GOLDEN / "oracle") / f"{name}.jsonl.gz"
    _, *rest = gzip.decompress(file.read_bytes()).decode().splitlines()
    return map(json.loads, rest)


def compare(
    name: str,
    answers: Callable[[Line], tuple[Any, Any] | None],
    exceptions: dict[str, Callable[[Line, Any, Any], bool]],
) -> None:
    unused, faults = set(exceptions), []
    for number, line in enumerate(lines(name), 2):
        pair = answers(line)
        if pair is None or pair[0] == pair[1]:
            continue
        why = next((e for e, explains in exceptions.items() if explains(line, *pair)), None)
        if why is None:
            faults.append(
                f"{name}:{number} {line['op']} {line['args']}\n  dagster {pair[1]}\n  arco    {pair[0]}"
            )
        unused.discard(why or "")
    assert not faults, f"{len(faults)} differences\n" + "\n".join(faults[:20])
    assert not unused or "ARCO_ORACLE_CORPUS" in os.environ


def definition(spec: Line | None) -> dg.PartitionsDefinition | None:
    if spec is None:
        return None
    if spec["type"] == "static":
        return dg.StaticPartitionsDefinition(spec["keys"])
    if spec["type"] == "multi":
        return dg.MultiPartitionsDefinition(
            {name: definition(one) for name, one in spec["dimensions"].items()}
        )
    names = {"timezone", "fmt", "minute_offset", "hour_offset", "day_offset", "end_offset"}
    given = {name: value for name, value in spec.items() if name in names}
    if spec.get("exclusions"):
        given["exclusions"] = [
            text if " " in text else datetime.fromisoformat(text) for text in spec["exclusions"]
        ]
    if spec["type"] == "cron":
        return dg.TimeWindowPartitionsDefinition(
            spec["start"], end=spec.get("end"), cron_schedule=spec["cron"], **given
        )
    return CADENCES[spec["type"]](spec["start"], spec.get("end"), **given)


def now(args: Line) -> datetime:
    return datetime.fromisoformat(args.get("now", "1970-01-01")).replace(tzinfo=timezone.utc)


# Keys.


def key_answer(line: Line) -> tuple[Any, Any]:
    theirs = line["result"] if line["ok"] else None
    args = line["args"]
    try:
        of = definition(args["definition"])
    except dg.DefinitionError:
        return None, theirs
    try:
        if line["op"] == "partition_keys":
            return list(of.get_partition_keys(now(args))), theirs
        if line["op"] == "partition_has":
            return {key: of.has_partition_key(key, now(args)) for key in args["keys"]}, theirs
        if line["op"] == "partition_range":
            return list(
                of.get_partition_keys_in_range(dg.PartitionKeyRange(args["start"], args["end"]))
            ), theirs
        window = of.time_window_for_partition_key(args["key"])
        return {**theirs, "start": window.start.timestamp(), "end": window.end.timestamp()}, theirs
    except dg.UnknownPartitionError:
        return None, theirs


def adds_windows_early(line: Line, side: str) -> bool:
    spec = line["args"].get(side) or {}
    return spec.get("end_offset", 0) > 0 and line["args"].get("now", "") < spec["local_start"]


def odd_zone(line: Line, *_: Any) -> bool:
    return line["args"]["definition"].get("timezone") in {
        "America/Havana", "Australia/Lord_Howe", "Pacific/Apia",
    }  # fmt: skip


def has_day(line: Line, *sides: str) -> bool:
    return any((line["args"].get(side) or {}).get("day_offset") == 29 for side in sides)


KEYS: dict[str, Callable[[Line, Any, Any], bool]] = {
    "P-17, D-27: a text between two windows is no key, also of hourly and daily windows": (
        lambda line, ours, theirs: (
            line["op"] == "partition_has"
            and all(not has for key, has in ours.items() if theirs[key] != has)
        )
    ),
    "D-28: a format that gives several windows one key is refused": (
        lambda _, ours, theirs: ours is None and len(set(theirs)) < len(theirs)
    ),
    "P-8: day 29 skips a short February; Dagster fails on it": (
        lambda line, *_: not line["ok"] and has_day(line, "definition")
    ),
    "P-6: a window that has not ended by `end` is no partition, not even the first": (
        lambda line, ours, theirs: (
            "end" in line["args"]["definition"] and ours == [] and len(theirs) == 1
        )
    ),
    "P-4, P-5: `end_offset` adds windows to those that have ended, also before the first": (
        lambda line, *_: adds_windows_early(line, "definition")
    ),
    "D-25: changes of the clocks at midnight, by half an hour or by a day follow the one rule": odd_zone,
}


def test_partition_keys_are_those_of_dagster() -> None:
    compare("partition_keys", key_answer, KEYS)


def is_dynamic(*specs: Line | None) -> bool:
    """Whether keys are a fact of the workspace, which only the control plane knows."""
    return any('"dynamic"' in json.dumps(spec) for spec in specs)


def test_partitions_of_every_sort_are_those_of_dagster() -> None:
    compare(
        "partition_kinds",
        lambda line: None if is_dynamic(line["args"]["definition"]) else key_answer(line),
        {},
    )


# Mappings.

MAPPINGS: dict[str, Any] = {
    "identity": dg.IdentityPartitionMapping,
    "all": dg.AllPartitionMapping,
    "last": dg.LastPartitionMapping,
}


def mapping(spec: Line | None) -> dg.PartitionMapping | None:
    if spec is None:
        return None
    if spec["type"] in MAPPINGS:
        return MAPPINGS[spec["type"]]()
    if spec["type"] == "specific":
        return dg.SpecificPartitionsPartitionMapping(spec["keys"])
    if spec["type"] == "static":
        return dg.StaticPartitionMapping(spec["pairs"])
    if spec["type"] == "multi_to_single":
        return dg.MultiToSingleDimensionPartitionMapping(spec.get("dimension"))
    if spec["type"] == "multi":
        return dg.MultiPartitionMapping(
            {
                up: dg.DimensionPartitionMapping(each["downstream"], mapping(each["mapping"]))
                for up, each in spec["dimensions"].items()
            }
        )
    allow = spec.get("allow_nonexistent", False)
    return dg.TimeWindowPartitionMapping(
        spec.get("start_offset", 0), spec.get("end_offset", 0), allow
    )


def mapping_answer(line: Line) -> tuple[Any, Any] | None:
    args = line["args"]
    up, down = definition(args["up_def"]), definition(args["down_def"])
    if line["op"] == "infer_mapping":
        return type(infer_mapping(down, up)).__name__, line["result"]
    if args["direction"] == "down":
        return None  # The control plane's matter.
    refused = not line["ok"] or line["result"]["invalid"] is not None
    theirs = None if refused else {k: line["result"][k] for k in ("keys", "nonexistent")}
    try:
        there, missing = needed_partition_keys(
            mapping(args["mapping"]), down, up, args["keys"], now(args)
        )
    except dg.DefinitionError:
        return None, theirs
    return {"keys": sorted(there), "nonexistent": sorted(missing)}, theirs


def test_partition_mappings_are_those_of_dagster() -> None:
    offsets = ("start_offset", "end_offset")
    compare(
        "partition_mappings",
        mapping_answer,
        {
            "P-34: before the parent's start, the window in which the child begins is missed too": (
                lambda line, ours, theirs: (
                    not any((line["args"]["mapping"] or {}).get(o) for o in offsets)
                    and ours is not None
                    and theirs is not None
                    and ours["keys"] == theirs["keys"]
                    and len(ours["nonexistent"]) == len(theirs["nonexistent"]) + 1
                    and set(theirs["nonexistent"]) <= set(ours["nonexistent"])
                )
            ),
            "P-6: a window that has not ended by `end` is no partition, not even the first": (
                lambda line, *_: (
                    "end" in (line["args"]["up_def"] or {})
                    and not definition(line["args"]["up_def"]).get_partition_keys(now(line["args"]))
                )
            ),
            "P-8: day 29 skips a short February; Dagster fails on it": (
                lambda line, *_: not line["ok"] and has_day(line, "up_def", "down_def")
            ),
            "P-4, P-5: `end_offset` adds windows to those that have ended, also before the first": (
                lambda line, *_: (
                    adds_windows_early(line, "up_def") or adds_windows_early(line, "down_def")
                )
            ),
        },
    )


def by_dimension(line: Line, ours: Any) -> Any:
    """Of several dimensions Dagster names the keys of a dimension that do not exist, Arco the partitions."""
    up = definition(line["args"]["up_def"])
    sort = (line["args"]["mapping"] or {"type": "multi"})["type"]
    if not ours or not isinstance(up, dg.MultiPartitionsDefinition) or not sort.startswith("multi"):
        return ours
    missing = {
        value
        for key in ours["nonexistent"]
        for value, (_, one) in zip(key.split("|"), up, strict=True)
        if not one.has_partition_key(value, now(line["args"]))
    }
    return {**ours, "nonexistent": sorted(missing)}


def test_mappings_of_every_sort_are_those_of_dagster() -> None:
    def answer(line: Line) -> tuple[Any, Any] | None:
        if is_dynamic(line["args"]["up_def"], line["args"]["down_def"]):
            return None
        pair = mapping_answer(line)
        if pair is None or line["op"] == "infer_mapping":
            return pair
        return by_dimension(line, pair[0]), pair[1]

    def missed(line: Line, ours: Any, theirs: Any) -> bool:
        return (
            not (line["args"]["mapping"] or {}).get("start_offset")
            and ours is not None
            and theirs is not None
            and ours["keys"] == theirs["keys"]
            and len(ours["nonexistent"]) == len(theirs["nonexistent"]) + 1
            and set(theirs["nonexistent"]) <= set(ours["nonexistent"])
        )

    def around(_: Line, ours: Any, theirs: Any) -> bool:
        if ours is None or theirs is None:
            return False
        lacks = [key for key in theirs["nonexistent"] if key not in ours["keys"]]
        return (
            bool(ours["keys"]) and ours["keys"] == theirs["keys"] and lacks == ours["nonexistent"]
        )

    compare(
        "mapping_kinds",
        answer,
        {
            "P-34: before the parent's start, the window in which the child begins is missed too": missed,
            "P-34: around all that the parent has, what exists is not missed": around,
            "P-38, D-30: the dimension that is named counts, also when another fits": (
                lambda line, *_: bool((line["args"]["mapping"] or {}).get("dimension"))
            ),
            "P-39: where one dimension needs nothing, what another lacks is not missed": (
                lambda line, ours, theirs: (
                    (line["args"]["mapping"] or {}).get("type") == "multi"
                    and ours is not None
                    and theirs is not None
                    and not ours["keys"] + theirs["keys"] + ours["nonexistent"]
                )
            ),
            "P-35: a window of the parent that is left out serves no child": (
                lambda line, *_: bool(line["args"]["up_def"].get("exclusions"))
            ),
        },
    )


# Selections.


def graph(assets: list[Line]) -> dg.Definitions:
    def one(spec: Line) -> Any:
        mapped = [d if isinstance(d, dict) else {"key": d} for d in spec.get("deps", [])]
        given: Line = {
            "key": dg.AssetKey.from_user_string(spec["key"]),
            "deps": [
                dg.AssetDep(
                    dg.AssetKey.from_user_string(d["key"]),
                    partition_mapping=mapping(d.get("mapping")),
                )
                for d in mapped
            ],
            "group_name": spec.get("group"),
            "tags": spec.get("tags"),
            "kinds": set(spec.get("kinds", [])),
            "owners": spec.get("owners"),
            "partitions_def": definition(spec.get("partitions")),
        }
        return dg.AssetSpec(**given) if spec.get("external") else dg.asset(**given)(lambda: None)

    return dg.Definitions([one(spec) for spec in assets])


def test_selections_choose_what_dagster_chooses() -> None:
    graphs = {
        line["args"]["graph"]: graph(line["args"]["assets"])
        for line in lines("selections")
        if line["op"] == "graph"
    }

    def answer(line: Line) -> tuple[Any, Any] | None:
        if line["op"] == "graph":
            return None
        theirs = line["result"] if line["ok"] else None
        if line["op"] == "parse_selection":
            theirs = theirs and theirs["canonical"]
        try:
            read = dg.AssetSelection.from_string(line["args"]["selection"])
            if line["op"] == "parse_selection":
                return str(read), theirs
            chosen = read.resolve(graphs[line["args"]["graph"]])
        except dg.UsageError:
            return None, theirs
        return sorted(key.to_user_string() for key in chosen), theirs and sorted(theirs)

    def reads_otherwise(line: Line, ours: Any, theirs: Any) -> bool:
        if line["op"] != "parse_selection" or ours is None or theirs is None:
            return False
        given = dg.AssetSelection.from_string(line["args"]["selection"])
        return dg.AssetSelection.from_string(ours) == given

    def text(line: Line) -> str:
        return line["args"]["selection"]

    compare(
        "selections",
        answer,
        {
            "L-15, D-33: what is printed reads back as the same selection": reads_otherwise,
            "L-8, D-33: `key:*` is read": lambda line, *_: text(line) == "key:*",
            "L-2: a word of the grammar may be a value": lambda line, *_: (
                text(line) in {"key:sensor", "key:and", "kind:roots"}
            ),
            "L-14: `partitions:` with an unknown word is refused": lambda line, *_: (
                text(line) in {"partitions:foo", "partitions:daily"}
            ),
            "L-7, D-33: `<null>` works for owners and tags too": lambda line, *_: (
                text(line) in {"owner:<null>", "tag:<null>"}
            ),
        },
    )


# Schedules.


def schedule_answer(line: Line) -> tuple[Any, Any]:
    """Cron, zone, and the keys of Dagster's instants."""
    args = line["args"]
    theirs = line["result"] if line["ok"] else None
    try:
        partitions = definition(args["definition"])

        @dg.asset(partitions_def=partitions)
        def a() -> None: ...

        job = dg.define_asset_job("j", [a])
        schedule = dg.build_schedule_from_partitioned_job(job, **args["options"])
        defs = dg.Definitions(assets=[a], schedules=[schedule])
        [found] = defs.to_manifest("loc")["schedules"]
    except dg.DefinitionError:
        return None, theirs
    ticks = []
    for at, *_ in (theirs or {}).get("ticks", []):
        keys = keys_at(partitions, datetime.fromtimestamp(at, timezone.utc))
        ticks.append([at, keys, keys])
    [cron] = found["cron"]
    return {"cron": cron, "timezone": found["timezone"], "ticks": ticks}, theirs


def keys_at(partitions: Any, instant: datetime) -> list[str]:
    if isinstance(partitions, dg.StaticPartitionsDefinition):
        return list(partitions.get_partition_keys())
    last = partitions.get_last_partition_key(instant)
    return [] if last is None else [last]


def ends_within_the_first(line: Line) -> bool:
    of = definition(line["args"]["definition"])
    return "end" in line["args"]["definition"] and of.get_first_partition_key(FAR) is None  # type: ignore[union-attr]


FAR = datetime(2100, 1, 1, tzinfo=timezone.utc)

SCHEDULES: dict[str, Callable[[Line, Any, Any], bool]] = {
    "S-47: an option that the partitions do not take is refused": (
        lambda line, ours, _: (
            ours is None and bool({"day_of_week", "day_of_month"} & set(line["args"]["options"]))
        )
    ),
    "P-6: a window that has not ended by `end` is no partition, not even the first": (
        lambda line, *_: ends_within_the_first(line)
    ),
    "P-4, P-5: `end_offset` adds windows to those that have ended, also before the first has begun": (
        lambda line, ours, theirs: (
            line["args"]["definition"].get("end_offset", 0) > 0
            and {**ours, "ticks": 0} == {**theirs, "ticks": 0}
            and all(not a[1] for a, b in zip(ours["ticks"], theirs["ticks"], strict=True) if a != b)
        )
    ),
}


def test_schedules_of_partitioned_jobs_are_due_as_in_dagster() -> None:
    compare("schedules", schedule_answer, SCHEDULES)


# What functions of schedules and sensors give.


def evaluation_answer(line: Line) -> tuple[Any, Any]:
    theirs = line["result"] if line["ok"] else None
    args = line["args"]
    try:
        if line["op"] == "sensor_evaluation":
            return sensor_evaluation(**args), theirs
        return schedule_evaluation(**args), theirs
    except dg.ArcoError:
        return None, theirs


def schedule_evaluation(
    gives: list[Line], how: str, should_execute: bool | None = None, tags: Any = None
) -> Line:
    @dg.schedule(
        cron_schedule="@daily",
        name="s",
        job=dg.define_asset_job("j"),
        tags=tags,
        should_execute=None if should_execute is None else lambda _: should_execute,
    )
    def schedule(context: Any) -> Any:
        return given(gives, how)

    data = schedule.evaluate_tick(dg.build_schedule_context(scheduled_execution_time=FAR))
    return {"runs": [run_of(one, ["j"]) for one in data.run_requests], "skip": data.skip_message}


def sensor_evaluation(
    gives: list[Line], how: str, jobs: list[str], cursor: str | None, **rest: Any
) -> Line:
    @dg.sensor(name="s", jobs=[dg.define_asset_job(name) for name in jobs] or None)
    def sensor(context: Any) -> Any:
        def update() -> None:
            if "update_cursor" in rest:
                context.update_cursor(rest["update_cursor"])

        return given(gives, how, update)

    data = sensor.evaluate_tick(dg.build_sensor_context(cursor=cursor))
    return {
        "runs": [run_of(one, jobs) for one in data.run_requests],
        "skip": data.skip_message,
        "cursor": data.cursor or None,
        "partitions": [
            [
                "add" if isinstance(one, dg.AddDynamicPartitionsRequest) else "delete",
                one.partitions_def_name,
                list(one.partition_keys),
            ]
            for one in data.dynamic_partitions_requests
        ],
    }


def given(gives: list[Line], how: str, update: Callable[[], None] = lambda: None) -> Any:
    items = [item_of(one) for one in gives]
    if how == "yield":
        return yielded(items, update)
    update()
    if how == "list":
        return items
    return (items[0] if items else None) if len(items) < 2 else items


def yielded(items: list[Any], update: Callable[[], None]) -> Iterator[Any]:
    yield from items
    update()


def item_of(spec: Line) -> Any:
    kind = spec["is"]
    if kind == "run":
        return dg.RunRequest(**{name: value for name, value in spec.items() if name != "is"})
    if kind == "skip":
        return dg.SkipReason(spec["message"])
    if kind == "result":
        customers = dg.DynamicPartitionsDefinition(name="customers")
        changes: list[Any] = []
        if "add" in spec:
            changes.append(customers.build_add_request(spec["add"]))
        if "delete" in spec:
            changes.append(customers.build_delete_request(spec["delete"]))
        return dg.SensorResult(
            run_requests=[item_of(one) for one in spec.get("runs", [])],
            skip_reason=spec.get("skip"),
            cursor=spec.get("cursor"),
            dynamic_partitions_requests=changes,
        )
    return None if kind == "none" else spec["value"]


def run_of(request: dg.RunRequest, jobs: list[str]) -> Line:
    return {
        "run_key": request.run_key,
        "tags": dict(request.tags),
        "job_name": None if [request.job_name] == jobs else request.job_name,
        "run_config": dict(request.run_config),
    }


def names_another_job(line: Line) -> bool:
    return any(one.get("job_name") not in (None, "j") for one in line["args"]["gives"])


EVALUATIONS: dict[str, Callable[[Line, Any, Any], bool]] = {
    "N-8: the empty text clears the cursor, in a SensorResult too (EX-115)": (
        lambda line, ours, theirs: (
            any(one.get("cursor") == "" for one in line["args"]["gives"])
            and {**ours, "cursor": 0} == {**theirs, "cursor": 0}
        )
    ),
    "S-40: a request that names a job the schedule does not run is refused (EX-116)": (
        lambda line, ours, _: (
            line["op"] == "schedule_evaluation" and ours is None and names_another_job(line)
        )
    ),
}


def test_functions_of_schedules_and_sensors_are_read_as_in_dagster() -> None:
    compare("evaluations", evaluation_answer, EVALUATIONS)

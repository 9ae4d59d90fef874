"""The commands of the README select what they mean, on partitions that there are."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

import arco_flow as dg
import pytest

from definitions import defs

README = Path(__file__).resolve().parents[1] / "README.md"


def commands() -> list[argparse.Namespace]:
    parser = argparse.ArgumentParser()
    parser.add_argument("selection", nargs="+")
    parser.add_argument("--partition")
    lines = [line.strip() for line in README.read_text().splitlines()]
    runs = [line.removeprefix("arco run ") for line in lines if line.startswith("arco run ")]
    return [parser.parse_args(shlex.split(run, comments=True)) for run in runs]


def made_by(command: argparse.Namespace) -> set[dg.AssetKey]:
    found: set[dg.AssetKey] = set()
    for text in command.selection:
        found |= dg.AssetSelection.from_string(text).resolve(defs)
    return found


def test_there_are_commands() -> None:
    assert len(commands()) >= 3


@pytest.mark.parametrize("command", commands(), ids=lambda c: " ".join(c.selection))
def test_partitions_are_keys_of_every_selected_asset(command: argparse.Namespace) -> None:
    graph = defs.graph()
    partitioned = [d for key in made_by(command) if (d := graph.assets[key].spec.partitions_def)]
    assert bool(partitioned) == (command.partition is not None)
    for partitions_def in partitioned:
        first, _, last = command.partition.partition("...")
        known = partitions_def.get_partition_keys()
        assert first in known
        assert not last or (last in known and known.index(first) < known.index(last))


def test_what_a_command_reads_was_made_before() -> None:
    graph = defs.graph()
    made: set[dg.AssetKey] = set()
    for command in commands():
        made |= made_by(command)
        read = {edge.key for key in made for edge in graph.assets[key].edges}
        assert read <= made, command.selection


def test_the_schedules_it_names_are_defined() -> None:
    lines = [line.strip().split() for line in README.read_text().splitlines()]
    named = {line[3] for line in lines if line[:2] == ["arco", "schedule"]}
    assert named
    for name in named:
        assert defs.get_schedule_def(name).name == name
    [schedule] = defs.to_manifest("flights")["schedules"]
    assert schedule["cron"] == ["0 5 * * *"]
    assert schedule["partitions"] == "last"


def test_the_sensors_it_names_are_defined() -> None:
    lines = [line.strip().split() for line in README.read_text().splitlines()]
    named = {line[3] for line in lines if line[:2] == ["arco", "sensor"]}
    assert named == {one.name for one in defs.sensors}

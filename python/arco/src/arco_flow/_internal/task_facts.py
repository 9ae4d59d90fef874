"""What a context answers from: the task, its inputs, and what user code adds."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from arco_flow._internal.keys import AssetCheckKey, AssetKey
from arco_flow._internal.partitions import PartitionsDefinition
from arco_flow._internal.results import DataVersion

task_log = logging.getLogger("arco.task")


def get_logger(name: str | None = None) -> logging.Logger:
    """A logger of Python's `logging` below `arco`; its records are kept with the task.

    `get_dagster_logger` is the same. Any other logger of `logging` is kept too.
    """
    logger = logging.getLogger(f"arco.{name}" if name else "arco.user")
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.DEBUG)
    return logger


@dataclass(frozen=True)
class RunInfo:
    """The run a task belongs to."""

    run_id: str
    tags: Mapping[str, str] = field(default_factory=dict)
    run_config: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class InputInfo:
    """One upstream asset of a task. `partitions` is None for an unpartitioned one."""

    key: AssetKey
    partitions: Sequence[str] | None
    partitions_def: PartitionsDefinition | None


@dataclass
class TaskFacts:
    """What a context answers from, and what user code adds to the outputs through it."""

    run: RunInfo
    step_name: str = ""
    retry_number: int = 0
    outputs: Sequence[AssetKey] = ()
    output_names: Sequence[str] = ()
    checks: Sequence[AssetCheckKey] = ()
    partitions: Sequence[str] | None = None
    partitions_def: PartitionsDefinition | None = None
    inputs: Mapping[str, InputInfo] = field(default_factory=dict)
    op_config: Any = None
    resources: Any = None
    definition: Any = None
    mapping_key: str | None = None
    load: Callable[[AssetKey, str | None, Any], Any] | None = None
    observe: Callable[[Any], None] | None = None
    metadata: dict[AssetKey, dict[str, Any]] = field(default_factory=dict)
    partition_metadata: dict[tuple[AssetKey, str], dict[str, Any]] = field(default_factory=dict)
    data_versions: dict[AssetKey, DataVersion] = field(default_factory=dict)

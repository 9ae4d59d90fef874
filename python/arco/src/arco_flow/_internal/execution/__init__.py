"""Carrying out one task: `execute_task` is what a worker's child process calls."""

from arco_flow._internal.execution.task import execute_task

__all__ = ["execute_task"]

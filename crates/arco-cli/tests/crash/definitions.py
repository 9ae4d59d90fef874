"""Bodies that write down that they live."""

import json
import os
import time
from pathlib import Path

import arco_flow as dg

FOLDER = Path(os.environ["CRASH_FOLDER"])
AGAIN = dg.RetryPolicy(max_retries=20)


def note(context, what):
    """One line in one write: bodies of many processes share the file."""
    line = {
        "run": context.run_id,
        "step": context.asset_key.path[-1],
        "retry": context.retry_number,
        "pid": os.getpid(),
        "partition": context.partition_key if context.has_partition_key else "*",
        "what": what,
        "at_ns": time.clock_gettime_ns(time.CLOCK_BOOTTIME),
    }
    file = os.open(FOLDER / "journal", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, (json.dumps(line) + "\n").encode())
    os.close(file)


def live(context, until):
    note(context, "start")
    while not until():
        time.sleep(0.02)
        note(context, "alive")
    note(context, "end")
    return 1


def live_for(context, seconds):
    end = time.monotonic() + seconds
    return live(context, lambda: time.monotonic() >= end)


@dg.asset(retry_policy=AGAIN, group_name="diamond")
def first(context: dg.AssetExecutionContext):
    return live_for(context, 0.2)


@dg.asset(retry_policy=AGAIN, group_name="diamond")
def left(context: dg.AssetExecutionContext, first):
    return live_for(context, 0.5)


@dg.asset(retry_policy=AGAIN, group_name="diamond")
def right(context: dg.AssetExecutionContext, first):
    return live_for(context, 0.8)


@dg.asset(retry_policy=AGAIN, group_name="diamond")
def last(context: dg.AssetExecutionContext, left, right):
    return live_for(context, 0.1) + left + right


@dg.asset(retry_policy=AGAIN)
def slow(context: dg.AssetExecutionContext):
    return live(context, lambda: (FOLDER / "go").exists())


@dg.asset(retry_policy=AGAIN)
def after(context: dg.AssetExecutionContext, slow):
    return live_for(context, 0.1)


PIECES = dg.StaticPartitionsDefinition([f"p{n:03}" for n in range(int(os.environ["CRASH_PIECES"]))])


@dg.asset(retry_policy=AGAIN, partitions_def=PIECES)
def piece(context: dg.AssetExecutionContext):
    return live_for(context, 0.05)


@dg.asset(retry_policy=AGAIN)
def total(context: dg.AssetExecutionContext, piece):
    return live_for(context, 0.05)


defs = dg.Definitions(assets=[first, left, right, last, slow, after, piece, total])

"""Asks a real Dagster the questions of the differential tests and writes its answers.

    python ask.py [--seed TEXT] [--cases N] [--seconds N] [--out FOLDER] [CORPUS ...]

Run it with an interpreter that has `requirements.txt`; `cargo xtask differential` does. A corpus is a
file CORPUS.jsonl.gz: a header with the seed and Dagster's version, then a line {"op", "args", "ok",
"result" or "error"} for each question. The same seed gives the same questions.
"""

from __future__ import annotations

import argparse
import gzip
import json
import pathlib
import random
import signal
import time
from collections.abc import Iterator
from typing import Any

import dagster_backfills  # noqa: F401
import dagster_oracle
from questions import CORPORA

HERE = pathlib.Path(__file__).parent
# What is committed: enough that every deliberate difference is met and their share is small.
COMMITTED = {
    "cron": 5000, "partition_keys": 2000, "partition_mappings": 2000, "partition_kinds": 500, "mapping_kinds": 1100,
    "queue": 2500, "schedules": 600, "evaluations": 1500, "selections": 4000, "backfills": 720,
}


# Seconds of the processor for a question and its answer. Some questions Dagster answers never, and the
# comparison should say so instead of waiting with it.
PATIENCE = 120.0


class Unanswered(Exception):
    """Dagster computes, and there is no end of it."""


def give_up(*_: object) -> None:
    raise Unanswered


def answered(op: str, args: dict[str, Any], graphs: dict[int, Any]) -> dict[str, Any]:
    line = {"op": op, "args": args}
    if op == "graph":
        graphs[args["graph"]] = {"assets": args["assets"]}
        return line
    if op == "resolve_selection":
        args = {**args, "graph": graphs[args["graph"]]}
    reply = dagster_oracle.reply({"op": op, "args": args})
    reply.pop("message", None)
    return {**line, **reply}


def lines(corpus: str, seed: str, cases: int, seconds: float) -> Iterator[dict[str, Any]]:
    graphs: dict[int, Any] = {}
    begin, asked = time.monotonic(), 0
    signal.signal(signal.SIGVTALRM, give_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, PATIENCE)
    for op, args in CORPORA[corpus](random.Random(f"{seed} {corpus}")):
        if asked >= cases or time.monotonic() - begin > seconds:
            break
        asked += op != "graph"
        line = answered(op, args, graphs)
        signal.setitimer(signal.ITIMER_VIRTUAL, PATIENCE)
        yield line
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def write(file: pathlib.Path, header: dict[str, Any], corpus: Iterator[dict[str, Any]]) -> int:
    asked = 0
    # Without a time and a name in it the same answers are the same bytes.
    with open(file, "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as out:
        for line in [header, *corpus]:
            out.write((json.dumps(line, ensure_ascii=False) + "\n").encode())
            asked += 1
    return asked - 1


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--seed", default="arco")
    arguments.add_argument("--cases", type=int, help="questions of each corpus; what is committed by default")
    arguments.add_argument("--seconds", type=float, default=float("inf"), help="stop asking a corpus after this long")
    arguments.add_argument("--out", type=pathlib.Path, default=HERE)
    arguments.add_argument("corpora", nargs="*", default=list(CORPORA), metavar="CORPUS")
    given = arguments.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    for name in given.corpora:
        header = {"corpus": name, "seed": given.seed, "dagster": dagster_oracle.VERSION}
        corpus = lines(name, given.seed, given.cases or COMMITTED[name], given.seconds)
        began = time.monotonic()
        asked = write(given.out / f"{name}.jsonl.gz", header, corpus)
        print(f"{name}: {asked} lines in {time.monotonic() - began:.0f} s", flush=True)

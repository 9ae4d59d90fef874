"""Which queued runs are launched, in which order (R-6..R-11, R-14..R-16)."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

Run = dict[str, Any]
PRIORITIES = ["1", "2", "-1", "10", "0", " 3 ", "high", "", "1.5", "+2"]


def ask(rng: Random) -> Iterator[tuple[str, dict[str, Any]]]:
    """The fault of R-11 first, then random queues."""
    crossed = [{"id": "a", "tags": {"team": "x"}, "pools": {"db": 1}}, {"id": "b", "tags": {"team": "x"}}]
    held = [{"id": "r0", "pools": {"db": 1}}]
    yield "dequeue", question(crossed, held, 10, [{"key": "team", "limit": 1}], {"db": 1}, "op")
    yield "dequeue", question(crossed, [], 10, [{"key": "team", "limit": 1}], {"db": 0}, "op")
    while True:
        # Tag limits and pools together are where Dagster's own rule fails it: asked rarely.
        kind = rng.choices(["tags", "pools", "both"], [50, 48, 2])[0]
        tagged, pooled = kind != "pools", kind != "tags"
        pools = {name: rng.choice([0, 1, 1, 2, 2, 3, 5]) for name in "pqr" if pooled and rng.random() < 0.7}
        granularity = rng.choice(["op", "op", "run"])
        yield "dequeue", question(
            [a_run(rng, f"q{n}", pooled) for n in range(rng.randrange(1, 13))],
            [a_run(rng, f"r{n}", pooled) for n in range(rng.randrange(0, 6))],
            rng.choice([-1, 10, 10, 10, rng.randrange(0, 9), rng.randrange(0, 9)]),
            limits(rng) if tagged else [],
            pools,
            granularity,
        )


def question(
    queued: list[Run], held: list[Run], runs: int, tags: list[Run], pools: dict[str, int], granularity: str
) -> dict[str, Any]:
    return {
        "queued": queued, "in_progress": held, "max_concurrent_runs": runs, "tag_limits": tags, "pools": pools,
        "granularity": granularity,
    }


def a_run(rng: Random, name: str, pooled: bool) -> Run:
    run: Run = {"id": name}
    tags = {key: rng.choice("xyz") for key in ["team", "store", "kind"] if rng.random() < 0.5}
    if rng.random() < 0.35:
        tags["dagster/priority"] = rng.choice(PRIORITIES)
    if tags:
        run["tags"] = tags
    if pooled:
        roots = {name: rng.choice([1, 1, 1, 2, 3]) for name in "pqr" if rng.random() < 0.4}
        if roots:
            run["pools"] = roots
            run["unconstrained_root"] = rng.random() < 0.2
    return run


def limits(rng: Random) -> list[Run]:
    out: list[Run] = []
    for key in ["team", "store", "kind"]:
        if rng.random() < 0.5:
            out.append({"key": key, "limit": rng.choice([0, 1, 2, 3, 4])})
        if rng.random() < 0.4:
            out.append({"key": key, "value": rng.choice("xyz"), "limit": rng.choice([0, 1, 1, 2, 3])})
        if rng.random() < 0.3:
            out.append({"key": key, "value": {"applyLimitPerUniqueValue": True}, "limit": rng.choice([1, 1, 2])})
    return out

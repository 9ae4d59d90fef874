"""What functions of schedules and sensors give, and what becomes of it (S-37 to S-40, N-6 to N-11)."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

Question = tuple[str, dict[str, Any]]
Spec = dict[str, Any]

RUN = {"is": "run"}
SKIP = {"is": "skip", "message": "nothing new"}


def ask(rng: Random) -> Iterator[Question]:
    """The examples of the reference first, then random ones."""
    yield from known()
    while True:
        yield sensor(rng) if rng.random() < 0.65 else schedule(rng)


def known() -> Iterator[Question]:
    for how in ("return", "list", "yield"):
        for items in ([], [{"is": "none"}], [SKIP], [RUN], [{**RUN, "run_key": "k"}, {**RUN, "run_key": "l"}], [RUN, RUN], [RUN, SKIP], [SKIP, SKIP]):
            yield "sensor_evaluation", {"gives": items, "how": how, "jobs": ["j"], "cursor": "1"}
            yield "schedule_evaluation", {"gives": items, "how": how}
    for said in ("2", "", None):
        for result in ("3", None):
            gives = [{"is": "result", "cursor": result}] if result else []
            yield "sensor_evaluation", {"gives": gives, "how": "return", "jobs": [], "cursor": "1", "update_cursor": said}
    # What Arco does otherwise: the empty text of a SensorResult clears the cursor (N-8).
    yield "sensor_evaluation", {"gives": [{"is": "result", "cursor": ""}], "how": "return", "jobs": [], "cursor": "1"}
    for jobs in ([], ["j"], ["j", "k"]):
        for name in (None, "j", "k", "x"):
            yield "sensor_evaluation", {"gives": [{**RUN, "job_name": name}], "how": "return", "jobs": jobs, "cursor": None}
    for should in (True, False):
        for gives in ([RUN], [SKIP], [], [{"is": "config", "value": {"ops": {}}}]):
            yield "schedule_evaluation", {"gives": gives, "how": "return", "should_execute": should}
    yield "schedule_evaluation", {"gives": [{"is": "config", "value": {}}], "how": "return", "tags": {"a": "1"}}


def sensor(rng: Random) -> Question:
    gives = items(rng)
    if rng.random() < 0.35:
        gives = [result(rng), *gives[: rng.choice([0, 0, 0, 0, 1])]]
    args: Spec = {
        "gives": gives,
        "how": how(rng, gives),
        "jobs": rng.choice([[], ["j"], ["j"], ["j"], ["j", "k"]]),
        "cursor": rng.choice([None, "1", "a b", '{"n": 1}']),
    }
    if rng.random() < 0.3:
        args["update_cursor"] = rng.choice(["2", "", None, "1"])
    return "sensor_evaluation", args


def schedule(rng: Random) -> Question:
    gives = items(rng)
    if rng.random() < 0.1:
        gives = [{"is": "config", "value": rng.choice([{}, {"ops": {"a": {"config": {"n": 1}}}}])}]
    args: Spec = {"gives": gives, "how": "return" if gives and gives[0]["is"] == "config" else how(rng, gives)}
    if rng.random() < 0.2:
        args["should_execute"] = rng.random() < 0.5
    return "schedule_evaluation", args


def items(rng: Random) -> list[Spec]:
    kind = rng.random()
    if kind < 0.15:
        return []
    if kind < 0.3:
        return [{**SKIP, "message": rng.choice(["no", "", None, "nothing new"])}]
    if kind < 0.35:
        return [{"is": "other", "value": rng.choice([5, "text", True, 1.5])}]
    found = [run(rng) for _ in range(rng.choice([1, 1, 1, 2, 3]))]
    if rng.random() < 0.1:
        found.insert(rng.randrange(len(found) + 1), rng.choice([SKIP, {"is": "none"}]))
    return found


def run(rng: Random) -> Spec:
    found: Spec = dict(RUN)
    if rng.random() < 0.6:
        found["run_key"] = rng.choice(["a", "b", "c", "d", "2026-01-01", ""])
    if rng.random() < 0.3:
        found["tags"] = {rng.choice(["team", "x/y", "n"]): rng.choice(["a", "", "two words"])}
    if rng.random() < 0.25:
        found["run_config"] = rng.choice([{}, {"ops": {"a": {"config": {"n": rng.randrange(9)}}}}])
    if rng.random() < 0.2:
        found["job_name"] = rng.choice(["j", "j", "k", "x"])
    return found


def result(rng: Random) -> Spec:
    found: Spec = {"is": "result", "runs": [run(rng) for _ in range(rng.choice([0, 1, 1, 2]))]}
    if rng.random() < 0.3:
        found["skip"] = rng.choice(["no", "nothing new"])
    if rng.random() < 0.4:
        found["cursor"] = rng.choice(["3", "x", "1"])
    for change in ("add", "delete"):
        if rng.random() < 0.25:
            found[change] = rng.sample(["acme", "globex", "initech", "ümlaut"], rng.randrange(3))
    return found


def how(rng: Random, gives: list[Spec]) -> str:
    return rng.choice(["return", "list", "yield"] if len(gives) == 1 else ["list", "yield"])

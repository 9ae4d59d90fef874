"""The whole product as its users meet it: a real `arco dev`, its HTTP API and its command line."""

from __future__ import annotations

import concurrent.futures
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import arco_flow as dg

SDK = Path(__file__).resolve().parents[2] / "src"
PATIENCE = 60.0

MISSING = """\
these tests run the `arco` binary, and {problem}.
`cargo xtask test python` builds the binary of this tree and says where it is. By hand:
    cargo build --package arco-cli --bin arco
    ARCO_BIN=FOLDER/debug/arco python -m pytest tests/integration
where FOLDER is what CARGO_TARGET_DIR says, or `target` of the repository. To leave them out:
    python -m pytest --ignore tests/integration"""


def binary() -> Path:
    """The binary under test. It is named, never searched for: one that lies about may be stale."""
    named = os.environ.get("ARCO_BIN")
    if not named:
        pytest.fail(MISSING.format(problem="ARCO_BIN does not say where it is"), pytrace=False)
    path = Path(named)
    if not (path.is_file() and os.access(path, os.X_OK)):
        pytest.fail(MISSING.format(problem=f"{path} is no program"), pytrace=False)
    return path


class Arco:
    """A running `arco dev`, asked over HTTP and by the command line."""

    def __init__(self, folder: Path) -> None:
        self.binary = binary()
        self.journal = folder / "journal"
        self.events = folder / "events.jsonl"
        self.errors = folder / "stderr.txt"
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith("ARCO_")
        }
        self.environment |= {
            "NO_COLOR": "1",
            "PYTHONPATH": str(SDK),
            "JOURNAL": str(self.journal),
        }
        target = folder / "project" / "definitions.py"
        target.parent.mkdir()
        shutil.copy(Path(__file__).with_name("project.py"), target)
        command = [self.binary, "--json", "dev", "--grace", "1", "--port", "0"]
        command += ["--python", sys.executable, "--dir", folder / "state", target]
        with self.events.open("wb") as stdout, self.errors.open("wb") as stderr:
            self.process = subprocess.Popen(
                command, stdout=stdout, stderr=stderr, env=self.environment, cwd=folder
            )

    def wait_until_loaded(self) -> None:
        """Waits for the server and then for the definitions."""
        self.url = self.wait_for("ready")["url"]
        self.wait_for("loaded")
        self.environment["ARCO_SERVER"] = self.url

    def wait_for(self, event: str) -> dict[str, Any]:
        """The first notice of a kind."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for line in self.events.read_text(encoding="utf-8").splitlines(keepends=True):
                notice = json.loads(line) if line.endswith("\n") else {}
                if notice.get("event") == event:
                    return notice
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError(f"no `{event}` of `arco dev`:\n{self.errors.read_text()}")

    def stop(self) -> int:
        """Asks it to end, as Ctrl-C does; its exit code."""
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def call(self, path: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        """Status and document of a request: a POST when there is a body, else a GET."""
        url = f"{self.url}/api/v1/workspaces/default/{path}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, {"content-type": "application/json"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=PATIENCE) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, json.load(refused)

    def arco(self, *arguments: str, code: int = 0) -> Any:
        """The document a command prints; of one that is refused, what it says."""
        done = subprocess.run(
            [self.binary, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout) if done.stdout else done.stderr

    def ended(self, run: str) -> dict[str, Any]:
        """The run once it is over."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            shown = self.call(f"runs/{run}")[1]
            if shown["status"] in ("success", "failure", "canceled"):
                return shown
            time.sleep(0.02)
        raise AssertionError(f"run {run} does not end:\n{self.errors.read_text()}")

    def ran(self) -> list[str]:
        """What bodies noted since the last question."""
        if not self.journal.exists():
            return []
        lines = self.journal.read_text(encoding="utf-8").splitlines()
        self.journal.unlink()
        return lines

    def partitions(self) -> dict[str, str]:
        """Partitions of the daily asset with their status, by the command line."""
        rows = self.arco("partitions", "daily", "--json")["items"]
        assert rows == self.call("assets/daily/partitions")[1]["items"], "the API says the same"
        return {row["key"]: row["status"] for row in rows}


@pytest.fixture(scope="module")
def arco(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arco]:
    """One server for all tests here."""
    arco = Arco(tmp_path_factory.mktemp("arco"))
    try:
        arco.wait_until_loaded()
        yield arco
    finally:
        code = arco.stop()
    assert code == 0, arco.errors.read_text()


@pytest.fixture(autouse=True)
def fresh_journal(arco: Arco) -> None:
    """Each test reads of its own runs alone."""
    arco.ran()


def test_run_by_key_twice_is_one_run(arco: Arco) -> None:
    first = arco.arco("run", "numbers", "--run-key", "nightly", "--json")
    assert (first["status"], first["created"]) == ("success", True)
    again = arco.arco("run", "numbers", "--run-key", "nightly", "--json")
    assert (again["id"], again["created"]) == (first["id"], False)
    status, answer = arco.call("runs", {"selection": "numbers", "run_key": "nightly"})
    assert (status, answer["run"]["id"], answer["created"]) == (200, first["id"], False)
    listed = arco.arco("runs", "--run-key", "nightly", "--json")["items"]
    assert [run["id"] for run in listed] == [first["id"]]
    assert arco.ran() == ["numbers"]


def test_requests_at_once_under_a_key_make_one_run(arco: Arco) -> None:
    body = {"selection": "numbers", "run_key": "at once"}
    with concurrent.futures.ThreadPoolExecutor(8) as callers:
        answers = list(callers.map(lambda _: arco.call("runs", body), range(16)))
    assert sorted(status for status, _ in answers) == [200] * 15 + [201]
    (run,) = {answer["run"]["id"] for _, answer in answers}
    assert arco.ended(run)["status"] == "success"
    assert arco.ran() == ["numbers"]


def test_another_request_under_a_key_is_a_conflict_that_names_the_run(arco: Arco) -> None:
    first = arco.arco("run", "numbers", "--run-key", "taken", "--json")
    said = arco.arco("run", "doubled", "--run-key", "taken", "--json", code=2)
    assert "run key `taken` was used for another request" in said
    assert first["id"] in said
    assert first["fingerprint"] in said
    assert "use another key, or repeat the first request" in said
    status, problem = arco.call("runs", {"selection": "doubled", "run_key": "taken"})
    assert (status, problem["code"]) == (409, "run_key_conflict")
    assert problem["detail"] in said
    assert arco.ran() == ["numbers"]


def test_selecting_one_asset_runs_only_it(arco: Arco) -> None:
    assert arco.arco("run", "+key:total", "--json")["status"] == "success"
    assert arco.ran() == ["numbers", "doubled", "total"]
    before = {row["key"]: row["materializations"] for row in arco.call("assets")[1]["items"]}
    for asset in ["numbers", "doubled", "total"]:
        run = arco.arco("run", asset, "--json")
        assert (run["status"], run["assets"], run["tasks"]["total"]) == ("success", [asset], 1)
        assert arco.ran() == [asset]
    after = {row["key"]: row["materializations"] for row in arco.call("assets")[1]["items"]}
    more = {key: after[key] - before[key] for key in after}
    assert more == {"numbers": 1, "doubled": 1, "total": 1, "daily": 0}


def test_plan_shows_what_the_run_does(arco: Arco) -> None:
    plan = arco.arco("plan", "key:doubled+", "--json")
    assert [step["step"] for step in plan["steps"]] == ["doubled", "total"]
    assert arco.ran() == []
    arco.arco("run", "numbers", "--json")
    arco.ran()
    run = arco.arco("run", "key:doubled+", "--json")
    assert run["tasks"]["succeeded"] == plan["task_count"] == 2
    assert arco.ran() == ["doubled", "total"]


def test_partitions_materialize_and_a_failed_one_is_run_again_alone(arco: Arco) -> None:
    assert set(arco.partitions().values()) == {"never_materialized"}
    run = arco.arco("run", "daily", "--partition", "2026-01-01...2026-01-03", "--json")
    assert (run["status"], run["materializations"]) == ("success", 3)
    days = [f"2026-01-0{day}" for day in range(1, 6)]
    assert sorted(arco.ran()) == [f"daily {day}" for day in days[:3]]
    made = ["materialized"] * 3 + ["never_materialized"] * 2
    assert arco.partitions() == dict(zip(days, made, strict=True))

    good = arco.call("assets/daily/partitions")[1]["items"][1]["latest"]
    bad = Path(f"{arco.journal}.bad")
    bad.touch()
    try:
        body = {"selection": "daily", "partitions": {"keys": ["2026-01-01", "2026-01-02"]}}
        status, answer = arco.call("runs", body)
        assert status == 201
        failed = arco.ended(answer["run"]["id"])
    finally:
        bad.unlink()
    assert failed["status"] == "failure"
    assert failed["failures"][0]["partition"] == "2026-01-02"
    assert failed["failures"][0]["error"]["message"] == "no rows on this day"
    assert arco.partitions()["2026-01-02"] == "failed"
    row = arco.call("assets/daily/partitions")[1]["items"][1]
    assert row["latest"] == good, "the failure hides no good materialization"

    arco.ran()
    only_failed = arco.arco("partitions", "daily", "--status", "failed", "--json")["items"]
    assert [row["key"] for row in only_failed] == ["2026-01-02"]
    arco.arco("run", "daily", "--partition", "2026-01-02", "--json")
    assert arco.ran() == ["daily 2026-01-02"]
    assert arco.partitions() == dict(zip(days, made, strict=True))


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("2026-13-01", "daily partitions look like `2026-01-01`"),
        ("2026-01-06", "2026-01-06"),
        ("2026-01-04...2026-01-07", "2026-01-07"),
    ],
)
def test_bad_partition_key_says_what_is_wrong_with_it(arco: Arco, key: str, says: str) -> None:
    said = arco.arco("run", "daily", "--partition", key, "--json", code=2)
    assert said.startswith("error: ")
    assert says in said
    body = {"selection": "daily", "partitions": {"keys": [key]}}
    status, problem = arco.call("runs", body)
    assert (status, problem["code"]) == (422, "bad_partition")
    assert problem["detail"] in said
    assert says in problem["detail"]
    assert arco.ran() == []


def test_partition_must_be_given_where_there_are_partitions_and_only_there(arco: Arco) -> None:
    said = arco.arco("run", "daily", "--json", code=2)
    assert "asset `daily` is partitioned, and no partition was given" in said
    said = arco.arco("run", "numbers", "--partition", "2026-01-01", "--json", code=2)
    assert "leave the partition out" in said
    assert arco.ran() == []


def test_misspelt_asset_is_told_its_neighbour(arco: Arco) -> None:
    said = arco.arco("run", "nubmers", "--json", code=2)
    assert "did you mean `numbers`?" in said
    assert arco.call("plan", {"selection": "nubmers"})[0] == 422


def test_a_sensor_records_what_it_saw_and_asks_for_one_backfill(arco: Arco) -> None:
    """N-17, N-18: from the function to the log, through the host and the control plane."""
    before = arco.call("assets/numbers/materializations")[1]["items"]
    arco.arco("sensor", "start", "watcher", "--json")
    deadline = time.monotonic() + PATIENCE
    looks: list[dict[str, Any]] = []
    while len(looks) < 3:
        assert time.monotonic() < deadline, arco.errors.read_text()
        looks = arco.call("sensors/watcher/evaluations")[1]["items"][::-1]
        time.sleep(0.1)
    arco.arco("sensor", "stop", "watcher", "--json")
    looks = arco.call("sensors/watcher/evaluations")[1]["items"][::-1]
    [backfill] = looks[0]["backfills"]
    for look in looks[1:]:
        assert [kept["backfill"] for kept in look["kept"]] == [backfill], (
            "under one key there is one"
        )
        assert "backfills" not in look
    # Each look recorded its two facts, at the positions that its row names.
    assert all(len(look["asset_events"]) == 2 for look in looks)
    made = arco.call("assets/numbers/materializations")[1]["items"]
    mine = made[: len(made) - len(before)][::-1]
    assert [one["position"] for one in mine] == [look["asset_events"][0] for look in looks]
    assert [one["metadata"]["look"]["value"] for one in mine] == [*range(1, len(looks) + 1)]
    assert all("run" not in one for one in mine)
    seen = arco.call("assets/total/observations")[1]["items"]
    assert seen[-1]["data_version"] == "v1"
    while arco.call(f"backfills/{backfill}")[1]["status"] != "succeeded":
        assert time.monotonic() < deadline, arco.errors.read_text()
        time.sleep(0.1)
    assert sorted(arco.ran()) == ["daily 2026-01-03", "daily 2026-01-04"]


def test_a_program_changes_dynamic_partitions_and_plans_backfills(arco: Arco) -> None:
    client = dg.ArcoClient(arco.url)
    client.add_dynamic_partitions("people", ["bob", "ann", "bob"])
    client.add_dynamic_partitions("people", ["ann", "cid"])
    assert client.get_dynamic_partitions("people") == ["bob", "ann", "cid"]
    client.delete_dynamic_partition("people", "ann")
    client.delete_dynamic_partition("people", "ann")
    assert client.get_dynamic_partitions("people") == ["bob", "cid"]
    assert client.has_dynamic_partition("people", "cid")
    assert not client.has_dynamic_partition("people", "ann")
    with pytest.raises(dg.ArcoApiError, match=r"\.\.\.") as raised:
        client.add_dynamic_partitions("people", ["a...b"])
    assert raised.value.code == "bad_partition"
    rows = arco.arco("partitions", "show", "people", "--json")["items"]
    assert [row["key"] for row in rows] == ["bob", "cid"]
    plan = client.plan_backfill("daily", all_partitions=True, refuse_left_out=True)
    assert (plan["partitions"], plan["runs"]) == (5, 5)

"""Reports to a control plane, played by a server of this test."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

import arco_flow as dg

Answers = list[tuple[int, dict[str, Any]]]


class Played:
    """Answers what it is told to, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: Answers = []
        self.asked: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        played = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["content-length"] or 0)
                body = json.loads(self.rfile.read(length) or b"{}")
                headers = {k.lower(): v for k, v in self.headers.items()}
                played.asked.append((self.path, headers, body))
                status, answer = played.answers.pop(0)
                text = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_PATCH = do_POST
            do_GET = do_POST

            def log_message(self, *args: Any) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def played() -> Iterator[Played]:
    server = Played()
    yield server
    server.server.shutdown()
    server.server.server_close()


GOOD = (201, {"created": True, "position": "5.0"})


def test_reports_say_what_dagster_s_events_say(played: Played) -> None:
    client = dg.ArcoClient(played.url, token="secret")
    played.answers = [GOOD, GOOD, GOOD]
    made = dg.AssetMaterialization(
        ["raw", "a"],
        metadata={"rows": 3},
        partition="x",
        tags={"dagster/data_version": "v1", "t": "1"},
    )
    assert client.report_runless_asset_event(made).position == "5.0"
    client.report_runless_asset_event(dg.AssetObservation("b", description="as seen"))
    judged = dg.AssetCheckEvaluation(
        dg.AssetKey("b"), "ok", False, {}, dg.AssetCheckSeverity.WARN, "why", None
    )
    client.report_runless_asset_event(judged)
    root = "/api/v1/workspaces/default/assets/"
    paths = [path.removeprefix(root) for path, _, _ in played.asked]
    assert paths == ["raw%2Fa/materializations", "b/observations", "b/checks"]
    bodies = [body for _, _, body in played.asked]
    rows = {"rows": {"type": "int", "value": 3}}
    assert bodies[0] == {
        "partition": "x",
        "metadata": rows,
        "data_version": "v1",
        "tags": {"t": "1"},
    }
    assert bodies[1] == {"description": "as seen"}
    assert bodies[2] == {"check": "ok", "passed": False, "severity": "WARN", "description": "why"}
    assert all(headers["authorization"] == "Bearer secret" for _, headers, _ in played.asked)


def test_a_server_that_is_away_is_asked_again_under_the_same_key(played: Played) -> None:
    played.answers = [(503, {"detail": "later", "code": "stopped"}), GOOD]
    assert dg.ArcoClient(played.url).report_materialization("a").created
    keys = {headers["idempotency-key"] for _, headers, _ in played.asked}
    assert len(played.asked) == 2
    assert len(keys) == 1


def test_a_refusal_is_told_with_its_code(played: Played) -> None:
    played.answers = [(422, {"detail": "asset `a` is not defined", "code": "unknown_asset"})]
    with pytest.raises(dg.ArcoApiError, match="asset `a` is not defined") as raised:
        dg.ArcoClient(played.url).report_observation("a", data_version="1")
    assert (raised.value.code, raised.value.status) == ("unknown_asset", 422)


def test_what_cannot_be_reported_is_told() -> None:
    with pytest.raises(dg.UsageError, match="is not the address of a server"):
        dg.ArcoClient("localhost:3000")
    with pytest.raises(dg.UsageError, match="cannot be reported"):
        dg.ArcoClient("http://127.0.0.1:1").report_runless_asset_event(3)  # type: ignore[arg-type]


SHOWN = {
    "id": "backfill_01JD5Z6Q8G7V9K3W2M4N5P6R7S",
    "status": "running",
    "state_version": 1,
    "progress": {"partitions": 31, "succeeded": 3, "failed": 1, "remaining": 27},
}
MADE = (201, {"created": True, "position": "5.0", "backfill": SHOWN})


def test_a_backfill_is_asked_for_as_the_api_wants_it(played: Played) -> None:
    client = dg.ArcoClient(played.url)
    played.answers = [MADE, MADE, (200, {"runs": 31})]
    made = client.create_backfill(
        "a+", partition_range=("2026-01-01", "2026-01-31"), concurrency=5, idempotency_key="k"
    )
    assert (made.partitions, made.succeeded, made.failed, made.remaining) == (31, 3, 1, 27)
    assert made.status == "running"
    assert not made.is_over
    client.create_backfill(["a"], statuses=["missing", "failed"], max_partitions_per_run=0)
    assert client.plan_backfill("a", all_partitions=True) == {"runs": 31}
    path, headers, body = played.asked[0]
    assert path == "/api/v1/workspaces/default/backfills"
    assert headers["idempotency-key"] == "k"
    assert body == {
        "selection": ["a+"],
        "partitions": {"keys": ["2026-01-01...2026-01-31"]},
        "concurrency": 5,
    }
    filtered = {"keys": [], "dimensions": {}, "statuses": ["failed", "missing"]}
    assert played.asked[1][2] == {
        "selection": ["a"],
        "partitions": {"filter": filtered},
        "partitions_per_run": 0,
    }
    assert played.asked[2][2] == {"selection": ["a"], "partitions": "all"}
    with pytest.raises(dg.UsageError, match="give one"):
        client.create_backfill("a", all_partitions=True, partition_keys=["x"])


def test_a_backfill_is_steered(played: Played) -> None:
    client = dg.ArcoClient(played.url)
    played.answers = [MADE] * 5
    ident = SHOWN["id"]
    assert isinstance(ident, str)
    client.pause_backfill(ident)
    client.resume_backfill(ident)
    client.cancel_backfill(ident, drain=True)
    client.retry_failed_backfill(ident)
    client.edit_backfill(ident, concurrency=3, runs_per_minute=0)
    root = f"/api/v1/workspaces/default/backfills/{ident}"
    asked = [(path.removeprefix(root), body) for path, _, body in played.asked]
    assert asked == [
        ("/pause", {}),
        ("/resume", {}),
        ("/cancel", {"drain": True}),
        ("/retry-failed", {}),
        ("", {"concurrency": 3, "runs_per_minute": 0}),
    ]


def test_dynamic_partitions_go_by_the_names_of_dagster_s_instance(played: Played) -> None:
    client = dg.ArcoClient(played.url)
    changed = (200, {"name": "raw/people", "keys": 2, "is_defined": True, "changed": 2})
    played.answers = [changed, changed, changed]
    client.add_dynamic_partitions("raw/people", ["bob", "ann"])
    client.add_dynamic_partitions("many", [str(n) for n in range(10_000)])
    client.delete_dynamic_partition("raw/people", "bob")
    client.add_dynamic_partitions("raw/people", [])
    root = "/api/v1/workspaces/default/dynamic-partitions/"
    assert [path.removeprefix(root) for path, _, _ in played.asked] == [
        "raw%2Fpeople/add",
        "many/add",
        "raw%2Fpeople/remove",
    ]
    assert played.asked[0][2] == {"keys": ["bob", "ann"]}
    assert played.asked[2][2] == {"keys": ["bob"]}
    played.answers = [changed] * 2
    client.add_dynamic_partitions("many", [str(n) for n in range(10_001)])
    assert [len(body["keys"]) for _, _, body in played.asked[3:]] == [10_000, 1]
    with pytest.raises(dg.UsageError, match=r"write \['ann'\]"):
        client.add_dynamic_partitions("people", "ann")

    pages: Answers = [
        (200, {"items": [{"key": "bob"}], "next_page_token": "a+b="}),
        (200, {"items": [{"key": "ann"}]}),
    ]
    played.answers = [*pages, *pages, *pages]
    assert client.get_dynamic_partitions("people") == ["bob", "ann"]
    assert played.asked[-1][0].endswith("people?limit=1000&page_token=a%2Bb%3D")
    assert client.has_dynamic_partition("people", "ann")
    assert not client.has_dynamic_partition("people", "cid")


def test_a_plan_is_refused_for_what_the_backfill_would_be_refused_for(played: Played) -> None:
    played.answers = [(200, {"partitions": 1}), (200, {"partitions": 1})]
    client = dg.ArcoClient(played.url)
    client.plan_backfill("a", all_partitions=True, refuse_left_out=True)
    client.plan_backfill("a", all_partitions=True)
    assert played.asked[0][2]["refuse_left_out"] is True
    assert "refuse_left_out" not in played.asked[1][2]

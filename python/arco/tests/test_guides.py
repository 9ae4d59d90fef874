"""What the guides show runs."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

import arco_flow as dg

GUIDES = Path(__file__).resolve().parents[3] / "docs" / "guide"


def test_the_guide_to_sensors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inbox").mkdir()
    for name in ("a.csv", "b.csv"):
        (tmp_path / "inbox" / name).touch()
    sent: list[str] = []
    holiday = datetime(2026, 1, 1, tzinfo=timezone.utc)
    names: dict[str, Any] = {"send_mail": sent.append, "HOLIDAYS": [holiday.date()]}
    blocks = re.findall(r"```python\n(.*?)```", (GUIDES / "sensors.md").read_text(), re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:
        exec(compile(block, "sensors.md", "exec"), names)
    names["test_new_files"]()
    defs = dg.Definitions.merge(names["defs"], dg.Definitions(schedules=[names["working_days"]]))
    manifest = defs.to_manifest("guide")
    assert [one["kind"] for one in manifest["sensors"]] == ["run_status", "poll", "push", "asset"]
    context = dg.build_schedule_context(scheduled_execution_time=holiday)
    assert names["working_days"](context) == dg.SkipReason("2026-01-01 is a holiday")
    run = dg.DagsterRun("run_1", "nightly", dg.DagsterRunStatus.FAILURE)
    failed = dg.build_run_status_sensor_context(
        "alert", dg.DagsterEvent("PIPELINE_FAILURE", message="no disk"), dagster_run=run
    )
    names["alert"](failed.for_run_failure())
    assert sent == ["nightly: no disk"]

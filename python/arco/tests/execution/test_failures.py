"""How a task fails: classes, messages, and tracebacks that show the user's frames alone."""

from __future__ import annotations

import sys

import pytest

import arco_flow as dg


def run(worker, fn, **lease):
    *facts, result = worker(dg.Definitions([dg.asset(name="a")(fn)]), "a", **lease)
    assert facts == []
    return result


def test_an_exception_of_user_code(worker) -> None:
    def helper():
        return {}["missing"]

    def a():
        try:
            helper()
        except KeyError as error:
            raise ValueError("no such column") from error

    result = run(worker, a)
    assert (result["ok"], result["class"], result["allow_retries"]) == (False, "user_code", True)
    assert (result["error"]["type"], result["error"]["message"]) == ("ValueError", "no such column")
    trace = result["error"]["traceback"]
    assert "in helper" in trace
    assert "KeyError: 'missing'" in trace
    assert "direct cause" in trace
    assert "arco_flow/_internal" not in trace


def test_retry_requested(worker) -> None:
    def a():
        raise dg.RetryRequested(max_retries=3, seconds_to_wait=1.5) from OSError("busy")

    result = run(worker, a)
    assert (result["class"], result["retry_after_ms"], result["max_retries"]) == (
        "retry_requested",
        1500,
        3,
    )
    assert "OSError: busy" in result["error"]["traceback"]


def test_a_body_that_gets_no_memory_ran_out_of_it(worker) -> None:
    def a():
        raise MemoryError("Unable to allocate 8.00 GiB")

    result = run(worker, a)
    assert (result["class"], result["allow_retries"]) == ("out_of_memory", True)
    assert result["error"]["message"] == "Unable to allocate 8.00 GiB"


def test_failure_may_forbid_retries_and_shows_its_metadata(worker) -> None:
    def a():
        raise dg.Failure("bad file", metadata={"rows": 0}, allow_retries=False)

    result = run(worker, a)
    assert (result["class"], result["allow_retries"]) == ("user_code", False)
    assert result["error"]["message"] == "bad file"
    assert result["error"]["traceback"].endswith("metadata:\n  rows = 0\n")


@pytest.mark.parametrize("stop", [dg.TaskCancelled, KeyboardInterrupt])
def test_cancellation_passes_except_exception(worker, stop) -> None:
    def a():
        try:
            raise stop
        except Exception:
            return "swallowed"

    assert run(worker, a)["class"] == "cancelled"


def test_sys_exit_is_a_failure_and_not_an_end(worker) -> None:
    result = run(worker, lambda: sys.exit(3))
    assert (result["class"], result["error"]["message"]) == (
        "user_code",
        "the function called sys.exit(3)",
    )


def test_an_exception_that_cannot_be_printed(worker) -> None:
    class Odd(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    def a():
        raise Odd

    assert run(worker, a)["error"]["message"] == "Odd"


def test_our_own_errors_have_the_name_users_import_and_no_frames(worker) -> None:
    error = worker(dg.Definitions(), "none")[-1]["error"]
    assert error["traceback"] == "arco_flow.UsageError: this location has no step `none`\n"


def test_a_group_of_exceptions_shows_its_members(worker) -> None:
    def a():
        raise ExceptionGroup("several", [ValueError("one"), TypeError("two")])

    trace = run(worker, a)["error"]["traceback"]
    assert "ValueError: one" in trace
    assert "TypeError: two" in trace


def test_a_value_that_cannot_be_pickled_is_an_io_failure(worker) -> None:
    result = run(worker, lambda: lambda: 1)
    assert result["class"] == "io"
    assert "the value of asset `a` cannot be pickled" in result["error"]["message"]
    assert list((worker.storage).rglob("*")) == []


def test_a_missing_upstream_value_is_an_io_failure_with_a_mend(worker) -> None:
    @dg.asset
    def up(): ...

    @dg.asset
    def a(up): ...

    (result,) = worker(dg.Definitions([up, a]), "a", inputs={"up": "up"})
    assert result["class"] == "io"
    assert "asset `up` has no stored value at " in result["error"]["message"]
    assert "name it in deps=[...] and not as the parameter `up`" in result["error"]["message"]


def test_an_exception_of_an_io_manager_keeps_its_type_and_frames(worker) -> None:
    class Broken(dg.IOManager):
        def handle_output(self, context, obj):
            raise ConnectionError("no route")

    defs = dg.Definitions([dg.asset(name="a")(lambda: 1)], resources={"io_manager": Broken()})
    (result,) = worker(defs, "a")
    assert (result["class"], result["error"]["type"]) == ("io", "ConnectionError")
    assert "in handle_output" in result["error"]["traceback"]
    assert "IOFailure" not in result["error"]["traceback"]


def test_facts_before_a_failure_stand(worker) -> None:
    @dg.multi_asset(specs=[dg.AssetSpec("x"), dg.AssetSpec("y")])
    def both():
        yield dg.MaterializeResult("x")
        raise ValueError("then")

    made, result = worker(dg.Definitions([both]), "both")
    assert (made["asset"], result["class"]) == ("x", "user_code")

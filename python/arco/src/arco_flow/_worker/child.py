"""A child: one task or one evaluation at a time, until told to leave.

Forked by the zygote it calls :func:`serve` with definitions that are already there; spawned, this
module is the program: ``python -m arco_flow._worker.child`` with ``ARCO_CHILD_FD`` set.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
from typing import Any, NoReturn

from arco_flow._worker import process, usercode
from arco_flow._worker.cancellation import Cancellation
from arco_flow._worker.capture import Streams, install_record_handler
from arco_flow._worker.frames import Channel, Message
from arco_flow._worker.usercode import Target

#: Exit code of a child that found the protocol broken: ours to mend, never the user's.
EXIT_PROTOCOL = 70


def serve(control: int, definitions: Any, load_error: BaseException | None = None) -> NoReturn:
    """The life of a child. Never returns."""
    from arco_flow import TaskCancelled

    cancellation = Cancellation(raises=TaskCancelled)
    cancellation.install()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A crash in C says where Python was, on the stderr of the task.
    faulthandler.enable(2)
    channel = Channel.from_descriptor(control, cancellation)
    streams = Streams()
    streams.detach()
    install_record_handler(channel)
    while True:
        message = channel.receive()
        if message is None or message["type"] == "exit":
            os._exit(0)
        if message["type"] not in ("task", "evaluation"):
            os._exit(EXIT_PROTOCOL)
        streams.attach(*channel.take_descriptors(2))
        if message["type"] == "evaluation":
            answer = _evaluate(message["question"], definitions, load_error, channel, cancellation)
            streams.flush()
            channel.send({"type": "evaluated", "answer": answer})
            streams.detach()
            cancellation.idle()
            continue
        lease = message["lease"]
        result = _run(lease, definitions, load_error, channel, cancellation)
        streams.flush()
        channel.send(result)
        streams.detach()
        if lease.get("isolation", "reuse") != "reuse":
            _leave(lease["isolation"])
        cancellation.idle()


class _Emitter:
    """What the SDK calls with each message of a task. The result is kept for last."""

    def __init__(self, channel: Channel, cancellation: Cancellation) -> None:
        self._channel = channel
        self._cancellation = cancellation
        self.result: Message | None = None

    def __call__(self, message: Message) -> None:
        if message["type"] == "result":
            # From here on a cancellation is too late, and must not disturb what follows.
            self._cancellation.finish()
            self.result = message
        else:
            self._channel.send(message)


def _run(
    lease: Message,
    definitions: Any,
    load_error: BaseException | None,
    channel: Channel,
    cancellation: Cancellation,
) -> Message:
    """Runs one body and gives its result."""
    from arco_flow import TaskCancelled
    from arco_flow._internal.execution import execute_task

    emit = _Emitter(channel, cancellation)
    error: BaseException | None = None
    try:
        with cancellation.running():
            if load_error is not None:
                channel.send({"type": "started"})
                raise load_error
            execute_task(definitions, lease, emit, usercode.storage_root())
    except (TaskCancelled, Exception) as raised:
        # The SDK makes a result of whatever a body raises: this was raised around it.
        error = raised
    result = emit.result or {
        "type": "result",
        "ok": False,
        "class": "cancelled" if isinstance(error, TaskCancelled) else "user_code",
        "error": usercode.describe_error(error or RuntimeError("the SDK gave no result")),
    }
    if cancellation.fired:
        result["interrupted"] = True
    return result


def _evaluate(
    question: Message,
    definitions: Any,
    load_error: BaseException | None,
    channel: Channel,
    cancellation: Cancellation,
) -> Message:
    """Asks one function of a schedule or sensor and gives its answer."""
    from arco_flow import TaskCancelled
    from arco_flow._internal.execution.evaluate import execute_evaluation

    channel.send({"type": "started"})
    error: BaseException | None = load_error
    try:
        with cancellation.running():
            if error is None:
                return execute_evaluation(
                    definitions,
                    question,
                    lambda wanted: channel.send({"type": "progress", "wanted": wanted}),
                )
    except (TaskCancelled, Exception) as raised:
        # The SDK makes an answer of whatever a function raises: this was raised around it.
        error = raised
    told = usercode.describe_error(error or RuntimeError("the SDK gave no answer"))
    return {"id": question["id"], "said": "raised", "error": told}


def _leave(isolation: str) -> NoReturn:
    """A forked child skips the exit handlers of libraries, which belong to the zygote."""
    if isolation == "spawn":
        sys.exit(0)
    os._exit(0)


def main() -> NoReturn:
    """A fresh interpreter for the location, started by the zygote."""
    process.line_buffer_c_stdout()
    control = int(os.environ.pop("ARCO_CHILD_FD"))
    os.set_inheritable(control, False)
    process.die_with_parent(int(os.environ.pop("ARCO_PARENT_PID")))
    target = Target.from_arguments(sys.argv[1:])
    definitions, load_error = None, None
    try:
        definitions = target.load()
    except Exception as error:
        load_error = error
    serve(control, definitions, load_error)


if __name__ == "__main__":
    main()

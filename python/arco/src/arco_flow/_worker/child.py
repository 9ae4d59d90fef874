"""A child: one task at a time, until told to leave.

Forked by the zygote it calls :func:`serve` with definitions that are already there; spawned, this
module is the program: ``python -m arco_flow._worker.child`` with ``ARCO_CHILD_FD`` set.
"""

from __future__ import annotations

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
    channel = Channel.from_descriptor(control, cancellation)
    streams = Streams()
    streams.detach()
    install_record_handler(channel)
    while True:
        message = channel.receive()
        if message is None or message["type"] == "exit":
            os._exit(0)
        if message["type"] != "task":
            os._exit(EXIT_PROTOCOL)
        streams.attach(*channel.take_descriptors(2))
        lease = message["lease"]
        result = _run(lease, definitions, load_error, channel, cancellation)
        streams.flush()
        channel.send(result)
        streams.detach()
        if lease.get("isolation", "reuse") != "reuse":
            _leave(lease["isolation"])
        cancellation.idle()


def _run(
    lease: Message,
    definitions: Any,
    load_error: BaseException | None,
    channel: Channel,
    cancellation: Cancellation,
) -> Message:
    """Runs one body. An exit that user code asks for (``sys.exit``) goes through: it is a crash."""
    from arco_flow import TaskCancelled
    from arco_flow._internal.execution import execute_task

    result: Message
    try:
        with cancellation.running():
            channel.send({"type": "started"})
            if load_error is not None:
                raise load_error
            result = execute_task(definitions, lease, channel.send, usercode.storage_root())
    except TaskCancelled as error:
        result = _failed("cancelled", error)
    except Exception as error:
        result = _failed("user_code", error)
    except SystemExit as error:
        _exit_as_asked(error)
    if cancellation.fired:
        result["interrupted"] = True
    return result


def _failed(kind: str, error: BaseException) -> Message:
    return {
        "type": "result",
        "ok": False,
        "class": kind,
        "allow_retries": True,
        "error": usercode.describe_error(error),
    }


def _exit_as_asked(error: SystemExit) -> NoReturn:
    """``sys.exit`` in a body ends the process, as it would anywhere; the host calls it a crash."""
    import traceback

    traceback.print_exception(type(error), error, error.__traceback__)
    Streams.flush()
    code = error.code
    os._exit(code & 0xFF if isinstance(code, int) else 0 if code is None else 1)


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

"""How an exception is told to people: user frames and the chain of causes, without our own frames."""

from __future__ import annotations

import os
import traceback

from arco_flow._internal.errors import ArcoError

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_TEXT_MAX = 64 * 1024


def describe(error: BaseException) -> dict[str, str]:
    """`type` (class name), `message` (one line or more) and `traceback` (text) of an exception."""
    return {
        "type": type(error).__name__,
        "message": _message(error),
        "traceback": user_traceback(error),
    }


def user_traceback(error: BaseException) -> str:
    """The traceback as Python prints it, frames of the SDK and of the import system left out.

    When nothing else is left they stay, for then the fault is ours; unless the exception is an
    `ArcoError`, whose message says all.
    """
    told = traceback.TracebackException.from_exception(error, compact=True)
    seen: set[int] = set()
    pending = [told]
    while pending:
        one = pending.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        kept = [frame for frame in one.stack if not _is_ours(frame.filename)]
        if kept:
            one.stack = traceback.StackSummary.from_list(kept)
        elif issubclass(one.exc_type or Exception, ArcoError):
            one.stack = None  # type: ignore[assignment]  # Our own word to the user: where we said it helps nobody.
        pending.extend(
            other
            for other in (one.__cause__, one.__context__, *(one.exceptions or ()))
            if other is not None
        )
    text = "".join(told.format())
    return text if len(text) <= _TEXT_MAX else f"[...]\n{text[-_TEXT_MAX:]}"


def _is_ours(filename: str) -> bool:
    return filename.startswith((_PACKAGE, "<frozen ", "<arco"))


def _message(error: BaseException) -> str:
    try:
        return str(error) or type(error).__name__
    except Exception:
        return type(error).__name__

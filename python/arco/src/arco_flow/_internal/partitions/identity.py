"""The one text of a partition in events, state and URLs, the same as in Rust.

A partition is a list of (dimension, value). One dimension is called `_`. A time key stands as
`d:<text>` when it has only characters that need no escape, every other value as `s:<base64url>`;
dimensions are sorted by name. People see the values alone, joined by `|`.
`golden/partition_identity.json` holds both sides to it.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence
from typing import TypeAlias

from arco_flow._internal.errors import UsageError

ONE = "_"
Dimension: TypeAlias = tuple[str, str, str]
"""Name, `time` or `text`, value."""

_PLAIN = re.compile(r"[0-9A-Za-z:+.-]+\Z")
_NAME = re.compile(r"[A-Za-z0-9_]+\Z")
_BASE64 = re.compile(r"[A-Za-z0-9_-]*\Z")


def canonical(dimensions: Sequence[Dimension]) -> str:
    """The text of a partition: `_=d:2013-01-01`."""
    return ",".join(f"{name}={_typed(kind, value)}" for name, kind, value in _sorted(dimensions))


def display(dimensions: Sequence[Dimension]) -> str:
    """What people see and type: the values, in order of dimension names."""
    return "|".join(value for _, _, value in _sorted(dimensions))


def parse(text: str) -> list[Dimension]:
    """The dimensions of a canonical text.

    Raises:
        UsageError: When the text is not the one text of a partition.
    """
    found = [_dimension(part, text) for part in text.split(",")]
    names = [name for name, _, _ in found]
    if names != sorted(set(names)) or (ONE in names and len(names) > 1):
        raise _refused(text, "dimensions are given once, sorted by name")
    return found


def _sorted(dimensions: Sequence[Dimension]) -> list[Dimension]:
    return sorted(dimensions, key=lambda dimension: dimension[0].encode("utf-8"))


def _typed(kind: str, value: str) -> str:
    if kind == "time" and _PLAIN.match(value):
        return f"d:{value}"
    return "s:" + urlsafe_b64encode(value.encode("utf-8")).decode("ascii").rstrip("=")


def _dimension(part: str, text: str) -> Dimension:
    name, equals, typed = part.partition("=")
    if not equals or not _NAME.match(name):
        raise _refused(text, "a dimension is `name=value`")
    kind, _, value = typed.partition(":")
    if kind == "d" and _PLAIN.match(value):
        return name, "time", value
    if kind == "s" and typed.startswith("s:") and _BASE64.match(value):
        return name, "text", _decoded(value, text)
    raise _refused(text, "a value is `d:` and a time key, or `s:` and base64url")


def _decoded(value: str, text: str) -> str:
    try:
        decoded = urlsafe_b64decode(value + "=" * (-len(value) % 4)).decode("utf-8")
    except (Base64Error, UnicodeDecodeError) as error:
        raise _refused(text, "a value is base64url of UTF-8") from error
    if _typed("text", decoded) != f"s:{value}":
        raise _refused(text, "a value is base64url without padding or spare bits")
    return decoded


def _refused(text: str, why: str) -> UsageError:
    return UsageError(f"`{text}` is no partition: {why}")

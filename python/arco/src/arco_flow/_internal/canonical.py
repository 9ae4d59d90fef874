"""Canonical JSON: RFC 8785, the one text of a value, and its digest.

Versions of definitions are digests of this text. Rust writes the same bytes;
`golden/canonical.json` holds both to it.
"""

from __future__ import annotations

import hashlib
import math
from json.encoder import encode_basestring as _quote
from typing import Any

from arco_flow._internal.errors import UsageError

_EXACT_MAX = 2**53


def dumps(value: Any) -> str:
    """The canonical JSON text of `value`: dict, list, tuple, str, int, float, bool or None.

    Raises:
        UsageError: For what JSON cannot say (NaN, infinities, other types, keys that are not text)
            or can say only with loss (integers beyond 2**53).
    """
    out: list[str] = []
    _write(value, out)
    return "".join(out)


def dumpb(value: Any) -> bytes:
    """The canonical JSON bytes of `value`: UTF-8."""
    return dumps(value).encode("utf-8")


def digest(value: Any) -> str:
    """sha256 of the canonical JSON of `value`, 64 hexadecimal digits."""
    return hashlib.sha256(dumpb(value)).hexdigest()


def _write(value: Any, out: list[str]) -> None:
    if value is None:
        out.append("null")
    elif value is True:
        out.append("true")
    elif value is False:
        out.append("false")
    elif isinstance(value, str):
        out.append(_string(value))
    elif isinstance(value, int):
        out.append(_integer(int(value)))
    elif isinstance(value, float):
        out.append(_number(float(value)))
    elif isinstance(value, dict):
        _write_object(value, out)
    elif isinstance(value, (list, tuple)):
        out.append("[")
        for at, item in enumerate(value):
            if at:
                out.append(",")
            _write(item, out)
        out.append("]")
    else:
        raise UsageError(f"{type(value).__name__} is not JSON: {value!r}")


def _write_object(value: dict[Any, Any], out: list[str]) -> None:
    for key in value:
        if not isinstance(key, str):
            raise UsageError(f"keys of JSON objects are text, not {key!r}")
    out.append("{")
    # RFC 8785 §3.2.3 sorts by UTF-16 code units, which differs from code points beyond U+FFFF.
    for at, key in enumerate(sorted(value, key=_utf16)):
        if at:
            out.append(",")
        out.append(_string(key))
        out.append(":")
        _write(value[key], out)
    out.append("}")


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-be", "surrogatepass")


def _string(text: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UsageError(f"{text!r} has a lone surrogate, which JSON cannot carry") from error
    # Escapes exactly what RFC 8785 §3.2.2.2 asks: quote, backslash and U+0000 to U+001F, the short
    # forms where there are such.
    return _quote(text)


def _integer(value: int) -> str:
    text = str(value)
    # JSON numbers are doubles: beyond 2**53 a text stands only when reading it gives it back.
    if abs(value) > _EXACT_MAX and (abs(value) >= 10**21 or _number(float(value)) != text):
        raise UsageError(f"{value} is beyond 2**53 and would lose digits in JSON; give it as text")
    return text


def _number(value: float) -> str:
    """A double as ECMAScript prints it (RFC 8785 §3.2.2.3)."""
    if not math.isfinite(value):
        raise UsageError(f"{value} is not a JSON number")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    # Python's repr gives the shortest digits that read back, which are ECMAScript's digits; only
    # the layout differs.
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    if fraction == "0":
        fraction = ""
    digits = (whole + fraction).lstrip("0")
    point = int(exponent or 0) + len(whole) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    return sign + _layout(digits, point)


def _layout(digits: str, point: int) -> str:
    """`digits` with the decimal point after the first `point` of them."""
    count = len(digits)
    if count <= point <= 21:
        return digits + "0" * (point - count)
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return "0." + "0" * -point + digits
    exponent = f"e{'+' if point > 0 else '-'}{abs(point - 1)}"
    return f"{digits[0]}{'.' + digits[1:] if count > 1 else ''}{exponent}"

"""Reads the selection language (L-1 to L-11).

query := expr
expr  := or-chain of and-chains of [not] traversals
trav  := [N+] operand [+N]
operand := attribute | sinks(expr) | roots(expr) | (expr) | *
"""

from __future__ import annotations

import re
from typing import NamedTuple, NoReturn

from arco_flow._internal.errors import UsageError
from arco_flow._internal.names import did_you_mean
from arco_flow._internal.selection import ast

NAMES = (
    "key", "tag", "owner", "group", "kind", "is", "code_location", "status", "column", "table_name",
    "column_tag", "changed_in_branch", "partitions", "automation_type", "sensor", "schedule", "job",
)  # fmt: skip
_WORDS = {
    "is": ("external", "materializable"),
    "partitions": ("none", "static", "dynamic", "time", "multipartitions"),
}

_TOKEN = re.compile(
    r'\s*(?:(?P<quoted>"(?:[^"\\\n\r]|\\.)*")|(?P<null><null>)|(?P<word>[A-Za-z_*][A-Za-z0-9_*/]*)'
    r"|(?P<digits>\d+)|(?P<sign>[():=+])|(?P<stray>\S))"
)
_BARE = re.compile(r"(\*?\+*)([\w./\[\]?-]+)(\+*\*?)\Z")


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


def parse(text: str) -> ast.AssetSelection:
    """The selection of a text.

    Raises:
        UsageError: When the text is none; says where and what was expected.
    """
    try:
        return _Parser(text).query()
    except UsageError:
        older = _bare(text.strip()) or _tag(text)
        if older is None:
            raise
        return older


def _bare(text: str) -> ast.AssetSelection | None:
    """A bare key with `+` and `*` around it, Dagster's older language (L-11)."""
    found = _BARE.match(text)
    return found and ast.Bare(found.group(2), _levels(found.group(1)), _levels(found.group(3)))


def _levels(signs: str) -> int | None:
    return None if "*" in signs else len(signs)


def _tag(text: str) -> ast.AssetSelection | None:
    """`tag:` with anything after it that has no sign of the grammar."""
    name, _, rest = text.partition(":")
    key, _, value = rest.partition("=")
    plain = not any(sign in key or sign in value for sign in '="()<>')
    return ast.Tag(key, value) if name == "tag" and key and plain else None


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[_Token] = []
        self.at = 0
        for match in _TOKEN.finditer(text):
            kind = match.lastgroup or "stray"
            self.tokens.append(_Token(kind, match.group(kind), match.start(kind)))
        self.tokens.append(_Token("end", "", len(text)))

    def query(self) -> ast.AssetSelection:
        """The whole text."""
        found = self._or()
        if self._peek().kind != "end":
            self._fail(self._peek().at, "`and`, `or` or the end")
        return found

    def _or(self) -> ast.AssetSelection:
        found = self._and()
        while self._word("or", "OR"):
            found = found | self._and()
        return found

    def _and(self) -> ast.AssetSelection:
        found = self._not()
        while self._word("and", "AND"):
            found = found & self._not()
        return found

    def _not(self) -> ast.AssetSelection:
        if self._word("not", "NOT"):
            return ast.Not(self._not())
        if self._peek().text == "*":
            self.at += 1
            return ast.All()
        return self._traversal()

    def _traversal(self) -> ast.AssetSelection:
        up, up_depth = self._up()
        operand = self._operand()
        down, down_depth = self._down()
        if up and down:
            return ast.Or((ast.Up(operand, up_depth), ast.Down(operand, down_depth)))
        if up:
            return ast.Up(operand, up_depth)
        return ast.Down(operand, down_depth) if down else operand

    def _up(self) -> tuple[bool, int | None]:
        token = self._peek()
        if token.kind == "digits":
            self.at += 1
            self._sign("+")
            return True, int(token.text)
        return self._take("+"), None

    def _down(self) -> tuple[bool, int | None]:
        if not self._take("+"):
            return False, None
        if self._peek().kind == "digits":
            self.at += 1
            return True, int(self.tokens[self.at - 1].text)
        return True, None

    def _operand(self) -> ast.AssetSelection:
        token = self._peek()
        if self._take("("):
            found = self._or()
            self._sign(")")
            return found
        if token.kind != "word":
            self._fail(token.at, 'an attribute like `key:"a"`, a function or `(`')
        self.at += 1
        if token.text in ("sinks", "roots") and self._take("("):
            found = self._or()
            self._sign(")")
            return ast.Ends(token.text, found)
        return self._attribute(token)

    def _attribute(self, name: _Token) -> ast.AssetSelection:
        if name.text not in NAMES:
            self._fail(
                name.at,
                f"an attribute{did_you_mean(name.text, NAMES) or ': ' + ', '.join(NAMES[:6])}",
            )
        self._sign(":")
        value = self._value(wild=name.text == "key")
        words = _WORDS.get(name.text)
        if words and value not in words and not (value is None and name.text == "partitions"):
            self._fail(self.tokens[self.at - 1].at, " or ".join(f"`{word}`" for word in words))
        if name.text == "partitions" and value == "none":
            value = None
        if name.text in ("tag", "column_tag") and value is not None:
            second = self._value(wild=False) or "" if self._take("=") else ""
            return ast.Tag(value, second, name.text)
        return ast.Attribute(name.text, value)

    def _value(self, wild: bool) -> str | None:
        token = self._peek()
        self.at += 1
        if token.kind == "null" and not wild:
            return None
        if token.kind == "quoted":
            return re.sub(r"\\(.)", r"\1", token.text[1:-1])
        if token.kind == "word" and (wild or "*" not in token.text):
            return token.text
        return self._fail(
            token.at,
            "a value; put it in quotes when it has other characters than letters, digits, `_` and `/`",
        )

    def _peek(self) -> _Token:
        return self.tokens[self.at]

    def _word(self, *words: str) -> bool:
        token = self._peek()
        if token.kind == "word" and token.text in words:
            self.at += 1
            return True
        return False

    def _take(self, sign: str) -> bool:
        if self._peek().text == sign and self._peek().kind == "sign":
            self.at += 1
            return True
        return False

    def _sign(self, sign: str) -> None:
        if not self._take(sign):
            self._fail(self._peek().at, f"`{sign}`")

    def _fail(self, at: int, expected: str) -> NoReturn:
        rest = self.text[at:].strip()
        raise UsageError(
            f"selection `{self.text}` cannot be read at {f'`{rest}`' if rest else 'its end'}: expected {expected}"
        )

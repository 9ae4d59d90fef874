"""Selections built in Python print as the language that the command line reads."""

from __future__ import annotations

import pytest

import arco_flow as dg

S = dg.AssetSelection


@pytest.mark.parametrize(
    ("selection", "text"),
    [
        (S.all(), "*"),
        (S.keys("a"), 'key:"a"'),
        (S.keys("m/e", dg.AssetKey(["a/b"])), r'key:"m/e" or key:"a\\/b"'),
        (S.assets(dg.AssetSpec("a"), "b"), 'key:"a" or key:"b"'),
        (S.groups("g1", "g2"), 'group:"g1" or group:"g2"'),
        (S.groups("g") | S.keys("a") | S.kind("k"), 'group:"g" or key:"a" or kind:"k"'),
        ((S.keys("a") | S.keys("b")) & S.groups("g"), '(key:"a" or key:"b") and group:"g"'),
        (S.all() - S.keys("a"), '* and (not key:"a")'),
        (S.keys("a") - (S.keys("b") | S.keys("c")), 'key:"a" and (not (key:"b" or key:"c"))'),
        (S.keys("a").upstream(), '+key:"a"'),
        (S.keys("a").upstream(1) & S.keys("b").downstream(2), '1+key:"a" and key:"b"+2'),
        (S.keys("a", "b").upstream(), '+(key:"a" or key:"b")'),
        (S.keys("a").downstream(include_self=False), 'key:"a"+ and (not key:"a")'),
        (S.keys("a").roots() | S.all().sinks(), 'roots(key:"a") or sinks(*)'),
        (S.tag("k", "v"), 'tag:"k"="v"'),
        (S.tag_string("k"), 'tag:"k"'),
        (S.owner("team:x"), 'owner:"team:x"'),
        (S.key_prefixes("m"), '(key:"m" or key:"m/*") and is:materializable'),
    ],
)
def test_text_and_back(selection, text) -> None:
    assert str(selection) == text
    assert str(S.from_string(text)) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a and b", "expected an attribute"),
        ("kye:a", "did you mean `key`"),
        ("key:a-b", "expected `and`, `or` or the end"),
        ("owner:me@x.io", "at `@x.io`"),
        ("(key:a", "at its end: expected `)`"),
        ("is:foo", "expected `external` or `materializable`"),
        ("", "at its end"),
        ("2key:a", "expected `+`"),
    ],
)
def test_what_cannot_be_read_says_where(text, expected) -> None:
    with pytest.raises(dg.UsageError) as raised:
        S.from_string(text)
    assert f"selection `{text}` cannot be read" in str(raised.value)
    assert expected in str(raised.value)


def test_an_unknown_bare_key_is_told_and_an_unknown_attribute_chooses_nothing() -> None:
    a = dg.asset(name="sales")(lambda: 1)
    assert S.from_string("key:saels").resolve([a]) == set()
    with pytest.raises(dg.UsageError, match="there is no asset `saels`; did you mean `sales`"):
        S.from_string("saels").resolve([a])
    with pytest.raises(dg.UsageError, match="`status:` cannot be answered from definitions"):
        S.from_string("status:x").resolve([a])

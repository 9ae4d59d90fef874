"""What names, groups, tags, kinds and owners may look like (M-10 to M-14, R-49).

Each function returns the value it was given, checked, or raises with the rule and an example.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from arco_flow._internal.errors import DefinitionError

_NAME = re.compile(r"[A-Za-z0-9_]+\Z")
_GROUP = re.compile(r"[A-Za-z0-9_]+(/[A-Za-z0-9_]+)*\Z")
_TAG_PART = re.compile(r"[A-Za-z0-9_.-]{1,63}\Z")
_TAG_VALUE = re.compile(r"[A-Za-z0-9_.-]{0,63}\Z")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+\Z")
_TEAM = re.compile(r"team:\S(.*\S)?\Z")
_KINDS_MAX = 10
KIND_TAG = "dagster/kind/"
"""A tag of this name is a kind by its older spelling (M-12)."""


def check_name(name: str, what: str) -> str:
    """A name of letters, digits and underscores (M-10).

    Differs from Dagster: the empty name is refused.
    """
    if not isinstance(name, str) or not _NAME.match(name):
        raise DefinitionError(
            f"{name!r} is no name for {what}: names are letters, digits and underscores, like "
            "`daily_sales`; to use other characters, or parts, give `key=`"
        )
    return name


def check_group(group: str, asset: str) -> str:
    """A group: names separated by slashes (M-11)."""
    if not isinstance(group, str) or not _GROUP.match(group):
        raise DefinitionError(
            f"group {group!r} of asset `{asset}`: groups are letters, digits and underscores, "
            "with slashes between levels, like `sales` or `sales/eu`"
        )
    return group


def check_tags(tags: Mapping[str, str] | None, asset: str) -> dict[str, str]:
    """Tags of an asset: strict in key and value (R-49)."""
    checked: dict[str, str] = {}
    for key, value in (tags or {}).items():
        parts = key.removeprefix(KIND_TAG).split("/") if isinstance(key, str) else []
        if not 1 <= len(parts) <= 2 or not all(_TAG_PART.match(part) for part in parts):
            raise DefinitionError(
                f"tag key {key!r} of asset `{asset}`: a key is `name` or `prefix/name`, each at most "
                "63 characters of letters, digits, `_`, `.` and `-`"
            )
        if not isinstance(value, str) or not _TAG_VALUE.match(value):
            raise DefinitionError(
                f"value {value!r} of tag `{key}` of asset `{asset}`: a value is text of at most 63 "
                "characters of letters, digits, `_`, `.` and `-`; it may be empty"
            )
        checked[key] = value
    return checked


def check_run_tag_key(key: object, of: str) -> None:
    """The key of a tag of a run: a name with or without a prefix (R-49)."""
    parts = key.split("/") if isinstance(key, str) else []
    if not 1 <= len(parts) <= 2 or not all(_TAG_PART.match(part) for part in parts):
        raise DefinitionError(
            f"tag key {key!r} of {of}: a key is `name` or `prefix/name`, each at most 63 characters of "
            "letters, digits, `_`, `.` and `-`"
        )


def check_kinds(kinds: Iterable[str] | None, asset: str) -> frozenset[str]:
    """Kinds: at most 10 (M-12)."""
    if isinstance(kinds, str):
        raise DefinitionError(f"kinds of asset `{asset}` is a set, write kinds={{{kinds!r}}}")
    checked = frozenset(kinds or ())
    if len(checked) > _KINDS_MAX:
        raise DefinitionError(
            f"asset `{asset}` has {len(checked)} kinds, at most {_KINDS_MAX} are allowed; "
            "use tags for the others"
        )
    for kind in checked:
        if not isinstance(kind, str) or not _TAG_PART.match(kind):
            raise DefinitionError(
                f"kind {kind!r} of asset `{asset}`: a kind is at most 63 letters, digits, `_`, `.` "
                "and `-`, like `parquet`"
            )
    return checked


def check_owners(owners: Sequence[str] | None, asset: str) -> tuple[str, ...]:
    """Owners: e-mail addresses or `team:NAME` (M-13).

    Differs from Dagster: short domains (`a@b.c`) are accepted.
    """
    if isinstance(owners, str):
        raise DefinitionError(f"owners of asset `{asset}` is a list, write owners=[{owners!r}]")
    for owner in owners or ():
        if not isinstance(owner, str) or not (_EMAIL.match(owner) or _TEAM.match(owner)):
            raise DefinitionError(
                f"owner {owner!r} of asset `{asset}` is neither an e-mail address nor `team:NAME`"
            )
    return tuple(owners or ())


def did_you_mean(word: str, known: Iterable[str], shown: Mapping[str, str] | None = None) -> str:
    """`; did you mean `x`?` when a known word is close, else nothing; `shown` gives other texts."""
    from difflib import get_close_matches

    close = get_close_matches(word, list(known), n=3, cutoff=0.6)
    texts = [(shown or {}).get(one, one) for one in close]
    return "; did you mean " + " or ".join(f"`{text}`" for text in texts) + "?" if close else ""

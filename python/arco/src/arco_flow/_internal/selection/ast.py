"""What a selection is, and its canonical text, which the command line and the API read.

`str(selection)` gives the text: `+key:"daily_sales" and group:"sales"`. The grammar and what it
means are those of statements L-1 to L-15; the Rust side reads the same language.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, Union

from arco_flow._internal.errors import UsageError
from arco_flow._internal.keys import (
    AssetCheckKey,
    AssetKey,
    AssetLike,
    CoercibleToAssetKey,
    key_of,
)

if TYPE_CHECKING:
    pass

CoercibleToAssetSelection: TypeAlias = Union[
    "AssetSelection", str, AssetKey, AssetLike, Sequence[str], Sequence[AssetLike]
]


class AssetSelection:
    """A choice of assets. Make it with the static methods; join with `|`, `&` and `-` (L-1).

    `str()` of it is the text for `arco run` and the API. Differs from Dagster: a negation of a joined
    selection prints with its parentheses (L-15), and checks are chosen with their assets.
    """

    @staticmethod
    def all(include_sources: bool = False) -> AssetSelection:
        """Every asset that is made here; external ones too with `include_sources` (L-4)."""
        return Or((All(), Attribute("is", "external"))) if include_sources else All()

    @staticmethod
    def keys(*asset_keys: CoercibleToAssetKey) -> AssetSelection:
        """Assets by key; in a text, slashes part the key (M-9)."""
        keys = [
            AssetKey.from_user_string(k) if isinstance(k, str) else AssetKey.from_coercible(k)
            for k in asset_keys
        ]
        return _union([_key(key) for key in keys])

    @staticmethod
    def assets(*assets_defs: AssetLike) -> AssetSelection:
        """Assets by their functions, specs or keys."""
        found: list[AssetKey] = []
        for one in assets_defs:
            specs = getattr(one, "specs", None)
            found += [spec.key for spec in specs] if specs else [key_of(one)]
        return _union([_key(key) for key in found])

    @staticmethod
    def groups(*group_strs: str, include_sources: bool = False) -> AssetSelection:
        """Assets of groups, those that are made here (L-4)."""
        _no_sources(include_sources)
        return _union([Attribute("group", group) for group in group_strs])

    @staticmethod
    def key_substring(key_substring: str, include_sources: bool = False) -> AssetSelection:
        """Assets whose key, as text, holds this."""
        chosen = Attribute("key", f"*{key_substring}*")
        return chosen if include_sources else And((chosen, Attribute("is", "materializable")))

    @staticmethod
    def checks(*assets_defs_or_check_keys: Any) -> AssetSelection:
        """Checks alone, by their functions or keys; no assets."""
        keys: list[AssetCheckKey] = []
        for one in assets_defs_or_check_keys:
            if isinstance(one, AssetCheckKey):
                keys.append(one)
            else:
                found = getattr(one, "check_keys", None)
                if found is None:
                    raise UsageError(f"{one!r} is neither a check nor an AssetCheckKey")
                keys += list(found)
        return Checks(tuple(dict.fromkeys(keys)))

    @staticmethod
    def checks_for_assets(*assets_defs: AssetLike) -> AssetSelection:
        """All checks of assets, without the assets."""
        chosen = AssetSelection.assets(*assets_defs)
        return ChecksOf(chosen)

    @staticmethod
    def all_asset_checks() -> AssetSelection:
        """All checks, without assets."""
        return ChecksOf(None)

    @staticmethod
    def key_prefixes(
        *key_prefixes: CoercibleToAssetKey, include_sources: bool = False
    ) -> AssetSelection:
        """Assets whose keys begin with these parts."""
        keys = [
            AssetKey.from_user_string(k) if isinstance(k, str) else AssetKey.from_coercible(k)
            for k in key_prefixes
        ]
        texts = [key.to_user_string() for key in keys]
        chosen = _union(
            [Attribute("key", text) for prefix in texts for text in (prefix, f"{prefix}/*")]
        )
        return chosen if include_sources else And((chosen, Attribute("is", "materializable")))

    @staticmethod
    def tag(key: str, value: str, include_sources: bool = False) -> AssetSelection:
        """Assets with this tag and value, those that are made here (L-6)."""
        _no_sources(include_sources)
        return Tag(key, value)

    @staticmethod
    def tag_string(string: str, include_sources: bool = False) -> AssetSelection:
        """Assets with the tag `key=value`, or `key` with the empty value."""
        key, _, value = string.partition("=")
        return AssetSelection.tag(key, value, include_sources)

    @staticmethod
    def kind(kind: str | None, include_sources: bool = False) -> AssetSelection:
        """Assets of this kind, those that are made here; None is those without kinds."""
        _no_sources(include_sources)
        return Attribute("kind", kind)

    @staticmethod
    def owner(owner: str | None) -> AssetSelection:
        """Assets with this owner; None is those without owners."""
        return Attribute("owner", owner)

    @staticmethod
    def from_string(string: str, include_sources: bool = False) -> AssetSelection:
        """Reads the selection language.

        Raises:
            UsageError: When the text is none; says where.
        """
        del include_sources
        from arco_flow._internal.selection.parse import parse

        return parse(string)

    @staticmethod
    def from_coercible(selection: CoercibleToAssetSelection) -> AssetSelection:
        """The selection itself, of a text, of keys or functions, or of a list of these (their union)."""
        if isinstance(selection, AssetSelection):
            return selection
        if isinstance(selection, str):
            return AssetSelection.from_string(selection)
        if isinstance(selection, AssetCheckKey):
            return AssetSelection.checks(selection)
        if isinstance(selection, (list, tuple)):
            return _union([AssetSelection.from_coercible(one) for one in selection])
        return AssetSelection.assets(selection)  # type: ignore[arg-type]

    def upstream(self, depth: int | None = None, include_self: bool = True) -> AssetSelection:
        """With ancestors, all or up to `depth` levels; external ones are left out (L-5)."""
        chosen = Up(self, depth)
        return chosen if include_self else chosen - self

    def downstream(self, depth: int | None = None, include_self: bool = True) -> AssetSelection:
        """With descendants, all or up to `depth` levels."""
        chosen = Down(self, depth)
        return chosen if include_self else chosen - self

    def roots(self) -> AssetSelection:
        """Those without a parent among them (L-9)."""
        return Ends("roots", self)

    def sinks(self) -> AssetSelection:
        """Those without a child among them (L-9)."""
        return Ends("sinks", self)

    def sources(self) -> AssetSelection:
        """As `roots`, by its older name."""
        return self.roots()

    def upstream_source_assets(self) -> AssetSelection:
        """The external assets that these read, and those of them that are external."""
        return Sources(self)

    def required_multi_asset_neighbors(self) -> AssetSelection:
        """With the assets that the same functions make."""
        return Neighbors(self)

    def without_checks(self) -> AssetSelection:
        """The assets, and none of their checks.

        Checks that the function of an asset judges itself come with the asset all the same.
        """
        return WithoutChecks(self)

    def materializable(self) -> AssetSelection:
        """Those that are made here."""
        return And((self, Attribute("is", "materializable")))

    def resolve(self, all_assets: Any, allow_missing: bool = False) -> set[AssetKey]:
        """The keys chosen, among a `Definitions` or a list of assets and specs.

        Args:
            all_assets: What there is.
            allow_missing: Whether a key that is not defined chooses nothing.

        Raises:
            UsageError: When a bare key is not defined (L-12).
        """
        from arco_flow._internal.definitions import Definitions
        from arco_flow._internal.selection.evaluate import evaluate

        defs = all_assets if isinstance(all_assets, Definitions) else Definitions(assets=all_assets)
        return evaluate(self, defs.graph(), allow_missing)

    def resolve_checks(self, all_assets: Any) -> set[AssetCheckKey]:
        """The checks chosen: those of the assets chosen, unless checks were chosen by name."""
        from arco_flow._internal.definitions import Definitions
        from arco_flow._internal.selection.evaluate import evaluate_checks

        defs = all_assets if isinstance(all_assets, Definitions) else Definitions(assets=all_assets)
        return evaluate_checks(self, defs.graph())

    def __or__(self, other: CoercibleToAssetSelection) -> AssetSelection:
        return _join(Or, self, AssetSelection.from_coercible(other))

    def __and__(self, other: CoercibleToAssetSelection) -> AssetSelection:
        return _join(And, self, AssetSelection.from_coercible(other))

    def __sub__(self, other: CoercibleToAssetSelection) -> AssetSelection:
        return _join(And, self, Not(AssetSelection.from_coercible(other)))

    def to_selection_str(self) -> str:
        """The text, as `str()`."""
        return str(self)


@dataclass(frozen=True)
class All(AssetSelection):
    """`*`."""

    def __str__(self) -> str:
        return "*"


@dataclass(frozen=True)
class Attribute(AssetSelection):
    """`name:"value"`; None is `<null>`."""

    name: str
    value: str | None

    def __str__(self) -> str:
        if self.value is None:
            return f"{self.name}:<null>"
        if self.name == "is":
            return f"is:{self.value}"
        return f"{self.name}:{quoted(self.value)}"


@dataclass(frozen=True)
class Key(Attribute):
    """`key:"value"` of an asset that was named in Python: it must be defined."""

    def __str__(self) -> str:
        return super().__str__()


@dataclass(frozen=True)
class Tag(AssetSelection):
    """`tag:"key"="value"`; `name` may be another attribute of that shape."""

    key: str
    value: str
    name: str = "tag"

    def __str__(self) -> str:
        return f"{self.name}:{quoted(self.key)}" + (f"={quoted(self.value)}" if self.value else "")


@dataclass(frozen=True)
class Bare(AssetSelection):
    """`++name*`: one defined asset with levels of parents and children; None is all (L-11)."""

    key: str
    up: int | None = 0
    down: int | None = 0

    def __str__(self) -> str:
        up = "*" if self.up is None else "+" * self.up
        return up + self.key + ("*" if self.down is None else "+" * self.down)


@dataclass(frozen=True)
class Up(AssetSelection):
    """`N+x`."""

    child: AssetSelection
    depth: int | None

    def __str__(self) -> str:
        return ("" if self.depth is None else str(self.depth)) + "+" + _traversed(self.child)


@dataclass(frozen=True)
class Down(AssetSelection):
    """`x+N`."""

    child: AssetSelection
    depth: int | None

    def __str__(self) -> str:
        return _traversed(self.child) + "+" + ("" if self.depth is None else str(self.depth))


@dataclass(frozen=True)
class Ends(AssetSelection):
    """`roots(x)` or `sinks(x)`."""

    function: str
    child: AssetSelection

    def __str__(self) -> str:
        return f"{self.function}({self.child})"


@dataclass(frozen=True)
class Not(AssetSelection):
    """`not x`."""

    child: AssetSelection

    def __str__(self) -> str:
        return f"not ({self.child})" if isinstance(self.child, (And, Or)) else f"not {self.child}"


@dataclass(frozen=True)
class And(AssetSelection):
    """`x and y`."""

    operands: tuple[AssetSelection, ...]

    def __str__(self) -> str:
        return " and ".join(_operand(one) for one in self.operands)


@dataclass(frozen=True)
class Or(AssetSelection):
    """`x or y`; of none, nothing."""

    operands: tuple[AssetSelection, ...]

    def __str__(self) -> str:
        if not self.operands:
            raise UsageError("a selection of nothing has no text")
        return " or ".join(_operand(one) for one in self.operands)


@dataclass(frozen=True)
class Checks(AssetSelection):
    """Checks by key; no assets. The language of the command line has no word for it."""

    keys_: tuple[AssetCheckKey, ...]

    def __str__(self) -> str:
        raise _no_text("checks")


@dataclass(frozen=True)
class ChecksOf(AssetSelection):
    """All checks of some assets, None of all; no assets."""

    child: AssetSelection | None

    def __str__(self) -> str:
        raise _no_text("checks")


@dataclass(frozen=True)
class WithoutChecks(AssetSelection):
    """Assets without their checks."""

    child: AssetSelection

    def __str__(self) -> str:
        return str(self.child)


@dataclass(frozen=True)
class Sources(AssetSelection):
    """External assets directly upstream."""

    child: AssetSelection

    def __str__(self) -> str:
        raise _no_text("upstream_source_assets")


@dataclass(frozen=True)
class Neighbors(AssetSelection):
    """With what the same functions make."""

    child: AssetSelection

    def __str__(self) -> str:
        raise _no_text("required_multi_asset_neighbors")


def _no_text(what: str) -> UsageError:
    return UsageError(
        f"the selection language has no word for {what}; give the object to define_asset_job, or resolve it"
    )


def children(selection: AssetSelection) -> tuple[AssetSelection, ...]:
    """The selections a selection is made of."""
    match selection:
        case And(operands) | Or(operands):
            return operands
        case Up(child, _) | Down(child, _) | Ends(_, child) | Not(child):
            return (child,)
        case WithoutChecks(child) | Sources(child) | Neighbors(child):
            return (child,)
        case ChecksOf(child) if child is not None:
            return (child,)
        case _:
            return ()


def holds(selection: AssetSelection, kinds: tuple[type, ...]) -> bool:
    """Whether a selection, or one it is made of, is of these kinds."""
    return isinstance(selection, kinds) or any(holds(one, kinds) for one in children(selection))


CHECK_KINDS = (Checks, ChecksOf, WithoutChecks)
"""Selections that say something about checks."""
TEXTLESS = (Checks, ChecksOf, Sources, Neighbors)
"""Selections that the language has no words for: their keys are written out."""


def quoted(text: str) -> str:
    """The text in quotes, as the language has it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _operand(one: AssetSelection) -> str:
    return f"({one})" if isinstance(one, (And, Or, Not)) else str(one)


def _traversed(one: AssetSelection) -> str:
    return str(one) if isinstance(one, (Attribute, Tag, Ends)) else f"({one})"


def _no_sources(include_sources: bool) -> None:
    if include_sources:
        raise UsageError(
            "include_sources is not supported here; add external assets by key: | AssetSelection.keys(...)"
        )


def _key(key: AssetKey) -> AssetSelection:
    return Key("key", key.to_user_string())


def texts(selection: AssetSelection) -> list[str]:
    """The selection as texts whose union it is, in the grammar alone, for a manifest.

    Older spellings such as `*name` are written out: they are read on their own only (L-11).
    """
    operands = selection.operands if isinstance(selection, Or) else (selection,)
    return [str(written_out(one)) for one in operands]


def written_out(selection: AssetSelection) -> AssetSelection:
    """The same selection without older spellings."""
    match selection:
        case Bare(key, up, down):
            one = Attribute("key", key)
            ways: list[AssetSelection] = [] if up == 0 else [Up(one, up)]
            ways += [] if down == 0 else [Down(one, down)]
            return _union(ways or [one])
        case Up(child, depth):
            return Up(written_out(child), depth)
        case Down(child, depth):
            return Down(written_out(child), depth)
        case Ends(function, child):
            return Ends(function, written_out(child))
        case Not(child):
            return Not(written_out(child))
        case And(operands):
            return And(tuple(written_out(one) for one in operands))
        case Or(operands):
            return Or(tuple(written_out(one) for one in operands))
        case WithoutChecks(child):
            return written_out(child)
        case _:
            return selection


def _union(chosen: Iterable[AssetSelection]) -> AssetSelection:
    operands = tuple(dict.fromkeys(chosen))
    return operands[0] if len(operands) == 1 else Or(operands)


def _join(
    kind: type[And] | type[Or], left: AssetSelection, right: AssetSelection
) -> AssetSelection:
    """Joins two, flat where they are of the same kind."""
    flat: list[AssetSelection] = []
    for one in (left, right):
        flat += one.operands if isinstance(one, (And, Or)) and type(one) is kind else [one]
    return kind(tuple(flat))

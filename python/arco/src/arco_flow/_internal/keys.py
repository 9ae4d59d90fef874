"""Names of assets and checks.

A key is a list of parts. Its text form joins them with `/`; a slash or backslash inside a part is
escaped by a backslash, so that text and parts are one to one (M-9). The Rust side has the same rules;
`golden/asset_key.json` holds both to them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, Union

from arco_flow._internal.errors import DefinitionError

if TYPE_CHECKING:
    from arco_flow._internal.assets import AssetsDefinition
    from arco_flow._internal.specs import AssetSpec, SourceAsset

CoercibleToAssetKey: TypeAlias = Union["AssetKey", str, Sequence[str]]
"""An `AssetKey`, one part as text, or the parts in a list."""

AssetLike: TypeAlias = Union[
    "AssetKey", str, Sequence[str], "AssetSpec", "AssetsDefinition[..., Any]", "SourceAsset"
]
"""Anything that names one asset."""


class AssetKey:
    """The name of an asset: one or more parts.

    `AssetKey("a/b")` is **one** part that contains a slash, as in Dagster; use
    `AssetKey(["a", "b"])` or `AssetKey.from_user_string("a/b")` for two (M-9).

    Differs from Dagster: no part may be empty, and `to_user_string` escapes slashes inside parts.

    Raises:
        DefinitionError: When there is no part, a part is empty, or a part is not text.
    """

    __slots__ = ("_hash", "_text", "path")

    path: list[str]

    def __init__(self, path: str | Sequence[str]) -> None:
        parts = [path] if isinstance(path, str) else list(path)
        if not parts or not all(isinstance(part, str) and part for part in parts):
            raise DefinitionError(
                f"an asset key is one or more non-empty texts, not {path!r}; "
                'write AssetKey("sales") or AssetKey(["raw", "sales"])'
            )
        self.path = parts
        self._text = "/".join(part.replace("\\", "\\\\").replace("/", "\\/") for part in parts)
        self._hash = hash(self._text)

    @property
    def parts(self) -> Sequence[str]:
        """The parts, unescaped."""
        return self.path

    def to_user_string(self) -> str:
        """The text form: parts joined by `/`, slashes and backslashes inside parts escaped."""
        return self._text

    def to_escaped_user_string(self) -> str:
        """The same as `to_user_string`, which always escapes here."""
        return self._text

    def to_python_identifier(self, suffix: str | None = None) -> str:
        """Parts joined by `__`, other characters as `_`: the name of the step that makes the asset."""
        name = "__".join(
            "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in part)
            for part in self.path
        )
        return name if suffix is None else f"{name}__{suffix}"

    @staticmethod
    def from_user_string(asset_key_string: str) -> AssetKey:
        """The key of a text form: split at slashes that are not escaped."""
        parts, part, escaped = [], "", False
        for c in asset_key_string:
            if escaped:
                part, escaped = part + c, False
            elif c == "\\":
                escaped = True
            elif c == "/":
                parts.append(part)
                part = ""
            else:
                part += c
        if escaped:
            raise DefinitionError(f"asset key `{asset_key_string}` ends in a lone backslash")
        return AssetKey([*parts, part])

    from_escaped_user_string = from_user_string

    @staticmethod
    def from_coercible(arg: CoercibleToAssetKey) -> AssetKey:
        """The key itself, or the key of one part or a list of parts."""
        if isinstance(arg, AssetKey):
            return arg
        if isinstance(arg, (str, list, tuple)):
            return AssetKey(arg)
        raise DefinitionError(
            f"{arg!r} does not name an asset; give a text, a list of texts or an AssetKey"
        )

    def has_prefix(self, prefix: Sequence[str]) -> bool:
        """Whether the key begins with these parts."""
        return len(self.path) >= len(prefix) and self.path[: len(prefix)] == list(prefix)

    def with_prefix(self, prefix: str | Sequence[str]) -> AssetKey:
        """A key with these parts in front."""
        return AssetKey([*([prefix] if isinstance(prefix, str) else prefix), *self.path])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AssetKey) and self._text == other._text

    def __hash__(self) -> int:
        return self._hash

    def __lt__(self, other: AssetKey) -> bool:
        return self._text < other._text

    def __str__(self) -> str:
        return f"AssetKey({self.path})"

    def __repr__(self) -> str:
        return f"AssetKey({self.path})"

    def __reduce__(self) -> tuple[type[AssetKey], tuple[list[str]]]:
        return AssetKey, (self.path,)


class AssetCheckKey:
    """The name of a check: its asset and its name, which is unique for the asset."""

    __slots__ = ("asset_key", "name")

    def __init__(self, asset_key: CoercibleToAssetKey, name: str) -> None:
        self.asset_key = AssetKey.from_coercible(asset_key)
        self.name = name

    def to_user_string(self) -> str:
        """`asset:check`."""
        return f"{self.asset_key.to_user_string()}:{self.name}"

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, AssetCheckKey)
            and self.asset_key == other.asset_key
            and self.name == other.name
        )

    def __hash__(self) -> int:
        return hash((self.asset_key, self.name))

    def __lt__(self, other: AssetCheckKey) -> bool:
        return (self.asset_key, self.name) < (other.asset_key, other.name)

    def __repr__(self) -> str:
        return f"AssetCheckKey(asset_key={self.asset_key!r}, name={self.name!r})"


def key_of(asset: AssetLike) -> AssetKey:
    """The key of anything that names one asset."""
    key = getattr(asset, "key", None)
    if isinstance(key, AssetKey):
        return key
    if callable(asset):
        name = getattr(asset, "__name__", repr(asset))
        raise DefinitionError(
            f"the function `{name}` is no asset; did you forget to decorate it with `@asset`?"
        )
    return AssetKey.from_coercible(asset)  # type: ignore[arg-type]

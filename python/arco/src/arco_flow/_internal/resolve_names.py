"""Which asset a name means, and what to say of a name that means none (M-5)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from arco_flow._internal.assets import (
    AssetChecksDefinition,
    AssetsDefinition,
    LoadedInput,
    StepDefinition,
)
from arco_flow._internal.definitions import Definitions
from arco_flow._internal.deps import AssetDep
from arco_flow._internal.errors import DefinitionError
from arco_flow._internal.graph import Edge
from arco_flow._internal.keys import AssetKey
from arco_flow._internal.names import did_you_mean
from arco_flow._internal.specs import DEFAULT_GROUP, AssetSpec


class Names:
    """What keys there are, and which one a name means."""

    def __init__(self, defs: Definitions) -> None:
        self.made: dict[AssetKey, AssetsDefinition[..., Any]] = {}
        self.external: dict[AssetKey, AssetSpec] = {}
        self.groups: dict[AssetKey, str] = {}
        for definition in defs.assets:
            if isinstance(definition, AssetsDefinition):
                for spec in definition.specs:
                    self._make(spec, definition)
        for definition in defs.assets:
            if isinstance(definition, AssetSpec) and definition.key not in self.made:
                # Two bare specs of one key are one (M-6); the later adds nothing.
                self.external.setdefault(definition.key, definition)
                self.groups.setdefault(definition.key, definition.group)

    def _make(self, spec: AssetSpec, definition: AssetsDefinition[..., Any]) -> None:
        other = self.made.get(spec.key)
        if other is not None:
            key = spec.key.to_user_string()
            raise DefinitionError(
                f"asset `{key}` is defined twice: by {place(other)} and by {place(definition)}; give one of "
                f'them another name, or a prefix: @asset(key_prefix="...")'
            )
        self.made[spec.key] = definition
        self.groups[spec.key] = spec.group

    def known(self) -> Iterable[str]:
        return [key.to_user_string() for key in self.groups]

    def find(
        self, key: AssetKey, group: str | None, own: Iterable[AssetKey] = ()
    ) -> AssetKey | None:
        """The asset a key means: itself, else the only one of the group that ends so (M-5).

        Differs from Dagster: when the asset that asks (`own`) is one of two, it means the other; and
        `deps=["raw/x"]` finds the asset of two parts.
        """
        if key in self.groups:
            return key
        if len(key.path) != 1:
            return None
        if group is not None:
            same = [k for k, g in self.groups.items() if g == group and k.path[-1] == key.path[0]]
            if len(same) > 1:
                same = [k for k in same if k not in own]
            if len(same) == 1:
                return same[0]
        if "/" in key.path[0]:
            split = AssetKey.from_user_string(key.path[0])
            return split if split in self.groups else None
        return None

    def loaded(
        self, step: StepDefinition[..., Any], group: str | None, own: Iterable[AssetKey] = ()
    ) -> tuple[Edge, ...]:
        """The edges of the parameters of a step.

        Raises:
            DefinitionError: For a parameter that names no asset.
        """
        edges = []
        for one in step.loaded:
            key = self.find(one.key, group, own)
            if key is None:
                raise DefinitionError(self._unknown(step, one))
            edges.append(Edge(key, one.param, one.mapping, one.metadata, one.annotation))
        return tuple(edges)

    def ordered(
        self, deps: Iterable[AssetDep], group: str | None, own: Iterable[AssetKey] = ()
    ) -> tuple[Edge, ...]:
        """The edges of `deps=`; unknown keys become external assets (M-5)."""
        edges = []
        for dep in deps:
            key = self.find(dep.asset_key, group, own) or self._external(dep.asset_key)
            edges.append(Edge(key, None, dep.partition_mapping, dep.metadata, Any))
        return tuple(edges)

    def _external(self, key: AssetKey) -> AssetKey:
        self.external[key] = AssetSpec(key)
        self.groups[key] = DEFAULT_GROUP
        return key

    def _unknown(self, step: StepDefinition[..., Any], one: LoadedInput) -> str:
        text = one.key.to_user_string()
        what = f"parameter `{one.param}` of {place(step)} names no asset"
        if one.exact:
            what = f"parameter `{one.param}` of {place(step)} loads asset `{text}`, which is not defined"
        # Keys of several parts are near when their last part is.
        near = {k.path[-1]: k.to_user_string() for k in self.groups}
        close = did_you_mean(text, self.known())
        if not close and not one.exact:
            close = did_you_mean(one.param, near, near)
        elsewhere = f'AssetSpec("{text}") in Definitions(assets=[...]) when it is made elsewhere'
        if not one.exact:
            return (
                f"{what}{close}; a parameter is the name of an upstream asset, or has the annotation of a "
                f'resource. Write ins={{"{one.param}": AssetIn(key=...)}} for an asset of another name, or '
                f"{elsewhere}"
            )
        return f"{what}{close or '; define it, or write ' + elsewhere}"


def place(step: StepDefinition[..., Any]) -> str:
    """``function `f` (file.py:12)``."""
    name = getattr(step.fn, "__name__", step.step_name)
    code = getattr(step.fn, "__code__", None)
    where = f" ({code.co_filename.rpartition('/')[2]}:{code.co_firstlineno})" if code else ""
    kind = "check" if isinstance(step, AssetChecksDefinition) else "function"
    return f"{kind} `{name}`{where}"

"""The sensor over several assets, and what it keeps between its calls."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from arco_flow._internal.automation import events
from arco_flow._internal.automation.context import (
    MultiAssetSensorEvaluationContext,
)
from arco_flow._internal.automation.results import SensorExecutionData, read_sensor
from arco_flow._internal.automation.sensor_definition import SensorDefinition, SensorOptions
from arco_flow._internal.errors import DefinitionError, UsageError
from arco_flow._internal.keys import AssetKey, AssetLike, key_of
from arco_flow._internal.selection.ast import AssetSelection

if TYPE_CHECKING:
    from arco_flow._internal.definitions import Definitions

#: What a multi-asset sensor keeps of what is not consumed: so many records, and so many bytes of cursor.
UNCONSUMED_MAX = 500
UNCONSUMED_BYTES_MAX = 256 * 1024


class MultiAssetSensorDefinition(SensorDefinition):
    """A function that is told what was made of several assets. Made by `@multi_asset_sensor`."""

    kind = "asset"

    def __init__(
        self,
        name: str | None,
        monitored_assets: Sequence[AssetLike] | AssetSelection,
        fn: Callable[..., Any],
        options: SensorOptions,
    ) -> None:
        self._declare(name, fn, options)
        if isinstance(monitored_assets, (str, AssetKey)):
            raise DefinitionError(
                f"monitored_assets of {self._of} is a list; write monitored_assets=[{monitored_assets!r}]"
            )
        self._selection = monitored_assets if isinstance(monitored_assets, AssetSelection) else None
        self._watched: tuple[AssetKey, ...] = ()
        if not isinstance(monitored_assets, AssetSelection):
            self._watched = tuple(dict.fromkeys(key_of(one) for one in monitored_assets))
            if not self._watched:
                raise DefinitionError(f"{self._of} watches nothing; name monitored_assets")

    def asset_keys(self, defs: Definitions) -> tuple[AssetKey, ...]:
        """The assets it watches."""
        if self._selection is None:
            return self._watched
        from arco_flow._internal.selection.evaluate import evaluate

        try:
            keys = evaluate(self._selection, defs.graph())
        except UsageError as error:
            raise DefinitionError(f"{self._of}: {error}") from error
        if not keys:
            raise DefinitionError(f"{self._of} watches nothing: its selection chooses no asset")
        return tuple(sorted(keys))

    def evaluate(self, given: tuple[Any, ...]) -> SensorExecutionData:
        """Calls the function and reads what it gave; its cursor is not the function's to set."""
        result = self.function.call(given, given[0].resources)
        data = read_sensor(result, self._of, self.target, None)
        if data.cursor is not None:
            raise UsageError(
                f"{self._of} gave SensorResult(cursor=...); its cursor keeps what is not consumed: call "
                "context.advance_all_cursors()"
            )
        return data

    def evaluate_queue(
        self,
        defs: Definitions,
        cursor: str | None,
        queue: Sequence[Mapping[str, Any]],
        make: Callable[..., MultiAssetSensorEvaluationContext],
    ) -> tuple[SensorExecutionData, str | None]:
        """Calls the function once with all that is not consumed.

        Args:
            defs: The definitions of the location.
            cursor: What was not consumed before.
            queue: What was made since.
            make: Makes the context of asset keys and records.

        Returns:
            What it asks for, and the cursor that keeps what is not consumed now.
        """
        items: dict[tuple[str, str | None], Mapping[str, Any]] = {}
        for item in [*self._kept(cursor), *queue]:
            place = (item["asset"], item.get("partition"))
            # The newest stands for older ones, and at the end.
            items.pop(place, None)
            items[place] = item
        context = make(self.asset_keys(defs), [events.entry_of(item) for item in items.values()])
        data = self.evaluate((context,))
        left = {one.position for one in context.unconsumed}
        kept = [item for item in items.values() if item["position"] in left]
        return data, self._keep(kept, context)

    def _kept(self, cursor: str | None) -> list[Mapping[str, Any]]:
        if not cursor:
            return []
        try:
            return list(json.loads(cursor)["unconsumed"])
        except (ValueError, TypeError, KeyError) as error:
            raise UsageError(
                f"the cursor of {self._of} is not one that it wrote; delete it: `arco sensor cursor {self.name} "
                "--delete`"
            ) from error

    def _keep(
        self, kept: list[Mapping[str, Any]], context: MultiAssetSensorEvaluationContext
    ) -> str | None:
        if not kept:
            return None
        text = _cursor(kept)
        if len(text) > UNCONSUMED_BYTES_MAX:
            context.log.warning("metadata of what is not consumed is too large, and is not kept")
            kept = [{k: v for k, v in item.items() if k != "metadata"} for item in kept]
            text = _cursor(kept)
        dropped = 0
        while len(kept) > UNCONSUMED_MAX or len(text) > UNCONSUMED_BYTES_MAX:
            over = len(kept) - UNCONSUMED_MAX
            more = over if over > 0 else max(1, len(kept) // 10)
            dropped += more
            kept = kept[more:]
            text = _cursor(kept)
        if dropped:
            context.log.warning(
                "%d materializations that were not consumed are dropped, oldest first; a multi-asset sensor keeps "
                "at most %d: call advance_cursor or advance_all_cursors",
                dropped,
                UNCONSUMED_MAX,
            )
        return text

    def _context_for_tests(self) -> Any:
        raise UsageError(
            f"{self._of} needs a context; write build_multi_asset_sensor_context(monitored_assets=[...], "
            "records=[EventLogEntry(...)])"
        )

    def _watches(self, defs: Definitions) -> dict[str, Any]:
        return {"assets": [key.to_user_string() for key in self.asset_keys(defs)]}


def _cursor(items: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps({"unconsumed": items}, separators=(",", ":"), ensure_ascii=False)

"""The example's definitions run in process, without a server."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import arco_flow as dg

from definitions import defs

RAW = ("raw_flights", "raw_weather", "airlines", "airports", "planes")
DAILY = ("flights", "weather", "flights_enriched", "carrier_delays", "airport_weather_delays")


class Pipeline:
    """The definitions with their output in a folder of the test."""

    def __init__(self, folder: Path, **resources: Any) -> None:
        self.resources = {
            **defs.resources,
            "io_manager": dg.ParquetIOManager(base_dir=str(folder)),
            **resources,
        }

    def materialize(
        self, assets: Sequence[str], partition: str | None = None, *, succeeds: bool = True
    ) -> Any:
        """Materializes some assets, one partition of each, and their checks."""
        result = dg.materialize(
            [*defs.assets, *defs.asset_checks],
            selection=list(assets),
            partition_key=partition,
            resources=self.resources,
            raise_on_error=succeeds,
        )
        assert result.success == succeeds
        return result

"""The assets without a server: `materialize` makes them here and now."""

import arco_flow as dg
from PROJECT.definitions import defs, not_empty, numbers


def test_a_day_has_numbers():
    result = dg.materialize([numbers, not_empty], partition_key="2026-01-03")
    assert result.success
    assert result.asset_value("numbers") == [0, 1, 2]


def test_definitions_hold_together():
    dg.Definitions.validate_loadable(defs)

"""A layered graph: BENCH_WIDE x BENCH_DEEP assets; node (l, j) loads (l-1, j) and (l-1, j+1).

Each body returns 1, which the default IO manager stores. BENCH_ISOLATION says how a body is kept
apart from the others.
"""

import os
from typing import Any

import arco_flow as dg

WIDE = int(os.environ.get("BENCH_WIDE", "10"))
DEEP = int(os.environ.get("BENCH_DEEP", "10"))
ISOLATION: Any = os.environ.get("BENCH_ISOLATION", "reuse")


def name(layer: int, column: int) -> str:
    return f"n{layer}_{column}"


def node(layer: int, column: int) -> dg.AssetsDefinition:
    above = {name(layer - 1, column), name(layer - 1, (column + 1) % WIDE)} if layer else set()

    @dg.asset(
        name=name(layer, column),
        ins={upstream: dg.AssetIn(upstream) for upstream in sorted(above)},
        isolation=ISOLATION,
    )
    def body(**upstreams: int) -> int:
        return 1

    return body


defs = dg.Definitions(assets=[node(layer, column) for layer in range(DEEP) for column in range(WIDE)])

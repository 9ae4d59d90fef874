"""BENCH_ASSETS (default 1) trivial unpartitioned assets without dependencies."""

import os

import arco_flow as dg


def trivial(index: int) -> dg.AssetsDefinition:
    @dg.asset(name=f"a{index}")
    def body() -> int:
        return 1

    return body


defs = dg.Definitions(assets=[trivial(i) for i in range(int(os.environ.get("BENCH_ASSETS", "1")))])

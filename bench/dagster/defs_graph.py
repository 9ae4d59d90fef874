"""A layered graph: BENCH_WIDE x BENCH_DEEP assets; node (l,j) loads (l-1,j) and (l-1,j+1)."""
import os
import dagster as dg

W = int(os.environ.get("BENCH_WIDE", "10"))
D = int(os.environ.get("BENCH_DEEP", "10"))
EXEC = os.environ.get("BENCH_EXECUTOR", "default")


def name(l, j):
    return f"n{l}_{j}"


def mk(l, j):
    deps = sorted({name(l - 1, j), name(l - 1, (j + 1) % W)}) if l else []

    @dg.asset(name=name(l, j), ins={d: dg.AssetIn(d) for d in deps})
    def _a(**upstreams):
        return 1
    return _a


assets = [mk(l, j) for l in range(D) for j in range(W)]
kw = {}
if EXEC == "inproc":
    kw["executor"] = dg.in_process_executor
elif EXEC.startswith("mp"):
    kw["executor"] = dg.multiprocess_executor.configured({"max_concurrent": int(EXEC[2:])})
elif EXEC.startswith("fork"):
    kw["executor"] = dg.multiprocess_executor.configured(
        {"max_concurrent": int(EXEC[4:]), "start_method": {"forkserver": {"preload_modules": ["dagster"]}}})
defs = dg.Definitions(assets=assets, jobs=[dg.define_asset_job("all", selection="*")], **kw)

"""The manifest: definitions of a code location as JSON, the same for the same code everywhere.

Absent rather than null; lists sorted by key or name. Its canonical JSON is digested by the control
plane, so a deploy that changes nothing is no event.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping
from typing import Any

from arco_flow._internal.assets import AssetsDefinition, StepDefinition
from arco_flow._internal.config_schema import config_schema, resource_schema
from arco_flow._internal.definitions import Definitions
from arco_flow._internal.errors import DefinitionError
from arco_flow._internal.graph import AssetNode, CheckNode, Edge, Graph
from arco_flow._internal.graph_assets import GraphAssets, OpSource, OpStep
from arco_flow._internal.metadata import metadata_json
from arco_flow._internal.observations import is_observable
from arco_flow._internal.version import __version__

FORMAT = 1


def manifest(defs: Definitions, location: str) -> dict[str, Any]:
    """The manifest of `defs` as the location `location`.

    Raises:
        DefinitionError: When the definitions do not resolve, or hold what JSON cannot say.
    """
    if not location:
        raise DefinitionError("a code location has a name; give --location NAME")
    graph = defs.graph()
    return {
        "format": FORMAT,
        "location": location,
        "sdk": {
            "name": "arco-flow",
            "version": __version__,
            "language": f"python {platform.python_version()}",
        },
        "assets": [_asset(node) for node in graph.assets.values()],
        "checks": [_check(node) for node in graph.checks.values()],
        "steps": [_step(step, graph) for step in graph.steps.values()],
        "resources": [_resource(name, defs.resources[name]) for name in sorted(defs.resources)],
        "jobs": [node.definition.to_json(node) for node in defs.job_nodes().values()],
        "schedules": defs.schedules_json(),
        "sensors": defs.sensors_json(),
    }


def _asset(node: AssetNode) -> dict[str, Any]:
    spec = node.spec
    return _present(
        key=spec.key.to_user_string(),
        step=_maker(node),
        group=spec.group,
        description=spec.description,
        kinds=sorted(spec.kinds),
        tags=dict(sorted(spec.tags.items())),
        owners=list(spec.owners),
        code_version=spec.code_version,
        metadata=metadata_json(spec.metadata),
        partitions=spec.partitions_def.to_json() if spec.partitions_def else None,
        backfill_policy=_backfill_policy(node),
        io_manager=node.io_manager if node.step else None,
        skippable=True if node.step and spec.skippable else None,
        deps=_deps(node.edges),
    )


def _backfill_policy(node: AssetNode) -> dict[str, int] | None:
    if not isinstance(node.step, AssetsDefinition) or node.step.options.backfill_policy is None:
        return None
    return node.step.options.backfill_policy.to_json()


def _maker(node: AssetNode) -> str | None:
    if isinstance(node.step, GraphAssets):
        return node.step.maker(node.spec.key).step_name
    return node.step.step_name if node.step else None


def _check(node: CheckNode) -> dict[str, Any]:
    spec = node.spec
    # A check that the step of its asset judges is judged for the partition that is made.
    within = isinstance(node.step, AssetsDefinition)
    partitions = spec.partitions_def or (node.step.partitions_def if within else None)
    return _present(
        asset=node.edges[0].key.to_user_string(),
        name=spec.name,
        step=node.step.step_name,
        blocking=spec.blocking,
        description=spec.description,
        partitions=partitions.to_json() if partitions else None,
        deps=_deps(node.edges, ordered=False),
        metadata=metadata_json(spec.metadata),
    )


def _op(step: OpStep, graph: Graph) -> dict[str, Any]:
    """What an op has beside what every step has."""
    return _present(
        kind="op",
        outputs=sorted(spec.key.to_user_string() for spec in step.makes.values()),
        graph=step.graph.step_name,
        deps=_deps(graph.op_edges[step.step_name]),
        inputs=[
            _present(
                param=one.param,
                sources=[_source(source) for source in one.sources],
                list=one.is_list or None,
            )
            for one in step.inputs
        ],
        values=[
            _present(
                name=name,
                optional=not out.is_required or None,
                dynamic=out.is_dynamic or None,
                asset=step.makes[name].key.to_user_string() if name in step.makes else None,
            )
            for name, out in step.outs.items()
        ],
        over=_source(step.over) if step.over else None,
    )


def _source(source: OpSource) -> dict[str, Any]:
    return _present(step=source.step, output=source.output, all=source.all or None)


def _step(step: StepDefinition[..., Any], graph: Graph) -> dict[str, Any]:
    if isinstance(step, OpStep):
        return {**_common(step, graph), **_op(step, graph)}
    return _common(step, graph)


def _common(step: StepDefinition[..., Any], graph: Graph) -> dict[str, Any]:
    options = step.options
    makes = isinstance(step, AssetsDefinition)
    checks = graph.checks_of(step)
    timeout = options.timeout_seconds
    return _present(
        name=step.step_name,
        kind="observe" if is_observable(step) else "asset" if makes else "check",
        outputs=sorted(key.to_user_string() for key in step.keys)
        if isinstance(step, AssetsDefinition)
        else [],
        can_subset=True if isinstance(step, AssetsDefinition) and step.can_subset else None,
        checks=[[node.edges[0].key.to_user_string(), node.spec.name] for node in checks],
        config_schema=config_schema(step),
        resources=sorted(step.required_resource_keys),
        retry=options.retry_policy.to_json() if options.retry_policy else None,
        timeout_ms=None if timeout is None else max(1, round(timeout * 1000)),
        memory_limit_bytes=options.memory_limit,
        # What earlier tasks left in a process must not count.
        isolation="fork"
        if options.memory_limit is not None and options.isolation == "reuse"
        else options.isolation,
        pool=options.pool,
        op_tags=_plain(options.op_tags, step.step_name),
    )


def _resource(name: str, value: Any) -> dict[str, Any]:
    return _present(name=name, config_schema=resource_schema(value))


def _deps(edges: Iterable[Edge], ordered: bool = True) -> list[dict[str, Any]]:
    """Edges by key, or as given: a check's begin with its asset."""
    found = sorted(edges, key=lambda edge: (edge.key, edge.param or "")) if ordered else list(edges)
    return [
        _present(
            asset=edge.key.to_user_string(),
            param=edge.param,
            mapping=edge.mapping.to_json() if edge.mapping else None,
        )
        for edge in found
    ]


def _present(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _plain(tags: Mapping[str, Any], step: str) -> dict[str, Any]:
    from arco_flow._internal import canonical
    from arco_flow._internal.errors import UsageError

    try:
        canonical.dumps(dict(tags))
    except UsageError as error:
        raise DefinitionError(f"op_tags of `{step}` cannot be said in JSON: {error}") from error
    return dict(sorted(tags.items()))

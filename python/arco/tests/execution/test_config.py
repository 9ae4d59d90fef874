"""Configuration and resources of a task: pydantic paths, environment variables, life cycles."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

import arco_flow as dg


class Inner(dg.Config):
    depth: int = 1


class FlightsConfig(dg.Config):
    limit: int = 10
    inner: Inner = Inner()
    name: str = "x"


seen: list[object] = []


@pytest.fixture(autouse=True)
def forget():
    seen.clear()


@dg.asset
def flights(context: dg.AssetExecutionContext, config: FlightsConfig):
    seen.append((config.limit, config.inner.depth, config.name, context.op_config))


def ops(**config):
    return {"ops": {"flights": {"config": config}}}


def test_config_is_read_with_its_defaults(worker) -> None:
    defs = dg.Definitions([flights])
    assert worker(defs, "flights")[-1]["ok"]
    assert worker(defs, "flights", config=ops(limit=3, inner={"depth": 2}))[-1]["ok"]
    assert seen == [(10, 1, "x", {}), (3, 2, "x", {"limit": 3, "inner": {"depth": 2}})]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (ops(limit="x"), "ops.flights.config.limit: Input should be a valid integer"),
        (
            ops(inner={"depth": None}),
            "ops.flights.config.inner.depth: Input should be a valid integer",
        ),
        (ops(limti=3), "ops.flights.config.limti: this field is not known"),
        ({"ops": {"flights": {"config": [1]}}}, "ops.flights.config: Input should be a mapping"),
        ({"ops": []}, "ops: Input should be a mapping"),
        (
            ops(name={"env": "NO_SUCH_VARIABLE"}),
            "environment variable `NO_SUCH_VARIABLE` is not set",
        ),
    ],
)
def test_wrong_config_tells_the_path(worker, config, message) -> None:
    if config == {"ops": []}:
        config = {"ops": [1]}
    (result,) = worker(dg.Definitions([flights]), "flights", config=config)
    assert (result["class"], result["allow_retries"]) == ("config", False)
    assert message in result["error"]["message"]
    assert seen == []


def test_every_wrong_field_is_told_at_once(worker) -> None:
    (result,) = worker(dg.Definitions([flights]), "flights", config=ops(limit="x", y=1))
    assert len(result["error"]["message"].splitlines()) == 2


def test_config_for_a_step_that_takes_none_is_told(worker) -> None:
    @dg.asset
    def a(): ...

    (result,) = worker(dg.Definitions([a]), "a", config={"ops": {"a": {"config": {"x": 1}}}})
    assert "ops.a.config: `a` takes no configuration" in result["error"]["message"]


def test_config_may_name_an_environment_variable(worker, monkeypatch) -> None:
    monkeypatch.setenv("LIMIT", "7")
    worker(dg.Definitions([flights]), "flights", config=ops(limit={"env": "LIMIT"}))
    assert seen[0][0] == 7


class Warehouse(dg.ConfigurableResource):
    url: str
    port: int = 1
    password: str = ""


@dg.asset
def uses(warehouse: Warehouse):
    seen.append(warehouse)


def test_a_resource_is_built_once_per_process_and_config(worker) -> None:
    defs = dg.Definitions([uses], resources={"warehouse": Warehouse(url="u")})
    worker(defs, "uses")
    worker(defs, "uses")
    worker(defs, "uses", config={"resources": {"warehouse": {"config": {"port": 2}}}})
    assert seen[0] is seen[1]
    assert [one.port for one in seen] == [1, 1, 2]


def test_environment_variables_are_read_by_the_task_and_not_in_the_manifest(
    worker, monkeypatch
) -> None:
    resource = Warehouse(url="u", password=dg.EnvVar("PASSWORD"), port=dg.EnvVar.int("PORT"))
    defs = dg.Definitions([uses], resources={"warehouse": resource})
    (result,) = worker(defs, "uses")
    assert result["class"] == "config"
    assert (
        "environment variable `PORT` is not set" in result["error"]["message"]
        or "`PASSWORD`" in result["error"]["message"]
    )
    monkeypatch.setenv("PASSWORD", "secret")
    monkeypatch.setenv("PORT", "5")
    assert worker(defs, "uses")[-1]["ok"]
    assert (seen[0].password, seen[0].port) == ("secret", 5)
    assert "secret" not in str(defs.to_manifest("x"))


def test_a_resource_field_from_the_environment_is_checked(worker, monkeypatch) -> None:
    monkeypatch.setenv("PORT", "many")
    defs = dg.Definitions(
        [uses], resources={"warehouse": Warehouse(url="u", port=dg.EnvVar("PORT"))}
    )
    (result,) = worker(defs, "uses")
    assert (
        "resources.warehouse.config.port: Input should be a valid integer"
        in result["error"]["message"]
    )


def test_a_wrong_field_is_told_where_the_resource_is_defined() -> None:
    with pytest.raises(ValueError, match="url"):
        Warehouse()
    with pytest.raises(ValueError, match="prot"):
        Warehouse(url="u", prot=dg.EnvVar("X"))


def test_fields_may_come_from_run_configuration(worker) -> None:
    defs = dg.Definitions([uses], resources={"warehouse": Warehouse.configure_at_launch(port=3)})
    (result,) = worker(defs, "uses")
    assert "resources.warehouse.config.url: Field required" in result["error"]["message"]
    worker(defs, "uses", config={"resources": {"warehouse": {"config": {"url": "late"}}}})
    assert (seen[0].url, seen[0].port) == ("late", 3)


def test_setup_and_teardown_surround_each_task(worker) -> None:
    class Session(dg.ConfigurableResource):
        name: str

        def setup_for_execution(self, context) -> None:
            seen.append(f"open {self.name}")

        def teardown_after_execution(self, context) -> None:
            seen.append(f"close {self.name}")

    class Client(dg.ConfigurableResource):
        session: Session
        pool: int = 1

    @dg.asset
    def a(context: dg.AssetExecutionContext, client: Client):
        seen.append("run")
        if context.retry_number:
            raise ValueError

    defs = dg.Definitions([a], resources={"client": Client(session=Session(name="s"))})
    worker(defs, "a")
    worker(defs, "a", retry_number=1)
    assert seen == ["open s", "run", "close s"] * 2


def test_yield_for_execution_and_resources_made_by_factories(worker) -> None:
    class Connection(dg.ConfigurableResourceFactory[str]):
        url: str

        def create_resource(self, context) -> str:
            return f"connected to {self.url}"

    class Managed(dg.ConfigurableResource):
        @contextmanager
        def yield_for_execution(self, context):
            yield "managed"

    @dg.resource
    def plain():
        return "plain"

    @dg.resource
    def closing(init_context):
        yield "closing"
        seen.append("closed")

    @dg.asset(required_resource_keys={"a", "b", "c", "d", "e"})
    def uses_all(context: dg.AssetExecutionContext):
        resources = context.resources
        seen.append([resources.a, resources.b, resources.c, resources.d, resources.e])

    given = {"a": Connection(url="u"), "b": Managed(), "c": plain, "d": closing, "e": 5}
    assert worker(dg.Definitions([uses_all], resources=given), "uses_all")[-1]["ok"]
    assert seen == [["connected to u", "managed", "plain", "closing", 5], "closed"]


def test_a_resource_nobody_asked_for_is_told(worker) -> None:
    @dg.asset
    def a(context: dg.AssetExecutionContext):
        return context.resources.warehouse

    (result,) = worker(dg.Definitions([a], resources={"warehouse": 1}), "a")
    assert 'required_resource_keys={"warehouse"}' in result["error"]["message"]


def test_an_io_manager_with_configuration(worker) -> None:
    class Lake(dg.ConfigurableIOManager):
        prefix: str

        def handle_output(self, context, obj) -> None:
            seen.append((self.prefix, context.asset_key.to_user_string(), obj, context.metadata))

        def load_input(self, context):
            return (self.prefix, context.name, context.metadata)

    a = dg.asset(name="a", io_manager_key="lake", metadata={"m": 1})(lambda: 5)
    b = dg.asset(name="b", ins={"x": dg.AssetIn("a", metadata={"i": 2})}, io_manager_key="lake")(
        lambda x: x
    )
    defs = dg.Definitions([a, b], resources={"lake": Lake(prefix="p")})
    worker(defs, "a")
    worker(defs, "b", inputs={"x": "a"})
    assert seen == [
        ("p", "a", 5, {"m": dg.MetadataValue.int(1)}),
        ("p", "b", ("p", "x", {"i": 2}), {}),
    ]

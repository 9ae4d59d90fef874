"""Targets: files and modules with definitions, and what is said of those without."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from importlib import import_module
from pathlib import Path

import pytest

import arco_flow as dg
from arco_flow import manifest
from arco_flow._internal.load import load_definitions

ASSETS = """
    import arco_flow as dg
    @dg.asset
    def a(): ...
    @dg.asset_check(asset=a)
    def c(): ...
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Writes a file and gives its path; modules and paths are forgotten afterwards."""
    before = set(sys.modules)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.chdir(tmp_path)

    def one(name: str, text: str) -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return str(path)

    yield one
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def keys(defs: dg.Definitions) -> list[str]:
    return [key.to_user_string() for key in defs.resolve_all_asset_keys()]


def test_the_only_definitions_of_a_file(write) -> None:
    path = write(
        "sales_defs.py", ASSETS + "    anything = dg.Definitions([a])\n    again = anything\n"
    )
    assert keys(load_definitions(path)) == ["a"]


def test_a_module_without_definitions_gives_its_assets_and_checks(write) -> None:
    defs = load_definitions(write("loose_assets.py", ASSETS))
    assert keys(defs) == ["a"]
    assert len(defs.asset_checks) == 1


AUTOMATION = """
    import arco_flow as dg
    @dg.asset
    def a(): ...
    j = dg.define_asset_job("j", [a])
    @dg.schedule(cron_schedule="@daily", target=[a])
    def nightly(): ...
    sensors = [dg.sensor(name=n, job=j)(lambda: None) for n in ("x", "y")]
"""


def test_a_module_without_definitions_gives_its_jobs_schedules_and_sensors(write) -> None:
    manifest = load_definitions(write("definitions.py", AUTOMATION)).to_manifest("loc")
    named = {
        kind: [one["name"] for one in manifest[kind]] for kind in ("jobs", "schedules", "sensors")
    }
    assert named == {"jobs": ["j"], "schedules": ["nightly"], "sensors": ["x", "y"]}
    # What evaluates them is there before a child is forked.
    assert "arco_flow._internal.execution.evaluate" in sys.modules


def test_definitions_of_modules_and_of_a_package(write) -> None:
    write("pipes/__init__.py", ASSETS)
    write("pipes/automation.py", AUTOMATION)
    write(
        "current.py",
        AUTOMATION + "    defs = dg.load_definitions_from_current_module(resources={'x': 1})\n",
    )
    sys.path.insert(0, ".")
    current = import_module("current")
    pipes = import_module("pipes")
    import_module("pipes.automation")
    assert [one.name for one in current.defs.sensors] == ["x", "y"]
    assert current.defs.resources == {"x": 1}
    both = dg.load_definitions_from_modules([pipes, current])
    assert (len(both.assets), len(both.asset_checks), len(both.sensors), len(both.jobs)) == (
        2,
        1,
        2,
        1,
    )
    for defs in (
        dg.load_definitions_from_package_name("pipes"),
        dg.load_definitions_from_package_module(pipes),
    ):
        assert (len(defs.assets), len(defs.schedules), len(defs.sensors)) == (2, 1, 2)
    assert len(dg.load_definitions_from_module(pipes.automation).sensors) == 2


def test_an_attribute_may_be_a_function(write) -> None:
    text = (
        ASSETS
        + "    def build():\n        return dg.Definitions([a])\n    one = dg.Definitions()\n    two = dg.Definitions()\n"
    )
    path = write("several_defs.py", text)
    assert keys(load_definitions(f"{path}:build")) == ["a"]
    assert keys(load_definitions(f"{path}:one")) == []
    with pytest.raises(
        dg.LoadError,
        match=r"has several Definitions: `one`, `two`; say which: `.*several_defs\.py:one`",
    ):
        load_definitions(path)
    with pytest.raises(dg.LoadError, match="has no `tow`; did you mean `two`"):
        load_definitions(f"{path}:tow")
    with pytest.raises(dg.LoadError, match=r"has no `nope`; its Definitions are `one`, `two`$"):
        load_definitions(f"{path}:nope")
    with pytest.raises(dg.LoadError, match="has no `nope`; it has no Definitions, add `defs = "):
        load_definitions(f"{write('none_defs.py', ASSETS)}:nope")
    with pytest.raises(dg.LoadError, match="`dg` of `several_defs` is a module"):
        load_definitions(f"{path}:dg")


def test_a_file_imports_its_neighbours(write) -> None:
    write("neighbour_of_defs.py", ASSETS)
    path = write(
        "uses_neighbour.py",
        "import arco_flow as dg\nfrom neighbour_of_defs import a\ndefs = dg.Definitions([a])\n",
    )
    assert keys(load_definitions(path)) == ["a"]


def test_a_file_within_a_package_is_part_of_it(write) -> None:
    write("some_package/__init__.py", "")
    write("some_package/assets.py", ASSETS)
    path = write(
        "some_package/defs.py",
        "import arco_flow as dg\nfrom .assets import a\ndefs = dg.Definitions([a])\n",
    )
    assert keys(load_definitions(path)) == ["a"]
    assert keys(load_definitions("some_package.defs")) == ["a"]
    assert keys(load_definitions("some_package.defs:defs")) == ["a"]
    assert "some_package.defs" in sys.modules


def test_a_file_called_like_a_module_of_the_library_hides_nothing(write) -> None:
    assert keys(load_definitions(write("json.py", ASSETS))) == ["a"]
    assert json.dumps({}) == "{}"


def test_the_same_file_is_loaded_once(write) -> None:
    path = write("loaded_once.py", ASSETS + "    defs = dg.Definitions([a])\n")
    assert load_definitions(path) is load_definitions(path)


def test_an_import_error_shows_user_frames_alone(write) -> None:
    write("broken_helper.py", "def f():\n    raise ValueError('inner')\n")
    path = write(
        "imports_broken.py",
        "import broken_helper\ntry:\n    broken_helper.f()\nexcept ValueError as e:\n    raise RuntimeError('outer') from e\n",
    )
    with pytest.raises(dg.LoadError) as raised:
        load_definitions(path)
    error = raised.value.error
    assert (error["type"], error["message"]) == ("RuntimeError", "outer")
    assert "broken_helper.py" in error["traceback"]
    assert "ValueError: inner" in error["traceback"]
    assert "importlib" not in error["traceback"]
    assert "arco_flow/_internal" not in error["traceback"]
    assert "cannot be loaded: RuntimeError: outer" in str(raised.value)
    assert "imports_broken" not in sys.modules


def test_a_syntax_error_shows_the_line(write) -> None:
    with pytest.raises(dg.LoadError) as raised:
        load_definitions(write("wrong_syntax.py", "def f(:\n"))
    assert raised.value.error["type"] == "SyntaxError"
    assert "def f(:" in raised.value.error["traceback"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import no_such_module_here\n", "No module named 'no_such_module_here'"),
        ("import sys\nsys.exit(3)\n", "the code called sys.exit(3) while it was imported"),
        ("x = 1\n", "has no Definitions and no assets; add `defs = Definitions(assets=[...])`"),
        (ASSETS + "    b = dg.asset(name='b')(lambda aa: 1)\n", "parameter `aa`"),
    ],
)
def test_what_else_can_be_wrong_in_a_file(write, text, message) -> None:
    with pytest.raises(dg.LoadError) as raised:
        load_definitions(write("otherwise_wrong.py", text))
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("nowhere.py", "there is no file "),
        (
            "no_such_package.defs",
            "there is no module `no_such_package.defs` on the path; for a file write `no_such_package/defs.py`",
        ),
        ("not a module", "is neither a file that ends in `.py` nor the name of a module"),
    ],
)
def test_a_target_that_is_not_there(write, target, message) -> None:
    with pytest.raises(dg.LoadError) as raised:
        load_definitions(target)
    assert message in str(raised.value)
    assert raised.value.error["type"] == "LoadError"


def test_loading_brings_what_tasks_need(write) -> None:
    """A child is forked for each task: what it would import, it would import each time."""
    path = write(
        "preloads.py",
        ASSETS
        + "    defs = dg.Definitions([a], resources={'io_manager': dg.ParquetIOManager()})\n",
    )
    code = f"import sys; from arco_flow._internal.load import load_definitions; load_definitions({path!r}); print(sorted(sys.modules))"
    source = str(Path(dg.__file__).parents[1])
    loaded = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": source},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "'arco_flow._internal.execution.task'" in loaded
    assert "'polars'" in loaded


def test_assets_of_modules(write) -> None:
    from types import ModuleType

    module = ModuleType("m")

    @dg.asset
    def x(): ...

    @dg.asset(deps=["x"])
    def y(x): ...

    module.x, module.same, module.several = x, x, [y, dg.AssetSpec("spec")]  # type: ignore[attr-defined]
    module.c = dg.asset_check(asset=x, name="c")(lambda: True)  # type: ignore[attr-defined]
    loaded = dg.load_assets_from_modules([module], group_name="g", key_prefix="p")
    defs = dg.Definitions(loaded)
    assert keys(defs) == ["p/x", "p/y"]
    assert [e.key.to_user_string() for e in defs.graph().assets[dg.AssetKey(["p", "y"])].edges] == [
        "p/x"
    ]
    assert {spec.group for d in loaded for spec in d.specs} == {"g"}
    assert len(dg.load_assets_from_modules([module], include_specs=True)) == 3
    assert len(dg.load_asset_checks_from_modules([module])) == 1
    module.x = loaded[0]  # type: ignore[attr-defined]
    with pytest.raises(dg.DefinitionError, match="asset `p/x` has group `g` already"):
        dg.load_assets_from_modules([module], group_name="h")


def test_assets_of_the_current_module_and_of_a_package(write) -> None:
    write("pack/__init__.py", "")
    write("pack/sub/__init__.py", "")
    write("pack/sub/deep.py", ASSETS)
    text = (
        ASSETS
        + "    defs = dg.Definitions(dg.load_assets_from_current_module(), asset_checks=dg.load_asset_checks_from_current_module())\n"
    )
    assert keys(load_definitions(write("current_module.py", text))) == ["a"]
    assert [
        d.key.to_user_string() for d in dg.load_assets_from_package_name("pack", key_prefix="q")
    ] == ["q/a"]


def test_the_manifest_command_prints_json(write, capsys) -> None:
    path = write("for_command.py", ASSETS + "    defs = dg.Definitions([a])\n")
    assert manifest.main([path, "--location", "here"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["location"] == "here"
    assert manifest.main([path, "--location", "here", "--canonical"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(printed.out)
    assert manifest.main([write("bad_for_command.py", "1 / 0\n"), "--location", "here"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "ZeroDivisionError" in printed.err
    assert printed.err.rstrip().endswith("ZeroDivisionError: division by zero")


def test_a_file_that_is_saved_twice_within_a_second_is_loaded_as_it_is(write):
    """Python tells a compiled file from an old one by the source's size and whole seconds."""
    code = """
        import arco_flow as dg
        @dg.asset(code_version="{}")
        def a(): ...
    """
    show = (
        "import sys; from arco_flow._internal.load import load_definitions; "
        "from arco_flow._internal.manifest import manifest; "
        "print(manifest(load_definitions(sys.argv[1]), 'l')['assets'][0]['code_version'])"
    )
    source = str(Path(dg.__file__).parents[1])
    for version in ("1", "2"):
        path = write("definitions.py", code.format(version))
        os.utime(path, (1_700_000_000, 1_700_000_000))
        shown = subprocess.run(
            [sys.executable, "-c", show, path],
            env={"PYTHONPATH": source},
            capture_output=True,
            text=True,
            check=True,
        )
        assert shown.stdout.strip() == version

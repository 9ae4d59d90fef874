"""Finding the definitions of a target: `file.py`, `file.py:attr`, `package.module`, `module:attr`."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from arco_flow._internal.definitions import Definitions
from arco_flow._internal.errors import ArcoError, LoadError
from arco_flow._internal.failure import describe
from arco_flow._internal.names import did_you_mean


def load_definitions(target: str) -> Definitions:
    """The definitions of a target, with all references resolved.

    A module gives its only `Definitions`; when it has none, its assets, checks, specs, jobs, schedules and
    sensors are taken together. The folder of a file is put on `sys.path`, so that it can import its neighbours; a file
    within a package is imported as part of it.

    Raises:
        LoadError: When the code cannot be imported or gives no sound definitions. `error` has the
            type, the message and a traceback of user frames.
    """
    path, attribute = _split(target)
    try:
        with _no_bytecode():
            module = _import_file(path) if _is_file(path) else _import_module(path)
            defs = _pick(module, attribute, target)
        Definitions.validate_loadable(defs)
        _preload(defs)
    except LoadError:
        raise
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        told = describe(error)
        if isinstance(error, SystemExit):
            told["message"] = f"the code called sys.exit({error.code!r}) while it was imported"
        verb = "do not stand" if isinstance(error, ArcoError) else "cannot be loaded"
        raise LoadError(
            f"definitions of `{target}` {verb}: {told['type']}: {told['message']}", told
        ) from error
    return defs


@contextmanager
def _no_bytecode() -> Iterator[None]:
    """Leaves no compiled files of code that is being worked on.

    Python takes a compiled file for current when the source has its size and was written in the same second, so that
    a file which is saved twice within one would be loaded as it first was.
    """
    before = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before


def _preload(defs: Definitions) -> None:
    """Imports what tasks need, so that a child forked for a task does not import it each time."""
    importlib.import_module("arco_flow._internal.execution")
    if defs.sensors or any(getattr(one, "function", None) for one in defs.schedules):
        importlib.import_module("arco_flow._internal.execution.evaluate")
    for value in defs.resources.values():
        for name in getattr(value, "_arco_imports", ()):
            if importlib.util.find_spec(name) is not None:
                importlib.import_module(name)


def _split(target: str) -> tuple[str, str | None]:
    path, colon, attribute = target.rpartition(":")
    if not colon or os.sep in attribute or attribute.endswith(".py"):
        return target, None
    return path, attribute or None


def _is_file(path: str) -> bool:
    return path.endswith(".py") or os.sep in path


def _import_module(name: str) -> ModuleType:
    # As with `python -m`, what lies in the current folder can be imported.
    if "" not in sys.path and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    if not all(part.isidentifier() for part in name.split(".")):
        raise LoadError(f"`{name}` is neither a file that ends in `.py` nor the name of a module")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        # Only when the target itself is missing; what it imports is the user's matter.
        if error.name is not None and (name == error.name or name.startswith(error.name + ".")):
            raise LoadError(
                f"there is no module `{name}` on the path; for a file write `{name.replace('.', '/')}.py`"
            ) from error
        raise


def _import_file(path: str) -> ModuleType:
    full = os.path.abspath(path)
    if not os.path.isfile(full):
        raise LoadError(f"there is no file {full}; give a file like `definitions.py`, or a module")
    folder, name = _module_name(full)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    loaded = sys.modules.get(name)
    if loaded is not None and _same_file(loaded, full):
        return loaded
    if "." in name:
        return importlib.import_module(name)
    if loaded is not None or _is_taken(name, full):
        name = f"arco_definitions_{name}"  # A file called like a module of someone else.
    return _execute(name, full)


def _module_name(full: str) -> tuple[str, str]:
    """The folder to import from and the name: dotted for a file within a package."""
    folder, file = os.path.split(full)
    name = file.removesuffix(".py")
    while (
        os.path.isfile(os.path.join(folder, "__init__.py"))
        and os.path.basename(folder).isidentifier()
    ):
        folder, package = os.path.split(folder)
        name = package if name == "__init__" else f"{package}.{name}"
    return folder, name


def _is_taken(name: str, full: str) -> bool:
    """Whether `import name` would find something else than the file."""
    spec = importlib.util.find_spec(name) if name.isidentifier() else None
    return spec is not None and os.path.abspath(spec.origin or "") != full


def _same_file(module: ModuleType, full: str) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and os.path.abspath(file) == full


def _execute(name: str, full: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, full)
    if spec is None or spec.loader is None:
        raise LoadError(f"{full} cannot be imported as Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


def _pick(module: ModuleType, attribute: str | None, target: str) -> Definitions:
    if attribute is not None:
        return _of_attribute(module, attribute)
    found = {name: value for name, value in vars(module).items() if isinstance(value, Definitions)}
    if len({id(defs) for defs in found.values()}) > 1:
        names = ", ".join(f"`{name}`" for name in found)
        raise LoadError(
            f"`{target}` has several Definitions: {names}; say which: `{target}:{next(iter(found))}`"
        )
    if found:
        return next(iter(found.values()))
    from arco_flow._internal.load_from import definitions_in, load_definitions_from_modules

    if not definitions_in([module]):
        raise LoadError(
            f"`{target}` has no Definitions and no assets; add `defs = Definitions(assets=[...])`"
        )
    return load_definitions_from_modules([module])


def _of_attribute(module: ModuleType, attribute: str) -> Definitions:
    names = list(vars(module))
    if not hasattr(module, attribute):
        close = did_you_mean(attribute, names)
        raise LoadError(f"`{module.__name__}` has no `{attribute}`{close or _instead(module)}")
    value: Any = getattr(module, attribute)
    if callable(value) and not isinstance(value, Definitions):
        value = value()
    if not isinstance(value, Definitions):
        raise LoadError(
            f"`{attribute}` of `{module.__name__}` is a {type(value).__name__}, not a Definitions or a function "
            "that returns one"
        )
    return value


def _instead(module: ModuleType) -> str:
    """What a target can name, for an attribute that is not there."""
    found = [name for name, value in vars(module).items() if isinstance(value, Definitions)]
    if found:
        return f"; its Definitions are {', '.join(f'`{name}`' for name in found)}"
    return "; it has no Definitions, add `defs = Definitions(assets=[...])`"

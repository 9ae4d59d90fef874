"""Resources as pydantic models. Imported only when a user imports one of these classes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from arco_flow._internal.config import config_error, resolve_env
from arco_flow._internal.env import EnvVar
from arco_flow._internal.errors import DefinitionError
from arco_flow._internal.io.base import IOManager

if TYPE_CHECKING:
    from arco_flow._internal.resource_runtime import InitResourceContext

T = TypeVar("T")


class ConfigurableResourceFactory(BaseModel, Generic[T]):
    """A resource whose functions get something else than itself: what `create_resource` makes."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)
    _arco_kind: ClassVar[str] = "resource"

    def __init__(self, **data: Any) -> None:
        late = {
            name for name, value in data.items() if isinstance(value, (EnvVar, PartialResource))
        }
        fields = type(self).model_fields
        missing = [
            name for name, field in fields.items() if field.is_required() and name not in data
        ]
        if not late or missing or any(name not in fields for name in data):
            super().__init__(**data)
            return
        # Fields from the environment are checked when a task builds the resource, not here.
        draft = type(self).model_construct(**data)
        for name in (
            "__dict__",
            "__pydantic_fields_set__",
            "__pydantic_extra__",
            "__pydantic_private__",
        ):
            object.__setattr__(self, name, getattr(draft, name))
        self.model_post_init(None)

    def create_resource(self, context: InitResourceContext) -> T:
        """What functions get."""
        raise NotImplementedError(f"{type(self).__name__} has no create_resource")

    def setup_for_execution(self, context: InitResourceContext) -> None:
        """Called before the task. Set private attributes here."""

    def teardown_after_execution(self, context: InitResourceContext) -> None:
        """Called after the task, also when it failed."""

    @contextmanager
    def yield_for_execution(self, context: InitResourceContext) -> Iterator[T]:
        """Setup, the resource, teardown. Override it in place of the two."""
        self.setup_for_execution(context)
        try:
            yield self.create_resource(context)
        finally:
            self.teardown_after_execution(context)

    @classmethod
    def configure_at_launch(cls, **data: Any) -> Any:
        """A resource whose other fields come from run configuration, `resources.<name>.config`."""
        return PartialResource(cls, data)

    def _arco_schema(self) -> dict[str, Any]:
        return _schema(type(self), set(self.model_fields_set))

    def _arco_lives_per_task(self) -> bool:
        kind = type(self)
        base = ConfigurableResourceFactory
        return (
            kind.setup_for_execution is not base.setup_for_execution
            or kind.teardown_after_execution is not base.teardown_after_execution
            or kind.yield_for_execution is not base.yield_for_execution
            or any(
                getattr(value, "_arco_lives_per_task", lambda: False)()
                for value in self.__dict__.values()
            )
        )

    def _arco_build(
        self, name: str, config: Mapping[str, Any], stack: ExitStack, context: Any
    ) -> Any:
        given = {field: self.__dict__[field] for field in self.model_fields_set}
        return _build(type(self), {**given, **config}, name, stack, context)


class ConfigurableResource(ConfigurableResourceFactory[T]):
    """A resource with configuration, given to functions by parameter name (M-24).

    Fields are pydantic fields; `EnvVar` fields are read, and checked, when a task needs the resource.
    A resource without setup and teardown is built once per process and configuration, one with them
    once per task.

    Example:
        class Warehouse(ConfigurableResource):
            url: str
            password: str

        Definitions(resources={"warehouse": Warehouse(url="...", password=EnvVar("PASSWORD"))})
    """

    def create_resource(self, context: InitResourceContext) -> Any:
        """The resource itself."""
        del context
        return self


class ConfigurableIOManager(ConfigurableResource[Any], IOManager):
    """An IO manager with configuration. Write `handle_output` and `load_input` (M-23)."""


class ConfigurableIOManagerFactory(ConfigurableResourceFactory[Any]):
    """Makes an IO manager: write `create_io_manager`."""

    def create_io_manager(self, context: InitResourceContext) -> IOManager:
        """The IO manager."""
        raise NotImplementedError(f"{type(self).__name__} has no create_io_manager")

    def create_resource(self, context: InitResourceContext) -> Any:
        """What `create_io_manager` makes."""
        return self.create_io_manager(context)


class PartialResource:
    """A resource that lacks fields until a run gives them. Made by `configure_at_launch`."""

    _arco_kind = "resource"

    def __init__(
        self, cls: type[ConfigurableResourceFactory[Any]], data: Mapping[str, Any]
    ) -> None:
        unknown = [name for name in data if name not in cls.model_fields]
        if unknown:
            raise DefinitionError(f"{cls.__name__} has no field `{unknown[0]}`")
        self._cls = cls
        self._data = dict(data)

    def _arco_schema(self) -> dict[str, Any]:
        return _schema(self._cls, set(self._data))

    def _arco_lives_per_task(self) -> bool:
        return True

    def _arco_build(
        self, name: str, config: Mapping[str, Any], stack: ExitStack, context: Any
    ) -> Any:
        return _build(self._cls, {**self._data, **config}, name, stack, context)


def _build(
    cls: type[ConfigurableResourceFactory[Any]],
    data: Mapping[str, Any],
    name: str,
    stack: ExitStack,
    context: Any,
) -> Any:
    """The resource with everything read, checked and set up; `stack` tears it down."""
    fields: dict[str, Any] = {}
    for field, value in data.items():
        nested = hasattr(value, "_arco_build")
        fields[field] = (
            value._arco_build(f"{name}.{field}", {}, stack, context) if nested else value
        )
    try:
        resolved = resolve_env(cls, fields)
        instance = cls.model_validate(resolved)
    except ValidationError as error:
        raise config_error(error, f"resources.{name}.config") from None
    return stack.enter_context(instance.yield_for_execution(context))


def _schema(cls: type[BaseModel], given: set[str]) -> dict[str, Any]:
    """The schema of what a run may give: fields that are set already are optional."""
    try:
        schema = cls.model_json_schema()
    except Exception:
        return {"type": "object"}
    required = [name for name in schema.get("required", []) if name not in given]
    schema.pop("required", None)
    if required:
        schema["required"] = required
    return schema

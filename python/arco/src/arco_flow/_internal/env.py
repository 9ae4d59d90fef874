"""Values that come from the environment of the task, not from the definitions."""

from __future__ import annotations

import os
from typing import Any

from arco_flow._internal.errors import ConfigError


class EnvVar(str):
    """The value of an environment variable, read when a task needs it (M-24).

    `Warehouse(password=EnvVar("WAREHOUSE_PASSWORD"))`: the definitions, and so the manifest, hold the
    name alone.

    Args:
        name: Name of the variable.
    """

    _type: type

    def __new__(cls, name: str) -> EnvVar:
        self = super().__new__(cls, name)
        self._type = str
        return self

    @classmethod
    def int(cls, name: str) -> Any:
        """The variable as a whole number."""
        self = cls(name)
        self._type = int
        return self

    @property
    def env_var_name(self) -> str:
        """Name of the variable."""
        return str.__str__(self)

    def get_value(self, default: str | None = None) -> str | None:
        """The text of the variable, or `default` when it is not set."""
        return os.environ.get(self.env_var_name, default)

    def read(self) -> Any:
        """The value.

        Raises:
            ConfigError: When the variable is not set, or is no whole number where one is wanted.
        """
        text = os.environ.get(self.env_var_name)
        if text is None:
            raise ConfigError(
                f"environment variable `{self.env_var_name}` is not set; set it where the worker host runs"
            )
        try:
            return self._type(text)
        except ValueError:
            raise ConfigError(
                f"environment variable `{self.env_var_name}` is no whole number: {text!r}"
            ) from None

    def __repr__(self) -> str:
        return f"EnvVar({self.env_var_name!r})"

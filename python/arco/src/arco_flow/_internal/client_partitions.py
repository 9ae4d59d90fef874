"""Dynamic partitions, changed and read from any program, by the names of Dagster's instance."""

from __future__ import annotations

import urllib.parse
from collections.abc import Sequence
from typing import Any

from arco_flow._internal.errors import UsageError

# What the API takes of one request.
_KEYS_MAX = 10_000


class PartitionCalls:
    """The calls of `ArcoClient` that are about dynamic partitions."""

    def _call(self, method: str, path: str, body: Any = None, key: str | None = None) -> Any:
        raise NotImplementedError

    def add_dynamic_partitions(
        self, partitions_def_name: str, partition_keys: Sequence[str]
    ) -> None:
        """Adds keys to a set of dynamic partitions, at its end. One that is there stays where it is.

        Args:
            partitions_def_name: `name=` of the DynamicPartitionsDefinition.
            partition_keys: Keys. Of more than 10,000 each ten thousand are a change of their own.

        Raises:
            ArcoApiError: When a key is none, or nobody answers.
            UsageError: When one text is given in place of a list.
        """
        if isinstance(partition_keys, str):
            raise UsageError(f"partition_keys is a list of keys; write [{partition_keys!r}]")
        path = f"{_path(partitions_def_name)}/add"
        for first in range(0, len(partition_keys), _KEYS_MAX):
            keys = list(partition_keys[first : first + _KEYS_MAX])
            self._call("POST", path, {"keys": keys})

    def delete_dynamic_partition(self, partitions_def_name: str, partition_key: str) -> None:
        """Removes a key from a set of dynamic partitions; one that is not there is no error. What was recorded
        of it stays recorded.

        Raises:
            ArcoApiError: When nobody answers.
        """
        self._call("POST", f"{_path(partitions_def_name)}/remove", {"keys": [partition_key]})

    def get_dynamic_partitions(self, partitions_def_name: str) -> Sequence[str]:
        """The keys of a set of dynamic partitions, in the order in which they were added. A set that nobody
        added to has none.

        Raises:
            ArcoApiError: When nobody answers.
        """
        keys: list[str] = []
        token = ""
        while True:
            page = self._call("GET", f"{_path(partitions_def_name)}?limit=1000{token}")
            keys.extend(row["key"] for row in page["items"])
            if "next_page_token" not in page:
                return keys
            token = f"&page_token={urllib.parse.quote(page['next_page_token'], safe='')}"

    def has_dynamic_partition(self, partitions_def_name: str, partition_key: str) -> bool:
        """Whether a set of dynamic partitions has a key; reads the whole set.

        Raises:
            ArcoApiError: When nobody answers.
        """
        return partition_key in self.get_dynamic_partitions(partitions_def_name)


def _path(name: str) -> str:
    return f"dynamic-partitions/{urllib.parse.quote(name, safe='')}"

"""How many partitions of an asset one run of a backfill makes (B-8)."""

from __future__ import annotations

from dataclasses import dataclass

from arco_flow._internal.errors import DefinitionError


@dataclass(frozen=True)
class BackfillPolicy:
    """How many partitions one run of a backfill makes; without a policy it is one.

    Differs from Dagster: the function is called for each partition of the run by itself, so that each has an
    outcome of its own; and `single_run` is one run, also when there are gaps between the partitions.

    Args:
        max_partitions_per_run: At most so many; None for all of them in one run.

    Raises:
        DefinitionError: For a number under 1.
    """

    max_partitions_per_run: int | None = None

    def __post_init__(self) -> None:
        most = self.max_partitions_per_run
        if most is not None and (isinstance(most, bool) or not isinstance(most, int) or most < 1):
            raise DefinitionError(f"max_partitions_per_run must be 1 or more, not {most!r}")

    @staticmethod
    def single_run() -> BackfillPolicy:
        """All partitions in one run."""
        return BackfillPolicy()

    @staticmethod
    def multi_run(max_partitions_per_run: int = 1) -> BackfillPolicy:
        """At most so many partitions in one run."""
        return BackfillPolicy(max_partitions_per_run)

    def to_json(self) -> dict[str, int]:
        """As the manifest has it."""
        most = self.max_partitions_per_run
        return {} if most is None else {"max_partitions_per_run": most}

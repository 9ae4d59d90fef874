//! What can be compared, and how much of it.

use clap::ValueEnum;

/// A file of questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Corpus {
    /// Validity, instants and least intervals of crons.
    Cron,
    /// Keys, windows, existence and ranges of partitions.
    PartitionKeys,
    /// Mappings of time windows both ways.
    PartitionMappings,
    /// Keys of windows by cron, of dynamic partitions, of several dimensions.
    PartitionKinds,
    /// Mappings of every sort between partitions of every sort, both ways.
    MappingKinds,
    /// Which queued runs are launched, in order.
    Queue,
    /// Crons, zones and partitions of the schedules of partitioned jobs.
    Schedules,
    /// How selections print and what they pick.
    Selections,
    /// Backfills, carried out to their end.
    Backfills,
}

impl Corpus {
    pub(crate) const ALL: [Self; 9] = [
        Self::Cron,
        Self::PartitionKeys,
        Self::PartitionMappings,
        Self::PartitionKinds,
        Self::MappingKinds,
        Self::Queue,
        Self::Schedules,
        Self::Selections,
        Self::Backfills,
    ];

    /// As `ask.py` and the files call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Cron => "cron",
            Self::PartitionKeys => "partition_keys",
            Self::PartitionMappings => "partition_mappings",
            Self::PartitionKinds => "partition_kinds",
            Self::MappingKinds => "mapping_kinds",
            Self::Queue => "queue",
            Self::Schedules => "schedules",
            Self::Selections => "selections",
            Self::Backfills => "backfills",
        }
    }

    /// Its operations.
    pub(super) fn ops(self) -> &'static [&'static str] {
        match self {
            Self::Cron => &["cron_valid", "cron_ticks", "cron_smallest_interval"],
            Self::PartitionKeys => &[
                "partition_keys",
                "partition_has",
                "partition_range",
                "partition_window",
            ],
            Self::PartitionKinds => &["partition_keys", "partition_has", "partition_range"],
            Self::PartitionMappings | Self::MappingKinds => &["infer_mapping", "map_partitions"],
            Self::Queue => &["dequeue"],
            Self::Schedules => &["partitioned_schedule"],
            Self::Selections => &["parse_selection", "resolve_selection"],
            Self::Backfills => &["backfill", "backfill_target"],
        }
    }

    /// Questions of one round: some seconds of asking.
    pub(super) fn cases_of_round(self) -> usize {
        match self {
            Self::Cron => 5000,
            Self::PartitionKeys | Self::PartitionMappings | Self::PartitionKinds => 3000,
            Self::MappingKinds => 5000,
            Self::Queue => 1000,
            // Four ticks each.
            Self::Schedules => 600,
            Self::Selections => 4000,
            // Each is a plan, and some looks of the daemon at it.
            Self::Backfills => 150,
        }
    }

    /// Questions of a full comparison.
    pub(super) fn deep_cases(self) -> usize {
        match self {
            Self::Cron => 50_000,
            Self::PartitionKeys | Self::PartitionKinds => 5000,
            // Counted together.
            Self::PartitionMappings | Self::MappingKinds => 20_000,
            Self::Queue => 2000,
            // Four instants each.
            Self::Schedules => 1000,
            Self::Selections => 10_000,
            Self::Backfills => 1000,
        }
    }

    /// The operations that count for [`Self::deep_cases`]: what the others answer is asked of many of the
    /// same things beside. Of crons the instants, of mappings what they lead to, of selections what an
    /// expression picks from a graph.
    pub(super) fn deep_ops(self) -> &'static [&'static str] {
        match self {
            Self::Cron => &["cron_ticks"],
            Self::PartitionMappings | Self::MappingKinds => &["map_partitions"],
            Self::Selections => &["resolve_selection"],
            Self::Backfills => &["backfill"],
            _ => self.ops(),
        }
    }
}

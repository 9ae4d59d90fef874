//! Why an asset, or a partition of it, stands where it stands.

use arco_core::definitions::AssetRef;
use arco_core::event::AssetMaterialized;
use arco_core::explanation::{Reason, Unknown, Why};
use arco_core::{AssetKey, AttemptId, RunId};

use super::{Explainer, Missing, name};
use crate::state::{AssetState, Materialization, Run, Slot};

/// Runs in progress, and failed partitions, shown of one asset.
const ROWS: usize = 5;
/// Inputs shown of a materialization.
const INPUTS: usize = 20;

impl Explainer<'_> {
    /// What must be read from history before [`Explainer::asset`] can say all there is to say. What was
    /// read may name more: ask again until nothing new is missing.
    #[must_use]
    pub fn missing(&self, asset: &AssetKey, slot: &Slot) -> Missing {
        let mut missing = Missing::default();
        let Some(facts) = self.state.assets.get(asset) else {
            return missing;
        };
        let made = self.last_made(facts, asset, slot);
        let failed = self.shown_failures(facts, asset, slot);
        let unmade = failed.iter().filter_map(|slot| unmade(facts, slot));
        let runs = unmade.map(|(run, _)| run);
        let makers = made.iter().filter_map(|(_, made)| made.attempt);
        for run in runs.chain(makers.map(|attempt| attempt.run)) {
            match self.known_run(run) {
                Some(run) => self.missing_parents(run, &mut missing),
                None => missing.run(run),
            }
        }
        if let Some((_, made)) = made
            && self.whole(facts, &made).is_none()
        {
            missing.made.push(made.position);
        }
        missing
    }

    pub(super) fn why_asset(&self, key: &AssetKey, slot: &Slot) -> Option<Why> {
        let AssetRef { definitions, asset } = self.state.catalog.asset(key)?;
        let facts = self.state.assets.get(key).map(|facts| &**facts);
        let whole = slot.is_none() && asset.partitions.is_some();
        let status = if whole {
            "partitioned"
        } else {
            status(facts, slot)
        };
        let mut why = Why::from(Reason::Asset {
            asset: key.clone(),
            partition: text(slot),
            status: status.to_owned(),
        });
        if self.is_external(key) {
            let asset = key.clone();
            why.because.push(Reason::External { asset }.into());
        }
        why.because.extend(self.not_existing(key, slot));
        match facts {
            Some(facts) if whole => why.because.extend(self.partitions(key, facts)),
            Some(facts) => why.because.extend(self.slot(key, facts, slot)),
            None if !self.is_external(key) => why.because.push(Reason::NeverAsked.into()),
            None => {}
        }
        let location = self.state.locations.get(definitions.location());
        why.because
            .extend(location.and_then(|l| l.failure.as_ref()).map(|failure| {
                Why::from(Reason::LoadFailed {
                    location: definitions.location().to_owned(),
                    error_type: failure.error.kind.clone(),
                    message: failure.error.message.clone(),
                })
                .at(failure.time)
            }));
        Some(why)
    }

    pub(super) fn is_external(&self, key: &AssetKey) -> bool {
        let found = self.state.catalog.asset(key);
        found.is_some_and(|found| found.asset.step.is_none())
    }

    fn not_existing(&self, key: &AssetKey, slot: &Slot) -> Option<Why> {
        let partition = slot.as_ref()?;
        let def = self.state.catalog.asset(key)?.asset.partitions.as_ref()?;
        let shown = |key: arco_core::PartitionKey| key.display().into_owned();
        (!def.exists(partition, self.now)).then(|| {
            Why::from(Reason::NotExisting {
                first: def.first_key(self.now).map(shown),
                last: def.last_key(self.now).map(shown),
            })
        })
    }

    /// A partitioned asset as a whole: counts, the first failures, the last materialization.
    fn partitions(&self, key: &AssetKey, facts: &AssetState) -> Vec<Why> {
        let def = self.state.catalog.asset(key);
        let def = def.and_then(|found| found.asset.partitions.as_ref());
        let mut out = vec![Why::from(Reason::Partitions {
            exist: def.map_or(0, |def| def.count(self.now)),
            materialized: facts.materialized.len(),
            failed: facts.failed.len(),
            in_progress: facts.in_progress.len() as u64,
        })];
        for slot in self.shown_failures(facts, key, &None) {
            let status = status(Some(facts), &slot).to_owned();
            let failed = Why::from(Reason::Asset {
                asset: key.clone(),
                partition: text(&slot),
                status,
            });
            out.push(failed.because(self.unmade(facts, &slot)));
        }
        if let Some((slot, made)) = self.last_made(facts, key, &None) {
            out.push(self.materialized(key, facts, &slot, &made));
        }
        out
    }

    /// The partitions whose failure an answer shows.
    fn shown_failures(&self, facts: &AssetState, key: &AssetKey, slot: &Slot) -> Vec<Slot> {
        if !self.is_whole(key, slot) {
            return vec![slot.clone()];
        }
        let failed = facts.failed.iter().take(ROWS);
        failed.filter_map(|n| facts.slot(n)).collect()
    }

    fn is_whole(&self, key: &AssetKey, slot: &Slot) -> bool {
        let found = self.state.catalog.asset(key);
        slot.is_none() && found.is_some_and(|found| found.asset.partitions.is_some())
    }

    /// The last materialization that an answer shows.
    fn last_made(
        &self,
        facts: &AssetState,
        key: &AssetKey,
        slot: &Slot,
    ) -> Option<(Slot, Materialization)> {
        let slot = if self.is_whole(key, slot) {
            facts.recent.last()?.2.partition.clone()
        } else {
            slot.clone()
        };
        let made = facts.latest_of(&slot)?;
        Some((slot, made))
    }

    /// One slot: the runs at it, the last that did not make it, and the last that did.
    fn slot(&self, key: &AssetKey, facts: &AssetState, slot: &Slot) -> Vec<Why> {
        let Some(ordinal) = facts.ordinal(slot) else {
            return vec![Reason::NeverAsked.into()];
        };
        let runs = facts.in_progress.get(&ordinal).into_iter().flatten();
        let mut out: Vec<Why> = runs
            .take(ROWS)
            .filter_map(|id| self.known_run(*id))
            .map(|run| self.why_asset_of_run(run, key, slot.as_ref()))
            .collect();
        let made = facts.latest_of(slot);
        if facts.failed.contains(ordinal) || made.is_none() || unmade(facts, slot).is_some() {
            let last = self.unmade(facts, slot);
            let unknown = last.is_none() && out.is_empty();
            out.extend(last);
            out.extend(unknown.then(|| {
                Why::from(Reason::BeforeHistory {
                    unknown: Unknown::Attempt,
                })
            }));
        }
        out.extend(made.map(|made| self.materialized(key, facts, slot, &made)));
        out
    }

    /// The last task that was to make a slot and did not, with no materialization since.
    fn unmade(&self, facts: &AssetState, slot: &Slot) -> Option<Why> {
        let (run, task) = unmade(facts, slot)?;
        let Some(run) = self.known_run(run) else {
            let unknown = Unknown::Attempt;
            return Some(Reason::BeforeHistory { unknown }.into());
        };
        let why = self.why_task(run, task)?;
        Some(why.because([self.asked(run)]))
    }

    fn materialized(
        &self,
        key: &AssetKey,
        facts: &AssetState,
        slot: &Slot,
        made: &Materialization,
    ) -> Why {
        let whole = self.whole(facts, made);
        let inputs = whole.map_or_else(
            || {
                let unknown = Unknown::Inputs;
                vec![Reason::BeforeHistory { unknown }.into()]
            },
            |whole| self.inputs(whole),
        );
        let by = match made
            .attempt
            .map(|attempt| (attempt, self.known_run(attempt.run)))
        {
            // It was reported, and is its own cause.
            None => Vec::new(),
            Some((attempt, Some(run))) => vec![self.made_by(run, attempt), self.asked(run)],
            Some((_, None)) => vec![
                Reason::BeforeHistory {
                    unknown: Unknown::Run,
                }
                .into(),
            ],
        };
        Why::from(Reason::Materialized {
            asset: key.clone(),
            partition: text(slot),
            attempt: made.attempt,
            data_version: made.data_version.to_string(),
            code_version: made.code_version.as_deref().map(str::to_owned),
        })
        .at(made.time)
        .standing(made.position)
        .because(inputs)
        .because(self.code_changed(key, made))
        .because(by)
    }

    fn made_by(&self, run: &Run, attempt: AttemptId) -> Why {
        let task = run.task(attempt.task);
        let ended = task.and_then(|task| task.attempts.last()?.ended);
        Why::from(Reason::Task {
            run: run.id,
            task: name(run, attempt.task),
            status: task.map_or("", |task| task.status.as_str()).to_owned(),
        })
        .at(ended)
    }

    /// The materialization with all it says: from memory, or as it was read from the log.
    fn whole<'s>(
        &'s self,
        facts: &'s AssetState,
        made: &Materialization,
    ) -> Option<&'s AssetMaterialized> {
        let recent = facts.recent.iter().rev();
        let recent = recent.take_while(|row| row.0 >= made.position);
        let found = recent.filter(|row| row.0 == made.position).last();
        found
            .map(|row| &row.2)
            .or_else(|| self.past.made.get(&made.position))
    }

    fn inputs(&self, made: &AssetMaterialized) -> Vec<Why> {
        let shown = made.inputs.iter().take(INPUTS).map(|input| {
            let facts = self.state.assets.get(&input.asset);
            let latest = facts.and_then(|facts| facts.latest_of(&input.partition));
            Why::from(Reason::Input {
                asset: input.asset.clone(),
                partition: text(&input.partition),
                data_version: input.data_version.clone(),
                newer: latest.is_some_and(|latest| latest.position > input.position),
            })
            .standing(input.position)
        });
        let more = made.inputs.len().saturating_sub(INPUTS) as u64;
        let more = (more > 0).then(|| Reason::MoreInputs { inputs: more }.into());
        shown.chain(more).collect()
    }

    fn code_changed(&self, key: &AssetKey, made: &Materialization) -> Option<Why> {
        let current = &self.state.catalog.asset(key)?.asset.code_version;
        let before = made.code_version.as_deref();
        // What something else made was not made by the code that is declared here.
        made.attempt?;
        (before != current.as_deref()).then(|| {
            Why::from(Reason::CodeChanged {
                made: before.map(str::to_owned),
                current: current.clone(),
            })
        })
    }
}

fn unmade(facts: &AssetState, slot: &Slot) -> Option<(RunId, arco_core::TaskIndex)> {
    facts.unmade.get(&facts.ordinal(slot)?).copied()
}

fn text(slot: &Slot) -> Option<String> {
    slot.as_ref().map(|key| key.display().into_owned())
}

/// Where one slot stands (F-1 to F-3).
fn status(facts: Option<&AssetState>, slot: &Slot) -> &'static str {
    let known = facts.and_then(|facts| Some((facts, facts.ordinal(slot)?)));
    match known {
        Some((facts, n)) if facts.in_progress.contains_key(&n) => "in_progress",
        Some((facts, n)) if facts.failed.contains(n) => "failed",
        Some((facts, n)) if facts.materialized.contains(n) => "materialized",
        _ => "never_materialized",
    }
}

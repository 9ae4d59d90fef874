//! Schedules and sensors, whatever happens to them.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::gates::{self, cases};

proptest! {
    #![proptest_config(cases(96))]

    /// Whatever happens to a schedule (clocks, operators, deploys, restarts, proposals that come late or
    /// twice): one tick per instant, none left out under `all`, none of the future, one run per tick with
    /// the partition of its instant, and the same state for whoever reads the log.
    #[test]
    fn schedules_fire_every_instant_once_whatever_happens(story in gates::schedules::story()) {
        let world = gates::schedules::live(&story);
        let all: Vec<_> = gates::schedules::ticks(&world.log).collect();
        let unique: BTreeSet<_> = all.iter().collect();
        prop_assert_eq!(unique.len(), all.len());
        let mut keys = BTreeSet::new();
        for run in world.state.runs.values() {
            let tick = run.tick.as_ref().expect("only ticks ask for runs here");
            prop_assert!(keys.insert((run.scope.clone(), run.run_key.clone())));
            prop_assert_eq!(world.state.ticks[tick].runs(), [run.id]);
            if tick.schedule == "s" {
                let asset = world.state.catalog.asset(&run.assets[0]).expect("it is defined");
                let last = asset.asset.partitions.as_ref().and_then(|def| def.last_key(tick.instant));
                prop_assert_eq!(&run.partitions, &last.map(|key| key.display().into_owned()));
            }
        }
        prop_assert_eq!(keys.len(), all.len());
        prop_assert_eq!(world.state.hash(), world.replayed().hash());
        prop_assert_eq!(&world.state.timers, &world.replayed().timers);
    }

    /// Whatever happens to sensors (questions asked twice, answers late, twice or out of order, messages sent
    /// again, operators, deploys, restarts): an evaluation counts once, its cursor goes on from the one before, a
    /// key is one run, a message is one run and comes in its turn, and whoever reads the log has the same state.
    #[test]
    fn evaluations_count_once_whatever_happens(story in gates::sensors::story()) {
        let world = gates::sensors::live(&story);
        gates::sensors::judge(&world.log)?;
        prop_assert_eq!(world.state.hash(), world.replayed().hash());
        prop_assert_eq!(&world.state.timers, &world.replayed().timers);
        prop_assert_eq!(&world.state.subscriptions, &world.replayed().subscriptions);
    }
}

//! Compares what everyone was told with what the log says and what the bodies wrote down.

use std::collections::{BTreeMap, BTreeSet};

use arco_core::event::{Event, Fact, Position, TickFinished, TickId, TickOutcome, TicksMissed};
use arco_core::{AttemptId, Digest, HostId, RunId, Timestamp};
use arco_flow::State;
use arco_log::Segment;
use arco_testkit::replay::fold;

use self::sensors::Sensors;
use self::slots::Slots;
use crate::client::{NEWEST, PUNCTUAL};
use crate::record::{Acked, Seen};
use crate::replica::is_compared;

mod sensors;
mod slots;

/// What time was like.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Times {
    /// From one instant of every schedule to the next.
    pub(crate) every_ms: u64,
    /// What is later has not been when all was over, by any clock that was right.
    pub(crate) end: Timestamp,
}

/// Everything that does not hold.
pub(crate) fn judge(log: &[Segment], times: &Times, seen: &Seen) -> Vec<String> {
    let story = Story::read(log, *times);
    let mut wrong = story.wrong.clone();
    acknowledged_is_in_the_log(&story, seen, &mut wrong);
    one_position_one_state(log, seen, &mut wrong);
    no_two_attempts_overlap(&story, seen, &mut wrong);
    wrong
}

/// The log, as the judge needs it.
#[derive(Debug, Default)]
struct Story {
    runs: BTreeMap<RunId, Position>,
    /// By scope and key.
    run_keys: BTreeMap<(String, String), RunId>,
    times: Times,
    /// The last instant of each schedule that is accounted for.
    ticks: BTreeMap<String, Timestamp>,
    cancels: BTreeSet<RunId>,
    over: BTreeSet<RunId>,
    leased: BTreeMap<AttemptId, HostId>,
    ended: BTreeSet<AttemptId>,
    deployed: BTreeSet<Digest>,
    messages: BTreeSet<String>,
    wrong: Vec<String>,
}

impl Story {
    fn read(log: &[Segment], times: Times) -> Self {
        let mut story = Self {
            times,
            ..Self::default()
        };
        let mut leader = (0, String::new());
        let mut slots = Slots::default();
        let mut sensors = Sensors::default();
        for segment in log {
            for (at, raw) in segment.positions() {
                match Event::from_raw(raw) {
                    Ok(event) => {
                        story.controller(at, &event, &segment.header.writer, &mut leader);
                        story.event(at, &event);
                        story.wrong.extend(slots.hear(at, &event));
                        story.wrong.extend(sensors.hear(at, &event));
                    }
                    Err(error) => story.wrong.push(format!("event {at}: {error}")),
                }
            }
        }
        story.wrong.extend(sensors.end());
        story
    }

    /// One leader's controller events per epoch.
    fn controller(
        &mut self,
        at: Position,
        event: &Event,
        writer: &str,
        leader: &mut (u64, String),
    ) {
        if let Fact::LeaseTaken(taken) = &event.fact {
            if taken.epoch != leader.0 + 1 {
                self.wrong.push(format!(
                    "epoch {} at {at} follows epoch {}",
                    taken.epoch, leader.0
                ));
            }
            *leader = (taken.epoch, taken.holder.clone());
        }
        let Some(epoch) = event.epoch else { return };
        if (epoch, writer) != (leader.0, leader.1.as_str()) {
            let kind = event.fact.kind();
            self.wrong.push(format!(
                "{kind} at {at} is of epoch {epoch} by {writer}, and {} leads epoch {}",
                leader.1, leader.0
            ));
        }
    }

    fn event(&mut self, at: Position, event: &Event) {
        if event.time > self.times.end {
            let (kind, time) = (event.fact.kind(), event.time.to_rfc3339_seconds());
            let wrong = format!("{kind} at {at} is of the future: {time}");
            self.wrong.push(wrong);
        }
        match &event.fact {
            Fact::RunRequested(e) => {
                if self.runs.insert(e.run, at).is_some() {
                    self.wrong.push(format!("{} is requested twice", e.run));
                }
                if let Some(key) = &e.run_key
                    && let Some(other) = self.run_keys.insert((e.scope.clone(), key.clone()), e.run)
                {
                    self.wrong
                        .push(format!("run key `{key}` made {other} and {}", e.run));
                }
            }
            Fact::RunTimedOut(e) if self.over.contains(&e.run) => {
                self.wrong
                    .push(format!("{} times out at {at}, and was over", e.run));
            }
            Fact::RunCancelRequested(e) => {
                self.cancels.insert(e.run);
            }
            Fact::RunFinished(e) if !self.over.insert(e.run) => {
                self.wrong.push(format!("{} ends twice", e.run));
            }
            Fact::AttemptLeased(e) => self.lease(at, e.attempt, e.host),
            Fact::AttemptFinished(e) if !self.end(e.attempt) => {
                self.wrong
                    .push(format!("{} ends at {at}, and was not alive", e.attempt));
            }
            Fact::TickFinished(e) => self.tick(at, e),
            Fact::TicksMissed(e) => self.missed(at, e),
            Fact::MessageAccepted(e) => {
                self.messages.insert(e.id.clone());
            }
            Fact::DefinitionsDeployed(e) => {
                self.deployed.insert(e.version);
            }
            _ => {}
        }
    }

    /// Every instant is accounted for once, in order, and none of the future.
    fn account(&mut self, schedule: &str, first: Timestamp, last: Timestamp) {
        if let Some(before) = self.ticks.insert(schedule.to_owned(), last)
            && before.plus_ms(self.times.every_ms) != first
        {
            let (before, first) = (before.to_rfc3339_seconds(), first.to_rfc3339_seconds());
            self.wrong
                .push(format!("tick {schedule}:{first} follows {before}"));
        }
        if last > self.times.end {
            let last = last.to_rfc3339_seconds();
            self.wrong
                .push(format!("tick {schedule}:{last} is of the future"));
        }
    }

    /// Instants that are not fired: only of schedules that say so, and all that are told.
    fn missed(&mut self, at: Position, e: &TicksMissed) {
        self.account(&e.schedule, e.first, e.last);
        let told = e.last.ms_since(e.first) / self.times.every_ms + 1;
        if told != e.count || ![NEWEST, PUNCTUAL].contains(&e.schedule.as_str()) {
            self.wrong.push(format!(
                "{} of {told} instants of `{}` are missed at {at}, and all are to be caught up with",
                e.count, e.schedule
            ));
        }
    }

    /// A tick has one run, asked for in its segment.
    fn tick(&mut self, at: Position, e: &TickFinished) {
        let TickId { schedule, instant } = &e.tick;
        self.account(schedule, *instant, *instant);
        let TickOutcome::Succeeded { runs, .. } = &e.outcome else {
            self.wrong.push(format!("tick {}: {:?}", e.tick, e.outcome));
            return;
        };
        let here = |run: &RunId| {
            let asked = self.runs.get(run);
            asked.is_some_and(|asked| asked.segment == at.segment)
        };
        if runs.len() != 1 || !runs.iter().all(here) {
            let tick = &e.tick;
            self.wrong
                .push(format!("tick {tick} at {at} has the runs {runs:?}"));
        }
    }

    /// Ends an attempt; says whether it was alive.
    fn end(&mut self, attempt: AttemptId) -> bool {
        self.leased.contains_key(&attempt) && self.ended.insert(attempt)
    }

    /// No attempt n+1 before n is over.
    fn lease(&mut self, at: Position, attempt: AttemptId, host: HostId) {
        if self.leased.insert(attempt, host).is_some() {
            self.wrong.push(format!("{attempt} is leased twice"));
        }
        let before = AttemptId {
            number: attempt.number.saturating_sub(1),
            ..attempt
        };
        if attempt.number > 1 && !self.ended.contains(&before) {
            self.wrong.push(format!(
                "{attempt} is leased at {at}, before {before} is over"
            ));
        }
    }
}

fn acknowledged_is_in_the_log(story: &Story, seen: &Seen, wrong: &mut Vec<String>) {
    let mut missing = |what: String| wrong.push(format!("acknowledged and not in the log: {what}"));
    for acked in &seen.acked {
        match acked {
            Acked::Run {
                run,
                run_key,
                created,
                position,
            } => {
                let made = story.runs.get(run);
                if made.is_none_or(|at| at > position) {
                    missing(format!("{run} (created: {created}) by {position}"));
                }
                if let Some(key) = run_key
                    && story.run_keys.get(&("workspace".into(), key.clone())) != Some(run)
                {
                    missing(format!("{run} under run key `{key}`"));
                }
                if !story.over.contains(run) {
                    missing(format!("the end of {run}"));
                }
            }
            Acked::Cancel(run) => {
                if !story.cancels.contains(run) && !story.over.contains(run) {
                    missing(format!("the stop of {run}"));
                }
            }
            Acked::End(attempt) => {
                if !story.ended.contains(attempt) {
                    missing(format!("the end of {attempt}"));
                }
            }
            Acked::Lease(attempt, host) => {
                if story.leased.get(attempt) != Some(host) {
                    missing(format!("the lease of {attempt} to {host}"));
                }
            }
            Acked::Message(id) => {
                if !story.messages.contains(id) {
                    missing(format!("message `{id}`"));
                }
            }
            Acked::Deploy(version) => {
                if !story.deployed.contains(version) {
                    missing(format!("definitions {version}"));
                }
            }
        }
    }
}

/// Every state a replica showed is the state of the log at that position.
fn one_position_one_state(log: &[Segment], seen: &Seen, wrong: &mut Vec<String>) {
    let mut state = State::default();
    let mut compared = 0;
    for segment in log {
        state = fold(state, [segment]);
        if let Some(hash) = seen.hashes.get(&state.position)
            && is_compared(segment.number())
        {
            compared += 1;
            if *hash != state.hash() {
                wrong.push(format!(
                    "a replica's state at {} is not the log's",
                    state.position
                ));
                return;
            }
        }
    }
    if compared < seen.hashes.len() {
        let shown = seen.hashes.len();
        wrong.push(format!(
            "replicas showed {shown} states, of which the log has {compared}"
        ));
    }
}

/// By the bodies' own account.
fn no_two_attempts_overlap(story: &Story, seen: &Seen, wrong: &mut Vec<String>) {
    let mut tasks: BTreeMap<(RunId, u32), Vec<_>> = BTreeMap::new();
    for body in &seen.bodies {
        if story.leased.get(&body.attempt) != Some(&body.host) {
            wrong.push(format!(
                "{} ran at {} without a lease",
                body.attempt, body.host
            ));
        }
        tasks
            .entry((body.attempt.run, body.attempt.task))
            .or_default()
            .push(body);
    }
    for bodies in tasks.values_mut() {
        bodies.sort_by_key(|body| (body.start, body.attempt));
        for pair in bodies.windows(2) {
            if pair[0].end.is_none_or(|end| end > pair[1].start) {
                wrong.push(format!(
                    "{} and {} overlap",
                    pair[0].attempt, pair[1].attempt
                ));
            }
            if pair[0].attempt == pair[1].attempt {
                wrong.push(format!("{} ran twice", pair[0].attempt));
            }
        }
    }
}

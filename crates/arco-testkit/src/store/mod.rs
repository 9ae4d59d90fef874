//! An object store that misbehaves on purpose, around any store that does not.
//!
//! It implements `object_store::ObjectStore`, so everything above it runs for real. What goes wrong is
//! either drawn from a seed at given rates or scripted request by request; with a single-threaded
//! runtime the same seed gives the same faults in the same order. The nasty kinds are the ones in
//! which an error and an effect go together: the put that commits and then fails, the one that fails
//! and lands a minute later, the conflict with nothing there.

mod dice;
mod faulty;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use object_store::ObjectStore;
use tokio::task::JoinSet;

use dice::Dice;

/// Requests, by what they ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Op {
    /// A put that must create.
    Create,
    /// A put that may replace.
    Overwrite,
    /// A read of content, whole or a range.
    Get,
    /// A read of size and age.
    Head,
    /// A listing.
    List,
    /// A removal.
    Delete,
}

/// What goes wrong with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It fails and does nothing.
    ErrorBefore,
    /// It does its work and then fails.
    ErrorAfter,
    /// It takes this long.
    Delay(Duration),
    /// It never answers and does nothing.
    Hang,
    /// It does its work and never answers.
    HangAfter,
    /// It fails now and does its work this much later (a put stuck in a network).
    LandLater(Duration),
    /// It answers well and its work is done once more this much later.
    ApplyAgain(Duration),
    /// A create is answered "already exists", and nothing is written.
    ConflictNothing,
    /// A create replaces what is there.
    IgnoreCondition,
    /// Half the content is missing.
    Truncate,
    /// One bit of the content is wrong.
    Flip,
}

/// How often what goes wrong, in thousandths of the requests it can happen to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FaultRates {
    /// [`Fault::ErrorBefore`], of all requests.
    pub error_before: u32,
    /// [`Fault::ErrorAfter`], of creates.
    pub error_after: u32,
    /// [`Fault::Delay`], of all requests.
    pub delay: u32,
    /// [`Fault::Hang`], of all requests but lists and deletes.
    pub hang: u32,
    /// [`Fault::HangAfter`], of creates.
    pub hang_after: u32,
    /// [`Fault::LandLater`], of creates.
    pub land_later: u32,
    /// [`Fault::ApplyAgain`], of creates.
    pub apply_again: u32,
    /// [`Fault::ConflictNothing`], of creates.
    pub conflict_nothing: u32,
    /// [`Fault::Truncate`], of reads.
    pub truncate: u32,
    /// The longest [`Fault::Delay`].
    pub delay_max: Duration,
    /// How late a late put lands at most.
    pub later_max: Duration,
    /// Creates replace what is there, always: a store that ignores conditions.
    pub ignore_conditions: bool,
}

impl FaultRates {
    /// A bad day: about a quarter of the creates do not end well, a tenth of the reads.
    #[must_use]
    pub fn rough() -> Self {
        Self {
            error_before: 40,
            error_after: 80,
            delay: 100,
            hang: 5,
            hang_after: 10,
            land_later: 30,
            apply_again: 30,
            conflict_nothing: 40,
            truncate: 10,
            delay_max: Duration::from_millis(800),
            later_max: Duration::from_secs(60),
            ignore_conditions: false,
        }
    }

    /// Nothing answers.
    #[must_use]
    pub fn outage() -> Self {
        Self {
            error_before: 1000,
            ..Self::default()
        }
    }
}

/// Requests so far, by kind, failed ones included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Puts that must create.
    pub create: u64,
    /// Puts that may replace.
    pub overwrite: u64,
    /// Reads of content.
    pub get: u64,
    /// Reads of size and age.
    pub head: u64,
    /// Listings.
    pub list: u64,
    /// Removals.
    pub delete: u64,
}

/// The store that misbehaves. See the module.
#[derive(Debug)]
pub struct FaultStore {
    inner: Arc<dyn ObjectStore>,
    plan: Mutex<Plan>,
    late: Mutex<JoinSet<()>>,
}

struct Plan {
    dice: Dice,
    rates: FaultRates,
    scripts: BTreeMap<Op, VecDeque<Option<Fault>>>,
    counts: Counts,
    faults: u64,
    clock: Option<Clock>,
}

/// Milliseconds since 1970 by the store's clock.
type Clock = Box<dyn Fn() -> u64 + Send + Sync>;

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plan")
            .field("rates", &self.rates)
            .field("scripts", &self.scripts)
            .field("counts", &self.counts)
            .field("faults", &self.faults)
            .finish_non_exhaustive()
    }
}

impl FaultStore {
    /// A store around `inner` in which things go wrong at `rates`, as `seed` has it.
    #[must_use]
    pub fn new(inner: Arc<dyn ObjectStore>, seed: u64, rates: FaultRates) -> Arc<Self> {
        Arc::new(Self {
            inner,
            plan: Mutex::new(Plan {
                dice: Dice::new(seed),
                rates,
                scripts: BTreeMap::new(),
                counts: Counts::default(),
                faults: 0,
                clock: None,
            }),
            late: Mutex::default(),
        })
    }

    /// Over memory, well-behaved until told otherwise.
    #[must_use]
    pub fn memory() -> Arc<Self> {
        let inner = Arc::new(object_store::memory::InMemory::new());
        Self::new(inner, 0, FaultRates::default())
    }

    /// The next `op` that no script is waiting for meets `fault`. Scripts of one `op` queue up and
    /// come before the dice.
    pub fn script(&self, op: Op, fault: Fault) {
        self.plan()
            .scripts
            .entry(op)
            .or_default()
            .push_back(Some(fault));
    }

    /// The next `op` that no script is waiting for goes well.
    pub fn script_well(&self, op: Op) {
        self.plan().scripts.entry(op).or_default().push_back(None);
    }

    /// Changes what goes wrong from now on.
    pub fn set_rates(&self, rates: FaultRates) {
        self.plan().rates = rates;
    }

    /// Shows all objects as made now by `clock` (milliseconds since 1970) instead of when they were:
    /// the store behind has a real clock, which a simulation must not see.
    pub fn set_clock(&self, clock: impl Fn() -> u64 + Send + Sync + 'static) {
        self.plan().clock = Some(Box::new(clock));
    }

    /// Requests so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.plan().counts
    }

    /// Faults so far: a run without any has tested nothing.
    #[must_use]
    pub fn faults(&self) -> u64 {
        self.plan().faults
    }

    /// Waits until everything that lands late has landed.
    pub async fn settle(&self) {
        let mut late = std::mem::take(&mut *self.late());
        while late.join_next().await.is_some() {}
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn late(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.late.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Plan {
    /// Counts a request and decides its fate.
    fn next(&mut self, op: Op) -> Option<Fault> {
        let counts = &mut self.counts;
        *match op {
            Op::Create => &mut counts.create,
            Op::Overwrite => &mut counts.overwrite,
            Op::Get => &mut counts.get,
            Op::Head => &mut counts.head,
            Op::List => &mut counts.list,
            Op::Delete => &mut counts.delete,
        } += 1;
        let scripted = self.scripts.get_mut(&op).and_then(VecDeque::pop_front);
        let fault = scripted.unwrap_or_else(|| self.roll(op));
        self.faults += u64::from(fault.is_some());
        fault
    }

    fn roll(&mut self, op: Op) -> Option<Fault> {
        let rates = self.rates;
        let (create, read) = (op == Op::Create, matches!(op, Op::Get));
        let answers = !matches!(op, Op::List | Op::Delete);
        // One draw a request whatever the rates, and two for lengths, so that a changed rate
        // changes as little as possible of what follows.
        let draw = u32::try_from(self.dice.below(1000)).unwrap_or(0);
        let delay = self.dice.within(rates.delay_max);
        let later = self.dice.within(rates.later_max);
        let table = [
            (true, rates.error_before, Fault::ErrorBefore),
            (create, rates.error_after, Fault::ErrorAfter),
            (true, rates.delay, Fault::Delay(delay)),
            (answers, rates.hang, Fault::Hang),
            (create, rates.hang_after, Fault::HangAfter),
            (create, rates.land_later, Fault::LandLater(later)),
            (create, rates.apply_again, Fault::ApplyAgain(later)),
            (create, rates.conflict_nothing, Fault::ConflictNothing),
            (read, rates.truncate, Fault::Truncate),
        ];
        let mut edge = 0;
        for (possible, rate, fault) in table {
            if possible {
                edge += rate;
                if draw < edge {
                    return Some(fault);
                }
            }
        }
        (create && rates.ignore_conditions).then_some(Fault::IgnoreCondition)
    }
}

#[cfg(test)]
mod tests;

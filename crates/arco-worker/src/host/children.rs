//! The children of a host: which are there, which is free for what, which to make ahead of need.

use std::collections::BTreeMap;
use std::sync::Arc;

use arco_wire::evaluation::EvaluationQuestion;
use arco_wire::worker::{Isolation, Lease};
use nix::sys::signal::Signal;
use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::orphans::Graves;
use crate::child::{Child, ChildId, Command, Shared, Stop, signal_group};
use crate::clock::Boottime;
use crate::frame;
use crate::message::Exit;
use crate::zygote::{Zygote, ZygoteId};

/// Commands that may wait for a child: its task, a stop, a harder stop, and the farewell.
const COMMANDS_MAX: usize = 8;

/// Where a child's process comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Forked,
    Spawned,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Starting,
    Idle,
    Busy,
    Leaving,
}

#[derive(Debug)]
struct Entry {
    zygote: ZygoteId,
    origin: Origin,
    state: State,
    served: bool,
    /// It evaluates schedules and sensors, and never takes a task: a slot is for work.
    evaluator: bool,
    /// Since when it has had nothing to do.
    idle_since: Boottime,
    pid: Option<i32>,
    /// Our end of its socket until the actor has it.
    stream: Option<UnixStream>,
    commands: Option<mpsc::Sender<Command>>,
    exited: Option<oneshot::Sender<Exit>>,
}

/// All children.
#[derive(Debug)]
pub(super) struct Children {
    shared: Arc<Shared>,
    entries: BTreeMap<ChildId, Entry>,
    next: ChildId,
    actors: JoinSet<()>,
    /// The last lease wanted a child of its own: keep fresh ones ready.
    fresh_wanted: bool,
    graves: Graves,
}

impl Children {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            entries: BTreeMap::new(),
            next: 0,
            actors: JoinSet::new(),
            fresh_wanted: false,
            graves: Graves::default(),
        }
    }

    /// Gives a lease to a free child of the zygote, if there is one of the right kind.
    pub(super) fn find(&mut self, zygote: &Zygote, lease: &Lease) -> Option<ChildId> {
        let origin = origin(zygote, lease.isolation);
        let reusable = lease.isolation == Isolation::Reuse;
        self.fresh_wanted = !reusable;
        let free = self.entries.iter().filter(|(_, entry)| {
            entry.zygote == zygote.id
                && !entry.evaluator
                && entry.state == State::Idle
                && entry.origin == origin
                && (reusable || !entry.served)
        });
        // One that has served is warm, and the fresh ones stay for those that need them.
        free.max_by_key(|(_, entry)| entry.served)
            .map(|(id, _)| *id)
    }

    pub(super) fn run(&mut self, child: ChildId, lease: Lease) {
        if let Some(entry) = self.entries.get_mut(&child) {
            entry.state = State::Busy;
            entry.served = true;
        }
        self.command(child, Command::Run(Box::new(lease)));
    }

    pub(super) fn stop(&mut self, child: ChildId, stop: Stop) {
        self.command(child, Command::Stop(stop));
    }

    /// Makes children so that `slots` tasks of the kind seen last, and those that wait, find one.
    pub(super) fn make_ahead<'a>(
        &mut self,
        zygote: &mut Zygote,
        slots: u32,
        next: impl Iterator<Item = &'a Lease>,
    ) {
        let mut missing: BTreeMap<Isolation, u32> = BTreeMap::new();
        for lease in next {
            *missing.entry(lease.isolation).or_default() += 1;
        }
        let usual = if zygote.fork_safe() {
            Origin::Forked
        } else {
            Origin::Spawned
        };
        let starting = |origin| {
            self.count(zygote, |entry| {
                entry.origin == origin && entry.state == State::Starting
            })
        };
        let wanted = |origin| -> u32 {
            let kinds = missing
                .iter()
                .filter(|(kind, _)| self::origin(zygote, **kind) == origin);
            kinds.map(|(_, count)| *count).sum()
        };
        let ready = self.count(zygote, |entry| {
            entry.origin == usual
                && entry.state != State::Leaving
                && !(self.fresh_wanted && entry.served)
        });
        let ahead = slots.saturating_sub(ready);
        let usual_count = ahead.max(wanted(usual).saturating_sub(starting(usual)));
        let spawned = Origin::Spawned;
        let spawned_count = match usual {
            Origin::Forked => wanted(spawned).saturating_sub(starting(spawned)),
            Origin::Spawned => 0,
        };
        for (origin, count) in [(usual, usual_count), (spawned, spawned_count)] {
            for _ in 0..count {
                self.make(zygote, origin, false);
            }
        }
    }

    /// A free evaluator of the zygote.
    pub(super) fn free_evaluator(&self, zygote: &Zygote) -> Option<ChildId> {
        let mut entries = self.entries.iter();
        entries
            .find(|(_, entry)| {
                entry.zygote == zygote.id && entry.evaluator && entry.state == State::Idle
            })
            .map(|(id, _)| *id)
    }

    pub(super) fn evaluate(&mut self, child: ChildId, question: EvaluationQuestion) {
        if let Some(entry) = self.entries.get_mut(&child) {
            entry.state = State::Busy;
        }
        self.command(child, Command::Evaluate(Box::new(question)));
    }

    /// Makes evaluators so that so many questions find one, `at_most` in all.
    pub(super) fn make_evaluators(&mut self, zygote: &mut Zygote, waiting: usize, at_most: usize) {
        let mine = |entry: &&Entry| entry.zygote == zygote.id && entry.evaluator;
        let evaluators = || self.entries.values().filter(mine);
        let coming = evaluators()
            .filter(|entry| matches!(entry.state, State::Starting | State::Idle))
            .count();
        let alive = evaluators()
            .filter(|entry| entry.state != State::Leaving)
            .count();
        let missing = waiting.saturating_sub(coming);
        let origin = if zygote.fork_safe() {
            Origin::Forked
        } else {
            Origin::Spawned
        };
        for _ in 0..missing.min(at_most.saturating_sub(alive)) {
            self.make(zygote, origin, true);
        }
    }

    /// Evaluators that have had nothing to do for so long leave. Gives when the next one will.
    pub(super) fn shrink_evaluators(&mut self, idle_ms: u64, now: Boottime) -> Option<Boottime> {
        let idle = |entry: &Entry| entry.evaluator && entry.state == State::Idle;
        let over: Vec<_> = self
            .entries
            .iter()
            .filter(|(_, entry)| idle(entry) && entry.idle_since.plus_ms(idle_ms) <= now)
            .map(|(id, _)| *id)
            .collect();
        for child in over {
            self.served(child, false);
            self.command(child, Command::Leave);
        }
        let rest = self.entries.values().filter(|entry| idle(entry));
        rest.map(|entry| entry.idle_since.plus_ms(idle_ms)).min()
    }

    fn count(&self, zygote: &Zygote, which: impl Fn(&Entry) -> bool) -> u32 {
        let entries = self.entries.values();
        let found = entries
            .filter(|entry| entry.zygote == zygote.id && !entry.evaluator && which(entry))
            .count();
        u32::try_from(found).unwrap_or(u32::MAX)
    }

    fn make(&mut self, zygote: &mut Zygote, origin: Origin, evaluator: bool) {
        let (stream, theirs) = match frame::pair() {
            Ok(pair) => pair,
            Err(error) => {
                tracing::error!(%error, "cannot make a socket for a child");
                return;
            }
        };
        self.next += 1;
        let mode = match origin {
            Origin::Forked => Isolation::Reuse,
            Origin::Spawned => Isolation::Spawn,
        };
        zygote.fork(self.next, mode, theirs);
        let entry = Entry {
            zygote: zygote.id,
            origin,
            state: State::Starting,
            served: false,
            evaluator,
            idle_since: Boottime::now(),
            pid: None,
            stream: Some(stream),
            commands: None,
            exited: None,
        };
        self.entries.insert(self.next, entry);
    }

    /// The zygote has made it.
    pub(super) fn forked(&mut self, child: ChildId, pid: i32) {
        let Some(entry) = self.entries.get_mut(&child) else {
            return;
        };
        let Some(stream) = entry.stream.take() else {
            return;
        };
        let (commands, receiver) = mpsc::channel(COMMANDS_MAX);
        let (exit, exited) = oneshot::channel();
        entry.pid = Some(pid);
        entry.commands = Some(commands);
        entry.exited = Some(exit);
        entry.idle_since = Boottime::now();
        entry.state = State::Idle;
        let shared = self.shared.clone();
        let actor = Child {
            id: child,
            pid,
            stream,
            commands: receiver,
            exited,
            shared,
        };
        self.actors.spawn(actor.run());
    }

    /// The body is over.
    pub(super) fn served(&mut self, child: ChildId, reusable: bool) {
        if let Some(entry) = self.entries.get_mut(&child) {
            entry.idle_since = Boottime::now();
            entry.state = if reusable {
                State::Idle
            } else {
                State::Leaving
            };
        }
    }

    /// The process has ended.
    pub(super) fn exited(&mut self, child: ChildId, exit: Exit) {
        let Some(entry) = self.entries.get_mut(&child) else {
            return;
        };
        entry.pid = None;
        if entry.state != State::Busy {
            entry.state = State::Leaving;
        }
        match entry.exited.take() {
            Some(told) => drop(told.send(exit)),
            // It never came to life.
            None => drop(self.entries.remove(&child)),
        }
    }

    pub(super) fn zygote_of(&self, child: ChildId) -> Option<ZygoteId> {
        self.entries.get(&child).map(|entry| entry.zygote)
    }

    /// The actor has ended too.
    pub(super) fn gone(&mut self, child: ChildId) -> Option<ZygoteId> {
        while self.actors.try_join_next().is_some() {}
        self.entries.remove(&child).map(|entry| entry.zygote)
    }

    /// Idle children of a zygote that is being replaced leave; busy ones finish first.
    pub(super) fn dismiss(&mut self, zygote: ZygoteId) {
        let idle: Vec<_> = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.zygote == zygote && entry.state == State::Idle)
            .map(|(id, _)| *id)
            .collect();
        for child in idle {
            self.served(child, false);
            self.command(child, Command::Leave);
        }
    }

    /// SIGKILL to every process group, now. Processes that run nothing are made again quickly.
    pub(super) fn kill_all(&mut self) {
        for entry in self.entries.values_mut() {
            if let Some(pid) = entry.pid {
                signal_group(pid, Signal::SIGKILL);
            }
            if entry.state == State::Idle {
                entry.state = State::Leaving;
            }
        }
    }

    /// The zygote has died, and the kernel has killed its children. What they left in their process
    /// groups is killed here, and what has come to us to be reaped is reaped.
    pub(super) fn zygote_died(&mut self, zygote: ZygoteId, how: &str) {
        let orphans: Vec<_> = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.zygote == zygote)
            .map(|(id, entry)| (*id, entry.pid))
            .collect();
        for (child, pid) in orphans {
            if let Some(pid) = pid {
                signal_group(pid, Signal::SIGKILL);
                self.graves.dig(pid);
            }
            let exit = Exit {
                with_zygote: Some(how.to_owned()),
                ..Exit::default()
            };
            self.exited(child, exit);
        }
    }

    /// Reaps what has come to this process.
    pub(super) fn reap(&mut self) {
        self.graves.visit();
    }

    fn command(&mut self, child: ChildId, command: Command) {
        let Some(entry) = self.entries.get(&child) else {
            return;
        };
        let Some(commands) = &entry.commands else {
            return;
        };
        if commands.try_send(command).is_err()
            && let Some(pid) = entry.pid
        {
            tracing::error!(pid, "a child does not take commands and is killed");
            signal_group(pid, Signal::SIGKILL);
        }
    }
}

fn origin(zygote: &Zygote, isolation: Isolation) -> Origin {
    match isolation {
        Isolation::Spawn => Origin::Spawned,
        Isolation::Reuse | Isolation::Fork if zygote.fork_safe() => Origin::Forked,
        Isolation::Reuse | Isolation::Fork => Origin::Spawned,
    }
}

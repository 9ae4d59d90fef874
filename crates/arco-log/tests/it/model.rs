//! The log protocol and its trimming as a small model, searched exhaustively.
//!
//! Two writers share a store. Each may stall anywhere; its puts may be delayed past its patience, or
//! lost; it may decide anew while an old put is still on its way. A collector lays tombstones in order
//! and deletes. A block is one segment here, so that trimming happens within reach of the search, and
//! there are no clocks: the look for the tombstone is always made (the hour's grace is an optimisation
//! whose only assumption is stated in `log/trim.rs`).
//!
//! What must hold in every state: an acknowledged entry is the history's entry in its slot; an entry of
//! the history was decided on exactly the entries before it; what a replica holds is a prefix of the
//! history. With all three looks nothing is ever violated; with any one row of fewer, the search finds
//! the violation, which shows that it is awake.

use std::collections::{HashSet, VecDeque};

/// Entry ids; the history and each view are lists of them, slot 1 first.
type Entries = Vec<u8>;

#[derive(Debug, Clone, Copy)]
struct Looks {
    after_put: bool,
    after_found: bool,
    after_absent: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct World {
    /// The first object ever in each slot.
    history: Entries,
    /// What each entry was decided on, by entry id.
    bases: Vec<Entries>,
    /// What the store holds in each slot now.
    objects: Vec<Option<u8>>,
    /// Tombstoned slots are those below this one (1 = none).
    live_from: usize,
    /// Puts on their way: (slot, entry).
    flying: Vec<(usize, u8)>,
    writers: Vec<Writer>,
    /// (slot, entry) told to a caller as done.
    acknowledged: Vec<(usize, u8)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Writer {
    view: Entries,
    own: Vec<u8>,
    decisions_left: u8,
    puts_left: u8,
    step: Step,
}

/// What a writer does next. It may stall before each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Step {
    Idle,
    /// A put is out: an answer may come, or patience ends.
    Waiting(u8),
    /// No clear answer: get the slot.
    Look(u8),
    /// The slot holds our entry, so the store says.
    OursThere(u8),
    /// The slot holds another's.
    FoundThere(u8),
    /// The slot is empty, and the entry may be put again.
    EmptyThere(Option<u8>),
}

const SLOTS: usize = 4;

impl World {
    fn new(writers: usize, decisions: u8, puts: u8) -> Self {
        Self {
            history: Vec::new(),
            bases: Vec::new(),
            objects: vec![None; SLOTS + 1],
            live_from: 1,
            flying: Vec::new(),
            writers: vec![
                Writer {
                    view: Vec::new(),
                    own: Vec::new(),
                    decisions_left: decisions,
                    puts_left: puts,
                    step: Step::Idle,
                };
                writers
            ],
            acknowledged: Vec::new(),
        }
    }

    fn tombstoned(&self, slot: usize) -> bool {
        slot < self.live_from
    }

    fn with(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut next = self.clone();
        change(&mut next);
        next.flying.sort_unstable();
        next
    }

    /// Every state one step away.
    fn next(&self, looks: Looks, out: &mut Vec<World>) {
        for flight in 0..self.flying.len() {
            out.push(self.with(|w| w.land(flight)));
            out.push(self.with(|w| {
                w.flying.remove(flight);
            }));
        }
        // The collector: tombstones in order, below a snapshot, which may be of any folded prefix;
        // then deletion of whatever is there.
        if self.live_from < self.history.len() {
            out.push(self.with(|w| w.live_from += 1));
        }
        for slot in 1..self.live_from {
            if self.objects[slot].is_some() {
                out.push(self.with(|w| w.objects[slot] = None));
            }
        }
        for at in 0..self.writers.len() {
            self.writer_next(at, looks, out);
        }
    }

    /// A put arrives at the store. Whoever waits for it may hear so at once; that nobody hears is
    /// the writer's patience ending first.
    fn land(&mut self, flight: usize) {
        let (slot, entry) = self.flying.remove(flight);
        let created = self.objects[slot].is_none();
        if created {
            self.objects[slot] = Some(entry);
            if slot == self.history.len() + 1 {
                self.history.push(entry);
            }
        }
        for writer in &mut self.writers {
            if writer.step == Step::Waiting(entry) {
                writer.step = if created {
                    Step::OursThere(entry)
                } else {
                    Step::Look(entry)
                };
            }
        }
    }

    fn writer_next(&self, at: usize, looks: Looks, out: &mut Vec<World>) {
        let writer = &self.writers[at];
        let slot = writer.view.len() + 1;
        let mut go = |change: &dyn Fn(&mut World, &mut Writer)| {
            out.push(self.with(|world| {
                let mut writer = world.writers[at].clone();
                change(world, &mut writer);
                world.writers[at] = writer;
            }));
        };
        // A replica that learns of a tombstone drops its state and takes a snapshot and the tail.
        let reload = |world: &mut World, writer: &mut Writer| {
            writer.view = world.history.clone();
            writer.step = Step::Idle;
        };
        match writer.step {
            Step::Idle => {
                if slot > SLOTS {
                    return;
                }
                if writer.decisions_left > 0 && writer.puts_left > 0 {
                    go(&|world, writer| {
                        let entry = u8::try_from(world.bases.len()).expect("few entries");
                        world.bases.push(writer.view.clone());
                        writer.own.push(entry);
                        writer.decisions_left -= 1;
                        writer.puts_left -= 1;
                        writer.step = Step::Waiting(entry);
                        world.flying.push((slot, entry));
                    });
                }
                // Following the log is getting the next slot.
                match self.objects[slot] {
                    Some(entry) => go(&|_, writer| writer.step = Step::FoundThere(entry)),
                    None => go(&|_, writer| writer.step = Step::EmptyThere(None)),
                }
            }
            Step::Waiting(entry) => go(&|_, writer| writer.step = Step::Look(entry)),
            Step::Look(entry) => match self.objects[slot] {
                Some(found) if found == entry => {
                    go(&|_, writer| writer.step = Step::OursThere(entry));
                }
                // An earlier attempt of ours is applied like another's entry.
                Some(found) => go(&|_, writer| writer.step = Step::FoundThere(found)),
                None => go(&|_, writer| writer.step = Step::EmptyThere(Some(entry))),
            },
            Step::OursThere(entry) => {
                if looks.after_put && self.tombstoned(slot) {
                    go(&reload);
                } else {
                    go(&|world, writer| {
                        world.acknowledged.push((slot, entry));
                        world.acknowledged.sort_unstable();
                        writer.view.push(entry);
                        writer.step = Step::Idle;
                    });
                }
            }
            Step::FoundThere(entry) => {
                if looks.after_found && self.tombstoned(slot) {
                    go(&reload);
                } else {
                    go(&|_, writer| {
                        writer.view.push(entry);
                        writer.step = Step::Idle;
                    });
                }
            }
            Step::EmptyThere(entry) => {
                if looks.after_absent && self.tombstoned(slot) {
                    go(&reload);
                    return;
                }
                // Give up on it and decide anew, the old put perhaps still on its way …
                go(&|_, writer| writer.step = Step::Idle);
                // … or put the same bytes again.
                if let Some(entry) = entry
                    && writer.puts_left > 0
                {
                    go(&|world, writer| {
                        writer.puts_left -= 1;
                        writer.step = Step::Waiting(entry);
                        world.flying.push((slot, entry));
                    });
                }
            }
        }
    }

    fn violation(&self) -> Option<String> {
        for (slot, entry) in &self.acknowledged {
            if self.history.get(slot - 1) != Some(entry) {
                return Some(format!("acknowledged entry {entry} is not in slot {slot}"));
            }
        }
        for (before, entry) in self.history.iter().enumerate() {
            if self.bases[usize::from(*entry)] != self.history[..before] {
                return Some(format!("entry {entry} was decided on another history"));
            }
        }
        let astray = |writer: &&Writer| !self.history.starts_with(&writer.view);
        self.writers
            .iter()
            .find(astray)
            .map(|writer| format!("a replica holds {:?} of {:?}", writer.view, self.history))
    }
}

/// Searches breadth first; the states seen, or the first violation and how many steps lead to it.
fn search(start: World, looks: Looks) -> Result<usize, (String, usize)> {
    let mut seen = HashSet::from([fingerprint(&start)]);
    let mut queue = VecDeque::from([(start, 0)]);
    let mut next = Vec::new();
    while let Some((world, depth)) = queue.pop_front() {
        if let Some(violation) = world.violation() {
            return Err((violation, depth));
        }
        world.next(looks, &mut next);
        for world in next.drain(..) {
            if seen.insert(fingerprint(&world)) {
                queue.push_back((world, depth + 1));
            }
        }
    }
    Ok(seen.len())
}

/// 64 bits stand for a state: among a million states the odds that two share them are one in 10^7.
fn fingerprint(world: &World) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    world.hash(&mut hasher);
    hasher.finish()
}

const ALL: Looks = Looks {
    after_put: true,
    after_found: true,
    after_absent: true,
};

#[test]
fn with_all_three_looks_no_reachable_state_is_wrong() {
    let states = search(World::new(2, 2, 2), ALL).unwrap_or_else(|(violation, depth)| {
        panic!("after {depth} steps: {violation}");
    });
    assert!(
        states > 50_000,
        "only {states} states: the model has shrunk"
    );
}

#[test]
fn with_fewer_looks_the_search_finds_the_loss() {
    let rows = [
        ("none", false, false, false),
        ("after a put only", true, false, false),
        ("after a put and on 404", true, false, true),
        ("after reads only", false, true, true),
    ];
    for (name, after_put, after_found, after_absent) in rows {
        let looks = Looks {
            after_put,
            after_found,
            after_absent,
        };
        let found = search(World::new(2, 2, 3), looks);
        let Err((violation, depth)) = found else {
            panic!("{name}: no violation found: the search is asleep");
        };
        assert!(depth >= 5, "{name}: {violation} after {depth} steps");
    }
}

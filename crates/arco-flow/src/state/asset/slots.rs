//! The slots of an asset, numbered in order of first appearance, in little memory.
//!
//! Ten million partitions of a workspace are ten million keys. Each stands here once, as text in pages of
//! 256, and the way back from key to number is a hash table of numbers alone, grown a bucket at a time
//! (linear hashing: Litwin, VLDB 1980), so that no step of the fold waits for a table to be made anew.
//! Pages and buckets are copied on write; clones share them.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use arco_core::PartitionKey;
use imbl::Vector;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Slot;

/// Keys a page holds.
const PAGE: usize = 256;
/// Numbers a bucket holds on average before the next one is split.
const BUCKET: usize = 32;

/// The slots of an asset, numbered from 0.
#[derive(Debug, Clone, Default)]
pub struct Slots {
    pages: Vector<Arc<Page>>,
    len: u32,
    /// Derived.
    index: Index,
}

/// Canonical texts, one after the other; that of the slot without a partition is empty.
#[derive(Debug, Clone, Default, PartialEq)]
struct Page {
    texts: String,
    ends: Vec<u32>,
}

impl Page {
    fn text(&self, at: usize) -> Option<&str> {
        let end = *self.ends.get(at)? as usize;
        let begin = at
            .checked_sub(1)
            .map_or(0, |before| self.ends[before] as usize);
        Some(&self.texts[begin..end])
    }
}

#[derive(Debug, Clone, Default)]
struct Index {
    buckets: Vector<Arc<Vec<Entry>>>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    hash: u32,
    ordinal: u32,
}

impl Slots {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Whether no slot was ever spoken of.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The slot of a number.
    #[must_use]
    pub fn get(&self, ordinal: u32) -> Option<Slot> {
        self.text(ordinal).map(slot)
    }

    /// The number of a slot.
    #[must_use]
    pub fn ordinal(&self, slot: &Slot) -> Option<u32> {
        let text = text(slot);
        let hash = hash(text);
        let found = self
            .index
            .bucket(hash)?
            .iter()
            .find(|entry| entry.hash == hash && self.text(entry.ordinal) == Some(text));
        found.map(|entry| entry.ordinal)
    }

    /// The number of a slot, which is given the next one when it has none.
    pub(super) fn intern(&mut self, slot: &Slot) -> u32 {
        if let Some(known) = self.ordinal(slot) {
            return known;
        }
        let ordinal = self.len;
        self.push(text(slot));
        ordinal
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = Slot> + '_ {
        self.texts().map(slot)
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        let pages = self.pages.iter();
        pages.flat_map(|page| (0..page.ends.len()).filter_map(|at| page.text(at)))
    }

    fn text(&self, ordinal: u32) -> Option<&str> {
        let at = ordinal as usize;
        self.pages.get(at / PAGE)?.text(at % PAGE)
    }

    fn push(&mut self, text: &str) {
        let ordinal = self.len;
        if (ordinal as usize).is_multiple_of(PAGE) {
            self.pages.push_back(Arc::default());
        }
        let page = self
            .pages
            .back_mut()
            .expect("one was pushed at the latest now");
        let page = Arc::make_mut(page);
        page.texts.push_str(text);
        page.ends
            .push(u32::try_from(page.texts.len()).expect("256 keys are less than 4 GiB"));
        if page.ends.len() == PAGE {
            page.texts.shrink_to_fit();
        }
        self.len = ordinal
            .checked_add(1)
            .expect("fewer than 2^32 partitions an asset");
        let entry = Entry {
            hash: hash(text),
            ordinal,
        };
        self.index.insert(entry, self.len as usize);
    }
}

impl Index {
    fn bucket(&self, hash: u32) -> Option<&Vec<Entry>> {
        self.buckets.get(self.place(hash)?).map(AsRef::as_ref)
    }

    /// The bucket of a hash: by as many low bits as there are buckets, one bit less where that one has
    /// not been split off yet.
    fn place(&self, hash: u32) -> Option<usize> {
        let mask = self
            .buckets
            .len()
            .checked_next_power_of_two()?
            .checked_sub(1)?;
        let place = hash as usize & mask;
        Some(if place < self.buckets.len() {
            place
        } else {
            place & (mask >> 1)
        })
    }

    fn insert(&mut self, entry: Entry, entries: usize) {
        if entries > self.buckets.len() * BUCKET {
            self.split();
        }
        let place = self.place(entry.hash).expect("there is a bucket");
        let bucket = self.buckets.get_mut(place).expect("places are buckets");
        Arc::make_mut(bucket).push(entry);
    }

    /// One more bucket, with what belongs there of the one that held it so far.
    fn split(&mut self) {
        let new = self.buckets.len();
        self.buckets.push_back(Arc::default());
        if new == 0 {
            return;
        }
        let old = new & !(1 << new.ilog2());
        let (stay, go): (Vec<Entry>, Vec<Entry>) = self.buckets[old]
            .iter()
            .partition(|entry| self.place(entry.hash) == Some(old));
        self.buckets.set(old, Arc::new(stay));
        self.buckets.set(new, Arc::new(go));
    }
}

fn text(slot: &Slot) -> &str {
    slot.as_ref().map_or("", PartitionKey::as_str)
}

fn slot(text: &str) -> Slot {
    (!text.is_empty()).then(|| PartitionKey::of_canonical(text))
}

/// The same on every machine; nothing that is kept depends on it.
fn hash(text: &str) -> u32 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    let all = hasher.finish();
    u32::try_from(all & u64::from(u32::MAX)).expect("32 bits")
}

impl PartialEq for Slots {
    fn eq(&self, other: &Self) -> bool {
        // The index follows from the texts.
        self.len == other.len && self.pages == other.pages
    }
}

impl Serialize for Slots {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.texts().map(|text| (!text.is_empty()).then_some(text)))
    }
}

impl<'de> Deserialize<'de> for Slots {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Slots;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a list of partition keys")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut keys: A) -> Result<Slots, A::Error> {
                let mut slots = Slots::default();
                while let Some(slot) = keys.next_element::<Slot>()? {
                    slots.push(text(&slot));
                }
                Ok(slots)
            }
        }
        deserializer.deserialize_seq(All)
    }
}

#[cfg(test)]
mod tests;

//! Sets of ordinals in small copy-on-write pages.

use imbl::OrdMap;
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

/// Ordinals a page spans: small, so that changing one partition of a million copies little.
const PAGE: u32 = 4_096;

/// A set of ordinals with a count in O(1). Clones share their pages.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PagedBitmap {
    pages: OrdMap<u32, RoaringBitmap>,
    len: u64,
}

impl PagedBitmap {
    /// Puts an ordinal in; says whether it was not there.
    pub fn insert(&mut self, ordinal: u32) -> bool {
        let new = self
            .pages
            .entry(ordinal / PAGE)
            .or_default()
            .insert(ordinal % PAGE);
        self.len += u64::from(new);
        new
    }

    /// Takes an ordinal out; says whether it was there.
    pub fn remove(&mut self, ordinal: u32) -> bool {
        if !self.contains(ordinal) {
            return false;
        }
        let page = self.pages.entry(ordinal / PAGE).or_default();
        page.remove(ordinal % PAGE);
        if page.is_empty() {
            self.pages.remove(&(ordinal / PAGE));
        }
        self.len -= 1;
        true
    }

    /// Whether an ordinal is in.
    #[must_use]
    pub fn contains(&self, ordinal: u32) -> bool {
        self.pages
            .get(&(ordinal / PAGE))
            .is_some_and(|page| page.contains(ordinal % PAGE))
    }

    /// How many are in.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether none is in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The ordinals in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.pages
            .iter()
            .flat_map(|(page, bits)| bits.iter().map(move |bit| page * PAGE + bit))
    }
}

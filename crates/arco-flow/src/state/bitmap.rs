//! Sets of ordinals in small copy-on-write pages.

use std::borrow::Cow;
use std::ops::Range;

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

    /// The set of a range. Costs its pages.
    #[must_use]
    pub fn of_range(ordinals: Range<u32>) -> Self {
        let mut out = Self::default();
        out.insert_range(ordinals);
        out
    }

    /// Puts all of a range in. Costs its pages.
    pub fn insert_range(&mut self, ordinals: Range<u32>) {
        for (page, bits) in pages(ordinals) {
            self.len += self.pages.entry(page).or_default().insert_range(bits);
        }
    }

    /// How many of a range are in.
    #[must_use]
    pub fn count(&self, ordinals: Range<u32>) -> u64 {
        let within = pages(ordinals).filter_map(|(page, bits)| {
            let set = self.pages.get(&page)?;
            Some(set.range_cardinality(bits))
        });
        within.sum()
    }

    /// How many are in all of these sets. Costs the pages of the first.
    #[must_use]
    pub fn common(first: &Self, others: &[&Self]) -> u64 {
        let within = first.pages.iter().map(|(page, bits)| {
            let mut common = Cow::Borrowed(bits);
            for other in others {
                let Some(other) = other.pages.get(page) else {
                    return 0;
                };
                common = Cow::Owned(&*common & other);
            }
            common.len()
        });
        within.sum()
    }

    /// Whether all of a range are in; so is nothing.
    #[must_use]
    pub fn contains_range(&self, ordinals: Range<u32>) -> bool {
        pages(ordinals).all(|(page, bits)| {
            let set = self.pages.get(&page);
            set.is_some_and(|set| set.contains_range(bits))
        })
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

    /// The ordinals, the last first.
    pub fn iter_rev(&self) -> impl Iterator<Item = u32> + '_ {
        let pages = self.pages.iter().rev();
        pages.flat_map(|(page, bits)| bits.iter().rev().map(move |bit| page * PAGE + bit))
    }
}

impl FromIterator<u32> for PagedBitmap {
    fn from_iter<I: IntoIterator<Item = u32>>(ordinals: I) -> Self {
        let mut out = Self::default();
        ordinals.into_iter().for_each(|ordinal| {
            out.insert(ordinal);
        });
        out
    }
}

/// The pages of a range, with what is in each.
fn pages(ordinals: Range<u32>) -> impl Iterator<Item = (u32, Range<u32>)> {
    let end = if ordinals.is_empty() {
        0
    } else {
        ordinals.end.div_ceil(PAGE)
    };
    (ordinals.start / PAGE..end).map(move |page| {
        let from = ordinals.start.max(page * PAGE) - page * PAGE;
        let to = (ordinals.end - page * PAGE).min(PAGE);
        (page, from..to)
    })
}

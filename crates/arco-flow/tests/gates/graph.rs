//! Random asset graphs.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use proptest::prelude::*;

/// Assets `a`, `b`, … in an order in which each comes after what it reads.
#[derive(Debug, Clone)]
pub(crate) struct Assets(Vec<Asset>);

#[derive(Debug, Clone)]
struct Asset {
    reads: Vec<usize>,
    daily: bool,
    retries: u32,
    check: bool,
}

/// Graphs of one to `most` assets; some daily ones when `daily` says so.
pub(crate) fn assets(most: usize, daily: bool) -> impl Strategy<Value = Assets> {
    let asset = (any::<u16>(), any::<bool>(), 0_u32..3, 0_u8..4);
    prop::collection::vec(asset, 1..=most).prop_map(move |drawn| {
        let assets = drawn.into_iter().enumerate();
        Assets(
            assets
                .map(|(n, (bits, in_days, retries, check))| Asset {
                    // About a third of what could be read.
                    reads: (0..n)
                        .filter(|up| bits >> up & 1 == 1 && (bits >> 8) % 3 != (*up as u16) % 3)
                        .collect(),
                    daily: daily && in_days,
                    retries,
                    check: check == 0,
                })
                .collect(),
        )
    })
}

pub(crate) fn name(asset: usize) -> String {
    char::from(b'a' + u8::try_from(asset).expect("few assets")).to_string()
}

/// The assets' names in one text, as the harness reads them.
pub(crate) fn names(assets: &BTreeSet<usize>) -> String {
    let names: Vec<String> = assets.iter().map(|asset| name(*asset)).collect();
    names.join(" ")
}

impl Assets {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn all(&self) -> BTreeSet<usize> {
        (0..self.len()).collect()
    }

    pub(crate) fn is_daily(&self, asset: usize) -> bool {
        self.0[asset].daily
    }

    pub(crate) fn has_check(&self, asset: usize) -> bool {
        self.0[asset].check
    }

    /// Those of `bits`, and one at least.
    pub(crate) fn some(&self, bits: u16) -> BTreeSet<usize> {
        let some: BTreeSet<usize> = (0..self.len()).filter(|n| bits >> n & 1 == 1).collect();
        if some.is_empty() {
            [usize::from(bits) % self.len()].into()
        } else {
            some
        }
    }

    /// Everything an asset reads, directly or not.
    pub(crate) fn ancestors(&self, asset: usize) -> BTreeSet<usize> {
        let mut out: BTreeSet<usize> = self.0[asset].reads.iter().copied().collect();
        for read in self.0[asset].reads.clone() {
            out.extend(self.ancestors(read));
        }
        out
    }

    /// Everything that reads an asset, directly or not.
    pub(crate) fn descendants(&self, asset: usize) -> BTreeSet<usize> {
        (0..self.len())
            .filter(|n| self.ancestors(*n).contains(&asset))
            .collect()
    }

    /// What an asset reads itself.
    pub(crate) fn parents(&self, asset: usize) -> BTreeSet<usize> {
        self.0[asset].reads.iter().copied().collect()
    }

    /// Definitions in the words of the harness.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for (n, asset) in self.0.iter().enumerate() {
            let daily = if asset.daily { " daily" } else { "" };
            let reads: Vec<String> = asset.reads.iter().map(|up| name(*up)).collect();
            let arrow = if reads.is_empty() { "" } else { " <- " };
            let (name, reads, retries) = (name(n), reads.join(", "), asset.retries);
            let pool = ["", " pool=p", " pool=q"][n % 3];
            let _ = write!(text, "{name}{daily}{pool} retry={retries}{arrow}{reads};");
            if asset.check {
                let _ = write!(text, "check {name}.ok blocking{daily} <- {name};");
            }
        }
        text
    }
}

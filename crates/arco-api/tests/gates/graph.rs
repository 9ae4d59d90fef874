//! Random definitions from a seed.

use std::collections::BTreeSet;

use arco_testkit::random::Random;
use arco_testkit::{ManifestBuilder, asset, check};
use serde_json::{Value, json};

/// Assets `a`, `b`, … in an order in which each comes after what it reads.
#[derive(Debug)]
pub(crate) struct Assets(Vec<Asset>);

#[derive(Debug)]
struct Asset {
    reads: Vec<usize>,
    daily: bool,
    check: bool,
}

/// The days that runs of daily assets are asked for.
pub(crate) const DAYS: [&str; 2] = ["2026-01-02", "2026-01-03"];

pub(crate) fn name(asset: usize) -> String {
    char::from(b'a' + u8::try_from(asset).expect("few assets")).to_string()
}

impl Assets {
    /// Two to eight assets.
    pub(crate) fn random(random: &mut Random) -> Self {
        let count = usize::try_from(random.between(2, 8)).expect("few");
        let assets = (0..count).map(|n| Asset {
            reads: (0..n).filter(|_| random.chance(400)).collect(),
            daily: random.chance(400),
            check: random.chance(250),
        });
        Self(assets.collect())
    }

    pub(crate) fn all(&self) -> BTreeSet<usize> {
        (0..self.0.len()).collect()
    }

    /// Some of them, and one at least.
    pub(crate) fn some(&self, random: &mut Random) -> BTreeSet<usize> {
        let all: Vec<usize> = (0..self.0.len()).collect();
        let mut some: BTreeSet<usize> =
            all.iter().copied().filter(|_| random.chance(300)).collect();
        some.insert(*random.pick(&all));
        some
    }

    pub(crate) fn manifest(&self) -> ManifestBuilder {
        let mut manifest = ManifestBuilder::new("main");
        for (n, drawn) in self.0.iter().enumerate() {
            let mut builder = asset(&name(n));
            if drawn.daily {
                builder = builder.daily("2026-01-01");
            }
            for up in &drawn.reads {
                builder = builder.needs(&name(*up));
            }
            manifest = manifest.asset(builder);
            if drawn.check {
                manifest = manifest.check(check(&name(n), "ok").blocking());
            }
        }
        manifest
    }

    /// The body of a request for a run of these assets.
    pub(crate) fn request(&self, chosen: &BTreeSet<usize>) -> Value {
        let selection: Vec<String> = chosen.iter().map(|asset| name(*asset)).collect();
        let mut body = json!({"selection": selection});
        if chosen.iter().any(|asset| self.0[*asset].daily) {
            body["partitions"] = json!({"keys": DAYS});
        }
        body
    }

    /// The steps that a run of these assets is to carry out, each once per partition, in order of name.
    pub(crate) fn due(&self, chosen: &BTreeSet<usize>) -> Vec<String> {
        let mut steps = Vec::new();
        for asset in chosen {
            let drawn = &self.0[*asset];
            let times = if drawn.daily { DAYS.len() } else { 1 };
            steps.extend(vec![name(*asset); times]);
            // A check that is not partitioned itself is judged once.
            steps.extend(drawn.check.then(|| format!("{}__ok", name(*asset))));
        }
        steps.sort();
        steps
    }
}

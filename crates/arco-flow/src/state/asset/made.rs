//! The last materialization of each slot of an asset, in little memory.
//!
//! Rows of 64 bytes in pages of 64 ordinals. What repeats within a page (runs, versions of the code, data
//! versions that are no digest) stands once, in two small tables of the page. Pages are copied on write.

use std::sync::Arc;

use arco_core::event::Position;
use arco_core::{AttemptId, Digest, RunId, TaskIndex, Timestamp};
use imbl::Vector;
use serde::Serialize;

use super::Materialization;

mod page_text;

/// Ordinals a page spans: the bits of `present`.
const PAGE: u32 = 64;
/// Entries of the tables of a page before those go that no row uses: the rows need 64 and 128 at most.
const RUNS: usize = 96;
const TEXTS: usize = 192;

/// The last materialization of each ordinal that has one.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Made {
    pages: Vector<Arc<Page>>,
}

#[derive(Debug, Clone, Default)]
struct Page {
    /// Which ordinals have a row.
    present: u64,
    /// Their rows, in order.
    rows: Vec<Row>,
    runs: Vec<RunId>,
    texts: Vec<Arc<str>>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Row {
    /// The data version when it is a digest, as nearly all are.
    data: [u8; 32],
    segment: u64,
    time: i64,
    index: u32,
    task: TaskIndex,
    number: u32,
    /// In `runs` of the page, from 1; 0 is reported from outside of runs.
    run: u8,
    /// In `texts` of the page, from 1; 0 is none.
    code: u8,
    /// In `texts` of the page, from 1; 0 says that `data` is it.
    text: u8,
}

impl Made {
    /// The row of an ordinal.
    #[must_use]
    pub fn get(&self, ordinal: u32) -> Option<Materialization> {
        self.pages
            .get((ordinal / PAGE) as usize)?
            .get(ordinal % PAGE)
    }

    /// All rows, by ordinal.
    pub fn iter(&self) -> impl Iterator<Item = (u32, Materialization)> + '_ {
        (0_u32..).zip(&self.pages).flat_map(|(number, page)| {
            (0..PAGE).filter_map(move |at| Some((number * PAGE + at, page.get(at)?)))
        })
    }

    /// Whether nothing was ever made.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pages.is_empty()
    }

    pub(super) fn insert(&mut self, ordinal: u32, made: &Materialization) {
        let number = (ordinal / PAGE) as usize;
        while self.pages.len() <= number {
            self.pages.push_back(Arc::default());
        }
        let page = self
            .pages
            .get_mut(number)
            .expect("pushed if it was not there");
        Arc::make_mut(page).insert(ordinal % PAGE, made);
    }
}

impl Page {
    fn get(&self, at: u32) -> Option<Materialization> {
        let row = (self.present >> at & 1 == 1).then(|| self.rows[self.rank(at)])?;
        let text = |n: u8| Some(&self.texts[usize::from(n.checked_sub(1)?)]);
        Some(Materialization {
            position: Position {
                segment: row.segment,
                index: row.index,
            },
            time: Timestamp(row.time),
            attempt: row.run.checked_sub(1).map(|run| AttemptId {
                run: self.runs[usize::from(run)],
                task: row.task,
                number: row.number,
            }),
            data_version: match text(row.text) {
                Some(text) => Arc::clone(text),
                None => Digest::from_bytes(row.data).to_string().into(),
            },
            code_version: text(row.code).cloned(),
        })
    }

    /// Rows before an ordinal's.
    fn rank(&self, at: u32) -> usize {
        (self.present & ((1 << at) - 1)).count_ones() as usize
    }

    fn insert(&mut self, at: u32, made: &Materialization) {
        if self.runs.len() >= RUNS || self.texts.len() >= TEXTS {
            *self = self.compacted();
        }
        let row = self.row(made);
        let rank = self.rank(at);
        if self.present >> at & 1 == 1 {
            self.rows[rank] = row;
        } else {
            self.present |= 1 << at;
            self.rows.insert(rank, row);
        }
    }

    fn row(&mut self, made: &Materialization) -> Row {
        let digest = Digest::parse(&made.data_version);
        let mut text = |text: &Arc<str>| index(&mut self.texts, text);
        let (run, task, number) = match &made.attempt {
            None => (0, 0, 0),
            Some(of) => (index(&mut self.runs, &of.run), of.task, of.number),
        };
        Row {
            data: digest.map_or([0; 32], |digest| *digest.as_bytes()),
            segment: made.position.segment,
            time: made.time.0,
            index: made.position.index,
            task,
            number,
            run,
            code: made.code_version.as_ref().map_or(0, &mut text),
            text: digest.map_or_else(|| text(&made.data_version), |_| 0),
        }
    }

    /// The same rows, with tables that have what they use, in the order of its use.
    fn compacted(&self) -> Self {
        let mut fresh = Self {
            present: self.present,
            rows: self.rows.clone(),
            ..Self::default()
        };
        for row in &mut fresh.rows {
            row.run = moved(row.run, &self.runs, &mut fresh.runs);
            row.code = moved(row.code, &self.texts, &mut fresh.texts);
            row.text = moved(row.text, &self.texts, &mut fresh.texts);
        }
        fresh
    }
}

/// The place in another table of what is at a place of this one.
fn moved<T: PartialEq + Clone>(at: u8, from: &[T], to: &mut Vec<T>) -> u8 {
    at.checked_sub(1)
        .map_or(0, |at| index(to, &from[usize::from(at)]))
}

/// The place of a value in a table, from 1.
fn index<T: PartialEq + Clone>(table: &mut Vec<T>, value: &T) -> u8 {
    let known = table.iter().position(|one| one == value);
    let at = known.unwrap_or_else(|| {
        table.push(value.clone());
        table.len() - 1
    });
    u8::try_from(at + 1).expect("tables are compacted before they have 256 entries")
}

impl PartialEq for Page {
    fn eq(&self, other: &Self) -> bool {
        // How the tables came to be is no part of what the page says.
        let (one, other) = (self.compacted(), other.compacted());
        (one.present, &one.rows, &one.runs, &one.texts)
            == (other.present, &other.rows, &other.runs, &other.texts)
    }
}

#[cfg(test)]
mod tests;

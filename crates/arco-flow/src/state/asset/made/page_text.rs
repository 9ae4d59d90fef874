//! A page in a snapshot: its rows as base64 of 63 bytes each, little-endian, its tables as JSON.
//!
//! Ten million rows as JSON objects are three gigabytes and take a minute to read; these are a sixth.

use std::fmt;
use std::sync::Arc;

use arco_core::RunId;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Made, Materialization, Page, Row};

const ROW: usize = 32 + 8 + 8 + 4 + 4 + 4 + 3;

#[derive(Serialize, Deserialize)]
struct PageText {
    present: u64,
    rows: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    runs: Vec<RunId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    texts: Vec<Arc<str>>,
}

impl Serialize for Page {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Two states that mean the same are the same bytes.
        let page = self.compacted();
        let mut bytes = Vec::with_capacity(page.rows.len() * ROW);
        for row in &page.rows {
            bytes.extend_from_slice(&row.data);
            bytes.extend_from_slice(&row.segment.to_le_bytes());
            bytes.extend_from_slice(&row.time.to_le_bytes());
            bytes.extend_from_slice(&row.index.to_le_bytes());
            bytes.extend_from_slice(&row.task.to_le_bytes());
            bytes.extend_from_slice(&row.number.to_le_bytes());
            bytes.extend_from_slice(&[row.run, row.code, row.text]);
        }
        let text = PageText {
            present: page.present,
            rows: STANDARD_NO_PAD.encode(bytes),
            runs: page.runs,
            texts: page.texts,
        };
        text.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Page {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = PageText::deserialize(deserializer)?;
        let bytes = STANDARD_NO_PAD
            .decode(&text.rows)
            .map_err(D::Error::custom)?;
        let rows: Vec<Row> = bytes.chunks(ROW).filter_map(row).collect();
        let within = |row: &Row| {
            usize::from(row.run) <= text.runs.len()
                && usize::from(row.code.max(row.text)) <= text.texts.len()
        };
        let whole = rows.len() == text.present.count_ones() as usize
            && bytes.len() == rows.len() * ROW
            && rows.iter().all(within);
        if !whole {
            return Err(D::Error::custom("a page of materializations is not whole"));
        }
        Ok(Self {
            present: text.present,
            rows,
            runs: text.runs,
            texts: text.texts,
        })
    }
}

impl<'de> Deserialize<'de> for Made {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Rows;
        impl<'de> Visitor<'de> for Rows {
            type Value = Made;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("pages of materializations")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut pages: A) -> Result<Made, A::Error> {
                let mut made = Made::default();
                while let Some(page) = pages.next_element::<Page>()? {
                    made.pages.push_back(Arc::new(page));
                }
                Ok(made)
            }

            // As fold versions 1 to 3 wrote it.
            fn visit_map<A: MapAccess<'de>>(self, mut rows: A) -> Result<Made, A::Error> {
                let mut made = Made::default();
                while let Some((ordinal, row)) = rows.next_entry::<u32, Materialization>()? {
                    made.insert(ordinal, &row);
                }
                Ok(made)
            }
        }
        deserializer.deserialize_any(Rows)
    }
}

fn row(bytes: &[u8]) -> Option<Row> {
    let (data, rest) = bytes.split_first_chunk::<32>()?;
    let (segment, rest) = rest.split_first_chunk::<8>()?;
    let (time, rest) = rest.split_first_chunk::<8>()?;
    let (index, rest) = rest.split_first_chunk::<4>()?;
    let (task, rest) = rest.split_first_chunk::<4>()?;
    let (number, rest) = rest.split_first_chunk::<4>()?;
    let [run, code, text] = *rest else {
        return None;
    };
    Some(Row {
        data: *data,
        segment: u64::from_le_bytes(*segment),
        time: i64::from_le_bytes(*time),
        index: u32::from_le_bytes(*index),
        task: u32::from_le_bytes(*task),
        number: u32::from_le_bytes(*number),
        run,
        code,
        text,
    })
}

use std::ops::Bound;

use super::*;
use crate::paths::WorkspacePaths;
use crate::store::LogStore;

fn key(n: u32) -> Vec<u8> {
    format!("run_{n:06}").into_bytes()
}

fn row(n: u32) -> String {
    format!(
        r#"{{"run":{n},"note":"{}"}}"#,
        "x".repeat((n % 90) as usize)
    )
}

async fn packed(rows: std::ops::Range<u32>) -> HistoryReader {
    let store = LogStore::memory();
    let paths = WorkspacePaths::new("default", "main").unwrap();
    let mut writer = HistoryWriter::new("runs", 42);
    for n in rows {
        writer.push(&key(n * 2), row(n * 2).as_bytes()).unwrap();
    }
    let object = writer.finish().unwrap();
    let path = paths.history(&object.reference.name);
    store.create_once(&path, object.bytes).await.unwrap();
    let text = serde_json::to_string(&object.reference).unwrap();
    HistoryReader::new(store, &paths, serde_json::from_str(&text).unwrap())
}

#[tokio::test]
async fn each_row_is_found_and_no_other() {
    let reader = packed(0..5_000).await;
    assert!(reader.reference().rows == 5_000 && reader.reference().size < 200_000);
    for n in [0, 2, 4, 998, 1_000, 5_554, 9_998] {
        let found = reader.get(&key(n)).await.unwrap().unwrap();
        assert_eq!(found, row(n).as_bytes());
        assert_eq!(reader.get(&key(n + 1)).await.unwrap(), None);
    }
    assert_eq!(reader.get(b"a").await.unwrap(), None);
    assert_eq!(reader.get(b"z").await.unwrap(), None);
}

#[tokio::test]
async fn pages_forward_and_back_meet_every_row_once() {
    let reader = packed(0..3_000).await;
    let expected: Vec<Vec<u8>> = (0..3_000).map(|n| key(n * 2)).collect();
    for back in [false, true] {
        let mut seen: Vec<Vec<u8>> = Vec::new();
        loop {
            let last = seen.last().cloned();
            let from = last.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
            let page = if back {
                reader.scan_back(from, 700).await.unwrap()
            } else {
                reader.scan(from, 700).await.unwrap()
            };
            if page.is_empty() {
                break;
            }
            seen.extend(page.into_iter().map(|(key, _)| key.to_vec()));
        }
        if back {
            seen.reverse();
        }
        assert_eq!(seen, expected, "back: {back}");
    }
    let (odd, even) = (key(1_001), key(1_000));
    let first = reader.scan(Bound::Included(&odd), 1).await.unwrap();
    assert_eq!(first[0].0, key(1_002));
    let last = reader.scan_back(Bound::Included(&even), 1).await.unwrap();
    assert_eq!(last[0].0, key(1_000));
}

#[test]
fn rows_out_of_order_are_refused() {
    let mut writer = HistoryWriter::new("runs", 1);
    writer.push(b"b", b"1").unwrap();
    for key in [b"b", b"a"] {
        let error = writer.push(key, b"2").unwrap_err().to_string();
        assert!(error.contains("does not ascend"), "{error}");
    }
    assert!(HistoryWriter::new("runs", 1).finish().is_none());
}

#[tokio::test]
async fn damage_is_named_wherever_it_is() {
    let mut writer = HistoryWriter::new("runs", 42);
    for n in 0..400 {
        writer.push(&key(n), row(n).as_bytes()).unwrap();
    }
    let object = writer.finish().unwrap();
    let paths = WorkspacePaths::new("default", "main").unwrap();
    for at in (0..object.bytes.len()).step_by(37) {
        let mut bytes = object.bytes.to_vec();
        bytes[at] ^= 0x10;
        let store = LogStore::memory();
        let path = paths.history(&object.reference.name);
        store.create_once(&path, bytes.into()).await.unwrap();
        let reader = HistoryReader::new(store, &paths, object.reference.clone());
        let rows = reader.scan(Bound::Unbounded, usize::MAX).await;
        match rows {
            Err(error) => assert!(
                error.to_string().contains("made again from the log"),
                "{error}"
            ),
            Ok(rows) => assert_eq!(rows.len(), 400, "flip at {at} went unseen"),
        }
    }
    let reader = HistoryReader::new(LogStore::memory(), &paths, object.reference.clone());
    let error = reader.get(&key(1)).await.unwrap_err().to_string();
    assert!(error.contains("it is missing"), "{error}");
}

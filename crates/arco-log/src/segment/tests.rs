use arco_core::event::{Cause, Position, RawEvent};
use proptest::prelude::*;
use serde_json::value::RawValue;

use super::*;
use crate::LogError;

fn event(kind: &str, payload: &str) -> RawEvent {
    RawEvent {
        kind: kind.into(),
        version: 1,
        time: Timestamp(1_767_225_600_000),
        principal: "client:ada".into(),
        cause: Cause::Command("req_1".into()),
        epoch: None,
        definitions: None,
        ignorable: false,
        blobs: Vec::new(),
        payload: RawValue::from_string(payload.into()).unwrap(),
    }
}

fn frame() -> Frame<'static> {
    Frame {
        workspace: "default/main",
        writer: "w_1",
        nonce: "w_1.0".into(),
        min_reader: READER,
        snapshot: None,
    }
}

fn draft(events: &[RawEvent]) -> Draft<'_> {
    Draft {
        after: Head::genesis(),
        time: Timestamp(1_767_225_600_001),
        epoch: Some(3),
        fold: 1,
        events,
    }
}

fn context() -> DecodeContext<'static> {
    DecodeContext {
        object: "default/main/log/0/1",
        workspace: "default/main",
        segment: 1,
        reader: READER,
        stored_at: Timestamp(0),
    }
}

fn json(events: &[RawEvent]) -> String {
    serde_json::to_string(events).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_encoded_is_decoded(
        kinds in prop::collection::vec("[a-z.]{1,12}", 1..40),
        text in "\\PC{0,40}",
    ) {
        let payload = serde_json::json!({ "text": text }).to_string();
        let events: Vec<_> = kinds.iter().map(|kind| event(kind, &payload)).collect();
        let encoded = encode(&draft(&events), frame()).unwrap();
        let decoded = decode(&encoded.bytes, context()).unwrap();
        prop_assert_eq!(decoded.head(), encoded.head);
        prop_assert_eq!(json(&decoded.events), json(&events));
    }

    #[test]
    fn text_len_is_an_upper_bound(
        kind in "[a-z.]{1,30}",
        principal in "[a-z:]{1,30}",
        blobs in 0_usize..5,
        long in any::<bool>(),
    ) {
        let event = RawEvent {
            principal,
            blobs: vec![Digest::of(b"x"); blobs],
            cause: if long {
                Cause::Command("c".repeat(50))
            } else {
                Cause::Event(Position { segment: u64::MAX, index: u32::MAX })
            },
            version: u32::MAX,
            time: Timestamp(i64::MIN),
            epoch: Some(u64::MAX),
            definitions: Some(("flights".into(), Digest::of(b"y"))),
            ignorable: true,
            ..event(&kind, r#"{"a":"é"}"#)
        };
        let line = serde_json::to_vec(&event).unwrap();
        prop_assert!(line.len() < text_len(&event), "{} {}", line.len(), text_len(&event));
    }
}

#[test]
fn every_flipped_bit_and_every_cut_is_noticed() {
    let events: Vec<_> = (0..5)
        .map(|n| event("run.requested", &format!(r#"{{"run":{n}}}"#)))
        .collect();
    let encoded = encode(&draft(&events), frame()).unwrap();
    for at in 0..encoded.bytes.len() {
        for bit in 0..8 {
            let mut bytes = encoded.bytes.to_vec();
            bytes[at] ^= 1 << bit;
            // A bit that says nothing may change nothing (frames have one, unused, in the
            // descriptor); but what is read is what was written, or nothing is.
            match decode(&bytes, context()) {
                Ok(segment) => assert_eq!(segment.digest, encoded.head.digest, "{at}.{bit}"),
                Err(LogError::Corrupt { object, mend, .. }) => {
                    assert_eq!(object, "default/main/log/0/1");
                    assert!(mend.contains("backup"));
                }
                Err(other) => panic!("{at}.{bit}: {other}"),
            }
        }
        assert!(
            decode(&encoded.bytes[..at], context()).is_err(),
            "cut at {at}"
        );
    }
}

/// Text of a segment, its digest made right, as an object.
fn forge(header: &str, events: &[&str], count: usize) -> Bytes {
    let mut text = format!("{header}\n");
    for event in events {
        text += event;
        text.push('\n');
    }
    let digest = Digest::of(text.as_bytes());
    text += &format!("{{\"count\":{count},\"digest\":\"{digest}\"}}\n");
    compress(text.as_bytes())
}

fn header(segment: u64, workspace: &str, format: u32, min_reader: u32) -> String {
    let prev = Head::genesis().digest;
    format!(
        r#"{{"format":{format},"workspace":"{workspace}","segment":{segment},"prev":"{prev}","writer":"w","nonce":"w.0","time":5,"min_reader":{min_reader},"fold":1}}"#
    )
}

#[test]
fn a_segment_that_is_not_what_it_should_be_is_refused_with_the_reason() {
    let good = r#"{"k":"x","v":1,"t":5,"w":"system","c":{"command":"c"},"d":{}}"#;
    let ours = header(1, "default/main", 1, 1);
    let rows = [
        (forge(&ours, &[good], 1), ""),
        (
            forge(&ours, &[good], 2),
            "it has 1 events and its footer says 2",
        ),
        (forge(&ours, &["{}"], 1), "event 0 does not read"),
        (
            forge(&header(2, "default/main", 1, 1), &[good], 1),
            "it is segment 2 of workspace `default/main`",
        ),
        (
            forge(&header(1, "default/x", 1, 1), &[good], 1),
            "it is segment 1 of workspace `default/x`",
        ),
        (
            forge(&header(1, "default/main", 2, 1), &[good], 1),
            "its format is 2 and not 1",
        ),
        (
            forge("no header", &[good], 1),
            "its header line does not read",
        ),
        (compress(ours.as_bytes()), "it has no header line"),
        (compress(format!("{ours}\n").as_bytes()), "it has no footer"),
        (Bytes::from_static(b"plain"), "it is not a zstd frame"),
    ];
    for (bytes, expected) in rows {
        match decode(&bytes, context()) {
            Ok(_) => assert_eq!(expected, ""),
            Err(error) => assert!(
                !expected.is_empty() && error.to_string().contains(expected),
                "{expected}: {error}"
            ),
        }
    }
}

#[test]
fn a_newer_writers_segment_asks_for_an_upgrade_whatever_else_it_holds() {
    let newer = header(1, "default/main", 9, READER + 1).replace("\"fold\":1", "\"fold\":{}");
    let error = decode(&forge(&newer, &["?"], 1), context()).unwrap_err();
    assert!(
        matches!(error, LogError::TooNew { needs, have, .. } if needs == READER + 1 && have == READER),
        "{error}"
    );
    assert!(error.to_string().contains("upgrade this arco"), "{error}");
}

#[test]
fn line_breaks_between_tokens_of_a_payload_do_not_break_lines() {
    let pretty = "{\n  \"a\": \"x\\ny\",\r\n  \"b\": [\n1]}";
    let encoded = encode(&draft(&[event("x", pretty)]), frame()).unwrap();
    let decoded = decode(&encoded.bytes, context()).unwrap();
    let value: serde_json::Value = serde_json::from_str(decoded.events[0].payload.get()).unwrap();
    assert_eq!(value, serde_json::json!({"a": "x\ny", "b": [1]}));
}

#[test]
fn a_decision_too_large_for_a_segment_is_refused_with_its_mend() {
    let many = vec![event("x", "1"); MAX_EVENTS + 1];
    let long = vec![event("x", &format!("\"{}\"", "x".repeat(MAX_TEXT / 2))); 2];
    // Digits of a running hash do not compress below half.
    let mut noise = String::new();
    let mut digest = Digest::of(b"");
    while noise.len() < 3 * MAX_OBJECT {
        digest = Digest::of(digest.to_string().as_bytes());
        noise += &digest.to_string();
    }
    let noise = [event("x", &format!("\"{noise}\""))];
    let rows: [(&[RawEvent], &str); 4] = [
        (&[], "a decision without events"),
        (
            &many,
            "the decision has 50001 events and a segment holds 50000",
        ),
        (&long, "more than 16 MiB of text"),
        (&noise, "bytes compressed and a segment holds 4194304"),
    ];
    for (events, expected) in rows {
        let error = encode(&draft(events), frame()).unwrap_err();
        assert!(matches!(error, LogError::Invalid { .. }));
        assert!(error.to_string().contains(expected), "{error}");
    }
    encode(&draft(&many[..MAX_EVENTS]), frame()).unwrap();
}

#[test]
fn a_full_batch_of_noise_still_fits() {
    let mut events = Vec::new();
    let (mut size, mut digest) = (0, Digest::of(b""));
    while size < BATCH_TEXT - 4096 {
        let mut text = String::new();
        for _ in 0..40 {
            digest = Digest::of(digest.to_string().as_bytes());
            text += &digest.to_string();
        }
        let next = event("x", &format!("\"{text}\""));
        size += text_len(&next);
        events.push(next);
    }
    encode(&draft(&events), frame()).unwrap();
}

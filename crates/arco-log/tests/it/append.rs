//! The outcome of a put under each way a store can answer.

use std::time::Duration;

use arco_log::{AppendOutcome, Head, Log, LogError, LogStore};

use crate::store::{Counts, Fault, FaultRates, FaultStore, Op};
use crate::support::{append, draft, event, grow, note, open, recover};
use std::sync::Arc;

async fn faulty() -> (Arc<FaultStore>, Log) {
    let store = FaultStore::memory();
    let log = open(&LogStore::new(store.clone()), "w").await;
    recover(&log).await.unwrap();
    (store, log)
}

fn since(before: Counts, after: Counts) -> (u64, u64, u64) {
    (
        after.create - before.create,
        after.get - before.get,
        after.head - before.head,
    )
}

#[tokio::test(start_paused = true)]
async fn a_commit_costs_one_create_and_nothing_else() {
    let (store, log) = faulty().await;
    let before = store.counts();
    grow(&log, Head::genesis(), 20).await;
    assert_eq!(since(before, store.counts()), (20, 0, 0));
    assert_eq!(store.counts().list, before.list);
}

/// What happens, the script for it, the creates and gets it takes to know.
type Row<'a> = (&'a str, &'a [(Op, Fault)], (u64, u64));

#[tokio::test(start_paused = true)]
async fn whatever_the_store_answers_the_slot_decides() {
    use Fault::{
        ApplyAgain, ConflictNothing, Delay, ErrorAfter, ErrorBefore, Hang, HangAfter, LandLater,
    };
    const SOON: Duration = Duration::from_millis(20);
    let rows: &[Row<'_>] = &[
        ("commit then 503", &[(Op::Create, ErrorAfter)], (1, 1)),
        ("commit then silence", &[(Op::Create, HangAfter)], (1, 1)),
        ("503 and nothing", &[(Op::Create, ErrorBefore)], (2, 1)),
        ("409 and nothing", &[(Op::Create, ConflictNothing)], (2, 1)),
        ("silence and nothing", &[(Op::Create, Hang)], (2, 1)),
        (
            "slow",
            &[(Op::Create, Delay(Duration::from_secs(2)))],
            (1, 0),
        ),
        ("twice", &[(Op::Create, ApplyAgain(SOON))], (1, 0)),
        (
            "reset, lands before the second try",
            &[(Op::Create, LandLater(SOON))],
            (2, 2),
        ),
        (
            "reset, lands after the second try",
            &[(Op::Create, LandLater(Duration::from_secs(9)))],
            (2, 1),
        ),
        ("503 thrice", &[(Op::Create, ErrorBefore); 3], (4, 3)),
        (
            "commit then 503, and the look fails twice",
            &[
                (Op::Create, ErrorAfter),
                (Op::Get, ErrorBefore),
                (Op::Get, Hang),
            ],
            (3, 3),
        ),
        (
            "commit then 503, and the look is cut short",
            &[(Op::Create, ErrorAfter), (Op::Get, Fault::Truncate)],
            (1, 2),
        ),
    ];
    for (name, script, cost) in rows {
        // Alone, it commits.
        let (store, log) = faulty().await;
        for (op, fault) in *script {
            store.script(*op, *fault);
        }
        let before = store.counts();
        let outcome = append(&log, Head::genesis(), "mine").await.unwrap();
        let (creates, gets, heads) = since(before, store.counts());
        assert!(
            matches!(outcome, AppendOutcome::Committed(_)),
            "{name}: {outcome:?}"
        );
        assert_eq!(((creates, gets), heads), (*cost, 0), "{name}");
        store.settle().await;
        let state = recover(&log).await.unwrap();
        assert_eq!(state.notes, ["mine"], "{name}");

        // With somebody there, it is lost to them, and they stay.
        let (store, log) = faulty().await;
        let other = open(&LogStore::new(store.clone()), "other").await;
        grow(&other, Head::genesis(), 1).await;
        for (op, fault) in *script {
            store.script(*op, *fault);
        }
        match append(&log, Head::genesis(), "mine").await.unwrap() {
            AppendOutcome::Lost { winner, ours } => {
                assert!(!ours, "{name}");
                assert_eq!(note(&winner.events[0]), "event 1", "{name}");
            }
            outcome => panic!("{name}: {outcome:?}"),
        }
        store.settle().await;
        assert_eq!(recover(&log).await.unwrap().notes, ["event 1"], "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn after_half_a_minute_without_an_answer_the_outcome_is_unknown() {
    let (store, log) = faulty().await;
    store.set_rates(FaultRates::outage());
    let started = tokio::time::Instant::now();
    let outcome = append(&log, Head::genesis(), "mine").await.unwrap();
    let AppendOutcome::Unknown { cause } = outcome else {
        panic!("{outcome:?}");
    };
    assert!(cause.retryable());
    let took = started.elapsed();
    assert!((25..=30).contains(&took.as_secs()), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn an_earlier_attempt_that_lands_is_known_for_our_own() {
    let (store, log) = faulty().await;
    store.script(Op::Create, Fault::LandLater(Duration::from_secs(120)));
    store.set_rates(FaultRates::outage());
    let outcome = append(&log, Head::genesis(), "first").await.unwrap();
    assert!(matches!(outcome, AppendOutcome::Unknown { .. }));
    store.settle().await;
    store.set_rates(FaultRates::default());
    match append(&log, Head::genesis(), "second").await.unwrap() {
        AppendOutcome::Lost { winner, ours } => {
            assert!(ours);
            assert_eq!(note(&winner.events[0]), "first");
        }
        outcome => panic!("{outcome:?}"),
    }
    // Another handle, even of a writer of the same name, does not take it for its own.
    let namesake = open(&LogStore::new(store.clone()), "w").await;
    let outcome = append(&namesake, Head::genesis(), "third").await.unwrap();
    assert!(
        matches!(outcome, AppendOutcome::Lost { ours: false, .. }),
        "{outcome:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_same_bytes_put_twice_are_committed_once() {
    let (_, log) = faulty().await;
    let events = [event("mine")];
    let encoded = log.encode(draft(Head::genesis(), &events)).unwrap();
    for _ in 0..2 {
        let outcome = log.put(&encoded).await.unwrap();
        assert!(matches!(outcome, AppendOutcome::Committed(head) if head == encoded.head()));
    }
    assert_eq!(recover(&log).await.unwrap().notes, ["mine"]);
}

#[tokio::test(start_paused = true)]
async fn a_put_dropped_half_way_is_recognised_later() {
    let (store, log) = faulty().await;
    store.script(Op::Create, Fault::HangAfter);
    let patience = Duration::from_secs(1);
    let cut = tokio::time::timeout(patience, append(&log, Head::genesis(), "first")).await;
    assert!(cut.is_err());
    let outcome = append(&log, Head::genesis(), "second").await.unwrap();
    assert!(
        matches!(outcome, AppendOutcome::Lost { ours: true, .. }),
        "{outcome:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_winner_that_does_not_read_is_named_and_not_overwritten() {
    let (store, log) = faulty().await;
    let path = log.paths().segment(1);
    let inner = LogStore::new(store);
    inner
        .create_once(&path, "not a segment".into())
        .await
        .unwrap();
    let error = append(&log, Head::genesis(), "mine").await.unwrap_err();
    assert!(
        matches!(&error, LogError::Corrupt { object, .. } if *object == path.to_string()),
        "{error}"
    );
    assert_eq!(inner.get(&path).await.unwrap().unwrap(), "not a segment");
}

#[tokio::test(start_paused = true)]
async fn a_blob_is_put_once_whatever_the_store_answers() {
    let scripts: [&[(Op, Fault)]; 4] = [
        &[(Op::Create, Fault::ErrorAfter)],
        &[(Op::Create, Fault::ErrorAfter), (Op::Get, Fault::Truncate)],
        &[(Op::Create, Fault::ConflictNothing)],
        &[(Op::Create, Fault::Hang), (Op::Get, Fault::ErrorBefore)],
    ];
    for script in scripts {
        let (store, log) = faulty().await;
        for (op, fault) in script {
            store.script(*op, *fault);
        }
        let digest = log.put_blob("content".into()).await.unwrap();
        assert_eq!(log.get_blob(&digest).await.unwrap(), "content");
        assert_eq!(log.put_blob("content".into()).await.unwrap(), digest);
    }
    let (store, log) = faulty().await;
    store.set_rates(FaultRates::outage());
    let error = log.put_blob("content".into()).await.unwrap_err();
    assert!(error.retryable(), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_object_merely_found_proves_nothing_about_the_tail() {
    const MINUTE: Duration = Duration::from_secs(60);
    let (store, log) = faulty().await;
    let events = [event("mine")];
    let encoded = log.encode(draft(Head::genesis(), &events)).unwrap();
    store.script(Op::Create, Fault::LandLater(MINUTE));
    store.set_rates(FaultRates::outage());
    let outcome = log.put(&encoded).await.unwrap();
    assert!(matches!(outcome, AppendOutcome::Unknown { .. }));
    store.settle().await;
    store.set_rates(FaultRates::default());
    tokio::time::advance(55 * MINUTE).await;
    let outcome = log.put(&encoded).await.unwrap();
    let AppendOutcome::Committed(mut head) = outcome else {
        panic!("{outcome:?}");
    };
    // It may have been there for all that time, and the log may have moved on and been trimmed since
    // the proof that recovery made. An hour after that one, a look is due.
    for (wait, looks) in [(10 * MINUTE, 1), (10 * MINUTE, 0)] {
        tokio::time::advance(wait).await;
        let before = store.counts();
        head = grow(&log, head, 1).await;
        assert_eq!(since(before, store.counts()).2, looks);
    }
}

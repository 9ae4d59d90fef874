use super::*;
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutMode, PutOptions};

async fn create(store: &FaultStore, path: &str, text: &'static str) -> bool {
    let options = PutOptions::from(PutMode::Create);
    store
        .put_opts(&Path::from(path), text.into(), options)
        .await
        .is_ok()
}

async fn read(store: &FaultStore, path: &str) -> Option<String> {
    let found = store.inner.get(&Path::from(path)).await.ok()?;
    let bytes = found.bytes().await.expect("memory reads");
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[tokio::test(start_paused = true)]
async fn each_fault_does_what_it_says() {
    let later = Duration::from_secs(60);
    let rows = [
        // fault, answered well, there at once, there in the end
        (Fault::ErrorBefore, false, None, None),
        (Fault::ErrorAfter, false, Some("new"), Some("new")),
        (Fault::Delay(later), true, Some("new"), Some("new")),
        (Fault::LandLater(later), false, None, Some("new")),
        (Fault::ApplyAgain(later), true, Some("new"), Some("new")),
        (Fault::ConflictNothing, false, None, None),
    ];
    for (fault, well, at_once, at_last) in rows {
        let store = FaultStore::memory();
        store.script(Op::Create, fault);
        assert_eq!(create(&store, "x", "new").await, well, "{fault:?}");
        assert_eq!(read(&store, "x").await.as_deref(), at_once, "{fault:?}");
        store.settle().await;
        assert_eq!(read(&store, "x").await.as_deref(), at_last, "{fault:?}");
    }
    let store = FaultStore::memory();
    assert!(create(&store, "x", "old").await);
    assert!(!create(&store, "x", "new").await);
    store.script(Op::Create, Fault::IgnoreCondition);
    assert!(create(&store, "x", "new").await);
    assert_eq!(read(&store, "x").await.as_deref(), Some("new"));
    assert_eq!(store.counts().create, 3);
}

#[tokio::test(start_paused = true)]
async fn same_seed_has_the_same_faults() {
    let run = |seed| async move {
        let inner = Arc::new(object_store::memory::InMemory::new());
        let rates = FaultRates {
            hang: 0,
            hang_after: 0,
            ..FaultRates::rough()
        };
        let store = FaultStore::new(inner, seed, rates);
        let mut answers = Vec::new();
        for n in 0..300 {
            answers.push(create(&store, &format!("x/{n}"), "new").await);
        }
        store.settle().await;
        (answers, store.faults())
    };
    let (first, faults) = run(7).await;
    assert!(faults > 30, "{faults}");
    assert_eq!(run(7).await.0, first);
    assert_ne!(run(8).await.0, first);
}

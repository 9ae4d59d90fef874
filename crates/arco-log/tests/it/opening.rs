//! Opening: the probe, the format object, and logs that are not there.

use std::sync::Arc;

use arco_log::{Access, Log, LogError, LogOptions, LogStore, WorkspacePaths};
use bytes::Bytes;
use object_store::memory::InMemory;

use crate::store::{Fault, FaultRates, FaultStore, Op};
use crate::support::{open, options, paths};

async fn open_faulty(store: &Arc<FaultStore>) -> Result<Log, LogError> {
    Log::open(LogStore::new(store.clone()), paths(), options("w")).await
}

#[tokio::test(start_paused = true)]
async fn a_store_that_ignores_conditions_is_refused() {
    let rates = FaultRates {
        ignore_conditions: true,
        ..FaultRates::default()
    };
    let store = FaultStore::new(Arc::new(InMemory::new()), 1, rates);
    let error = open_faulty(&store).await.unwrap_err();
    assert!(matches!(error, LogError::Refused { .. }), "{error}");
    assert!(
        error.to_string().contains("it ignores conditions"),
        "{error}"
    );
    let left = LogStore::new(store).list(&paths().root()).await.unwrap();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test(start_paused = true)]
async fn the_probe_is_not_fooled_by_a_store_that_stumbles() {
    for fault in [
        Fault::ErrorBefore,
        Fault::ErrorAfter,
        Fault::Hang,
        Fault::ConflictNothing,
    ] {
        for well_first in [false, true] {
            let store = FaultStore::memory();
            if well_first {
                store.script_well(Op::Create);
            }
            store.script(Op::Create, fault);
            open_faulty(&store).await.unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_down_is_unavailable_and_not_refused() {
    let store = FaultStore::new(Arc::new(InMemory::new()), 1, FaultRates::outage());
    let error = open_faulty(&store).await.unwrap_err();
    assert!(error.retryable(), "{error}");
}

#[tokio::test]
async fn reading_makes_nothing_and_says_when_there_is_nothing() {
    let store = LogStore::memory();
    let read = || LogOptions {
        access: Access::Read,
        ..options("r")
    };
    let error = Log::open(store.clone(), paths(), read()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no Arco log for `default/main` in `memory:`; check the store and the workspace, or \
         start one with `arco dev`"
    );
    assert!(store.list(&paths().root()).await.unwrap().is_empty());
    open(&store, "w").await;
    Log::open(store.clone(), paths(), read()).await.unwrap();
    assert_eq!(
        store.list(&paths().root()).await.unwrap(),
        [paths().format()]
    );
}

#[tokio::test]
async fn a_folder_of_a_later_layout_or_another_workspace_is_left_alone() {
    let rows = [
        (
            r#"{"arco":"log","layout":2,"workspace":"default/main"}"#,
            "upgrade this arco",
        ),
        (
            r#"{"arco":"log","layout":1,"workspace":"default/x"}"#,
            "of workspace `default/x`",
        ),
        ("shopping list", "it does not read"),
    ];
    for (text, expected) in rows {
        let store = LogStore::memory();
        store
            .create_once(&paths().format(), Bytes::from(text))
            .await
            .unwrap();
        let error = Log::open(store, paths(), options("w")).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[tokio::test]
async fn workspaces_of_one_store_do_not_see_each_other() {
    let store = LogStore::memory();
    let one = open(&store, "w").await;
    crate::support::grow(&one, arco_log::Head::genesis(), 3).await;
    let other = WorkspacePaths::new("default", "other").unwrap();
    let other = Log::open(store, other, options("w")).await.unwrap();
    let state = crate::support::recover(&other).await.unwrap();
    assert_eq!(state.head.segment, 0);
}

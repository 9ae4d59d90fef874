use arco_core::definitions::{Backoff, Jitter, RetryPolicy};
use arco_core::event::FailureClass as Class;
use arco_core::{AttemptId, RunId};

use super::{Budget, Wish, delay_ms};

fn attempt(number: u32) -> AttemptId {
    AttemptId {
        run: RunId::from_parts(1, 1),
        task: 0,
        number,
    }
}

fn policy(backoff: Option<Backoff>, jitter: Option<Jitter>) -> RetryPolicy {
    RetryPolicy {
        max_retries: 5,
        delay_ms: Some(2),
        backoff,
        jitter,
    }
}

#[test]
fn delays_grow_as_the_policy_says() {
    let rows = [
        (None, [2, 2, 2, 2, 2]),
        (Some(Backoff::Linear), [2, 4, 6, 8, 10]),
        // 2, 6, 14, 30, 62.
        (Some(Backoff::Exponential), [2, 6, 14, 30, 62]),
    ];
    for (backoff, expected) in rows {
        let p = policy(backoff, None);
        let delays: Vec<Option<u64>> = (1..=6)
            .map(|n| delay_ms(Some(&p), Class::UserCode, Wish::default(), n, attempt(n)))
            .collect();
        let mut then: Vec<Option<u64>> = expected.into_iter().map(Some).collect();
        then.push(None);
        assert_eq!(delays, then, "{backoff:?}");
    }
}

#[test]
fn exponential_delays_have_a_bound() {
    let p = RetryPolicy {
        max_retries: 200,
        delay_ms: Some(1_000),
        backoff: Some(Backoff::Exponential),
        jitter: None,
    };
    let delay = delay_ms(
        Some(&p),
        Class::UserCode,
        Wish::default(),
        100,
        attempt(100),
    );
    assert_eq!(delay, Some(super::DELAY_MAX_MS));
}

#[test]
fn jitter_is_derived_and_stays_within_its_bounds() {
    let full = RetryPolicy {
        delay_ms: Some(1_000),
        ..policy(None, Some(Jitter::Full))
    };
    let around = RetryPolicy {
        delay_ms: Some(1_000),
        ..policy(Some(Backoff::Linear), Some(Jitter::PlusMinus))
    };
    let mut seen = std::collections::BTreeSet::new();
    for n in 1..=5 {
        let once = delay_ms(Some(&full), Class::UserCode, Wish::default(), n, attempt(n)).unwrap();
        let twice = delay_ms(Some(&full), Class::UserCode, Wish::default(), n, attempt(n)).unwrap();
        assert_eq!(once, twice, "the same attempt has the same jitter");
        assert!(once <= 1_000);
        seen.insert(once);
        let near = delay_ms(
            Some(&around),
            Class::UserCode,
            Wish::default(),
            n,
            attempt(n),
        )
        .unwrap();
        let middle = 1_000 * u64::from(n);
        assert!(
            (middle - 1_000..=middle + 1_000).contains(&near),
            "{near} around {middle}"
        );
    }
    assert!(seen.len() > 1, "different attempts are spread");
}

#[test]
fn the_class_of_a_failure_decides_first() {
    let p = policy(None, None);
    let no = Wish {
        allow_retries: false,
        ..Wish::default()
    };
    let asked = Wish {
        retry_after_ms: Some(70),
        max_retries: Some(2),
        ..Wish::default()
    };
    let rows = [
        (None, Class::UserCode, Wish::default(), 1, None),
        (Some(&p), Class::Config, Wish::default(), 1, None),
        (Some(&p), Class::UserCode, no, 1, None),
        (Some(&p), Class::Crashed, Wish::default(), 1, Some(2)),
        (None, Class::WorkerLost, Wish::default(), 3, Some(0)),
        (None, Class::WorkerLost, Wish::default(), 4, None),
        (None, Class::Infrastructure, no, 1, Some(200)),
        (None, Class::Infrastructure, Wish::default(), 3, Some(800)),
        (Some(&p), Class::Infrastructure, Wish::default(), 4, None),
        (Some(&p), Class::DataQuality, Wish::default(), 1, None),
        (Some(&p), Class::OutOfMemory, Wish::default(), 1, Some(2)),
        (Some(&p), Class::Timeout, Wish::default(), 5, Some(2)),
        (None, Class::RetryRequested, asked, 2, Some(70)),
        (None, Class::RetryRequested, asked, 3, None),
        (None, Class::RetryRequested, Wish::default(), 1, Some(0)),
    ];
    assert_eq!(Budget::of(Class::Timeout), Budget::of(Class::UserCode));
    assert_ne!(
        Budget::of(Class::Infrastructure),
        Budget::of(Class::WorkerLost)
    );
    for (policy, class, wish, failures, then) in rows {
        assert_eq!(
            delay_ms(policy, class, wish, failures, attempt(1)),
            then,
            "{class:?} {failures}"
        );
    }
}

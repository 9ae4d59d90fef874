//! Whether and when a failed task is tried again (R-20..R-23).

use arco_core::definitions::{Backoff, Jitter, RetryPolicy};
use arco_core::event::FailureClass;
use arco_core::{AttemptId, Digest};

/// A lost worker is no fault of the task: it is tried again without a policy, this often at most,
/// so that a task that kills its host does not go round for ever.
pub(crate) const WORKER_LOST_RETRIES_MAX: u32 = 3;

/// As for a lost worker: a body that could not be begun, or went down with its zygote.
pub(crate) const INFRASTRUCTURE_RETRIES_MAX: u32 = 3;

/// What tries are counted against. Failures of one budget take nothing from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Budget {
    /// The step's retry policy, or what the body asked for.
    Policy,
    /// [`WORKER_LOST_RETRIES_MAX`].
    WorkerLost,
    /// [`INFRASTRUCTURE_RETRIES_MAX`].
    Infrastructure,
    /// Never tried again: it would go the same way.
    None,
}

impl Budget {
    /// The budget of a kind of failure.
    pub(crate) fn of(class: FailureClass) -> Self {
        match class {
            FailureClass::UserCode
            | FailureClass::Io
            | FailureClass::RetryRequested
            | FailureClass::OutOfMemory
            | FailureClass::Crashed
            | FailureClass::Timeout => Self::Policy,
            FailureClass::WorkerLost => Self::WorkerLost,
            FailureClass::Infrastructure => Self::Infrastructure,
            FailureClass::Config | FailureClass::DataQuality => Self::None,
        }
    }
}

/// Doubled for each failure: 200, 400 and 800 ms.
const INFRASTRUCTURE_DELAY_MS: u64 = 100;

/// No retry waits longer than a day; Dagster's exponential backoff has no bound (D-37).
const DELAY_MAX_MS: u64 = 24 * 60 * 60 * 1000;

/// What user code said about another try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wish {
    /// `Failure(allow_retries=False)` says no.
    pub(crate) allow_retries: bool,
    /// `RetryRequested(seconds_to_wait=…)`.
    pub(crate) retry_after_ms: Option<u64>,
    /// `RetryRequested(max_retries=…)`.
    pub(crate) max_retries: Option<u32>,
}

impl Default for Wish {
    fn default() -> Self {
        Self {
            allow_retries: true,
            retry_after_ms: None,
            max_retries: None,
        }
    }
}

/// Milliseconds until the next try after `failures` failed ones (this one included); `None` when
/// there is no next try.
pub(crate) fn delay_ms(
    policy: Option<&RetryPolicy>,
    class: FailureClass,
    wish: Wish,
    failures: u32,
    attempt: AttemptId,
) -> Option<u64> {
    match Budget::of(class) {
        Budget::WorkerLost => (failures <= WORKER_LOST_RETRIES_MAX).then_some(0),
        // Whatever is short (processes, memory of the machine) gets a breath, longer each time.
        Budget::Infrastructure => {
            (failures <= INFRASTRUCTURE_RETRIES_MAX).then(|| INFRASTRUCTURE_DELAY_MS << failures)
        }
        Budget::None => None,
        Budget::Policy if !wish.allow_retries => None,
        Budget::Policy if class == FailureClass::RetryRequested => {
            let max = wish.max_retries.unwrap_or(1);
            (failures <= max).then(|| wish.retry_after_ms.unwrap_or(0).min(DELAY_MAX_MS))
        }
        Budget::Policy => {
            let policy = policy?;
            (failures <= policy.max_retries).then(|| policy_delay(policy, failures, attempt))
        }
    }
}

fn policy_delay(policy: &RetryPolicy, failures: u32, attempt: AttemptId) -> u64 {
    let base = policy.delay_ms.unwrap_or(0);
    let grown = match policy.backoff {
        None => base,
        Some(Backoff::Linear) => base.saturating_mul(u64::from(failures)),
        Some(Backoff::Exponential) => {
            let factor = 2_u64
                .checked_pow(failures)
                .map_or(u64::MAX, |power| power - 1);
            base.saturating_mul(factor)
        }
    }
    .min(DELAY_MAX_MS);
    match policy.jitter {
        None => grown,
        Some(Jitter::Full) => spread(attempt, grown),
        Some(Jitter::PlusMinus) => {
            let shift = spread(attempt, base.saturating_mul(2));
            (grown + shift).saturating_sub(base).min(DELAY_MAX_MS)
        }
    }
}

/// A number from 0 to `max`, derived from the attempt: jitter that every replay repeats.
fn spread(attempt: AttemptId, max: u64) -> u64 {
    let digest = Digest::of(attempt.to_string().as_bytes()).to_string();
    let number = u64::from_str_radix(&digest[..16], 16).unwrap_or(0);
    match max.checked_add(1) {
        Some(span) => number % span,
        None => number,
    }
}

#[cfg(test)]
mod tests;

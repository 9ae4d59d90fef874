//! One sentence for each reason.

mod words;

use arco_core::event::RunTimeLimit;
use arco_wire::api::Reason;

use crate::render::{Paint, duration, plural};
use words::{
    again, asked, behind_runs, counts, failed, full, label, materialized, no_host, run_standing,
    short, slot, standing, unknown_words,
};

pub(super) fn sentence(reason: &Reason, paint: Paint) -> String {
    match reason {
        Reason::Run { run, status, .. } => {
            let run = paint.bold(&run.to_string());
            format!(
                "run {run} {}: {}",
                run_standing(status, paint),
                counts(reason)
            )
        }
        Reason::Asked { .. } => asked(reason, paint),
        Reason::Again {
            parent,
            what,
            selection,
            retry,
            status,
        } => {
            let automatic = retry.map(|number| format!(", as automatic retry {number}"));
            let ended = status
                .as_ref()
                .map(|status| format!(", which {}", run_standing(status, paint)));
            format!(
                "it does run {parent} {}{}{}",
                again(*what, selection.as_deref()),
                automatic.unwrap_or_default(),
                ended.unwrap_or_default()
            )
        }
        Reason::Definitions {
            location,
            version,
            current,
        } => {
            let version = &version.to_string()[..12];
            let which = if *current {
                "the current definitions"
            } else {
                "former definitions"
            };
            format!("under {which} of `{location}`, {version}")
        }
        Reason::LoadFailed {
            location,
            error_type,
            message,
        } => format!(
            "newer code of `{location}` did not load, and the former definitions stay: {error_type}: {message}"
        ),
        Reason::CancelAsked { by } => format!("{} asked to stop the run", paint.bold(by)),
        Reason::RunTimedOut { limit, limit_ms } => format!(
            "the run {} for longer than the {} it may, and was stopped",
            match limit {
                RunTimeLimit::Queue => "waited",
                RunTimeLimit::Run => "went on",
            },
            duration(*limit_ms)
        ),
        Reason::Begun => "its first task was leased".into(),
        Reason::NothingToDo => {
            "it had nothing to do: no partition of what was asked for existed".into()
        }
        Reason::RunRetried { number, by } => match by {
            Some(by) => format!("run {by} does it again, as automatic retry {number}"),
            None => format!("it is about to be done again, as automatic retry {number}"),
        },
        Reason::RunRetryDropped { number, reason } => {
            format!("automatic retry {number} could not be made: {reason}")
        }
        Reason::RunRetriesUsedUp { max: 1 } => {
            "it is not done again by itself: 1 rerun was allowed, and has been".into()
        }
        Reason::RunRetriesUsedUp { max } => {
            format!("it is not done again by itself: {max} reruns were allowed, and have been")
        }
        Reason::RunRetriesNotForTasks => {
            "it is not done again by itself: user code failed, and only failures of processes and \
             hosts are retried"
                .into()
        }
        Reason::Task { run, task, status } => format!(
            "task {} {} of run {run} {}",
            task.task,
            paint.bold(&label(task)),
            standing(status, paint)
        ),
        Reason::WaitedForTasks { needs, last } => format!(
            "it waited for {}, at last for {} {}",
            plural(*needs, "task"),
            last.task,
            label(last)
        ),
        Reason::WaitsForTasks { needs } => format!("it waits for {}", plural(*needs, "task")),
        Reason::WaitedForHost { location } => {
            format!("it waited for a worker host of `{location}`")
        }
        Reason::WaitedForRetry => "it was tried again".into(),
        Reason::NoHost { location, lost } => no_host(location, *lost),
        Reason::HostsBusy {
            location,
            hosts,
            slots,
            held,
        } => format!(
            "{} of `{location}` can run {} at once and {} {held}",
            plural(*hosts, "worker host"),
            plural(*slots, "task"),
            if *hosts == 1 { "holds" } else { "hold" }
        ),
        Reason::HostHasRoom { location, hosts } => format!(
            "it may begin: {} of `{location}` {} room and takes it with the next call",
            plural(*hosts, "worker host"),
            if *hosts == 1 { "has" } else { "have" }
        ),
        Reason::LimitFull {
            limit,
            slots,
            held,
            runs,
        } => full(&format!("limit on {limit}"), *slots, *held, runs),
        Reason::PoolFull {
            pool,
            slots,
            held,
            attempts,
        } => full(&format!("pool `{pool}`"), *slots, *held, attempts),
        Reason::BehindRuns { runs, first } => behind_runs(*runs, &first.to_string()),
        Reason::Behind { tasks } if *tasks >= 1_000 => "1,000 tasks or more go first".into(),
        Reason::Behind { tasks: 1 } => {
            "1 task goes first: of a higher priority, or asked for earlier".into()
        }
        Reason::Behind { tasks } => {
            format!("{tasks} tasks go first: of a higher priority, or asked for earlier")
        }
        Reason::EarlierAttempts { attempts } => {
            format!("{} before", plural(*attempts, "more attempt"))
        }
        Reason::Attempt {
            attempt,
            host,
            hostname,
            status,
        } => {
            let place = hostname.clone().unwrap_or_else(|| host.to_string());
            format!(
                "attempt {} on {place} {}",
                attempt.number,
                standing(status, paint)
            )
        }
        Reason::Failed { .. } => failed(reason),
        Reason::RetryDue => "its next try is due".into(),
        Reason::NoRetryPolicy => "it is not tried again: its step has no retry policy".into(),
        Reason::RetriesUsedUp { max } => format!(
            "it is not tried again: {} allowed after the first",
            match max {
                1 => "1 try was".to_owned(),
                max => format!("{max} tries were"),
            }
        ),
        Reason::NotRetried => {
            "it is not tried again: the body said so, or such a failure never is".into()
        }
        Reason::UpstreamFailed => "it was not begun: a task it needs failed".into(),
        Reason::OutputNotMade { asset } => {
            format!("it was not begun: `{asset}`, which may be left unmade, was not made")
        }
        Reason::ValueNotMade { output } => {
            format!("it was not begun: output `{output}`, which may be left out, was not given")
        }
        Reason::UpstreamCancelled => "it was not begun: a task it needs was cancelled".into(),
        Reason::BlockedByCheck => {
            "it was not begun: a blocking check of what it needs failed".into()
        }
        Reason::SkippedTasks { tasks, first, of } => format!(
            "because of task {}, {} skipped: {}{}",
            of.task,
            if *tasks == 1 {
                "1 task was".into()
            } else {
                format!("{tasks} tasks were")
            },
            label(first),
            if *tasks == 1 { "" } else { ", …" }
        ),
        Reason::CheckFailed {
            asset,
            check,
            partition,
            description,
            ..
        } => {
            let said = description.as_ref().map(|text| format!(": {text}"));
            format!(
                "blocking check `{check}` of {} failed{}",
                slot(asset.as_str(), partition.as_deref()),
                said.unwrap_or_default()
            )
        }
        Reason::NotSelected { asset } => {
            format!("the run has nothing to do with `{asset}`: it was not selected")
        }
        Reason::PartitionNotAsked { asset, partition } => {
            format!("the run makes partitions of `{asset}`, and `{partition}` was not asked for")
        }
        Reason::Asset {
            asset,
            partition,
            status,
        } => format!(
            "asset {} {} {}",
            paint.bold(&slot(asset.as_str(), partition.as_deref())),
            match status.as_str() {
                "never_materialized" => "was",
                "failed" => "has",
                _ => "is",
            },
            paint.status(match status.as_str() {
                "never_materialized" => "never materialized",
                "failed" => "failed",
                "in_progress" => "in progress",
                status => status,
            })
        ),
        Reason::Partitions {
            exist,
            materialized,
            failed,
            in_progress,
        } => format!(
            "{} exist; {materialized} were materialized, the last attempt at {failed} failed, {in_progress} are in progress",
            plural(*exist, "partition")
        ),
        Reason::External { asset } => {
            format!("`{asset}` is external: it is declared here and made elsewhere")
        }
        Reason::NeverAsked => "no run was ever asked for it".into(),
        Reason::NotExisting { first, last } => match (first, last) {
            (Some(first), Some(last)) => {
                format!("there is no such partition now; they go from {first} to {last}")
            }
            _ => "there is no such partition now; none exists yet".into(),
        },
        Reason::Materialized { .. } => materialized(reason, paint),
        Reason::Input {
            asset,
            partition,
            data_version,
            newer,
        } => format!(
            "from {}, data version {}{}",
            slot(asset.as_str(), partition.as_deref()),
            short(data_version),
            if *newer {
                " (materialized again since)"
            } else {
                ""
            }
        ),
        Reason::MoreInputs { inputs } => format!("from {}", plural(*inputs, "more input")),
        Reason::CodeChanged { made, current } => format!(
            "by code version {}; the current one is {}",
            made.as_deref().unwrap_or("unknown"),
            current.as_deref().unwrap_or("unknown")
        ),
        Reason::BeforeHistory { unknown } => {
            format!("{}: before the history kept here", unknown_words(*unknown))
        }
    }
}

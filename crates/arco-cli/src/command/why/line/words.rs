//! The longer sentences, and words that several share.

use arco_core::event::{FailureClass, RerunKind};
use arco_wire::api::{Reason, TaskName, Unknown};

use crate::command::task_name::step_label;
use crate::render::{Paint, duration, plural};

pub(super) fn counts(reason: &Reason) -> String {
    let Reason::Run {
        tasks,
        succeeded,
        failed,
        skipped,
        cancelled,
        ..
    } = reason
    else {
        return String::new();
    };
    let parts = [
        (*succeeded, "succeeded"),
        (*failed, "failed"),
        (*skipped, "skipped"),
        (*cancelled, "cancelled"),
        (
            tasks.saturating_sub(succeeded + failed + skipped + cancelled),
            "to come",
        ),
    ];
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    if parts.is_empty() {
        return "no tasks".into();
    }
    format!(
        "{} of {}",
        parts.join(", "),
        plural(u64::from(*tasks), "task")
    )
}

pub(super) fn asked(reason: &Reason, paint: Paint) -> String {
    let Reason::Asked {
        run,
        by,
        selection,
        partitions,
        run_key,
        tick,
        evaluation,
        assets,
    } = reason
    else {
        return String::new();
    };
    let mut text = match (tick, evaluation) {
        (Some(tick), _) => format!("tick {} asked for run {run}", paint.bold(tick)),
        (_, Some(evaluation)) => {
            format!("evaluation {} asked for run {run}", paint.bold(evaluation))
        }
        (None, None) => format!("{} asked for run {run}", paint.bold(by)),
    };
    match selection {
        Some(selection) => text.push_str(&format!(": `{selection}`, {}", plural(*assets, "asset"))),
        None => text.push_str(&format!(": {}", plural(*assets, "asset"))),
    }
    if let Some(partitions) = partitions {
        text.push_str(&format!(", partitions {partitions}"));
    }
    // That of a tick is the tick once more.
    if let (Some(key), None) = (run_key, tick) {
        text.push_str(&format!(", run key `{key}`"));
    }
    text
}

pub(super) fn no_host(location: &str, lost: u64) -> String {
    let lost = match lost {
        0 => String::new(),
        1 => "; 1 host was lost".to_owned(),
        lost => format!("; {lost} hosts were lost"),
    };
    format!("no worker host serves `{location}`{lost}")
}

pub(super) fn failed(reason: &Reason) -> String {
    let Reason::Failed {
        class,
        error_type,
        message,
        limit_ms,
    } = reason
    else {
        return String::new();
    };
    let what = match class {
        FailureClass::UserCode => "the body raised".to_owned(),
        FailureClass::Config => "its configuration did not validate".to_owned(),
        FailureClass::Io => "reading an input or writing an output failed".to_owned(),
        FailureClass::RetryRequested => "the body asked for another try".to_owned(),
        FailureClass::OutOfMemory => "it ran out of memory".to_owned(),
        FailureClass::Crashed => "its process died".to_owned(),
        FailureClass::Timeout => match limit_ms {
            Some(limit) => format!("it ran longer than the {} it may", duration(*limit)),
            None => "it ran longer than it may".to_owned(),
        },
        FailureClass::WorkerLost => "its worker host was lost".to_owned(),
        FailureClass::Infrastructure => "its body could not be carried".to_owned(),
        FailureClass::DataQuality => "the data is not as it should be".to_owned(),
    };
    if error_type == message {
        return format!("{what}: {message}");
    }
    format!("{what}: {error_type}: {message}")
}

pub(super) fn materialized(reason: &Reason, paint: Paint) -> String {
    let Reason::Materialized {
        asset,
        partition,
        attempt,
        data_version,
        code_version,
    } = reason
    else {
        return String::new();
    };
    let code = code_version
        .as_ref()
        .map(|code| format!(", code version {code}"));
    let how = match attempt {
        Some(_) => "materialized",
        None => "reported as materialized",
    };
    format!(
        "{} was last {how}: data version {}{}",
        paint.bold(&slot(asset.as_str(), partition.as_deref())),
        short(data_version),
        code.unwrap_or_default()
    )
}

/// Derived versions are digests: the beginning tells them apart.
pub(super) fn short(version: &str) -> &str {
    let digest = version.len() == 64 && version.bytes().all(|byte| byte.is_ascii_hexdigit());
    if digest { &version[..12] } else { version }
}

pub(super) fn label(task: &TaskName) -> String {
    step_label(
        &task.step,
        task.mapping_key.as_deref(),
        task.partition.as_deref(),
        task.partition_count,
    )
}

pub(super) fn slot(asset: &str, partition: Option<&str>) -> String {
    match partition {
        Some(partition) => format!("{asset}[{partition}]"),
        None => asset.to_owned(),
    }
}

/// `failed`, `is running`, `was skipped`.
pub(super) fn standing(status: &str, paint: Paint) -> String {
    let verb = match status {
        "succeeded" | "failed" => "",
        "skipped" | "cancelled" => "was ",
        "released" => return "was given back before it began, which costs no try".into(),
        "leased" => return format!("is {}, its body has not begun", paint.status(status)),
        _ => "is ",
    };
    format!("{verb}{}", paint.status(status))
}

pub(super) fn unknown_words(unknown: Unknown) -> &'static str {
    match unknown {
        Unknown::Canceller => "who asked to stop the run",
        Unknown::Parent => "how that run went, and who had asked for it",
        Unknown::Run => "which run made it, and who asked",
        Unknown::Attempt => "what came of the last run that was to make it",
        Unknown::RetryPolicy => "whether it could be tried again",
        Unknown::Inputs => "what it was made from",
        Unknown::CheckResult => "which check stopped what needs it, and what it said",
    }
}

/// `again`, `from failure`, `` `daily+` of it ``: what is done of a run that is done again.
pub(super) fn again(what: RerunKind, selection: Option<&str>) -> String {
    match (what, selection) {
        (RerunKind::Whole, _) => "again, all of it".to_owned(),
        (RerunKind::FromFailure, _) => "again, what did not succeed of it".to_owned(),
        (RerunKind::Subset, selection) => {
            format!("again, `{}` of it", selection.unwrap_or_default())
        }
    }
}

/// `failed`, `is queued`, `was cancelled`.
pub(super) fn run_standing(status: &str, paint: Paint) -> String {
    let (verb, word) = match status {
        "success" => ("", "succeeded"),
        "failure" => ("", "failed"),
        "canceled" => ("was ", "cancelled"),
        "canceling" => ("is ", "being stopped"),
        "started" => ("is ", "under way"),
        other => ("is ", other),
    };
    format!("{verb}{}", paint.status(word))
}

/// ``it waits for a slot of pool `db`: 2 of 2 are held, by run_….0.1, …``.
pub(super) fn full(what: &str, slots: u32, held: u32, holders: &[impl ToString]) -> String {
    let shown: Vec<String> = holders.iter().map(ToString::to_string).collect();
    let more = if shown.len() < held as usize {
        ", …"
    } else {
        ""
    };
    let by = match shown.as_slice() {
        [] => String::new(),
        shown => format!(", by {}{more}", shown.join(", ")),
    };
    let are = if held == 1 { "is" } else { "are" };
    format!("it waits for a slot of {what}: {held} of {slots} {are} held{by}")
}

pub(super) fn behind_runs(runs: u64, first: &str) -> String {
    match runs {
        1 => format!("1 queued run goes first if there is room for it: {first}"),
        1_000.. => {
            format!("1,000 queued runs or more go first if there is room for them: {first}, …")
        }
        runs => format!("{runs} queued runs go first if there is room for them: {first}, …"),
    }
}

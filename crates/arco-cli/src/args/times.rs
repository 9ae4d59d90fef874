//! Time limits on the command line: seconds, as in Dagster's tag.

use arco_wire::api::TimeLimits;
use clap::Args;

/// How long a run may wait and go on.
#[derive(Debug, Args)]
pub(crate) struct Times {
    /// Fail it when it waits in the queue for longer than this; 0 is no limit
    #[arg(long, value_name = "SECONDS", value_parser = milliseconds)]
    queue_timeout: Option<u64>,
    /// Stop and fail an attempt that its host does not begin within this; 0 is no limit
    #[arg(long, value_name = "SECONDS", value_parser = milliseconds)]
    start_timeout: Option<u64>,
    /// Stop and fail it when it goes on for longer than this; 0 is no limit
    #[arg(long, value_name = "SECONDS", value_parser = milliseconds)]
    max_runtime: Option<u64>,
}

impl Times {
    pub(crate) fn wire(&self) -> TimeLimits {
        TimeLimits {
            queue_ms: self.queue_timeout,
            start_ms: self.start_timeout,
            run_ms: self.max_runtime,
        }
    }
}

/// `90` or `1.5`, in milliseconds.
pub(crate) fn milliseconds(text: &str) -> Result<u64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=1e9).contains(&seconds) => {
            let ms = (seconds * 1_000.0).ceil() as u64;
            Ok(ms)
        }
        _ => Err("give seconds, such as `90` or `1.5`".into()),
    }
}

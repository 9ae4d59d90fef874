//! Which queues are consumed, for which sensors: a TOML file.
//!
//! ```toml
//! [[consumer]]
//! kind = "nats"
//! url = "nats://127.0.0.1:4222"
//! stream = "ORDERS"
//! durable = "arco"
//! sensor = "orders"
//! ```

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;

use crate::source::{Source, SourceError};

use crate::nats;

#[cfg(test)]
mod tests;

/// The queues of a file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consumers {
    /// Each with its sensor.
    #[serde(default, rename = "consumer")]
    pub consumers: Vec<ConsumerSetting>,
}

/// One queue and the sensor its messages are for.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ConsumerSetting {
    /// A durable consumer of a NATS JetStream stream.
    Nats(nats::NatsSetting),
}

/// A file that does not say consumers.
#[derive(Debug, Error)]
pub enum ConsumersError {
    /// It cannot be read.
    #[error("the consumers `{path}` cannot be read: {reason}; check the path and its permissions")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// It is of another shape.
    #[error("`{path}` does not say consumers: {reason}")]
    Text {
        /// The file.
        path: PathBuf,
        /// What the reader met.
        reason: String,
    },
}

impl Consumers {
    /// Reads the file; paths in it are meant from its folder.
    ///
    /// # Errors
    /// [`ConsumersError`], naming the file and the mend.
    pub fn from_file(path: &Path) -> Result<Self, ConsumersError> {
        let text = std::fs::read_to_string(path).map_err(|reason| ConsumersError::File {
            path: path.to_owned(),
            reason,
        })?;
        let bad = |reason: String| ConsumersError::Text {
            path: path.to_owned(),
            reason,
        };
        // Only the words of the reader: its picture of the line may hold a password.
        let mut read: Self =
            toml::from_str(&text).map_err(|error| bad(error.message().to_owned()))?;
        if read.consumers.is_empty() {
            return Err(bad("it has no `[[consumer]]`".into()));
        }
        let folder = path.parent().unwrap_or(Path::new("."));
        for consumer in &mut read.consumers {
            consumer.meant_from(folder);
        }
        Ok(read)
    }
}

impl ConsumerSetting {
    /// The sensor its messages are for.
    #[must_use]
    pub fn sensor(&self) -> &str {
        match self {
            Self::Nats(nats) => &nats.sensor,
        }
    }

    pub(crate) async fn open(&self) -> Result<Box<dyn Source>, SourceError> {
        match self {
            Self::Nats(setting) => Ok(Box::new(nats::Nats::open(setting).await?)),
        }
    }

    fn meant_from(&mut self, folder: &Path) {
        match self {
            Self::Nats(nats) => nats.meant_from(folder),
        }
    }
}

/// For the log: without credentials.
impl fmt::Display for ConsumerSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nats(nats) => write!(f, "nats:{}/{}", nats.stream, nats.durable),
        }
    }
}

//! The secrets that senders sign with, by sensor. They come from a file or the environment of the process
//! and are kept in memory only.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;

use crate::signature::{BadKey, Key};

/// The secrets of sensors. A sensor that has one takes signed messages only.
#[derive(Debug, Clone, Default)]
pub struct SensorSecrets(BTreeMap<String, Vec<Key>>);

/// Secrets that cannot be used. It never repeats one.
#[derive(Debug, Error)]
pub enum SecretsError {
    /// A file that cannot be read.
    #[error(
        "the secrets of sensors `{path}` cannot be read: {reason}; check the path and its permissions"
    )]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// Text of another shape.
    #[error(
        "{place} is not valid at line {line}, column {column}; it looks like {{\"sensors\": {{\"orders\": [\"whsec_…\"]}}}}"
    )]
    Text {
        /// Which file or variable.
        place: String,
        /// Where in it.
        line: usize,
        /// Where in the line.
        column: usize,
    },
    /// A sensor with no secret: everyone would be refused, or no one.
    #[error("{place} names sensor `{sensor}` without a secret; give one or leave it out")]
    None {
        /// Which file or variable.
        place: String,
        /// The sensor.
        sensor: String,
    },
    /// A secret that is none.
    #[error("secret {number} of sensor `{sensor}` in {place} {reason}")]
    Key {
        /// Which file or variable.
        place: String,
        /// The sensor.
        sensor: String,
        /// Which of its secrets, from 1.
        number: usize,
        /// Why.
        reason: BadKey,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    sensors: BTreeMap<String, Vec<String>>,
}

impl SensorSecrets {
    /// Reads secrets from a JSON file.
    ///
    /// # Errors
    /// [`SecretsError`], naming the file and the mend, never a secret.
    pub fn from_file(path: &Path) -> Result<Self, SecretsError> {
        let text = std::fs::read_to_string(path).map_err(|reason| SecretsError::File {
            path: path.to_owned(),
            reason,
        })?;
        Self::from_json(&text, &format!("the file `{}`", path.display()))
    }

    /// Reads secrets from JSON text, `{"sensors": {"orders": ["whsec_…"]}}`; `place` says where it stood.
    ///
    /// # Errors
    /// [`SecretsError`], naming the place and the mend, never a secret.
    pub fn from_json(text: &str, place: &str) -> Result<Self, SecretsError> {
        // The reader's own words may quote the text.
        let file: File = serde_json::from_str(text).map_err(|reason| SecretsError::Text {
            place: place.to_owned(),
            line: reason.line(),
            column: reason.column(),
        })?;
        let mut out = BTreeMap::new();
        for (sensor, texts) in file.sensors {
            if texts.is_empty() {
                return Err(SecretsError::None {
                    place: place.to_owned(),
                    sensor,
                });
            }
            let keys = texts.iter().enumerate().map(|(index, text)| {
                Key::parse(text).map_err(|reason| SecretsError::Key {
                    place: place.to_owned(),
                    sensor: sensor.clone(),
                    number: index + 1,
                    reason,
                })
            });
            let keys = keys.collect::<Result<Vec<Key>, _>>()?;
            out.insert(sensor, keys);
        }
        Ok(Self(out))
    }

    /// The secrets of a sensor; none when it takes unsigned messages.
    #[must_use]
    pub fn of(&self, sensor: &str) -> &[Key] {
        self.0.get(sensor).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests;

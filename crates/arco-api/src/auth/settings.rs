//! Tokens and names as they are configured: data, with complete defaults, unknown keys refused.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use arco_core::Digest;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use super::Identity;

/// Who may do what, and under which names the server is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuthSettings {
    /// Known tokens. None: everyone on this machine may do everything, nobody else anything.
    pub tokens: Vec<TokenSetting>,
    /// Host names under which the server is reached, beside loopback: `arco.example.com`.
    pub hosts: Vec<String>,
    /// Origins of web pages that may call the server, beside its own: `https://data.example.com`.
    pub origins: Vec<String>,
}

/// One token. Give the token, or its SHA-256 so that the settings hold no secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenSetting {
    /// Whom the log names, `client:NAME`.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// SHA-256 of the token, 64 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_sha256: Option<Digest>,
}

impl fmt::Debug for TokenSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSetting")
            .field("name", &self.name)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// What a token may do. Text: `admin`, `client`, `viewer`, `worker:LOCATION`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// Everything people do.
    Admin,
    /// Read, and ask for runs.
    Client,
    /// Read.
    Viewer,
    /// Serve one code location as a worker host, and nothing else.
    Worker(String),
    /// Someone on this machine, at a server without tokens: everything. Cannot be configured.
    Local,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Admin => f.write_str("admin"),
            Self::Client => f.write_str("client"),
            Self::Viewer => f.write_str("viewer"),
            Self::Worker(location) => write!(f, "worker:{location}"),
            Self::Local => f.write_str("local"),
        }
    }
}

impl FromStr for Role {
    type Err = AuthError;

    fn from_str(text: &str) -> Result<Self, AuthError> {
        match (text, text.strip_prefix("worker:")) {
            ("admin", _) => Ok(Self::Admin),
            ("client", _) => Ok(Self::Client),
            ("viewer", _) => Ok(Self::Viewer),
            (_, Some(location)) if !location.is_empty() => Ok(Self::Worker(location.into())),
            _ => Err(AuthError::Role(text.into())),
        }
    }
}

impl Serialize for Role {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Role {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// Settings that cannot stand.
#[derive(Debug, Error)]
pub enum AuthError {
    /// A role nobody knows.
    #[error("`{0}` is not a role; roles are `admin`, `client`, `viewer` and `worker:LOCATION`")]
    Role(String),
    /// A token setting without a token, or with two.
    #[error("token `{0}` needs either `token` or `token_sha256`")]
    Secret(String),
    /// A token anyone could guess.
    #[error(
        "token `{name}` has {length} characters; use at least {min}, such as `openssl rand -hex 32` prints"
    )]
    Short {
        /// Its name.
        name: String,
        /// Its length.
        length: usize,
        /// The least.
        min: usize,
    },
    /// One token twice.
    #[error("tokens `{first}` and `{second}` are the same text; give each its own")]
    Twice {
        /// One name.
        first: String,
        /// The other.
        second: String,
    },
    /// A file that cannot be read.
    #[error("the token file `{path}` cannot be read: {reason}; check the path and its permissions")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// Text that is not settings.
    #[error(
        "{place} is not valid: {reason}; it looks like {{\"tokens\": [{{\"name\": \"ci\", \"role\": \"client\", \"token_sha256\": \"…\"}}]}}"
    )]
    Text {
        /// Which file or variable.
        place: String,
        /// What the reader met.
        reason: serde_json::Error,
    },
}

/// Shorter tokens can be guessed: 16 characters of hexadecimal are 64 bits.
const TOKEN_CHARS_MIN: usize = 16;

impl AuthSettings {
    /// Reads settings from a JSON file.
    ///
    /// # Errors
    /// [`AuthError`], naming the file and the mend.
    pub fn from_file(path: &Path) -> Result<Self, AuthError> {
        let text = std::fs::read_to_string(path).map_err(|reason| AuthError::File {
            path: path.to_owned(),
            reason,
        })?;
        Self::from_json(&text, &format!("the token file `{}`", path.display()))
    }

    /// Reads settings from JSON text; `place` says where it stood.
    ///
    /// # Errors
    /// [`AuthError`], naming the place and the mend.
    pub fn from_json(text: &str, place: &str) -> Result<Self, AuthError> {
        let settings: Self = serde_json::from_str(text).map_err(|reason| AuthError::Text {
            place: place.to_owned(),
            reason,
        })?;
        settings.identities()?;
        Ok(settings)
    }

    /// The tokens by digest.
    pub(super) fn identities(&self) -> Result<HashMap<Digest, Identity>, AuthError> {
        let mut out = HashMap::new();
        let mut names: HashMap<Digest, &str> = HashMap::new();
        for setting in &self.tokens {
            let digest = setting.digest()?;
            if let Some(first) = names.insert(digest, &setting.name) {
                return Err(AuthError::Twice {
                    first: first.to_owned(),
                    second: setting.name.clone(),
                });
            }
            out.insert(digest, setting.identity());
        }
        Ok(out)
    }
}

impl TokenSetting {
    fn digest(&self) -> Result<Digest, AuthError> {
        match (&self.token, self.token_sha256) {
            (None, Some(digest)) => Ok(digest),
            (Some(token), None) if token.len() < TOKEN_CHARS_MIN => Err(AuthError::Short {
                name: self.name.clone(),
                length: token.len(),
                min: TOKEN_CHARS_MIN,
            }),
            (Some(token), None) => Ok(Digest::of(token.as_bytes())),
            _ => Err(AuthError::Secret(self.name.clone())),
        }
    }

    fn identity(&self) -> Identity {
        let principal = match &self.role {
            Role::Worker(location) => format!("worker:{location}"),
            _ => format!("client:{}", self.name),
        };
        Identity {
            principal,
            role: self.role.clone(),
        }
    }
}

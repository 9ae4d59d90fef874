//! Tokens of attempts: the right to upload the output of one attempt, for a while, and nothing else.
//!
//! A token is `{expiry}.{mac}`, where mac = HMAC-SHA256(secret, attempt ‖ expiry). Nothing is stored:
//! whoever holds the secret can check it, so replicas of one workspace share the secret and a
//! restart with the same secret keeps the tokens of attempts that survived it. The secret comes from
//! a file or the environment and is never in the store.

use std::fmt;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use arco_core::{AttemptId, Timestamp};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use thiserror::Error;

use crate::codes::Code;
use crate::problem::{Answer, Refusal};

/// An attempt without a timeout may run long; its output must still be taken in.
const LIFE_MS: u64 = 30 * 24 * 60 * 60 * 1000;

/// Time for the last chunks after the timeout of an attempt that has one.
pub(super) const TAIL_MS: u64 = 24 * 60 * 60 * 1000;

/// Fewer bytes than this could be guessed.
const SECRET_BYTES_MIN: usize = 16;

/// The workspace secret that attempt tokens are made with.
#[derive(Clone)]
pub struct AttemptSecret(Hmac<Sha256>);

/// A secret that cannot be used.
#[derive(Debug, Error)]
pub enum SecretError {
    /// A secret anyone could guess.
    #[error(
        "the attempt secret{place} has {length} bytes; use at least {min}, such as `openssl rand -hex 32` prints"
    )]
    Short {
        /// ` in FILE`, or nothing.
        place: String,
        /// Its length.
        length: usize,
        /// The least.
        min: usize,
    },
    /// A file that cannot be read or made.
    #[error(
        "the attempt secret `{path}` cannot be read or made: {reason}; check the path and its permissions"
    )]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
}

impl fmt::Debug for AttemptSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AttemptSecret")
    }
}

impl AttemptSecret {
    /// From bytes out of a file or the environment.
    ///
    /// # Errors
    /// [`SecretError::Short`].
    pub fn new(bytes: &[u8]) -> Result<Self, SecretError> {
        Self::checked(bytes, String::new())
    }

    /// From two random numbers, for a process that needs no memory of it.
    #[must_use]
    pub fn random(high: u128, low: u128) -> Self {
        let mut bytes = high.to_be_bytes().to_vec();
        bytes.extend(low.to_be_bytes());
        Self::keyed(&bytes)
    }

    /// From a file beside the local state, which is made with fresh random text when it is not
    /// there: a restarted server then knows the tokens it gave. Only its owner may read it.
    ///
    /// # Errors
    /// [`SecretError`], naming the file.
    pub fn load_or_create(path: &Path, high: u128, low: u128) -> Result<Self, SecretError> {
        let failed = |reason| SecretError::File {
            path: path.to_owned(),
            reason,
        };
        match create_private(path, &format!("{high:032x}{low:032x}\n")) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(error)),
        }
        let text = std::fs::read_to_string(path).map_err(failed)?;
        Self::checked(text.trim().as_bytes(), format!(" in `{}`", path.display()))
    }

    fn checked(bytes: &[u8], place: String) -> Result<Self, SecretError> {
        if bytes.len() < SECRET_BYTES_MIN {
            return Err(SecretError::Short {
                place,
                length: bytes.len(),
                min: SECRET_BYTES_MIN,
            });
        }
        Ok(Self::keyed(bytes))
    }

    fn keyed(bytes: &[u8]) -> Self {
        Self(Hmac::new_from_slice(bytes).expect("HMAC takes keys of any length"))
    }

    /// The token of an attempt leased at `leased`.
    pub(crate) fn token(
        &self,
        attempt: AttemptId,
        leased: Timestamp,
        timeout_ms: Option<u64>,
    ) -> String {
        let life = timeout_ms.map_or(LIFE_MS, |ms| ms.saturating_add(TAIL_MS));
        let expiry = leased.plus_ms(life).0;
        let mac = self.mac(attempt, expiry).finalize().into_bytes();
        format!("{expiry}.{}", URL_SAFE_NO_PAD.encode(mac))
    }

    /// Refuses a token that is not of this attempt, or not any more.
    pub(crate) fn check(&self, token: &str, attempt: AttemptId, now: Timestamp) -> Answer<()> {
        let foreign = || {
            Refusal::new(
                Code::BadAttemptToken,
                format!("the token is not of attempt {attempt}; send the `token` of its lease"),
            )
        };
        let (expiry, mac) = token.split_once('.').ok_or_else(foreign)?;
        let expiry: i64 = expiry.parse().map_err(|_| foreign())?;
        let mac = URL_SAFE_NO_PAD.decode(mac).map_err(|_| foreign())?;
        // `verify_slice` compares in constant time.
        self.mac(attempt, expiry)
            .verify_slice(&mac)
            .map_err(|_| foreign())?;
        if now.0 > expiry {
            return Err(Refusal::new(
                Code::BadAttemptToken,
                format!(
                    "the token of attempt {attempt} has expired; its output is taken in no longer"
                ),
            ));
        }
        Ok(())
    }

    fn mac(&self, attempt: AttemptId, expiry: i64) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(format!("arco attempt 1\n{attempt}\n{expiry}").as_bytes());
        mac
    }
}

fn create_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

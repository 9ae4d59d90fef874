//! Signatures of Standard Webhooks, version 1: HMAC-SHA256 over id, time and body.
//!
//! A sender signs `{webhook-id}.{webhook-timestamp}.{body}` with a secret it shares with the receiver. While
//! a secret is being replaced, a sender may send several signatures and a receiver know several
//! secrets: one pair that fits is enough. <https://www.standardwebhooks.com>

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use thiserror::Error;

use crate::message::Headers;

#[cfg(test)]
mod tests;

/// How far the time of a signature may be from ours, either way. Seconds.
pub const TOLERANCE_SECONDS: u64 = 5 * 60;

/// Fewer bytes could be guessed.
const KEY_BYTES_MIN: usize = 16;

/// Signatures of one message that are looked at.
const SIGNATURES_MAX: usize = 16;

/// A secret of a sender.
#[derive(Clone)]
pub struct Key(Hmac<Sha256>);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

/// A text that is no secret. It does not repeat the text.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadKey {
    /// Not base64.
    #[error("is not base64; secrets look like `whsec_` and base64, as the sender shows them")]
    NotBase64,
    /// A key of a signature with two keys.
    #[error(
        "is of an asymmetric signature, which is not read; ask the sender for a `whsec_` secret"
    )]
    Asymmetric,
    /// Too short.
    #[error(
        "has {0} bytes; at least {KEY_BYTES_MIN} are needed, such as `echo whsec_$(openssl rand -base64 24)` prints"
    )]
    Short(usize),
}

/// Why a signature does not count.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadSignature {
    /// A header is missing or not readable.
    #[error("the header `{0}` is missing or cannot be read")]
    Missing(&'static str),
    /// Signed too long ago, or in the future.
    #[error(
        "it was signed {seconds} s {way} by the clock of this server; at most {TOLERANCE_SECONDS} s are taken"
    )]
    Time {
        /// How far away.
        seconds: u64,
        /// `ago` or `from now`.
        way: &'static str,
    },
    /// None of the signatures fits any secret.
    #[error("none of its signatures fits a secret of the sensor")]
    Mismatch,
}

impl Key {
    /// Reads a secret: `whsec_` and base64 of the key, as senders show it; the prefix may be missing.
    ///
    /// # Errors
    /// [`BadKey`], which does not repeat the text.
    pub fn parse(text: &str) -> Result<Self, BadKey> {
        let text = text.trim();
        if text.starts_with("whsk_") || text.starts_with("whpk_") {
            return Err(BadKey::Asymmetric);
        }
        let text = text.strip_prefix("whsec_").unwrap_or(text);
        let engine = if text.ends_with('=') {
            STANDARD
        } else {
            STANDARD_NO_PAD
        };
        let bytes = engine.decode(text).map_err(|_| BadKey::NotBase64)?;
        if bytes.len() < KEY_BYTES_MIN {
            return Err(BadKey::Short(bytes.len()));
        }
        Ok(Self(
            Hmac::new_from_slice(&bytes).expect("HMAC takes keys of any length"),
        ))
    }

    /// The signature of a message, `v1,BASE64`, as a sender makes it.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let mac = self.mac(id, &timestamp.to_string(), body).finalize();
        format!("v1,{}", STANDARD.encode(mac.into_bytes()))
    }

    fn mac(&self, id: &str, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(id.as_bytes());
        mac.update(b".");
        mac.update(timestamp.as_bytes());
        mac.update(b".");
        mac.update(body);
        mac
    }
}

/// Checks the signature of a message and answers its `webhook-id`, which is signed. `now` is in seconds
/// since the epoch.
///
/// # Errors
/// [`BadSignature`].
pub fn check(
    keys: &[Key],
    headers: &Headers,
    body: &[u8],
    now: i64,
) -> Result<String, BadSignature> {
    let header = |name: &'static str| {
        let value = headers.get(name).filter(|value| !value.is_empty());
        value.ok_or(BadSignature::Missing(name))
    };
    let id = header("webhook-id")?;
    let timestamp = header("webhook-timestamp")?;
    let signatures = header("webhook-signature")?;
    let signed: i64 = timestamp
        .parse()
        .map_err(|_| BadSignature::Missing("webhook-timestamp"))?;
    let fits = signatures
        .split_whitespace()
        .take(SIGNATURES_MAX)
        .filter_map(|signature| signature.strip_prefix("v1,"))
        .filter_map(|text| STANDARD.decode(text).ok())
        // `verify_slice` compares in constant time.
        .any(|bytes| {
            keys.iter()
                .any(|key| key.mac(id, timestamp, body).verify_slice(&bytes).is_ok())
        });
    if !fits {
        return Err(BadSignature::Mismatch);
    }
    let seconds = now.abs_diff(signed);
    if seconds > TOLERANCE_SECONDS {
        let way = if signed < now { "ago" } else { "from now" };
        return Err(BadSignature::Time { seconds, way });
    }
    Ok(id.to_owned())
}

//! Who asks, and whether they may.
//!
//! Two independent gates. [`origin`] looks at where a request comes from and guards even a server
//! without tokens: a web page the developer happens to visit must not be able to start runs.
//! [`AuthSettings`] and [`Access`] look at who asks. A handler cannot reach an engine without naming
//! the role it needs ([`crate::extract::workspace`]), so no path can forget the second gate.

mod attempt_token;
pub(crate) mod origin;
mod settings;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::net::IpAddr;

use arco_core::Digest;
use axum::http::{HeaderMap, header};

pub use attempt_token::{AttemptSecret, SecretError};
pub use settings::{AuthError, AuthSettings, Role, TokenSetting};

use crate::codes::Code;
use crate::problem::{Answer, Refusal};

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    /// As the log records it: `client:NAME`, `worker:LOCATION`.
    pub(crate) principal: String,
    role: Role,
}

impl Identity {
    /// Whether it may read.
    pub(crate) fn may_read(&self) -> bool {
        matches!(
            self.role,
            Role::Admin | Role::Client | Role::Viewer | Role::Local
        )
    }

    /// Whether it may change things.
    pub(crate) fn may_write(&self) -> bool {
        matches!(self.role, Role::Admin | Role::Client | Role::Local)
    }

    /// Refuses when it may not serve a code location.
    pub(crate) fn serves(&self, location: &str) -> Answer<()> {
        match &self.role {
            Role::Local => Ok(()),
            Role::Worker(own) if own == location => Ok(()),
            other => Err(forbidden(&format!(
                "serving location `{location}` needs role `worker:{location}`, the token has `{other}`"
            ))),
        }
    }

    /// Whether it may speak for some code location.
    pub(crate) fn is_worker(&self) -> bool {
        matches!(self.role, Role::Worker(_) | Role::Local)
    }

    /// The role, for messages.
    pub(crate) fn role(&self) -> &Role {
        &self.role
    }
}

/// The tokens of a server, by digest: the tokens themselves are kept nowhere.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    tokens: HashMap<Digest, Identity>,
}

impl Access {
    pub(crate) fn new(settings: &AuthSettings) -> Result<Self, AuthError> {
        Ok(Self {
            tokens: settings.identities()?,
        })
    }

    /// Who asks, by the `authorization` header. Without configured tokens everyone on this machine
    /// is `client:local`, may do everything, and needs no token.
    pub(crate) fn identify(&self, headers: &HeaderMap, peer: IpAddr) -> Answer<Identity> {
        if self.tokens.is_empty() {
            return local(peer);
        }
        let Some(token) = bearer(headers) else {
            return Err(Refusal::new(
                Code::Unauthenticated,
                "this server needs a token; send `authorization: Bearer TOKEN`",
            )
            .hint("ask the operator for a token, or set ARCO_TOKEN for the command line"));
        };
        // Looked up by digest: how long it takes says nothing about any token.
        self.tokens.get(&Digest::of(token.as_bytes())).cloned().ok_or_else(|| {
            Refusal::new(
                Code::Unauthenticated,
                "the token is not known to this server; it may have been replaced, ask the operator",
            )
        })
    }
}

fn local(peer: IpAddr) -> Answer<Identity> {
    if !peer.to_canonical().is_loopback() {
        return Err(Refusal::new(
            Code::Unauthenticated,
            "this server has no tokens and answers this machine only; start it with tokens to be reached from elsewhere",
        ));
    }
    Ok(Identity {
        principal: "client:local".into(),
        role: Role::Local,
    })
}

/// The bearer token of a request.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

pub(crate) fn forbidden(detail: &str) -> Refusal {
    Refusal::new(Code::Forbidden, detail)
}

//! The HTTP API of Arco: runs, assets, definitions, events, the worker protocol; on one port.
//!
//! Problem: people, programs and worker hosts on other machines need one documented way in, and a
//! developer's machine runs it beside a browser that visits strangers' pages. Approach: thin
//! handlers over [`arco_engine::Engine`]. A handler extracts, calls and renders; what it takes in
//! names a role (`extract::workspace`), what it refuses becomes one type (`problem`), what it answers
//! is a type of `arco-wire`. Reads hold a view of committed state and never wait for a write.
//!
//! What this crate will never do: decide anything, keep state that must survive it, or answer with
//! a domain type.
//!
//! ```text
//! connection (server) → id, span, Host and Origin (request) → role and workspace (extract)
//!    → handler (resources, worker) → engine → render → answer, or refusal (problem, codes)
//! ```

mod app;
mod auth;
mod codes;
mod extract;
mod limits;
mod log_news;
mod metrics;
mod openapi;
mod page;
mod partition_counts;
mod problem;
mod render;
mod request;
mod resources;
mod router;
mod server;
mod words;
mod worker;

pub use auth::{AttemptSecret, AuthError, AuthSettings, Role, SecretError, TokenSetting};
pub use codes::Code;
pub use server::{ApiOptions, ApiSettings, ServeError, serve};

/// The description of the API as JSON, OpenAPI 3.1; committed as `openapi.json`.
#[must_use]
pub fn openapi_json() -> String {
    let mut text = router::describe()
        .to_pretty_json()
        .expect("descriptions serialise: text and numbers");
    text.push('\n');
    text
}

//! `arco sensor send`.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use arco_engine::clock::{Clock as _, SystemClock};
use arco_ingest::signature::Key;
use arco_wire::api::MessageAccepted;
use clap::Args;
use serde_json::Value;

use crate::args::parse_tag;
use crate::client::Client;
use crate::console::Console;
use crate::failure::{Attempt, Exit, Failure, Outcome};
use crate::random;

/// Send a sensor a message
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Name of the sensor
    sensor: String,
    /// What it says: JSON text, @FILE, or @- for what is piped in
    #[arg(value_name = "JSON|@FILE")]
    data: String,
    /// Its id: the same id again is the same message; a fresh one when absent
    #[arg(long, value_name = "TEXT")]
    id: Option<String>,
    /// An attribute; may be repeated
    #[arg(long = "attribute", value_name = "NAME=VALUE", value_parser = parse_tag)]
    attributes: Vec<(String, String)>,
    /// File with the secret to sign it with (`whsec_…`), for a sensor that takes signed messages only
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
}

pub(super) async fn run(options: &Options, client: &Client, console: &Console) -> Outcome {
    let body = data(&options.data)?;
    // Chosen here, so that the call may be repeated.
    let id = match &options.id {
        Some(id) => id.clone(),
        None => format!("msg_{}", random::token()),
    };
    let mut request = client
        .post(["sensors", &options.sensor, "messages"])
        .json(&body)
        .idempotent(&id)
        .patient();
    for (name, value) in &options.attributes {
        request = request.named_header(&format!("arco-attribute-{name}"), value)?;
    }
    if let Some(file) = &options.secret_file {
        let key = key(file)?;
        let now = SystemClock::default().wall().0 / 1_000;
        // The very bytes that are sent.
        let bytes = serde_json::to_vec(&body).attempt(|| "could not write the message")?;
        request = request
            .header("webhook-id", &id)
            .header("webhook-timestamp", now)
            .header("webhook-signature", key.sign(&id, now, &bytes));
    }
    let accepted: MessageAccepted = request.send().await?;
    console.document(&accepted, |paint| {
        let what = match accepted.duplicate {
            true => "was accepted before; nothing changed",
            false => "accepted",
        };
        format!("message {} {what}", paint.bold(&accepted.id))
    });
    console.hint(&format!(
        "arco sensor evals {} --message '{}'",
        accepted.sensor, accepted.id
    ));
    Ok(Exit::Success)
}

/// The value of JSON text, of a file, or of what is piped in.
pub(super) fn data(text: &str) -> Outcome<Value> {
    let (place, text) = match text.strip_prefix('@') {
        None => ("the message".to_owned(), text.to_owned()),
        Some("-") => {
            let mut piped = String::new();
            std::io::stdin()
                .read_to_string(&mut piped)
                .attempt(|| "could not read what is piped in")?;
            ("what is piped in".to_owned(), piped)
        }
        Some(file) => {
            let read = std::fs::read_to_string(file);
            (
                format!("`{file}`"),
                read.attempt(|| format!("could not read `{file}`"))?,
            )
        }
    };
    serde_json::from_str(&text).map_err(|error| {
        Failure::new(format!("{place} is not JSON: {error}"))
            .hint("text is written with quotes: '\"hello\"'")
    })
}

fn key(file: &Path) -> Outcome<Key> {
    let shown = file.display();
    let text = std::fs::read_to_string(file).attempt(|| format!("could not read `{shown}`"))?;
    Key::parse(&text).map_err(|error| Failure::new(format!("the secret in `{shown}` {error}")))
}

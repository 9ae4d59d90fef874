//! NATS JetStream: a durable pull consumer.
//!
//! The server keeps what was not acknowledged and delivers it again after `ack_wait_seconds`, to
//! whichever process pulls then; several processes may share a durable consumer. The id of a message
//! is its header `Nats-Msg-Id`; else, of a CloudEvent, its own; else stream, sequence and time of
//! publication. The time is in it since the sequence of a stream that is made anew begins at 1 again.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_nats::ConnectOptions;
use async_nats::jetstream::consumer::pull::{self, MessagesErrorKind};
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy};
use async_nats::jetstream::{self, AckKind};
use async_trait::async_trait;
use futures::StreamExt as _;
use futures::stream::ReadyChunks;
use serde::Deserialize;

use crate::message::{BadMessage, Form, Headers, Message};
use crate::read::{self, Asked};
use crate::source::{Delivery, Receipt, Source, SourceError};

/// Messages committed at once, at most.
const BATCH: usize = 256;

/// When a message that could not be taken is delivered again.
const AGAIN_AFTER: Duration = Duration::from_secs(5);

/// How long the server may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// One durable consumer of one stream.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NatsSetting {
    /// The sensor the messages are for.
    pub sensor: String,
    /// Address of the server, `nats://127.0.0.1:4222` or `tls://…`; several separated by commas.
    pub url: String,
    /// The stream; it must exist.
    pub stream: String,
    /// Name of the durable consumer; it is made when it is not there, from the stream's first message on.
    pub durable: String,
    /// Only these subjects, `orders.>`; counts when the consumer is made.
    #[serde(default)]
    pub subject: Option<String>,
    /// When a message that was not acknowledged is delivered again; counts when the consumer is made.
    #[serde(default = "ack_wait_seconds")]
    pub ack_wait_seconds: u64,
    /// File with a token.
    #[serde(default)]
    pub token_file: Option<PathBuf>,
    /// User name; needs `password_file`.
    #[serde(default)]
    pub user: Option<String>,
    /// File with the password of `user`.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// Certificates that the server's is trusted by, beside those of the system (PEM).
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Certificate that this process shows (PEM); needs `key_file`.
    #[serde(default)]
    pub cert_file: Option<PathBuf>,
    /// Key of `cert_file` (PEM).
    #[serde(default)]
    pub key_file: Option<PathBuf>,
}

fn ack_wait_seconds() -> u64 {
    30
}

/// Without the address, which may carry a password.
impl fmt::Debug for NatsSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NatsSetting")
            .field("sensor", &self.sensor)
            .field("stream", &self.stream)
            .field("durable", &self.durable)
            .finish_non_exhaustive()
    }
}

impl NatsSetting {
    pub(crate) fn meant_from(&mut self, folder: &Path) {
        let files = [
            &mut self.token_file,
            &mut self.password_file,
            &mut self.ca_file,
            &mut self.cert_file,
            &mut self.key_file,
        ];
        for file in files.into_iter().flatten() {
            *file = folder.join(&*file);
        }
    }

    fn options(&self) -> Result<ConnectOptions, SourceError> {
        let mut options = ConnectOptions::new()
            .name("arco")
            .connection_timeout(ANSWER_MAX)
            .request_timeout(Some(ANSWER_MAX));
        if let Some(file) = &self.token_file {
            options = options.token(secret(file)?);
        }
        match (&self.user, &self.password_file) {
            (Some(user), Some(file)) => {
                options = options.user_and_password(user.clone(), secret(file)?);
            }
            (None, None) => {}
            _ => return Err(SourceError("`user` and `password_file` go together".into())),
        }
        if let Some(file) = &self.ca_file {
            options = options.add_root_certificates(file.clone());
        }
        match (&self.cert_file, &self.key_file) {
            (Some(certificate), Some(key)) => {
                options = options.add_client_certificate(certificate.clone(), key.clone());
            }
            (None, None) => {}
            _ => return Err(SourceError("`cert_file` and `key_file` go together".into())),
        }
        Ok(options)
    }

    fn consumer(&self) -> pull::Config {
        pull::Config {
            durable_name: Some(self.durable.clone()),
            deliver_policy: DeliverPolicy::All,
            ack_policy: AckPolicy::Explicit,
            ack_wait: Duration::from_secs(self.ack_wait_seconds.max(1)),
            filter_subject: self.subject.clone().unwrap_or_default(),
            ..pull::Config::default()
        }
    }
}

fn secret(file: &Path) -> Result<String, SourceError> {
    std::fs::read_to_string(file)
        .map(|text| text.trim().to_owned())
        .map_err(|error| SourceError(format!("could not read `{}`: {error}", file.display())))
}

/// An open consumer.
pub(crate) struct Nats {
    messages: ReadyChunks<pull::Stream>,
}

impl Nats {
    /// Connects, and makes the consumer when it is not there.
    pub(crate) async fn open(setting: &NatsSetting) -> Result<Self, SourceError> {
        let failed = |what: &'static str| {
            move |error: &dyn std::error::Error| SourceError(format!("{what}: {error}"))
        };
        let addresses: Vec<&str> = setting.url.split(',').map(str::trim).collect();
        let addresses: Result<Vec<async_nats::ServerAddr>, _> =
            addresses.iter().map(|address| address.parse()).collect();
        // The reader's words may repeat the address, and that may carry a password.
        let addresses = addresses.map_err(|_| {
            SourceError("`url` is no address; it looks like `nats://127.0.0.1:4222`".into())
        })?;
        let client = setting
            .options()?
            .connect(addresses)
            .await
            .map_err(|error| failed("could not connect")(&error))?;
        let stream = jetstream::new(client)
            .get_stream(&setting.stream)
            .await
            .map_err(|error| {
                SourceError(format!(
                    "stream `{}` does not answer: {error}",
                    setting.stream
                ))
            })?;
        let consumer = stream
            .get_or_create_consumer(&setting.durable, setting.consumer())
            .await
            .map_err(|error| failed("the consumer could not be opened or made")(&error))?;
        let messages = consumer
            .stream()
            .max_messages_per_batch(BATCH)
            .messages()
            .await
            .map_err(|error| failed("the consumer does not deliver")(&error))?;
        Ok(Self {
            messages: messages.ready_chunks(BATCH),
        })
    }
}

#[async_trait]
impl Source for Nats {
    async fn next(&mut self) -> Result<Vec<Delivery>, SourceError> {
        loop {
            let Some(chunk) = self.messages.next().await else {
                return Err(SourceError("the server delivers no more".into()));
            };
            let mut out = Vec::with_capacity(chunk.len());
            for message in chunk {
                match message {
                    Ok(message) => out.push(delivery(message)),
                    // The client connects again by itself and pulls anew.
                    Err(error) if error.kind() == MessagesErrorKind::MissingHeartbeat => {}
                    // What came before it is delivered again when nobody answers for it.
                    Err(error) => return Err(SourceError(error.to_string())),
                }
            }
            if !out.is_empty() {
                return Ok(out);
            }
        }
    }
}

fn delivery(message: jetstream::Message) -> Delivery {
    let (name, read) = match message.info() {
        Ok(info) => {
            let place = format!("{}:{}", info.stream, info.stream_sequence);
            let id = format!("{place}:{}", info.published.unix_timestamp_nanos());
            let read = interpret(&message, &id);
            (place, read)
        }
        Err(error) => (
            message.subject.to_string(),
            Err(BadMessage::Bounds(format!(
                "the server does not say which message it is: {error}"
            ))),
        ),
    };
    Delivery {
        message: read,
        name,
        receipt: Box::new(NatsReceipt(message)),
    }
}

/// The message as sensors see it: a CloudEvent when its headers say so, else its payload.
fn interpret(message: &jetstream::Message, place: &str) -> Result<Message, BadMessage> {
    let pairs = message.headers.iter().flat_map(|headers| headers.iter());
    let headers: Headers = pairs
        .filter_map(|(name, values)| {
            let name: &str = name.as_ref();
            Some((name, values.first()?.as_str().to_owned()))
        })
        .collect();
    let given = headers.get("nats-msg-id").map(str::to_owned);
    let asked = Asked::default();
    let is_event = headers.get("ce-specversion").is_some()
        || headers
            .media_type()
            .is_some_and(|media| media.starts_with("application/cloudevents"));
    let mut read = if is_event {
        read::read(&headers, &message.payload, &asked)?
    } else {
        read::carried(&headers, &message.payload)?
    };
    read.attributes
        .insert("nats-subject".into(), message.subject.to_string());
    let event = read.id.filter(|_| read.form != Form::Json);
    read.id = Some(given.or(event).unwrap_or_else(|| place.to_owned()));
    read.bounded()
}

struct NatsReceipt(jetstream::Message);

impl NatsReceipt {
    async fn say(&self, kind: AckKind) -> Result<(), SourceError> {
        let said = self.0.ack_with(kind).await;
        said.map_err(|error| SourceError(format!("could not acknowledge: {error}")))
    }
}

#[async_trait]
impl Receipt for NatsReceipt {
    async fn done(self: Box<Self>) -> Result<(), SourceError> {
        self.say(AckKind::Ack).await
    }

    async fn again(self: Box<Self>) -> Result<(), SourceError> {
        self.say(AckKind::Nak(Some(AGAIN_AFTER))).await
    }

    async fn never(self: Box<Self>) -> Result<(), SourceError> {
        self.say(AckKind::Term).await
    }
}

//! Messages for sensors, as a server takes them: what senders sign with, and queues that are consumed.

use std::path::PathBuf;

use arco_engine::{Engine, MessageAsk};
use arco_ingest::{
    Accepted, ConsumerSetting, Consumers, Message, NotAccepted, SensorSecrets, Sink, consume,
};
use async_trait::async_trait;
use clap::Args;
use futures::future::join_all;
use tokio_util::sync::CancellationToken;

use crate::env_vars;
use crate::failure::Outcome;
use crate::random;

/// Messages for sensors. Shared by `serve` and `dev`.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Messages for sensors")]
pub(crate) struct MessagesOptions {
    /// JSON file with what senders sign messages with, by sensor: `{"sensors": {"orders": ["whsec_…"]}}`; else
    /// the variable ARCO_SENSOR_SECRETS. A sensor that has a secret takes signed messages only
    #[arg(long, value_name = "FILE")]
    sensor_secrets: Option<PathBuf>,
    /// TOML file with queues to take messages from (NATS JetStream)
    #[arg(long, value_name = "FILE")]
    consume: Option<PathBuf>,
}

/// What a server knows of messages.
#[derive(Debug, Clone, Default)]
pub(crate) struct Messages {
    pub(super) secrets: SensorSecrets,
    pub(super) consumers: Vec<ConsumerSetting>,
}

impl MessagesOptions {
    /// Reads the files.
    pub(crate) fn read(&self) -> Outcome<Messages> {
        let secrets = match (
            &self.sensor_secrets,
            env_vars::read(env_vars::SENSOR_SECRETS),
        ) {
            (Some(file), _) => SensorSecrets::from_file(file)?,
            (None, Some(text)) => {
                SensorSecrets::from_json(&text, "the variable ARCO_SENSOR_SECRETS")?
            }
            (None, None) => SensorSecrets::default(),
        };
        let consumers = match &self.consume {
            Some(file) => Consumers::from_file(file)?.consumers,
            None => Vec::new(),
        };
        Ok(Messages { secrets, consumers })
    }
}

/// Takes messages from a queue until `stop`.
pub(super) fn take(setting: ConsumerSetting, engine: Engine, stop: CancellationToken) {
    let log = EventLog {
        engine,
        principal: format!("queue:{setting}"),
    };
    tokio::spawn(async move { consume(&setting, &log, &stop).await });
}

/// The log, as queues see it.
struct EventLog {
    engine: Engine,
    principal: String,
}

#[async_trait]
impl Sink for EventLog {
    async fn accept(
        &self,
        sensor: &str,
        messages: Vec<Message>,
    ) -> Vec<Result<Accepted, NotAccepted>> {
        // Proposed in their order, and decided together while a put is under way.
        join_all(
            messages
                .into_iter()
                .map(|message| self.one(sensor, message)),
        )
        .await
    }
}

impl EventLog {
    async fn one(&self, sensor: &str, message: Message) -> Result<Accepted, NotAccepted> {
        let Some(id) = message.id else {
            return Err(NotAccepted::Never("it has no id".into()));
        };
        let ask = MessageAsk {
            sensor: sensor.to_owned(),
            id,
            data: message.data,
            attributes: message.attributes,
        };
        let cause = format!("msg_{}", random::token());
        // Whatever is wrong can be mended without the sender: the sensor is deployed or started, the
        // store answers again. Until then the queue keeps the message.
        match self
            .engine
            .accept_message(&self.principal, &cause, ask)
            .await
        {
            Ok(accepted) => Ok(Accepted {
                duplicate: !accepted.created,
            }),
            Err(error) => Err(NotAccepted::Later(error.to_string())),
        }
    }
}

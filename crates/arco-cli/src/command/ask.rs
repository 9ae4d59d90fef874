//! What `run` and `plan` ask for, on its way from the command line to the wire.

use arco_wire::api::{Definitions, HostState, PartitionsWanted, SelectionText};
use serde_json::Value;

use crate::args::Ask;
use crate::client::{CallError, Client};
use crate::failure::{Attempt, Failure, Outcome};

#[cfg(test)]
mod tests;

impl Ask {
    pub(crate) fn wire_selection(&self) -> SelectionText {
        SelectionText::Many(self.selection.clone())
    }

    pub(crate) fn wire_checks(&self) -> Option<Vec<String>> {
        match self.checks.is_empty() {
            true => self.no_checks.then(Vec::new),
            false => Some(self.checks.clone()),
        }
    }

    pub(crate) fn wire_partitions(&self) -> Option<PartitionsWanted> {
        if self.all_partitions {
            Some(PartitionsWanted::All)
        } else if self.partitions.is_empty() {
            None
        } else {
            Some(PartitionsWanted::Keys(self.partitions.clone()))
        }
    }

    /// The configuration: text that begins like JSON is JSON, all else names a file.
    pub(crate) fn wire_config(&self) -> Outcome<Value> {
        read_config(self.config.as_deref())
    }
}

/// A configuration as it was given: text that begins like JSON is JSON, all else names a file.
pub(crate) fn read_config(given: Option<&str>) -> Outcome<Value> {
    let Some(given) = given else {
        return Ok(Value::Null);
    };
    let (text, place) = if given.trim_start().starts_with(['{', '[', '"']) {
        (given.to_owned(), "the text after `--config`".to_owned())
    } else {
        let text = std::fs::read_to_string(given)
            .attempt(|| format!("could not read the run configuration `{given}`"))
            .map_err(|failure| failure.hints(only_json(given)))?;
        (text, format!("`{given}`"))
    };
    let value: Value = serde_json::from_str(&text)
        .attempt(|| format!("{place} is not JSON"))
        .map_err(|failure| failure.hints(only_json(given)).hint(EXAMPLE))?;
    if value.is_object() {
        Ok(value)
    } else {
        Err(Failure::new(format!("{place} is not a JSON object")).hint(EXAMPLE))
    }
}

const EXAMPLE: &str =
    r#"a configuration looks like {"ops": {"flights": {"config": {"limit": 10}}}}"#;

/// What to say of a file that is named like YAML.
fn only_json(file: &str) -> Option<String> {
    let path = std::path::Path::new(file);
    let yaml = path
        .extension()
        .is_some_and(|end| end == "yaml" || end == "yml");
    yaml.then(|| "the configuration is JSON; YAML is not read".into())
}

/// A refusal of `run` or `plan`, with the mend in words of these commands.
pub(crate) async fn explain_run(client: &Client, error: CallError) -> Failure {
    let mend = (error.code() == Some("partition_missing")).then_some(
        "--partition KEY or --partition FIRST...LAST names partitions, --all-partitions means every one that exists",
    );
    let failure = explain(client, error).await;
    failure.hints(mend.map(str::to_owned))
}

/// A refusal because of what is defined, with what may be the reason: code that is still loading, or
/// that did not load.
pub(crate) async fn explain(client: &Client, error: CallError) -> Failure {
    let about_definitions = matches!(
        error.code(),
        Some("unknown_asset" | "empty_selection" | "bad_selection")
    );
    let failure = Failure::from(error);
    if !about_definitions {
        return failure;
    }
    match client.get(["definitions"]).send::<Definitions>().await {
        Ok(definitions) => failure.hints(reasons(&definitions)),
        // The first error is the one to show.
        Err(_) => failure,
    }
}

pub(crate) fn reasons(definitions: &Definitions) -> Vec<String> {
    if definitions.locations.is_empty() {
        return vec![
            "no code location has announced its definitions yet: is user code still loading?"
                .into(),
        ];
    }
    let failed = definitions.locations.iter().filter_map(|location| {
        let failure = location.failure.as_ref()?;
        Some(format!(
            "location `{}` did not load ({}): `arco definitions` shows the traceback",
            location.name, failure.error.kind
        ))
    });
    failed.collect()
}

/// Locations that nobody serves at the moment.
pub(crate) fn without_host(definitions: &Definitions) -> Vec<&str> {
    let unserved = definitions.locations.iter().filter(|location| {
        location.version.is_some()
            && !location
                .hosts
                .iter()
                .any(|host| host.state == HostState::Alive)
    });
    unserved.map(|location| location.name.as_str()).collect()
}

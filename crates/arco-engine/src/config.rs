//! Run configuration against the schemas of the definitions, before anything is written.
//!
//! The worker validates again with pydantic, which knows more than a JSON schema; what can be known
//! at launch is said at launch.

use std::collections::BTreeMap;

use arco_core::definitions::Catalog;
use arco_core::graph;
use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde_json::{Map, Value};

use crate::EngineError;

#[cfg(test)]
mod tests;

/// Checks `{"ops": {STEP: {"config": …}}, "resources": {NAME: {"config": …}}}`.
pub(crate) fn check(catalog: &Catalog, config: &Value) -> Result<(), EngineError> {
    let Some(top) = section(config, "run configuration")? else {
        return Ok(());
    };
    for (name, value) in top {
        match name.as_str() {
            "ops" => check_section(value, "ops", &step_schemas(catalog))?,
            "resources" => check_section(value, "resources", &resource_schemas(catalog))?,
            other => {
                return Err(wrong(
                    other.to_owned(),
                    "unknown field; the configuration of a run has `ops` and `resources`".into(),
                ));
            }
        }
    }
    Ok(())
}

type Schemas<'a> = BTreeMap<&'a str, Option<&'a Value>>;

fn step_schemas(catalog: &Catalog) -> Schemas<'_> {
    let manifests = catalog.locations().values().map(|d| d.manifest());
    manifests
        .flat_map(|m| {
            m.steps
                .iter()
                .map(|s| (s.name.as_str(), s.config_schema.as_ref()))
        })
        .collect()
}

fn resource_schemas(catalog: &Catalog) -> Schemas<'_> {
    let manifests = catalog.locations().values().map(|d| d.manifest());
    manifests
        .flat_map(|m| {
            m.resources
                .iter()
                .map(|r| (r.name.as_str(), r.config_schema.as_ref()))
        })
        .collect()
}

fn check_section(value: &Value, path: &str, schemas: &Schemas<'_>) -> Result<(), EngineError> {
    for (name, entry) in section(value, path)?.into_iter().flatten() {
        let at = format!("{path}.{name}");
        let Some(schema) = schemas.get(name.as_str()) else {
            let hint = graph::did_you_mean(name, schemas.keys().copied())
                .map_or_else(String::new, |word| format!("; did you mean `{word}`?"));
            return Err(wrong(at, format!("nothing has this name{hint}")));
        };
        let Some(fields) = section(entry, &at)? else {
            continue;
        };
        if let Some(other) = fields.keys().find(|key| *key != "config") {
            let path = format!("{at}.{other}");
            return Err(wrong(
                path,
                "unknown field; write the values under `config`".into(),
            ));
        }
        if let Some(given) = fields.get("config") {
            check_value(given, *schema, &format!("{at}.config"))?;
        }
    }
    Ok(())
}

fn check_value(given: &Value, schema: Option<&Value>, path: &str) -> Result<(), EngineError> {
    let Some(schema) = schema else {
        return Err(wrong(path.to_owned(), "it takes no configuration".into()));
    };
    let Ok(validator) = jsonschema::validator_for(schema) else {
        // A schema this library cannot read is no fault of the caller; the worker validates.
        return Ok(());
    };
    match validator.iter_errors(given).next() {
        None => Ok(()),
        Some(error) => {
            let inner = error.instance_path().to_string().replace('/', ".");
            Err(wrong(format!("{path}{inner}"), in_words(&error, schema)))
        }
    }
}

/// What is wrong, in words of ours where the library speaks of schemas.
fn in_words(error: &ValidationError<'_>, schema: &Value) -> String {
    let given = error.instance();
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let unknown = unexpected.first().map_or("", String::as_str);
            let keyword = error.schema_path().to_string();
            let object = keyword.rsplit_once('/').map_or("", |(object, _)| object);
            let known: Vec<&str> = schema
                .pointer(&format!("{object}/properties"))
                .and_then(Value::as_object)
                .map(|fields| fields.keys().map(String::as_str).collect())
                .unwrap_or_default();
            let hint = match graph::did_you_mean(unknown, known.iter().copied()) {
                Some(near) => format!("; did you mean `{near}`?"),
                None if known.is_empty() => String::new(),
                None => format!("; there are `{}`", known.join("`, `")),
            };
            format!("there is no field `{unknown}`{hint}")
        }
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            format!("field `{name}` is missing")
        }
        ValidationErrorKind::Minimum { limit } => format!("{given} is too small; at least {limit}"),
        ValidationErrorKind::Maximum { limit } => format!("{given} is too large; at most {limit}"),
        ValidationErrorKind::ExclusiveMinimum { limit } => {
            format!("{given} is too small; it must be more than {limit}")
        }
        ValidationErrorKind::ExclusiveMaximum { limit } => {
            format!("{given} is too large; it must be less than {limit}")
        }
        _ => error.to_string(),
    }
}

fn section<'a>(
    value: &'a Value,
    path: &str,
) -> Result<Option<&'a Map<String, Value>>, EngineError> {
    match value {
        Value::Null => Ok(None),
        Value::Object(map) => Ok(Some(map)),
        other => Err(wrong(
            path.to_owned(),
            format!("expected a mapping, got {other}"),
        )),
    }
}

fn wrong(path: String, message: String) -> EngineError {
    EngineError::Config { path, message }
}

//! Manifests in a few words, as an SDK would have made them.

use std::sync::Arc;

use arco_core::definitions::Definitions;
use serde_json::{Map, Value, json};

/// A manifest in the making.
#[derive(Debug, Clone, Default)]
pub struct ManifestBuilder {
    location: String,
    assets: Vec<Value>,
    checks: Vec<Value>,
    steps: Vec<Value>,
    resources: Vec<Value>,
    schedules: Vec<Value>,
    sensors: Vec<Value>,
}

impl ManifestBuilder {
    /// For a code location.
    #[must_use]
    pub fn new(location: &str) -> Self {
        Self {
            location: location.into(),
            ..Self::default()
        }
    }

    /// Adds an asset with a step of its own, which bears the asset's name with `/` as `__`.
    #[must_use]
    pub fn asset(mut self, asset: AssetBuilder) -> Self {
        let AssetBuilder {
            key,
            mut asset,
            step,
        } = asset;
        if let Some(mut step) = step {
            let name = step_name(&key);
            asset.insert("step".into(), json!(name));
            step.insert("name".into(), json!(name));
            step.insert("kind".into(), json!("asset"));
            step.insert("outputs".into(), json!([key]));
            self.steps.push(step.into());
        }
        asset.insert("key".into(), json!(key));
        self.assets.push(asset.into());
        self
    }

    /// Adds several assets that one step makes.
    #[must_use]
    pub fn multi(mut self, step: &str, assets: impl IntoIterator<Item = AssetBuilder>) -> Self {
        let mut outputs = Vec::new();
        for AssetBuilder { key, mut asset, .. } in assets {
            asset.insert("key".into(), json!(key));
            asset.insert("step".into(), json!(step));
            self.assets.push(asset.into());
            outputs.push(key);
        }
        self.steps
            .push(json!({"name": step, "kind": "asset", "outputs": outputs}));
        self
    }

    /// Adds a check with a step of its own, or judged within its asset's step.
    #[must_use]
    pub fn check(mut self, check: CheckBuilder) -> Self {
        let CheckBuilder {
            asset,
            name,
            mut check,
            inside,
        } = check;
        let step = if inside {
            let of_asset = step_name(&asset);
            let owner = self
                .steps
                .iter_mut()
                .find(|step| step["name"] == json!(of_asset));
            let owner = owner.expect("the asset is added before the check within its step");
            let mut judged = owner["checks"].as_array().cloned().unwrap_or_default();
            judged.push(json!([asset, name]));
            owner["checks"] = json!(judged);
            of_asset
        } else {
            let step = format!("{}__{name}", step_name(&asset));
            self.steps.push(json!({
                "name": step, "kind": "check", "outputs": [], "checks": [[asset, name]],
            }));
            check.insert("deps".into(), json!([{"asset": asset}]));
            step
        };
        check.insert("asset".into(), json!(asset));
        check.insert("name".into(), json!(name));
        check.insert("step".into(), json!(step));
        self.checks.push(check.into());
        self
    }

    /// Adds a resource.
    #[must_use]
    pub fn resource(mut self, name: &str, config_schema: Option<Value>) -> Self {
        let mut resource = json!({"name": name});
        if let Some(schema) = config_schema {
            resource["config_schema"] = schema;
        }
        self.resources.push(resource);
        self
    }

    /// Adds a schedule, as the manifest has it.
    #[must_use]
    pub fn schedule(mut self, schedule: Value) -> Self {
        self.schedules.push(schedule);
        self
    }

    /// Adds a sensor, as the manifest has it.
    #[must_use]
    pub fn sensor(mut self, sensor: Value) -> Self {
        self.sensors.push(sensor);
        self
    }

    /// The document an SDK would send.
    #[must_use]
    pub fn json(&self) -> Value {
        let sorted = |list: &[Value], key: &str| {
            let mut list = list.to_vec();
            list.sort_by_key(|entry| entry[key].to_string());
            list
        };
        json!({
            "format": 1,
            "location": self.location,
            "sdk": {"name": "testkit", "version": "0", "language": "rust"},
            "assets": sorted(&self.assets, "key"),
            "checks": sorted(&self.checks, "name"),
            "steps": sorted(&self.steps, "name"),
            "resources": sorted(&self.resources, "name"),
            "schedules": sorted(&self.schedules, "name"),
            "sensors": sorted(&self.sensors, "name"),
        })
    }

    /// The document as the engine reads it. Panics when it does not hold together.
    #[must_use]
    pub fn definitions(&self) -> Arc<Definitions> {
        let read = Definitions::read(&self.location, &self.json());
        Arc::new(read.unwrap_or_else(|error| panic!("the test's manifest is wrong: {error}")))
    }
}

fn step_name(key: &str) -> String {
    key.replace('/', "__")
}

/// An asset in the making.
#[derive(Debug, Clone)]
pub struct AssetBuilder {
    key: String,
    asset: Map<String, Value>,
    step: Option<Map<String, Value>>,
}

/// An asset that a step makes.
#[must_use]
pub fn asset(key: &str) -> AssetBuilder {
    AssetBuilder {
        key: key.into(),
        asset: Map::new(),
        step: Some(Map::new()),
    }
}

impl AssetBuilder {
    /// Nothing here makes it.
    #[must_use]
    pub fn external(mut self) -> Self {
        self.step = None;
        self
    }

    /// Any field of the asset, as the manifest has it.
    #[must_use]
    pub fn with(mut self, field: &str, value: Value) -> Self {
        self.asset.insert(field.into(), value);
        self
    }

    /// Any field of its step, as the manifest has it.
    #[must_use]
    pub fn step_with(mut self, field: &str, value: Value) -> Self {
        let step = self.step.as_mut().expect("external assets have no step");
        step.insert(field.into(), value);
        self
    }

    /// Reads `upstream`, which its function takes as a parameter of that name.
    #[must_use]
    pub fn needs(self, upstream: &str) -> Self {
        self.needs_mapped(upstream, None)
    }

    /// Reads `upstream` through a mapping, `{"kind": "all"}`.
    #[must_use]
    pub fn needs_mapped(mut self, upstream: &str, mapping: impl Into<Option<Value>>) -> Self {
        let mut dep = json!({"asset": upstream, "param": step_name(upstream)});
        if let Some(mapping) = mapping.into() {
            dep["mapping"] = mapping;
        }
        let deps = self.asset.entry("deps").or_insert_with(|| json!([]));
        deps.as_array_mut().expect("deps are a list").push(dep);
        self
    }

    /// One partition a day from `start` on.
    #[must_use]
    pub fn daily(self, start: &str) -> Self {
        self.with(
            "partitions",
            json!({
                "kind": "time_window", "cadence": "daily", "start": format!("{start}T00:00:00"),
                "timezone": "UTC", "fmt": "%Y-%m-%d", "end_offset": 0,
                "minute_offset": 0, "hour_offset": 0, "day_offset": 0,
            }),
        )
    }

    /// These partitions.
    #[must_use]
    pub fn partitions(self, keys: &[&str]) -> Self {
        self.with("partitions", json!({"kind": "static", "keys": keys}))
    }

    /// Tried again this often, this many milliseconds later.
    #[must_use]
    pub fn retries(self, max: u32, delay_ms: u64) -> Self {
        self.retry(json!({"max_retries": max, "delay_ms": delay_ms}))
    }

    /// Tried again by a policy as the manifest has it.
    #[must_use]
    pub fn retry(self, policy: Value) -> Self {
        self.step_with("retry", policy)
    }

    /// The version of its code.
    #[must_use]
    pub fn code_version(self, version: &str) -> Self {
        self.with("code_version", json!(version))
    }
}

/// A check in the making.
#[derive(Debug, Clone)]
pub struct CheckBuilder {
    asset: String,
    name: String,
    check: Map<String, Value>,
    inside: bool,
}

/// A check of an asset, with a step of its own.
#[must_use]
pub fn check(asset: &str, name: &str) -> CheckBuilder {
    CheckBuilder {
        asset: asset.into(),
        name: name.into(),
        check: Map::new(),
        inside: false,
    }
}

impl CheckBuilder {
    /// A failure stops what is downstream.
    #[must_use]
    pub fn blocking(mut self) -> Self {
        self.check.insert("blocking".into(), json!(true));
        self
    }

    /// Judged for each of these partitions.
    #[must_use]
    pub fn partitions(mut self, keys: &[&str]) -> Self {
        let partitions = json!({"kind": "static", "keys": keys});
        self.check.insert("partitions".into(), partitions);
        self
    }

    /// Judged by the step that makes the asset.
    #[must_use]
    pub fn inside(mut self) -> Self {
        self.inside = true;
        self
    }
}

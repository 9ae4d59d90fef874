//! From a manifest to definitions that can stand, or the reason why not.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use super::{
    AssetDef, CheckDef, DefinitionsError, Dep, Manifest, Schedule, Sensor, StepDef, StepKind,
};
use crate::partition::{
    DynamicSets, MappingAnswers, PartitionEdge, PartitionMapping, PartitionsDef,
};
use crate::{AssetKey, Digest, graph};

/// A manifest that holds together, with its indexes. Immutable: runs pin a version of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Definitions {
    version: Digest,
    manifest: Manifest,
    // Looked up for every asset of a plan, never walked.
    assets: HashMap<AssetKey, usize>,
    steps: HashMap<String, usize>,
    checks: BTreeMap<(AssetKey, String), usize>,
    schedules: BTreeMap<String, Schedule>,
    sensors: BTreeMap<String, Sensor>,
}

impl Definitions {
    /// Reads and checks a manifest.
    ///
    /// # Errors
    /// [`DefinitionsError`], whose message names the asset or step and the mend.
    pub fn read(location: &str, manifest: &Value) -> Result<Self, DefinitionsError> {
        Self::read_version(location, manifest, Digest::of_json(manifest))
    }

    /// As [`Definitions::read`], for a manifest that was stored as this binary understood it: its
    /// version was computed from the document the SDK sent and is handed in.
    ///
    /// # Errors
    /// As [`Definitions::read`].
    pub fn read_version(
        location: &str,
        manifest: &Value,
        version: Digest,
    ) -> Result<Self, DefinitionsError> {
        let malformed = |reason: String| DefinitionsError::Malformed {
            location: location.into(),
            reason,
        };
        let format = manifest.get("format").and_then(Value::as_u64).unwrap_or(0);
        if format > 1 {
            return Err(DefinitionsError::Format {
                location: location.into(),
                format: u32::try_from(format).unwrap_or(u32::MAX),
            });
        }
        check_partitions_defs(manifest)?;
        let parsed: Manifest =
            Manifest::deserialize_from(manifest).map_err(|error| malformed(error.to_string()))?;
        if parsed.location != location {
            return Err(malformed(format!("it says location `{}`", parsed.location)));
        }
        Self::build(parsed, version)
    }

    /// The same version with the keys that dynamic partitions have now; `None` when it names no set.
    #[must_use]
    pub fn resolved(&self, sets: &DynamicSets) -> Option<Self> {
        let is_dynamic = |def: &Option<PartitionsDef>| {
            def.as_ref()
                .is_some_and(|def| def.dynamic_names().next().is_some())
        };
        let manifest = &self.manifest;
        let assets = manifest.assets.iter().map(|asset| &asset.partitions);
        let checks = manifest.checks.iter().map(|check| &check.partitions);
        if !assets.chain(checks).any(is_dynamic) {
            return None;
        }
        let mut resolved = self.clone();
        let resolve = |def: &mut Option<PartitionsDef>| {
            *def = def.as_ref().map(|def| def.resolved(sets).into_owned());
        };
        let manifest = &mut resolved.manifest;
        manifest
            .assets
            .iter_mut()
            .for_each(|asset| resolve(&mut asset.partitions));
        manifest
            .checks
            .iter_mut()
            .for_each(|check| resolve(&mut check.partitions));
        Some(resolved)
    }

    /// The edges whose mapping is user code, each once.
    pub fn custom_edges(&self) -> impl Iterator<Item = (&AssetDef, &Dep)> {
        let assets = self.manifest.assets.iter();
        assets.flat_map(|asset| custom_deps(asset).map(move |dep| (asset, dep)))
    }

    /// The same version with what the code of mappings answered: of edges, child before parent.
    #[must_use]
    pub fn answered(&self, answers: &[(&AssetKey, &AssetKey, &MappingAnswers)]) -> Self {
        let mut answered = self.clone();
        for (child, parent, answers) in answers {
            let step = self.asset(child).and_then(|asset| asset.step.as_deref());
            let step = step.and_then(|step| self.step(step));
            // Ops of a graph read as its first asset does.
            let graph = step
                .filter(|step| self.makes(step).first() == Some(*child))
                .and_then(|step| step.graph.as_deref());
            let manifest = &mut answered.manifest;
            let assets = self
                .assets
                .get(child)
                .map(|at| &mut manifest.assets[*at].deps);
            let steps = manifest
                .steps
                .iter_mut()
                .filter(|step| graph.is_some() && step.graph.as_deref() == graph)
                .map(|step| &mut step.deps);
            for dep in assets.into_iter().chain(steps).flatten() {
                if let Some(mapping) = dep.mapping.as_mut().filter(|_| dep.asset == **parent) {
                    *mapping = mapping.resolved(answers);
                }
            }
        }
        answered
    }

    fn build(manifest: Manifest, version: Digest) -> Result<Self, DefinitionsError> {
        let assets = index_assets(&manifest)?;
        let steps = index_steps(&manifest)?;
        let checks = index_checks(&manifest)?;
        let schedules = read_schedules(&manifest)?;
        let sensors = read_sensors(&manifest)?;
        let definitions = Self {
            version,
            manifest,
            assets,
            steps,
            checks,
            schedules,
            sensors,
        };
        definitions.check_steps()?;
        definitions.check_edges()?;
        definitions.check_partitions()?;
        definitions.check_cycles()?;
        definitions.check_jobs()?;
        definitions.check_schedules()?;
        definitions.check_sensors()?;
        Ok(definitions)
    }

    /// Digest of the canonical manifest.
    #[must_use]
    pub fn version(&self) -> Digest {
        self.version
    }

    /// Code location.
    #[must_use]
    pub fn location(&self) -> &str {
        &self.manifest.location
    }

    /// The manifest as read.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// One asset.
    #[must_use]
    pub fn asset(&self, key: &AssetKey) -> Option<&AssetDef> {
        self.assets.get(key).map(|at| &self.manifest.assets[*at])
    }

    /// One step.
    #[must_use]
    pub fn step(&self, name: &str) -> Option<&StepDef> {
        self.steps.get(name).map(|at| &self.manifest.steps[*at])
    }

    /// Whether an asset is external here: nothing makes it, though a step may observe it.
    #[must_use]
    pub fn is_external(&self, asset: &AssetDef) -> bool {
        asset.step.is_none() || self.is_observable(asset)
    }

    /// Whether a step observes the asset, which is made elsewhere.
    #[must_use]
    pub fn is_observable(&self, asset: &AssetDef) -> bool {
        let step = asset.step.as_deref().and_then(|name| self.step(name));
        step.is_some_and(|step| step.kind == StepKind::Observe)
    }

    /// One check.
    #[must_use]
    pub fn check(&self, asset: &AssetKey, name: &str) -> Option<&CheckDef> {
        self.checks
            .get(&(asset.clone(), name.to_owned()))
            .map(|at| &self.manifest.checks[*at])
    }

    /// The checks of one asset, by name.
    pub fn checks_of<'a>(&'a self, asset: &'a AssetKey) -> impl Iterator<Item = &'a CheckDef> {
        self.checks
            .range((asset.clone(), String::new())..)
            .take_while(move |((of, _), _)| of == asset)
            .map(|(_, at)| &self.manifest.checks[*at])
    }

    /// One schedule.
    #[must_use]
    pub fn schedule(&self, name: &str) -> Option<&Schedule> {
        self.schedules.get(name)
    }

    /// Its schedules by name.
    #[must_use]
    pub fn schedules(&self) -> &BTreeMap<String, Schedule> {
        &self.schedules
    }

    /// One sensor.
    #[must_use]
    pub fn sensor(&self, name: &str) -> Option<&Sensor> {
        self.sensors.get(name)
    }

    /// Its sensors by name.
    #[must_use]
    pub fn sensors(&self) -> &BTreeMap<String, Sensor> {
        &self.sensors
    }

    fn unknown_step(&self, what: String, step: &str) -> DefinitionsError {
        DefinitionsError::UnknownStep {
            what,
            step: step.into(),
            location: self.location().into(),
        }
    }

    fn check_steps(&self) -> Result<(), DefinitionsError> {
        for asset in &self.manifest.assets {
            if let Some(step) = &asset.step
                && !self
                    .step(step)
                    .is_some_and(|s| s.outputs.contains(&asset.key))
            {
                return Err(self.unknown_step(format!("asset `{}`", asset.key), step));
            }
        }
        for check in &self.manifest.checks {
            let id = (check.asset.clone(), check.name.clone());
            if !self
                .step(&check.step)
                .is_some_and(|s| s.checks.contains(&id))
            {
                let what = format!("check `{}` of asset `{}`", check.name, check.asset);
                return Err(self.unknown_step(what, &check.step));
            }
        }
        for step in &self.manifest.steps {
            self.check_step_partitions(step)?;
            self.check_op(step)?;
        }
        Ok(())
    }

    /// What an op takes from others is an output of an op of its graph.
    fn check_op(&self, step: &StepDef) -> Result<(), DefinitionsError> {
        let sources = step.inputs.iter().flat_map(|input| &input.sources);
        for source in sources.chain(&step.over) {
            let gives = |other: &StepDef| {
                other.graph == step.graph
                    && other.values.iter().any(|value| value.name == source.output)
            };
            if step.graph.is_none() || !self.step(&source.step).is_some_and(gives) {
                let what = format!("op `{}`, which takes `{}`,", step.name, source.output);
                return Err(self.unknown_step(what, &source.step));
            }
        }
        for dep in &step.deps {
            self.check_edge(&format!("op `{}`", step.name), &step.name, dep)?;
        }
        Ok(())
    }

    /// The ops of a graph, in the order of the manifest.
    pub fn ops<'a>(&'a self, graph: &'a str) -> impl Iterator<Item = &'a StepDef> {
        let steps = self.manifest.steps.iter();
        steps.filter(move |step| step.graph.as_deref() == Some(graph))
    }

    /// What a step makes: the assets of its whole graph when it is an op.
    #[must_use]
    pub fn makes(&self, step: &StepDef) -> Vec<AssetKey> {
        match &step.graph {
            None => step.outputs.clone(),
            Some(graph) => self
                .ops(graph)
                .flat_map(|op| &op.outputs)
                .cloned()
                .collect(),
        }
    }

    fn check_step_partitions(&self, step: &StepDef) -> Result<(), DefinitionsError> {
        let mut defs = step
            .outputs
            .iter()
            .filter_map(|key| self.asset(key))
            .map(|asset| &asset.partitions);
        let first = defs.next();
        if defs.any(|def| Some(def) != first) {
            return Err(DefinitionsError::MixedPartitions {
                step: step.name.clone(),
            });
        }
        Ok(())
    }

    fn check_edges(&self) -> Result<(), DefinitionsError> {
        for asset in &self.manifest.assets {
            for dep in &asset.deps {
                self.check_edge(&format!("asset `{}`", asset.key), asset.key.as_str(), dep)?;
            }
        }
        for check in &self.manifest.checks {
            let child = format!("check `{}` of asset `{}`", check.name, check.asset);
            if self.asset(&check.asset).is_none() {
                return Err(self.unknown_dep(&child, &check.name, &check.asset));
            }
            for dep in &check.deps {
                self.check_edge(&child, &check.name, dep)?;
            }
        }
        Ok(())
    }

    fn check_edge(&self, child: &str, name: &str, dep: &Dep) -> Result<(), DefinitionsError> {
        match self.asset(&dep.asset) {
            Some(_) => Ok(()),
            None => Err(self.unknown_dep(child, name, &dep.asset)),
        }
    }

    fn unknown_dep(&self, child: &str, name: &str, dep: &AssetKey) -> DefinitionsError {
        let assets = self.manifest.assets.iter();
        let known: BTreeSet<&str> = assets.map(|asset| asset.key.as_str()).collect();
        let hint = graph::did_you_mean(dep.as_str(), known).map_or_else(
            || format!("; define it, or declare it with `AssetSpec(\"{dep}\")` when it is made elsewhere"),
            |word| format!("; did you mean `{word}`?"),
        );
        DefinitionsError::UnknownDep {
            child: child.into(),
            dep: dep.clone(),
            path: format!("{dep} → {name}"),
            hint,
        }
    }

    /// Every edge between partitioned assets has a mapping that can work.
    fn check_partitions(&self) -> Result<(), DefinitionsError> {
        for asset in &self.manifest.assets {
            for dep in &asset.deps {
                self.check_mapping(&asset.key, asset.partitions.as_ref(), dep)?;
            }
            for dep in custom_deps(asset) {
                let others = asset.deps.iter().filter(|other| other.asset == dep.asset);
                if others.clone().any(|other| other.mapping != dep.mapping) {
                    return Err(DefinitionsError::Partitions {
                        asset: asset.key.clone(),
                        reason: format!(
                            "it reads `{}` by a mapping of your own and by another one; give both the same",
                            dep.asset
                        ),
                    });
                }
            }
        }
        for check in &self.manifest.checks {
            for dep in &check.deps {
                self.check_mapping(&check.asset, check.partitions.as_ref(), dep)?;
                if let Some(custom) = dep.mapping.as_ref().and_then(PartitionMapping::custom) {
                    let reason = format!(
                        "check `{}` reads `{}` by `{}`, a mapping of your own, which only assets do; use another \
                         mapping, such as `AllPartitionMapping`",
                        check.name,
                        dep.asset,
                        custom.name()
                    );
                    return Err(DefinitionsError::Partitions {
                        asset: check.asset.clone(),
                        reason,
                    });
                }
            }
        }
        Ok(())
    }

    fn check_mapping(
        &self,
        child: &AssetKey,
        child_def: Option<&PartitionsDef>,
        dep: &Dep,
    ) -> Result<(), DefinitionsError> {
        let Some(parent) = self.asset(&dep.asset).and_then(|a| a.partitions.as_ref()) else {
            return Ok(());
        };
        let mapping = dep
            .mapping
            .clone()
            .unwrap_or_else(|| PartitionMapping::infer(child_def, Some(parent)));
        PartitionEdge::new(&mapping, child_def, parent)
            .map(|_| ())
            .map_err(|error| DefinitionsError::Partitions {
                asset: child.clone(),
                reason: format!("dependency on `{}`: {error}", dep.asset),
            })
    }

    /// A self-dependency onto earlier windows is no cycle (M-7); every other cycle is refused here,
    /// when definitions load, and not when something first sorts the graph (D-34). A blocking check
    /// stands between its asset and the asset's readers, so it may not read one of them.
    fn check_cycles(&self) -> Result<(), DefinitionsError> {
        let mut edges: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut add = |from: String, to: &str| edges.entry(from).or_default().push(to.to_owned());
        for asset in &self.manifest.assets {
            for dep in asset.deps.iter().filter(|dep| !reads_own_past(asset, dep)) {
                add(dep.asset.to_string(), asset.key.as_str());
                for check in self.checks_of(&dep.asset).filter(|check| check.blocking) {
                    add(gate(check), asset.key.as_str());
                }
            }
        }
        for check in self.manifest.checks.iter().filter(|check| check.blocking) {
            for dep in &check.deps {
                add(dep.asset.to_string(), &gate(check));
            }
        }
        match graph::cycle(&edges) {
            None => Ok(()),
            Some(path) => Err(DefinitionsError::Cycle {
                path: path.join(" → "),
            }),
        }
    }
}

/// The dependencies of an asset whose mapping is user code, each upstream asset once.
fn custom_deps(asset: &AssetDef) -> impl Iterator<Item = &Dep> {
    let custom = asset
        .deps
        .iter()
        .enumerate()
        .filter(|(_, dep)| dep.mapping.as_ref().is_some_and(|m| m.custom().is_some()));
    let is_first = |at: usize, dep: &Dep| !asset.deps[..at].iter().any(|d| d.asset == dep.asset);
    custom
        .filter(move |(at, dep)| is_first(*at, dep))
        .map(|(_, dep)| dep)
}

/// A blocking check as a node of the graph.
fn gate(check: &CheckDef) -> String {
    format!("check {} of {}", check.name, check.asset)
}

fn reads_own_past(asset: &AssetDef, dep: &Dep) -> bool {
    let earlier = dep.mapping.as_ref().is_some_and(is_earlier);
    dep.asset == asset.key && asset.partitions.is_some() && earlier
}

/// Whether what a partition reads comes before it, in some dimension.
fn is_earlier(mapping: &PartitionMapping) -> bool {
    match mapping {
        PartitionMapping::TimeWindow {
            start_offset,
            end_offset,
            ..
        } => *start_offset < 0 && *end_offset < 0,
        PartitionMapping::Multi { dimensions } => dimensions
            .iter()
            .any(|each| each.upstream == each.downstream && is_earlier(&each.mapping)),
        _ => false,
    }
}

/// Reads the partitions definitions on their own first, so that what is wrong with one names its asset.
fn check_partitions_defs(manifest: &Value) -> Result<(), DefinitionsError> {
    let assets = manifest.get("assets").and_then(Value::as_array);
    for asset in assets.into_iter().flatten() {
        let key = asset
            .get("key")
            .and_then(Value::as_str)
            .and_then(AssetKey::parse);
        if let (Some(asset_key), Some(def)) = (key, asset.get("partitions")) {
            PartitionsDef::from_json(def).map_err(|error| DefinitionsError::Partitions {
                asset: asset_key,
                reason: error.to_string(),
            })?;
        }
    }
    Ok(())
}

fn index_assets(manifest: &Manifest) -> Result<HashMap<AssetKey, usize>, DefinitionsError> {
    let mut index = HashMap::new();
    for (at, asset) in manifest.assets.iter().enumerate() {
        if index.insert(asset.key.clone(), at).is_some() {
            return Err(DefinitionsError::DuplicateAsset {
                asset: asset.key.clone(),
                place: format!(" in location `{}`", manifest.location),
            });
        }
    }
    Ok(index)
}

fn index_steps(manifest: &Manifest) -> Result<HashMap<String, usize>, DefinitionsError> {
    let mut index = HashMap::new();
    for (at, step) in manifest.steps.iter().enumerate() {
        if index.insert(step.name.clone(), at).is_some() {
            return Err(DefinitionsError::DuplicateStep {
                step: step.name.clone(),
                location: manifest.location.clone(),
            });
        }
    }
    Ok(index)
}

fn read_schedules(manifest: &Manifest) -> Result<BTreeMap<String, Schedule>, DefinitionsError> {
    let mut read = BTreeMap::new();
    for def in &manifest.schedules {
        if read
            .insert(def.name.clone(), Schedule::read(def)?)
            .is_some()
        {
            return Err(DefinitionsError::DuplicateSchedule {
                schedule: def.name.clone(),
                place: format!(" in location `{}`", manifest.location),
            });
        }
    }
    Ok(read)
}

fn read_sensors(manifest: &Manifest) -> Result<BTreeMap<String, Sensor>, DefinitionsError> {
    let mut read = BTreeMap::new();
    for def in &manifest.sensors {
        let twice = read.insert(def.name.clone(), Sensor::read(def)?).is_some();
        let is_schedule = manifest.schedules.iter().any(|s| s.name == def.name);
        if twice || is_schedule {
            return Err(DefinitionsError::DuplicateSensor {
                what: if twice {
                    "sensor"
                } else {
                    "schedule or sensor"
                },
                name: def.name.clone(),
                place: format!(" in location `{}`", manifest.location),
            });
        }
    }
    Ok(read)
}

type CheckIndex = BTreeMap<(AssetKey, String), usize>;

fn index_checks(manifest: &Manifest) -> Result<CheckIndex, DefinitionsError> {
    let mut index = BTreeMap::new();
    for (at, check) in manifest.checks.iter().enumerate() {
        let id = (check.asset.clone(), check.name.clone());
        if index.insert(id, at).is_some() {
            return Err(DefinitionsError::DuplicateCheck {
                asset: check.asset.clone(),
                check: check.name.clone(),
            });
        }
    }
    Ok(index)
}

impl Manifest {
    fn deserialize_from(value: &Value) -> Result<Self, serde_json::Error> {
        serde::Deserialize::deserialize(value)
    }
}

//! All definitions of a workspace: the locations joined into one asset graph.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::{AssetDef, CheckDef, Definitions, DefinitionsError, Dep, Schedule, Sensor, StepDef};
use crate::partition::{DynamicSets, MappingAnswers};
use crate::{AssetKey, graph};

/// The current definitions of every location. Cheap to clone; replaced whole on a deploy.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    locations: BTreeMap<String, Arc<Definitions>>,
    /// Which location speaks for an asset: the one that makes it, else the first that names it.
    owners: Arc<BTreeMap<AssetKey, String>>,
    /// The same, to look one up: a plan of ten thousand assets asks a hundred thousand times.
    definitions: HashMap<AssetKey, Arc<Definitions>>,
    children: Arc<HashMap<AssetKey, Vec<AssetKey>>>,
    /// Which location defines a schedule.
    schedules: Arc<BTreeMap<String, String>>,
    /// Which location defines a sensor.
    sensors: Arc<BTreeMap<String, String>>,
}

/// An asset and the definitions that speak for it.
#[derive(Debug, Clone, Copy)]
pub struct AssetRef<'a> {
    /// The location's definitions.
    pub definitions: &'a Arc<Definitions>,
    /// The asset.
    pub asset: &'a AssetDef,
}

/// A step and its definitions.
#[derive(Debug, Clone, Copy)]
pub struct StepRef<'a> {
    /// The location's definitions.
    pub definitions: &'a Arc<Definitions>,
    /// The step.
    pub step: &'a StepDef,
}

/// A schedule and its definitions.
#[derive(Debug, Clone, Copy)]
pub struct ScheduleRef<'a> {
    /// The location's definitions.
    pub definitions: &'a Arc<Definitions>,
    /// The schedule.
    pub schedule: &'a Schedule,
}

/// A sensor and its definitions.
#[derive(Debug, Clone, Copy)]
pub struct SensorRef<'a> {
    /// The location's definitions.
    pub definitions: &'a Arc<Definitions>,
    /// The sensor.
    pub sensor: &'a Sensor,
}

impl Catalog {
    /// The catalog with one location's definitions put in, or in place of its former ones.
    ///
    /// # Errors
    /// When two locations make one asset, or edges across locations close a cycle.
    pub fn with(&self, definitions: Arc<Definitions>) -> Result<Self, DefinitionsError> {
        let mut locations = self.locations.clone();
        locations.insert(definitions.location().to_owned(), definitions);
        Self::of(locations)
    }

    /// The catalog with the keys that dynamic partitions have now. The graph stays what it is.
    #[must_use]
    pub fn resolved(&self, sets: &DynamicSets) -> Self {
        let mut catalog = self.clone();
        let mut changed = false;
        for definitions in catalog.locations.values_mut() {
            if let Some(resolved) = definitions.resolved(sets) {
                *definitions = Arc::new(resolved);
                changed = true;
            }
        }
        if changed {
            catalog.point_at_locations();
        }
        catalog
    }

    /// The catalog with what the code of mappings answered: of edges, child before parent. Others keep theirs.
    #[must_use]
    pub fn answered(&self, answers: &[(&AssetKey, &AssetKey, &MappingAnswers)]) -> Self {
        let mut catalog = self.clone();
        for (location, definitions) in &mut catalog.locations {
            let own: Vec<_> = answers
                .iter()
                .filter(|(child, ..)| self.owners.get(*child) == Some(location))
                .copied()
                .collect();
            if !own.is_empty() {
                *definitions = Arc::new(definitions.answered(&own));
            }
        }
        catalog.point_at_locations();
        catalog
    }

    fn point_at_locations(&mut self) {
        for definitions in self.definitions.values_mut() {
            if let Some(now) = self.locations.get(definitions.location()) {
                *definitions = Arc::clone(now);
            }
        }
    }

    /// The edges whose mapping is user code, of the assets that their location speaks for.
    pub fn custom_edges(&self) -> impl Iterator<Item = (&Arc<Definitions>, &AssetDef, &Dep)> {
        self.locations.iter().flat_map(move |(name, definitions)| {
            let edges = definitions.custom_edges();
            let edges = edges.filter(move |(child, _)| self.owners.get(&child.key) == Some(name));
            edges.map(move |(child, dep)| (definitions, child, dep))
        })
    }

    fn of(locations: BTreeMap<String, Arc<Definitions>>) -> Result<Self, DefinitionsError> {
        let mut owners: BTreeMap<AssetKey, String> = BTreeMap::new();
        let mut children: BTreeMap<AssetKey, Vec<AssetKey>> = BTreeMap::new();
        for (location, definitions) in &locations {
            for asset in &definitions.manifest().assets {
                claim(&mut owners, &locations, location, asset)?;
                for dep in &asset.deps {
                    let list = children.entry(dep.asset.clone()).or_default();
                    if dep.asset != asset.key && !list.contains(&asset.key) {
                        list.push(asset.key.clone());
                    }
                }
            }
        }
        children.values_mut().for_each(|list| list.sort());
        if let Some(path) = graph::cycle(&children) {
            let path: Vec<&str> = path.iter().map(AssetKey::as_str).collect();
            return Err(DefinitionsError::Cycle {
                path: path.join(" → "),
            });
        }
        let of = |(key, owner): (&AssetKey, &String)| {
            Some((key.clone(), Arc::clone(locations.get(owner)?)))
        };
        let definitions = owners.iter().filter_map(of).collect();
        let schedules = schedules(&locations)?;
        let sensors = sensors(&locations, &schedules)?;
        Ok(Self {
            locations,
            owners: Arc::new(owners),
            definitions,
            children: Arc::new(children.into_iter().collect()),
            schedules: Arc::new(schedules),
            sensors: Arc::new(sensors),
        })
    }

    /// The locations by name.
    #[must_use]
    pub fn locations(&self) -> &BTreeMap<String, Arc<Definitions>> {
        &self.locations
    }

    /// Keys of all assets, external ones included, in order.
    pub fn keys(&self) -> impl Iterator<Item = &AssetKey> {
        self.owners.keys()
    }

    /// One asset.
    #[must_use]
    pub fn asset(&self, key: &AssetKey) -> Option<AssetRef<'_>> {
        let definitions = self.definitions.get(key)?;
        let asset = definitions.asset(key)?;
        Some(AssetRef { definitions, asset })
    }

    /// The step that makes an asset; `None` for an external one.
    #[must_use]
    pub fn step_of(&self, key: &AssetKey) -> Option<StepRef<'_>> {
        let AssetRef { definitions, asset } = self.asset(key)?;
        let step = definitions.step(asset.step.as_deref()?)?;
        Some(StepRef { definitions, step })
    }

    /// Upstream assets, in the order the definitions give.
    #[must_use]
    pub fn parents(&self, key: &AssetKey) -> Vec<AssetKey> {
        self.asset(key).map_or_else(Vec::new, |found| {
            found
                .asset
                .deps
                .iter()
                .map(|dep| dep.asset.clone())
                .collect()
        })
    }

    /// Downstream assets, in order.
    #[must_use]
    pub fn children(&self, key: &AssetKey) -> &[AssetKey] {
        self.children.get(key).map_or(&[], Vec::as_slice)
    }

    /// One schedule.
    #[must_use]
    pub fn schedule(&self, name: &str) -> Option<ScheduleRef<'_>> {
        let definitions = self.locations.get(self.schedules.get(name)?)?;
        let schedule = definitions.schedule(name)?;
        Some(ScheduleRef {
            definitions,
            schedule,
        })
    }

    /// Names of all schedules, in order, each with its location.
    #[must_use]
    pub fn schedules(&self) -> &BTreeMap<String, String> {
        &self.schedules
    }

    /// One sensor.
    #[must_use]
    pub fn sensor(&self, name: &str) -> Option<SensorRef<'_>> {
        let definitions = self.locations.get(self.sensors.get(name)?)?;
        let sensor = definitions.sensor(name)?;
        Some(SensorRef {
            definitions,
            sensor,
        })
    }

    /// Names of all sensors, in order, each with its location.
    #[must_use]
    pub fn sensors(&self) -> &BTreeMap<String, String> {
        &self.sensors
    }

    /// All checks of an asset, whichever location judges them.
    pub fn checks_of<'a>(
        &'a self,
        key: &'a AssetKey,
    ) -> impl Iterator<Item = (&'a Arc<Definitions>, &'a CheckDef)> {
        self.locations
            .values()
            .flat_map(move |d| d.checks_of(key).map(move |check| (d, check)))
    }
}

/// A name is one schedule in the whole workspace: ticks and run keys bear it.
fn schedules(
    locations: &BTreeMap<String, Arc<Definitions>>,
) -> Result<BTreeMap<String, String>, DefinitionsError> {
    let mut owners: BTreeMap<String, String> = BTreeMap::new();
    for (location, definitions) in locations {
        for name in definitions.schedules().keys() {
            if let Some(other) = owners.insert(name.clone(), location.clone()) {
                return Err(DefinitionsError::DuplicateSchedule {
                    schedule: name.clone(),
                    place: format!(" in locations `{other}` and `{location}`"),
                });
            }
        }
    }
    Ok(owners)
}

/// A name is one sensor in the whole workspace, and no schedule: people start and stop both by name.
fn sensors(
    locations: &BTreeMap<String, Arc<Definitions>>,
    schedules: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, DefinitionsError> {
    let mut owners: BTreeMap<String, String> = BTreeMap::new();
    for (location, definitions) in locations {
        for name in definitions.sensors().keys() {
            let twice = owners.insert(name.clone(), location.clone());
            let what = match twice {
                Some(_) => "sensor",
                None => "schedule or sensor",
            };
            if let Some(other) = twice.as_ref().or_else(|| schedules.get(name)) {
                return Err(DefinitionsError::DuplicateSensor {
                    what,
                    name: name.clone(),
                    place: format!(" in locations `{other}` and `{location}`"),
                });
            }
        }
    }
    Ok(owners)
}

fn claim(
    owners: &mut BTreeMap<AssetKey, String>,
    locations: &BTreeMap<String, Arc<Definitions>>,
    location: &str,
    asset: &AssetDef,
) -> Result<(), DefinitionsError> {
    // Who makes an asset speaks for it; else who observes it; else the first that names it.
    let rank = |name: &String, asset: &AssetDef| match &asset.step {
        None => 0,
        Some(_) if locations[name].is_observable(asset) => 1,
        Some(_) => 2,
    };
    let own = rank(&location.to_owned(), asset);
    let known = owners.get(&asset.key).and_then(|other| {
        let theirs = locations[other].asset(&asset.key)?;
        Some((other, rank(other, theirs)))
    });
    match known {
        Some((other, 2)) if own == 2 => Err(DefinitionsError::DuplicateAsset {
            asset: asset.key.clone(),
            place: format!(" in locations `{other}` and `{location}`"),
        }),
        Some((_, theirs)) if theirs >= own => Ok(()),
        _ => {
            owners.insert(asset.key.clone(), location.to_owned());
            Ok(())
        }
    }
}

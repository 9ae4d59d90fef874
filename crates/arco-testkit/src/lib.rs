//! What the tests of several crates need: a store that misbehaves, clocks moved by hand, seeded
//! ids, manifests in a few words, and a worker host whose bodies are closures.
//!
//! Nothing here is shipped. A test that uses it says what it is about and leaves the rest to
//! [`World`]: one store, one clock, any number of engines on it.

pub mod clock;
pub mod host;
pub mod ids;
pub mod manifest;
pub mod random;
pub mod replay;
pub mod store;
pub mod world;

pub use clock::ManualClock;
pub use host::ScriptedHost;
pub use ids::SeededIds;
pub use manifest::{ManifestBuilder, asset, check};
pub use world::{World, ask};

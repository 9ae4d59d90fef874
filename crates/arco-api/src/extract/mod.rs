//! What handlers take in. Each extractor refuses with a [`crate::problem::Refusal`], never with a
//! text of the framework.

mod body;
mod params;
pub(crate) mod workspace;

pub(crate) use body::{Bytes, Json, JsonOrNone};
pub(crate) use params::{Path, Query};
pub(crate) use workspace::{Hosting, Reading, Receiving, Uploading, Writing};

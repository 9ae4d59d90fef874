//! One file a command.

pub(crate) mod bench;
pub(crate) mod demo;
pub(crate) mod differential;
pub(crate) mod parity;
pub(crate) mod peer;
pub(crate) mod test;

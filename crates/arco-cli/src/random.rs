//! Names nobody else has.

use arco_engine::ids::{Ids, RandomIds};

/// 32 hexadecimal digits of the operating system's randomness.
pub(crate) fn token() -> String {
    format!("{:032x}", RandomIds.random())
}

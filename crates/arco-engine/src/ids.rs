//! The shell's one source of randomness.

use std::fmt::Debug;

/// Random bits for fresh ids.
pub trait Ids: Send + Sync + Debug {
    /// 128 bits nobody else has.
    fn random(&self) -> u128;
}

/// The operating system's randomness.
#[derive(Debug, Default)]
pub struct RandomIds;

impl Ids for RandomIds {
    fn random(&self) -> u128 {
        let mut bytes = [0_u8; 16];
        getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
        u128::from_le_bytes(bytes)
    }
}

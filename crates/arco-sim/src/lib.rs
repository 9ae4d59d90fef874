//! arco-sim

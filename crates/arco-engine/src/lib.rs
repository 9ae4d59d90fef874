//! arco-engine

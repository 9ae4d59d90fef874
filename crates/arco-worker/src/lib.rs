//! arco-worker

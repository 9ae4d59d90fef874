//! arco-log

//! arco-flow

//! arco-testkit

//! arco-api

//! Empty.
#![forbid(unsafe_code)]

pub mod network;

//! An emulated network in virtual time. What happens in it depends on its seed alone.
#![forbid(unsafe_code)]

pub mod course;
pub mod network;
pub mod random;

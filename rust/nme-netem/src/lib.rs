//! An emulated network in virtual time. What happens in it depends on its seed alone.
#![forbid(unsafe_code)]

mod course;
mod network;
mod random;

pub use course::Course;
pub use network::{Bandwidth, Counters, Link, Network};
pub use random::Random;

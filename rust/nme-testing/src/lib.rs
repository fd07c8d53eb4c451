//! Test support: sessions and foreign ENet hosts in virtual time over an emulated network.
//!
//! A [`world::World`] holds everything; what happens in it depends on its seed alone.
#![forbid(unsafe_code)]

pub mod engines;
pub mod fake_layer;
pub mod fuzz;
pub mod fuzz_admission;
pub mod fuzz_engine;
pub mod memory;
pub mod payload;
pub mod raw_peer;
pub mod world;

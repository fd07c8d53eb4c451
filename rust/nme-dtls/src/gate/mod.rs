//! What stands in front of the DTLS library.
//!
//! The library trusts the datagrams it is given more than a host on the internet can: it allocates before a client has
//! proven its address, takes any number of fragments, and changes its state for some records that nobody has
//! authenticated. So it sees only what passes here:
//!
//! - datagrams that are DTLS records from the first byte to the last ([`record`]),
//! - of the handshake, what the other role sends, in a form that is reassembled correctly ([`handshake`]),
//! - at most as much of it as an honest handshake on a bad network needs ([`budget`]),
//! - on a server, the hello of a client that has returned a cookie ([`hello`], [`cookie`]).
//!
//! Which records a layer lets through, and when, is in the modules of the two roles.

pub(crate) mod budget;
pub(crate) mod cookie;
pub(crate) mod handshake;
pub(crate) mod hello;
pub(crate) mod record;

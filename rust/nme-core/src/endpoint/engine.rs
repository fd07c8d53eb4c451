//! Which ENet is underneath.

pub(super) use nme_enet::Host;

//! Which ENet is underneath: ours, or with the feature `reference-engine` stock ENet, to rule ours out as the cause of a
//! bug. The other one is not hardened.

#[cfg(not(feature = "reference-engine"))]
pub(super) use nme_enet::Host;
#[cfg(feature = "reference-engine")]
pub(super) use nme_reference::Host;

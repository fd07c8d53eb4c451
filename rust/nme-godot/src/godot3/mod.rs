//! RPCs between Godot 3.6 and Godot 4: the class `Godot3Multiplayer`.
//!
//! A call goes out in `send`: `rules` says how, `variants` writes the arguments, the path cache of `nme_godot3` makes packets, and
//! `link` puts them into the peer. It comes in in `receive`. Peers of Godot 4 are found out in `detection` and served by `inner`,
//! which sees them through `bridge`;
//! `forwarding` is the short way for calls that go nowhere else. The engine calls `virtuals`.

mod arguments;
mod bridge;
mod class;
mod complaints;
mod detection;
mod forwarding;
mod inner;
mod link;
mod names;
mod nodes;
mod objects;
mod receive;
mod rules;
mod send;
mod state;
mod variants;
mod virtuals;

//! The GDExtension library: the class `NetworkedMultiplayerENet` for Godot 4.
//!
//! Classes here only translate between Godot and the driver. `unsafe` is where the engine calls and is called: `entry` and
//! what it joins, `dispatch`, `virtuals`, and `ffi`.

mod access;
mod authentication;
mod calls;
#[macro_use]
mod class;
mod connection;
mod connection_error;
mod constants;
mod debugger;
mod departure;
mod dispatch;
mod drop_in;
#[cfg(feature = "dtls")]
mod dtls;
mod entry;
mod error;
mod ffi;
mod figures;
mod godot3;
mod monitors;
mod open;
mod open_peers;
mod opening;
mod output;
mod packets;
mod peers;
mod preamble;
mod query_info;
mod server_browser;
mod shared;
mod simulation;
mod stall;
mod statistics;
mod traffic;
mod virtuals;

use godot::init::{ExtensionLibrary, InitStage};

// gdext defines this name of the C library, so that debug libraries can be loaded anew. What ships shows one symbol only:
// its entry point.
#[cfg(all(target_os = "linux", not(debug_assertions)))]
std::arch::global_asm!(".hidden __cxa_thread_atexit_impl");
/// ENet allocates a command for each packet and receiver, and frees all of them when the frame's datagrams are made.
#[cfg(all(feature = "mimalloc", not(target_vendor = "apple")))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Extension;

// SAFETY: this crate calls no other Rust extension and keeps no Godot object in a static.
unsafe impl ExtensionLibrary for Extension {
    fn on_stage_init(stage: InitStage) {
        if stage == InitStage::Scene {
            #[cfg(windows)]
            ffi::pin_library();
            constants::register();
            simulation::register_setting();
            debugger::register();
        }
    }

    fn on_stage_deinit(stage: InitStage) {
        if stage == InitStage::Scene {
            // Those of objects that a game never lets go of. The library's code may be gone in a moment.
            nme_driver::stop_all();
            open_peers::all().iter().for_each(|(_, peer)| peer.remove_monitors());
            debugger::unregister();
        }
    }
}

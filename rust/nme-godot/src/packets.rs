//! Methods about packets, besides those that the engine's classes have.

use godot::prelude::*;
use nme_driver::Connection;

use crate::class::NetworkedMultiplayerENet;
use crate::error::{self, Inactive};
use crate::shared::Object;

#[godot_api(secondary)]
impl NetworkedMultiplayerENet {
    /// Sends now what waits for the end of the frame (see [member flush_mode]). A program needs this, or
    /// [constant FLUSH_EACH_PUT], when it works for long behind a packet without another call of
    /// [method PacketPeer.put_packet] or [method MultiplayerPeer.poll], or may be killed there. Prints an error when
    /// no connection is open.
    ///
    /// ```gdscript
    /// peer.put_packet("The level is being loaded".to_utf8_buffer())
    /// peer.flush()
    /// load("res://level.tscn")  # takes a while
    /// ```
    #[func(gd_self)]
    fn flush(this: impl Object) {
        let flushed = this.shared().lock().connection.as_mut().map(Connection::flush);
        if flushed.is_none() {
            error::complain("flush", Inactive);
        }
    }

    /// Returns the channel on which the packet came that [method PacketPeer.get_packet] returned last. Prints an
    /// error and returns -1 when there was none on this connection.
    #[func]
    fn get_last_packet_channel(&self) -> i64 {
        let state = self.shared.lock();
        let channel = state.last_channel.filter(|_| state.connection.is_some());
        drop(state);
        if let Some(channel) = channel {
            return channel.into();
        }
        error::complain("get_last_packet_channel", "no packet has been fetched with get_packet() yet");
        -1
    }

    /// Returns the channel on which the packet came that [method PacketPeer.get_packet] returns next. Prints an
    /// error and returns -1 when none is waiting. The sender chose it with [member transfer_channel].
    #[func]
    fn get_packet_channel(&self) -> i64 {
        self.shared.next_packet("get_packet_channel", |packet| packet.channel.into()).unwrap_or(-1)
    }
}

//! Why there is no connection, for scripts: `get_connection_error` and `get_connection_error_text`.

use godot::prelude::*;
use nme_core::relay::Kick;
use nme_core::session::ConnectionError;

use crate::class::NetworkedMultiplayerENet;
use crate::error::OpenError;
use crate::output::Quoted;
use crate::shared::State;

#[godot_api(secondary)]
impl NetworkedMultiplayerENet {
    /// Client: returns why the last attempt failed, or why the last connection ended, as one of the
    /// [code]CONNECTION_ERROR_*[/code] constants. It is known when [signal connection_failed] or
    /// [signal server_disconnected] comes, and when [method create_client] returns
    /// [constant @GlobalScope.ERR_CANT_RESOLVE], and stays until the next connection is opened.
    ///
    /// It is [constant CONNECTION_ERROR_NONE] on a server, and when this side has ended the connection itself.
    ///
    /// ```gdscript
    /// peer.connection_failed.connect(func():
    ///       if peer.get_connection_error() == NetworkedMultiplayerENet.CONNECTION_ERROR_REFUSED:
    ///           label.text = "The server is full."
    ///       else:
    ///           label.text = "Cannot connect."
    ///           print(peer.get_connection_error_text()))
    /// ```
    ///
    /// [code]docs/troubleshooting.md[/code] in the addon tells what to do about each.
    #[func]
    fn get_connection_error(&self) -> i64 {
        self.shared.lock().connection_error.map_or(0, |error| error.number().into())
    }

    /// Returns [method get_connection_error] as an English sentence for logs, with what to do about it; empty when
    /// there is no error.
    #[func]
    fn get_connection_error_text(&self) -> GString {
        let state = self.shared.lock();
        let (error, kick) = (state.connection_error, state.kick.clone());
        drop(state);
        error.map_or_else(GString::new, |error| {
            let text = match (error, kick) {
                (ConnectionError::Kicked, Some(Kick { code, text })) => {
                    format!("the server has sent this client away: {} (code {code})", Quoted(&text))
                }
                _ => error.to_string(),
            };
            let mut letters = text.chars();
            let first = letters.next().map(|letter| letter.to_ascii_uppercase());
            GString::from(&first.into_iter().chain(letters).chain(['.']).collect::<String>())
        })
    }
}

impl State {
    /// Notes why the open connection ends, before it is closed.
    pub(crate) fn note_connection_error(&mut self) {
        if let Some(connection) = &self.connection {
            self.connection_error = connection.connection_error();
            self.kick = connection.kick();
        }
    }

    /// Notes why there is no client, when that says something about its server.
    pub(crate) fn note_open_error(&mut self, problem: &OpenError) {
        if let OpenError::Resolve { .. } = problem {
            self.connection_error = Some(ConnectionError::NotResolved);
        }
    }
}

//! Who may connect to a server: properties, the rules about addresses, and the game's own opinion.

use godot::global::Error;
use godot::prelude::*;
use nme_core::admission::{AccessChange, AddressRange, Question, RateLimit};
use nme_core::session::MAX_CLIENTS;
use nme_driver::Connection;
use thiserror::Error as ThisError;

use crate::class::NetworkedMultiplayerENet;
use crate::constants;
use crate::error::{self, Code};
use crate::ffi::ScriptFunction;
use crate::output::Quoted;
use crate::shared::{Object, Settings, Shared};

#[godot_api(secondary)]
impl NetworkedMultiplayerENet {
    /// Server: lets an address in that a larger range of [method deny_address] keeps out; and as soon as there is one
    /// such rule, nobody else but those it allows. [param range] is an IPv4 or IPv6 address, or all that begin with the
    /// same bits. Of two ranges with the same address in them, the smaller one counts. Rules stay for the next
    /// [method create_server]; they are about who asks from now on, and those who are in stay.
    ///
    /// Returns [constant @GlobalScope.OK], or prints an error and returns
    /// [constant @GlobalScope.ERR_INVALID_PARAMETER] for what is no address and no range.
    ///
    /// ```gdscript
    /// peer.allow_address("192.168.0.0/16")  # only this network
    /// ```
    #[func(gd_self)]
    fn allow_address(this: impl Object, range: GString) -> Error {
        this.shared().change_rule("allow_address", &range, AccessChange::Allow)
    }

    /// Server: keeps an address out, or a [param range] of them; see [method allow_address]. Who is kept out is told that it is
    /// refused. To send away who is in, call [method disconnect_peer].
    ///
    /// Returns [constant @GlobalScope.OK], or prints an error and returns
    /// [constant @GlobalScope.ERR_INVALID_PARAMETER] for what is no address and no range.
    ///
    /// ```gdscript
    /// peer.deny_address(peer.get_peer_address(id))
    /// peer.disconnect_peer(id)
    /// ```
    #[func(gd_self)]
    fn deny_address(this: impl Object, range: GString) -> Error {
        this.shared().change_rule("deny_address", &range, AccessChange::Deny)
    }

    /// Server: takes back what [method allow_address] or [method deny_address] has said of this very [param range]. Does
    /// nothing when there is no such rule.
    ///
    /// Returns [constant @GlobalScope.OK], or prints an error and returns
    /// [constant @GlobalScope.ERR_INVALID_PARAMETER] for what is no address and no range.
    #[func(gd_self)]
    fn remove_address_rule(this: impl Object, range: GString) -> Error {
        this.shared().change_rule("remove_address_rule", &range, AccessChange::Remove)
    }
}

impl Settings {
    /// Tells a new connection who may connect.
    pub(crate) fn begin_access(&self, connection: &mut Connection) {
        connection.set_access_list(self.access_list.clone());
        self.apply_access(connection);
    }

    /// Tells a connection everything about that but the rules, of which there can be many.
    fn apply_access(&self, connection: &mut Connection) {
        connection.set_address_proof(self.address_proof);
        connection.set_max_connections_per_address(self.max_connections_per_address);
        connection.set_connection_rate_limit(self.connection_rate_limit);
        connection.set_asking(self.admission_callback.is_some());
    }
}

impl Shared {
    pub(crate) fn set_admission_callback(&self, value: Callable) {
        let function = ScriptFunction::new(value);
        // What it replaces is dropped without the lock.
        drop(self.change_access(|settings| std::mem::replace(&mut settings.admission_callback, function)));
    }

    pub(crate) fn admission_callback(&self) -> Callable {
        let function = self.lock().settings.admission_callback.clone();
        function.map_or_else(Callable::invalid, |function| function.get().clone())
    }

    pub(crate) fn set_connection_rate_limit(&self, value: i64) {
        match u32::try_from(value) {
            Ok(per_second @ 0..=MAX_PER_SECOND) => self.change_access(|settings| {
                settings.connection_rate_limit = RateLimit::new(per_second, per_second * BURST_SECONDS);
            }),
            _ => error::complain(
                "set_connection_rate_limit",
                format!(
                    "{value} connections a second are not possible; use a number from 1 to {MAX_PER_SECOND}, or 0 for no limit"
                ),
            ),
        }
    }

    pub(crate) fn set_max_connections_per_address(&self, value: i64) {
        match u16::try_from(value) {
            Ok(limit @ 0..=MAX_CLIENTS) => {
                self.change_access(|settings| settings.max_connections_per_address = limit);
            }
            _ => error::complain(
                "set_max_connections_per_address",
                format!(
                    "{value} connections are not possible; use a number from 1 to {MAX_CLIENTS}, or 0 for no limit"
                ),
            ),
        }
    }

    pub(crate) fn set_address_proof(&self, value: i64) {
        match constants::address_proof(value) {
            Some(proof) => self.change_access(|settings| settings.address_proof = proof),
            None => error::complain(
                "set_require_address_proof",
                format!("{value} is no kind of proof; use one of the constants ADDRESS_PROOF_*"),
            ),
        }
    }

    /// Changes who may connect, also to the open server.
    fn change_access<R>(&self, change: impl FnOnce(&mut Settings) -> R) -> R {
        let mut state = self.lock();
        let state = &mut *state;
        let answer = change(&mut state.settings);
        if let Some(connection) = &mut state.connection {
            state.settings.apply_access(connection);
        }
        answer
    }

    fn change_rule(&self, call: &str, range: &GString, change: fn(AddressRange) -> AccessChange) -> Error {
        let text = range.to_string();
        let Ok(range) = text.parse() else {
            return error::report(call, &NoAddressRange(text));
        };
        let change = change(range);
        let mut state = self.lock();
        state.settings.access_list.change(change);
        if let Some(connection) = &mut state.connection {
            connection.change_access_list(change);
        }
        Error::OK
    }

    /// Asks the game about those who want to connect. Its function may do everything, also close the server.
    pub(crate) fn ask_about_clients(&self) {
        while let Some((generation, function, question)) = self.next_question() {
            let address = GString::from(&question.address.ip().to_canonical().to_string());
            let arguments =
                [address.to_variant(), question.address.port().to_variant(), question.id.to_variant()];
            let admit = function.get().call(&arguments).try_to::<bool>().unwrap_or(false);
            let mut state = self.lock();
            if state.generation == generation
                && let Some(connection) = &mut state.connection
            {
                connection.answer_question(question.number, admit);
            }
        }
    }

    fn next_question(&self) -> Option<(u64, ScriptFunction, Question)> {
        let mut state = self.lock();
        let question = state.connection.as_mut()?.next_question()?;
        let function = state.settings.admission_callback.clone()?;
        Some((state.generation, function, question))
    }
}

/// A text that stands for no addresses.
#[derive(Debug, ThisError)]
#[error("{} is no IP address, and no range such as \"192.0.2.0/24\"", Quoted(.0))]
struct NoAddressRange(String);

impl Code for NoAddressRange {
    fn code(&self) -> Error {
        Error::ERR_INVALID_PARAMETER
    }
}

/// The largest rate limit, in connections a second: what all addresses together may have.
const MAX_PER_SECOND: u32 = 1000;

/// The connections that may begin at once are those of so many seconds.
const BURST_SECONDS: u32 = 10;

//! What a peer consists of, behind one lock.
//!
//! Any thread may call any method. gdext would lock the object itself for `&mut self`, also while the handlers of a signal
//! run, so the class has no such methods: all that changes is in a [`State`], and one lock guards it. The engine is never
//! called while it is held: not for signals, errors and deferred calls, which can run scripts that call the peer again, and
//! not to let go of an object.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::LocalKey;
use std::time::Duration;

use godot::classes::{CryptoKey, X509Certificate};
use godot::prelude::*;
use nme_core::PeerTimeout;
use nme_core::admission::{AccessList, AddressProof, RateLimit};
use nme_core::channel::{MIN_CHANNELS, TransferChannel, TransferMode};
use nme_core::query::QueryInfo;
use nme_core::relay::Kick;
use nme_core::session::{
    ConnectionError, Departure, Event, FlushMode, MaxBuffered, MaxRate, MaxReceived, Mtu, Received,
};
use nme_driver::simulator::Simulation;
use nme_driver::{Bind, Connection, ConnectionFarewell};

use crate::class::NetworkedMultiplayerENet;
use crate::constants::CompressionMode;
use crate::dispatch::{self, Dispatched, Recent};
use crate::drop_in::HostError;
use crate::error::{self, Active, Inactive, OpenError};
use crate::ffi::{Credential, ScriptFunction};
use crate::monitors::Monitors;
use crate::open::OpenArguments;
use crate::open_peers;
use crate::stall::MaxStall;

/// The part of a peer that all threads share.
#[derive(Default)]
pub(crate) struct Shared {
    state: Mutex<State>,
}

/// The part of a peer that changes.
pub(crate) struct State {
    pub(crate) settings: Settings,
    pub(crate) connection: Option<Connection>,
    /// A thread opens the next connection, without the lock.
    pub(crate) opening: bool,
    /// Why the last connection has ended.
    pub(crate) connection_error: Option<ConnectionError>,
    /// Why the last server has sent this client away.
    pub(crate) kick: Option<Kick>,
    /// Why the peer of the last `peer_disconnected` has left.
    pub(crate) departure: Option<Departure>,
    /// What the open connection was opened with.
    pub(crate) arguments: Option<OpenArguments>,
    /// What `pop_statistic` has told already.
    pub(crate) popped: [u64; 4],
    /// Counts connections, so that a poll notices when a signal's handler has replaced the one it works on.
    pub(crate) generation: u64,
    /// The last of them whose log says that its network is made worse.
    pub(crate) simulation_announced: u64,
    /// The connection has been polled.
    pub(crate) has_polled: bool,
    /// The thread that polls the connection.
    pub(crate) polling: Option<ThreadMark>,
    /// Departures that another thread has caused during a poll, for the thread that polls to emit.
    pub(crate) departures: VecDeque<Event>,
    pub(crate) transfer_mode: TransferMode,
    pub(crate) target_peer: i32,
    /// The channel of the virtual `_set_transfer_channel`, which SceneMultiplayer calls before each packet; 0 is the
    /// property's. It ends with the frame: the script's own packets are not to travel on the channel of the last RPC.
    pub(crate) rpc_channel: i32,
    pub(crate) refuse_new_connections: bool,
    pub(crate) last_channel: Option<u8>,
    /// The object, once a peer has been kept apart.
    pub(crate) keeper: Option<InstanceId>,
    /// Those of the connection, once they are there.
    pub(crate) monitors: Option<Monitors>,
    /// The packet that each thread has fetched last. The engine reads it after the call.
    pub(crate) lent: Vec<(ThreadMark, Received)>,
}

/// What is left of a connection that was closed.
pub(crate) struct Ended {
    farewell: ConnectionFarewell,
    _monitors: Option<Monitors>,
}

impl Ended {
    /// Waits while the system's send queue is full.
    pub(crate) fn wait(self, wait: Duration) {
        self.farewell.wait(wait);
    }
}

/// The properties' values.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) access_list: AccessList,
    pub(crate) address_proof: AddressProof,
    pub(crate) admission_callback: Option<ScriptFunction>,
    pub(crate) always_ordered: bool,
    pub(crate) bind: Bind,
    pub(crate) channel_count: u8,
    pub(crate) compression_mode: CompressionMode,
    pub(crate) connect_timeout: Option<Duration>,
    pub(crate) connection_rate_limit: RateLimit,
    pub(crate) default_timeout: Option<PeerTimeout>,
    pub(crate) dtls_certificate: Option<Credential<X509Certificate>>,
    pub(crate) dtls_hostname: String,
    pub(crate) dtls_key: Option<Credential<CryptoKey>>,
    pub(crate) dtls_verify: bool,
    pub(crate) flush_mode: FlushMode,
    pub(crate) max_buffered: MaxBuffered,
    pub(crate) max_byte_rate: MaxRate,
    pub(crate) max_packet_rate: MaxRate,
    pub(crate) max_received: MaxReceived,
    pub(crate) max_connections_per_address: u16,
    pub(crate) require_tags: bool,
    pub(crate) mtu: Mtu,
    pub(crate) performance_monitors: bool,
    pub(crate) max_stall: MaxStall,
    pub(crate) query_info: Option<QueryInfo>,
    pub(crate) server_relay: bool,
    /// What `simulate` was told last.
    pub(crate) simulation: Option<Simulation>,
    pub(crate) threaded: bool,
    pub(crate) transfer_channel: TransferChannel,
    pub(crate) use_dtls: bool,
}

impl Shared {
    /// The state, for this thread alone. Not to be held while the engine is called.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // A panic under the lock is a bug, and printed; it must not also disable the peer for good.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes a setting, unless a connection is open: that is an error, and `None`. What `change` answers is dropped
    /// without the lock.
    pub(crate) fn change<R>(&self, call: &str, change: impl FnOnce(&mut Settings) -> R) -> Option<R> {
        let mut state = self.lock();
        let replaced = state.is_idle().then(|| change(&mut state.settings));
        drop(state);
        if replaced.is_none() {
            error::complain(call, Active);
        }
        replaced
    }

    /// Changes what each peer may send, also while a connection is open.
    pub(crate) fn change_peer_limit<E: Display>(
        &self,
        call: &str,
        change: impl FnOnce(&mut Settings) -> Result<(), E>,
    ) {
        let mut state = self.lock();
        let changed = change(&mut state.settings);
        let State { settings, connection, .. } = &mut *state;
        if let Some(connection) = connection {
            settings.limit_peers(connection);
        }
        drop(state);
        if let Err(problem) = changed {
            error::complain(call, problem);
        }
    }

    /// Calls the open connection; `None` without one.
    pub(crate) fn with_connection<R>(&self, call: impl FnOnce(&mut Connection) -> R) -> Option<R> {
        self.lock().connection.as_mut().map(call)
    }

    /// Opens a connection; without the lock, since the engine is asked for keys.
    pub(crate) fn open(self: &Arc<Self>, arguments: OpenArguments) -> Result<(), OpenError> {
        let opening = Opening::begin(self)?;
        let made = arguments.make(&opening.settings);
        // Without a thread it makes no difference, and the engine need not be asked about its debugger.
        let stall_limit = opening.settings.threaded.then(|| opening.settings.max_stall.limit());
        let mut state = self.lock();
        match made {
            Ok(mut connection) => {
                let simulation = state.settings.simulation;
                if let Some(simulation) = simulation.filter(|_| simulation != opening.settings.simulation) {
                    // Another thread has called meanwhile. There is always somebody with the id 0.
                    let _ = connection.simulate(0, simulation);
                }
                stall_limit.into_iter().for_each(|limit| connection.set_stall_limit(limit));
                state.open(connection);
                state.arguments = Some(arguments);
                drop(state);
                open_peers::add(self);
                self.add_monitors();
                Ok(())
            }
            Err(problem) => {
                state.note_open_error(&problem);
                Err(problem)
            }
        }
    }

    /// Opens the same connection once more, with other settings. Nobody can tell, as long as nothing has left or come.
    pub(crate) fn begin_anew(self: &Arc<Self>, change: impl FnOnce(&mut Settings)) -> Result<(), HostError> {
        let mut state = self.lock();
        let connection = state.connection.as_ref().ok_or(Inactive)?;
        if !connection.is_untouched() {
            return Err(HostError::Begun);
        }
        let port = connection.local_addr().port();
        let mut arguments = state.arguments.clone().ok_or(Inactive)?;
        arguments.set_local_port(port);
        let refuses = state.refuse_new_connections;
        let replaced = state.settings.clone();
        change(&mut state.settings);
        let ended = state.shut();
        drop(state);
        drop((replaced, ended));
        self.open(arguments)?;
        let mut state = self.lock();
        state.refuse_new_connections = refuses;
        if let Some(connection) = &mut state.connection {
            connection.set_refuse_new_connections(refuses);
        }
        Ok(())
    }

    /// The object's end, in whatever thread. Calls that still wait in a queue of the engine, and threads that remember the
    /// object, hold no more than what is empty now.
    pub(crate) fn end(&self, wait: Duration) {
        let mut state = self.lock();
        let ended = state.shut();
        state.lent = Vec::new();
        let settings = std::mem::take(&mut state.settings);
        drop(state);
        drop(settings);
        if let Some(ended) = ended {
            ended.wait(wait);
        }
    }
}

impl State {
    pub(crate) const fn is_idle(&self) -> bool {
        self.connection.is_none() && !self.opening
    }

    pub(crate) fn open(&mut self, mut connection: Connection) {
        connection.set_flush_mode(self.settings.flush_mode);
        self.settings.begin_access(&mut connection);
        self.settings.limit_peers(&mut connection);
        self.settings
            .default_timeout
            .into_iter()
            .for_each(|timeout| connection.set_default_peer_timeout(timeout));
        connection.set_query_info(self.settings.query_info.clone());
        // Until the first poll has found out whether the game authenticates its peers.
        connection.set_keeping_apart(connection.is_threaded());
        self.connection = Some(connection);
        self.connection_error = None;
        self.kick = None;
        self.departure = None;
        self.begin_generation();
        self.refuse_new_connections = false;
        self.last_channel = None;
    }

    /// Ends the connection; the peers have been told. What is left is to be dropped without the lock.
    pub(crate) fn shut(&mut self) -> Option<Ended> {
        let connection = self.connection.take()?;
        self.begin_generation();
        Some(Ended { farewell: connection.close(), _monitors: self.monitors.take() })
    }

    /// What concerned the last connection is over.
    fn begin_generation(&mut self) {
        self.generation += 1;
        self.has_polled = false;
        self.polling = None;
        self.departures.clear();
        self.popped = [0; 4];
    }
}

impl Settings {
    /// Tells a connection what each peer may send.
    pub(crate) fn limit_peers(&self, connection: &mut Connection) {
        connection.set_max_buffered(self.max_buffered);
        connection.set_max_received(self.max_received);
        connection.set_peer_rates(self.max_packet_rate, self.max_byte_rate);
    }
}

/// A thread's right to open the next connection.
struct Opening<'a> {
    shared: &'a Shared,
    settings: Settings,
}

impl<'a> Opening<'a> {
    fn begin(shared: &'a Shared) -> Result<Self, OpenError> {
        let mut state = shared.lock();
        if !state.is_idle() {
            return Err(OpenError::AlreadyInUse);
        }
        state.opening = true;
        Ok(Self { shared, settings: state.settings.clone() })
    }
}

impl Drop for Opening<'_> {
    fn drop(&mut self) {
        self.shared.lock().opening = false;
    }
}

impl Default for State {
    fn default() -> Self {
        Self {
            settings: Settings::default(),
            connection: None,
            opening: false,
            connection_error: None,
            kick: None,
            departure: None,
            arguments: None,
            popped: [0; 4],
            generation: 0,
            simulation_announced: 0,
            has_polled: false,
            polling: None,
            departures: VecDeque::new(),
            transfer_mode: TransferMode::Reliable,
            target_peer: 0,
            rpc_channel: 0,
            refuse_new_connections: false,
            last_channel: None,
            keeper: None,
            monitors: None,
            lent: Vec::new(),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            access_list: AccessList::new(),
            address_proof: AddressProof::Auto,
            admission_callback: None,
            always_ordered: false,
            bind: Bind::Any,
            channel_count: MIN_CHANNELS,
            compression_mode: CompressionMode::RangeCoder,
            connect_timeout: None,
            connection_rate_limit: RateLimit::default(),
            default_timeout: None,
            dtls_certificate: None,
            dtls_hostname: String::new(),
            dtls_key: None,
            dtls_verify: true,
            flush_mode: FlushMode::PerFrame,
            max_buffered: MaxBuffered::default(),
            max_byte_rate: MaxRate::default(),
            max_packet_rate: MaxRate::default(),
            max_received: MaxReceived::default(),
            max_connections_per_address: 0,
            require_tags: false,
            mtu: Mtu::default(),
            performance_monitors: false,
            max_stall: MaxStall::default(),
            query_info: None,
            server_relay: true,
            simulation: None,
            threaded: false,
            transfer_channel: TransferChannel::ByMode,
            use_dtls: false,
        }
    }
}

/// Tells threads that are there at the same time apart, in less time than `std::thread::current().id()`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct ThreadMark(usize);

impl ThreadMark {
    pub(crate) fn here() -> Self {
        thread_local! {
            static PLACE: u8 = const { 0 };
        }
        Self(PLACE.with(|place| std::ptr::from_ref(place).addr()))
    }
}

/// The object of a method that is not `const` to scripts. gdext has three kinds of receivers: `&self` is `const`,
/// `&mut self` locks the object (see above), and `Gd<Self>` does neither, but its check of a property's setter wants
/// something that takes `&mut Self`, too.
pub(crate) trait Object {
    fn shared(&self) -> Arc<Shared>;
}

impl Dispatched for NetworkedMultiplayerENet {
    type Shared = Shared;

    fn shared_part(&self) -> &Arc<Shared> {
        &self.shared
    }

    fn recent() -> &'static LocalKey<RefCell<Recent<Shared>>> {
        thread_local! {
            static RECENT: RefCell<Recent<Shared>> = const { RefCell::new(Recent::new()) };
        }
        &RECENT
    }
}

impl Object for Gd<NetworkedMultiplayerENet> {
    fn shared(&self) -> Arc<Shared> {
        dispatch::shared(self)
    }
}

impl Object for &mut NetworkedMultiplayerENet {
    fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }
}

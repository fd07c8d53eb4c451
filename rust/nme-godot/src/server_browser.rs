//! The class that finds servers: `ENetServerBrowser`.
//!
//! Its state is behind one lock, which is never held while the engine is called.

use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use godot::classes::{Engine, Ip, Os, SceneTree};
use godot::global::Error;
use godot::prelude::*;
use nme_core::query::Server;
use nme_driver::{SearchError, SearchEvent, SearchTimeout, ServerBrowser};
use thiserror::Error as ThisError;

use crate::error::{self, Code};
use crate::query_info;

/// Finds servers of this addon: asks those whose address is known, and searches the local network.
///
/// A server answers when it has a [member NetworkedMultiplayerENet.query_info]. Nobody connects for that, and servers of Godot
/// 3.6 or of [ENetMultiplayerPeer] take no notice of it. Keep the browser in a variable: when the last reference is gone, the
/// search is over.
///
/// ```gdscript
/// var browser = ENetServerBrowser.new()
/// browser.server_found.connect(func(server):
///     print("%s: %d of %d players" % [server.name, server.players, server.max_players]))
/// browser.search_finished.connect(func(): print("That is all."))
/// browser.discover_servers(4242)
/// ```
///
/// While it searches, it works in every frame by itself, from [signal SceneTree.process_frame]. Call [method poll] where
/// there is no [SceneTree], and in another thread than the main one. Use an object of it in one thread only.
///
/// [b]Note:[/b] See [code]docs/find_a_server.md[/code] in the addon for what a server says, and what it costs it.
#[derive(GodotClass)]
#[class(tool, init, base=RefCounted)]
pub(crate) struct ENetServerBrowser {
    /// Made with the first question.
    browser: Mutex<Option<ServerBrowser>>,
    base: Base<RefCounted>,
}

#[godot_api]
impl ENetServerBrowser {
    /// A server has answered. [param server] has the keys
    ///
    /// - [code]address[/code] and [code]port[/code], for [method NetworkedMultiplayerENet.create_client]: what was given to
    ///   [method query_server], or the IP address of a server that [method discover_servers] has found;
    /// - [code]name[/code]: the [code]name[/code] in its [member NetworkedMultiplayerENet.query_info] if that is a text, or an
    ///   empty one;
    /// - [code]players[/code] and [code]max_players[/code]: clients that are connected, and that may be;
    /// - [code]is_full[/code], and [code]is_refusing[/code] for one that takes no new connections;
    /// - [code]use_dtls[/code], as [member NetworkedMultiplayerENet.use_dtls] of a client has to be;
    /// - [code]round_trip_msec[/code]: milliseconds until it has answered, with up to a frame of either game;
    /// - [code]info[/code]: the whole of its [member NetworkedMultiplayerENet.query_info].
    ///
    /// All of it is what somebody on the network says. Do not trust it more than a player's name.
    #[signal]
    fn server_found(server: VarDictionary);

    /// The server that [method query_server] was called for has not answered in time, or its name has no address.
    /// [param address] and [param port] are what was given there.
    #[signal]
    fn query_failed(address: GString, port: i64);

    /// Every question is answered, or its time is over. A handler may ask anew.
    #[signal]
    fn search_finished();

    /// Asks one server. [param address] is its IP address or its host name, which is looked up in the background; [param port]
    /// is its UDP port. It is asked again until it answers, for [param timeout_msec] milliseconds at most, from 1 to 60000. What comes of it is
    /// [signal server_found] or [signal query_failed]. Up to 1024 servers can be asked at once.
    ///
    /// Returns [constant @GlobalScope.OK], or prints an error and returns
    ///
    /// - [constant @GlobalScope.ERR_INVALID_PARAMETER] for a number out of its range;
    /// - [constant @GlobalScope.ERR_CANT_RESOLVE] for what can be no host name;
    /// - [constant @GlobalScope.ERR_BUSY] when too many are being asked;
    /// - [constant @GlobalScope.ERR_CANT_CREATE] when there is no socket to be had.
    ///
    /// ```gdscript
    /// for favorite in favorites:
    ///       browser.query_server(favorite, 4242)
    /// ```
    #[func(gd_self)]
    fn query_server(
        this: Gd<Self>,
        address: GString,
        port: i64,
        #[opt(default = 3000)] timeout_msec: i64,
    ) -> Error {
        Self::search(&this, "query_server", |browser| {
            browser.query(&address.to_string(), port, SearchTimeout::from_millis(timeout_msec)?)
        })
    }

    /// Asks all servers on this machine and in the local network that listen on this [param port], by IPv4 broadcast. Each
    /// that answers within [param timeout_msec] milliseconds, from 1 to 60000, is a [signal server_found], however many ways
    /// lead to it. Servers on several ports need a call for each.
    ///
    /// A server hears it unless [method NetworkedMultiplayerENet.set_bind_ip] binds it to a single address, or a firewall keeps
    /// UDP out.
    ///
    /// Returns [constant @GlobalScope.OK], or prints an error and returns
    ///
    /// - [constant @GlobalScope.ERR_INVALID_PARAMETER] for a number out of its range;
    /// - [constant @GlobalScope.ERR_BUSY] when too much is being asked;
    /// - [constant @GlobalScope.ERR_CANT_CREATE] when there is no socket to be had.
    #[func(gd_self)]
    fn discover_servers(this: Gd<Self>, port: i64, #[opt(default = 1000)] timeout_msec: i64) -> Error {
        let texts = Ip::singleton().get_local_addresses();
        let addresses: Vec<IpAddr> =
            texts.as_slice().iter().filter_map(|text| text.to_string().parse().ok()).collect();
        Self::search(&this, "discover_servers", |browser| {
            browser.discover(&addresses, port, SearchTimeout::from_millis(timeout_msec)?)
        })
    }

    /// Takes answers and emits signals. That happens by itself in every frame; without a [SceneTree], and in a thread, it has to
    /// be called while [method is_searching] is true.
    #[func(gd_self)]
    fn poll(this: Gd<Self>) {
        if let Some(browser) = &mut *this.bind().lock() {
            browser.poll();
        }
        while let Some(event) = Self::next_event(&this) {
            let mut signals = this.signals();
            match event {
                SearchEvent::Found { host, server } => signals.server_found().emit(&describe(&host, &server)),
                SearchEvent::Failed { host, port } => {
                    signals.query_failed().emit(&GString::from(&host), i64::from(port));
                }
                SearchEvent::Finished => signals.search_finished().emit(),
            }
        }
        if !this.bind().is_searching() {
            Self::follow_frames(&this, false);
        }
    }

    /// Ends the search. No more signals come, not even [signal search_finished].
    #[func(gd_self)]
    fn stop(this: Gd<Self>) {
        if let Some(browser) = &mut *this.bind().lock() {
            browser.stop();
        }
        Self::follow_frames(&this, false);
    }

    /// Returns whether something is being asked: from [method query_server] or [method discover_servers] until
    /// [signal search_finished] or [method stop].
    #[func]
    fn is_searching(&self) -> bool {
        self.lock().as_ref().is_some_and(ServerBrowser::is_searching)
    }

    fn lock(&self) -> MutexGuard<'_, Option<ServerBrowser>> {
        self.browser.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_event(this: &Gd<Self>) -> Option<SearchEvent> {
        this.bind().lock().as_mut()?.next_event()
    }

    /// Asks, and sees to it that the answers are heard.
    fn search(
        this: &Gd<Self>,
        call: &str,
        ask: impl FnOnce(&mut ServerBrowser) -> Result<(), SearchError>,
    ) -> Error {
        match this.bind().ask(ask) {
            Ok(()) => {
                Self::follow_frames(this, true);
                Error::OK
            }
            Err(problem) => error::report_of("ENetServerBrowser", call, &problem),
        }
    }

    fn ask(
        &self,
        ask: impl FnOnce(&mut ServerBrowser) -> Result<(), SearchError>,
    ) -> Result<(), BrowserError> {
        let mut browser = self.lock();
        if browser.is_none() {
            let mut key = [0; 16];
            getrandom::fill(&mut key).map_err(BrowserError::Random)?;
            *browser = Some(ServerBrowser::new(key));
        }
        browser.as_mut().map_or(Ok(()), ask)?;
        Ok(())
    }

    /// Begins or ends to poll in every frame.
    fn follow_frames(this: &Gd<Self>, follow: bool) {
        let os = Os::singleton();
        if os.get_thread_caller_id() != os.get_main_thread_id() {
            return;
        }
        let main_loop = Engine::singleton().get_main_loop();
        let Some(mut tree) = main_loop.and_then(|main_loop| main_loop.try_cast::<SceneTree>().ok()) else {
            return;
        };
        // It holds no reference: a browser that nobody needs any more ends, and its connection with it.
        let poll = Callable::from_object_method(this, "poll");
        if tree.is_connected(FRAME, &poll) != follow {
            if follow {
                tree.connect(FRAME, &poll);
            } else {
                tree.disconnect(FRAME, &poll);
            }
        }
    }
}

/// Why no server was asked.
#[derive(Debug, ThisError)]
enum BrowserError {
    #[error("the system has no random numbers: {0}")]
    Random(getrandom::Error),
    #[error(transparent)]
    Search(#[from] SearchError),
}

impl Code for BrowserError {
    fn code(&self) -> Error {
        match self {
            Self::Random(_) => Error::ERR_CANT_CREATE,
            Self::Search(problem) => problem.code(),
        }
    }
}

/// A server, for scripts.
fn describe(host: &str, server: &Server) -> VarDictionary {
    let info = query_info::to_dictionary(&server.info);
    let name: GString = info.get("name").and_then(|name| name.try_to().ok()).unwrap_or_default();
    vdict! {
        "address" => host,
        "port" => server.address.port(),
        "name" => &name,
        "players" => server.players,
        "max_players" => server.max_players,
        "is_full" => server.players >= server.max_players,
        "is_refusing" => server.is_refusing,
        "use_dtls" => server.is_encrypted,
        "round_trip_msec" => i64::try_from(server.round_trip.as_millis()).unwrap_or(i64::MAX),
        "info" => &info,
    }
}

/// The signal of each frame.
const FRAME: &str = "process_frame";

//! A browser and servers, over real sockets.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use nme_core::query::{QueryInfo, Value};
use nme_core::session::{Config, MaxClients};
use nme_driver::simulator::Simulation;
use nme_driver::{
    Bind, Connection, Port, SearchError, SearchEvent, SearchTimeout, ServerBrowser, ServerSettings,
};

const DEADLINE: Duration = Duration::from_secs(20);

fn info(number: i64) -> QueryInfo {
    QueryInfo::new(&[(Value::Text("number".into()), Value::Int(number))]).expect("short")
}

fn server(number: i64, port: u16, bind: Bind, threaded: bool) -> Connection {
    let settings = ServerSettings {
        bind,
        port: Port::new("port", port.into()).expect("a port"),
        max_clients: MaxClients::new(8).expect("a number"),
        session: Config::new(number as u64 + 1),
        secure: None,
        threaded,
        simulation: Simulation::default(),
    };
    let mut server = Connection::server(settings).expect("a server");
    server.set_query_info(Some(info(number)));
    server
}

fn local() -> Bind {
    Bind::Address([127, 0, 0, 1].into())
}

fn timeout(millis: i64) -> SearchTimeout {
    SearchTimeout::from_millis(millis).expect("a time")
}

/// Polls all until the search is over.
fn finish(browser: &mut ServerBrowser, servers: &mut [Connection]) -> Vec<SearchEvent> {
    let (began, mut events) = (Instant::now(), Vec::new());
    while began.elapsed() < DEADLINE {
        for server in &mut *servers {
            server.begin_poll();
            while server.next_event().is_some() {}
            server.end_poll();
        }
        browser.poll();
        while let Some(event) = browser.next_event() {
            let is_over = event == SearchEvent::Finished;
            events.push(event);
            if is_over {
                return events;
            }
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("no end: {events:?}");
}

fn found(events: &[SearchEvent]) -> Vec<(&str, u16, QueryInfo)> {
    let found = events.iter().filter_map(|event| match event {
        SearchEvent::Found { host, server } => {
            Some((host.as_str(), server.address.port(), server.info.clone()))
        }
        _ => None,
    });
    found.collect()
}

#[test]
fn a_server_is_asked_by_address_and_by_name() {
    let mut servers = [server(1, 0, local(), false)];
    let port = servers[0].local_addr().port();
    for host in ["127.0.0.1", "localhost"] {
        let mut browser = ServerBrowser::new([1; 16]);
        browser.query(host, port.into(), timeout(10_000)).expect("asked");
        let events = finish(&mut browser, &mut servers);
        assert_eq!(found(&events), [(host, port, info(1))]);
        assert!(!browser.is_searching());
    }
}

#[test]
fn a_network_thread_answers_while_its_game_does_nothing() {
    let server = server(1, 0, local(), true);
    let mut browser = ServerBrowser::new([1; 16]);
    browser.query("127.0.0.1", server.local_addr().port().into(), timeout(10_000)).expect("asked");
    assert_eq!(found(&finish(&mut browser, &mut [])).len(), 1);
    server.close();
}

#[test]
fn who_does_not_answer_is_reported_and_can_be_asked_again() {
    let mut quiet = server(1, 0, local(), false);
    quiet.set_query_info(None);
    let port = quiet.local_addr().port();
    let mut browser = ServerBrowser::new([1; 16]);
    for _ in 0..2 {
        browser.query("127.0.0.1", port.into(), timeout(50)).expect("asked");
        // Reserved names have no address.
        browser.query("nobody.invalid", 4242, timeout(10_000)).expect("looked up");
        let mut events = finish(&mut browser, std::slice::from_mut(&mut quiet));
        events.sort_by_key(|event| format!("{event:?}"));
        let failed = |host: &str, port| SearchEvent::Failed { host: host.to_owned(), port };
        let expected = [failed("127.0.0.1", port), failed("nobody.invalid", 4242), SearchEvent::Finished];
        assert_eq!(events, expected);
    }
}

#[test]
fn a_search_finds_servers_on_this_machine() {
    // One that listens everywhere hears the broadcast, too, and counts once.
    let mut servers = [server(1, 0, Bind::Any, false)];
    let port = servers[0].local_addr().port();
    let mut browser = ServerBrowser::new([1; 16]);
    let interfaces: Vec<IpAddr> = vec!["127.0.0.1".parse().expect("one"), "::1".parse().expect("one")];
    browser.discover(&interfaces, port.into(), timeout(500)).expect("asked");
    let events = finish(&mut browser, &mut servers);
    assert_eq!(events.len(), 2, "{events:?}");
    assert_eq!(found(&events)[0].2, info(1));
}

#[test]
fn many_servers_are_asked_at_once() {
    let mut servers: Vec<_> = (0..50).map(|number| server(number, 0, local(), false)).collect();
    let mut browser = ServerBrowser::new([1; 16]);
    for server in &servers {
        browser.query("127.0.0.1", server.local_addr().port().into(), timeout(10_000)).expect("asked");
    }
    assert_eq!(found(&finish(&mut browser, &mut servers)).len(), 50);
}

#[test]
fn wrong_calls_are_errors() {
    let mut browser = ServerBrowser::new([1; 16]);
    for port in [0, -1, 65_536] {
        assert!(matches!(browser.query("127.0.0.1", port, timeout(1)), Err(SearchError::Port(_))));
        assert!(matches!(browser.discover(&[], port, timeout(1)), Err(SearchError::Port(_))));
    }
    for millis in [0, -1, 60_001] {
        assert!(matches!(SearchTimeout::from_millis(millis), Err(SearchError::Timeout(_))));
    }
    assert!(matches!(browser.query("", 1, timeout(1)), Err(SearchError::Resolve(_))));
    assert!(matches!(browser.query("http://a", 1, timeout(1)), Err(SearchError::Resolve(_))));
    assert!(!browser.is_searching());
    assert_eq!(browser.next_event(), None);
}

#[test]
fn a_search_that_is_stopped_says_nothing_more() {
    let mut browser = ServerBrowser::new([1; 16]);
    browser.query("127.0.0.1", 9, timeout(1)).expect("asked");
    browser.stop();
    browser.poll();
    assert_eq!((browser.next_event(), browser.is_searching()), (None, false));
}

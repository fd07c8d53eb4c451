//! Who may call, who runs it, and to whom it goes, as in the running engine.
mod common;

use common::lines;
use nme_godot3::RpcMode;

/// The modes of the methods that the vectors name.
fn mode(short: &str) -> RpcMode {
    match short {
        "r" => RpcMode::Remote,
        "rs" => RpcMode::RemoteSync,
        "pu" => RpcMode::Puppet,
        "ps" => RpcMode::PuppetSync,
        "ma" => RpcMode::Master,
        "ms" => RpcMode::MasterSync,
        "plain" => RpcMode::Disabled,
        long => RpcMode::from_name(long).expect(long),
    }
}

#[test]
fn the_sender_runs_and_sends_what_the_engine_does() {
    let mut count = 0;
    for columns in lines(common::GODOT3_LOCAL) {
        let words: Vec<&str> = columns[0].split(' ').collect();
        let (is_master, mode) = (words[1] == "master", mode(words[2]));
        for outcome in columns[1].split(' ') {
            let (target, wanted) = outcome.split_once('=').expect("target and outcome");
            let receivers = match target {
                "all" => "ab",
                "a" => "a",
                "not_a" => "b",
                // -n with the own id is an error, whatever the mode.
                "not_self" => {
                    assert_eq!(wanted, "-");
                    continue;
                }
                _ => "",
            };
            let includes_sender = target != "a";
            let mut got = String::new();
            if includes_sender && mode.runs_locally(is_master) {
                got.push('L');
            }
            if !includes_sender || mode.is_sent(is_master) {
                got.push_str(receivers);
            }
            assert_eq!(if got.is_empty() { "-" } else { &got }, wanted, "{} {target}", columns[0]);
        }
        count += 1;
    }
    assert_eq!(count, 28);
}

#[test]
fn the_receiver_takes_what_the_engine_takes() {
    let mut count = 0;
    for columns in lines(common::GODOT3_RECEIVE) {
        let name = columns[0].strip_prefix("mode_").or_else(|| columns[0].strip_prefix("rset_v_"));
        let Some((method, node)) = name.and_then(|name| name.rsplit_once('_')) else { continue };
        // The receiver is 1, the sender is a. The master of Main is 1, the others' are a and b.
        let accepted = mode(method).accepts(node == "Main", node == "OfA");
        assert_eq!(accepted, columns[2] != "{}", "{}", columns[0]);
        count += 1;
    }
    assert_eq!(count, 42);
}

#[test]
fn numbers_and_names_are_those_of_godot_3() {
    for (number, mode) in (0..).zip(RpcMode::ALL) {
        assert_eq!(mode.number(), number);
        assert_eq!(RpcMode::from_number(number.into()), Some(mode));
        assert_eq!(RpcMode::from_name(mode.name()), Some(mode));
    }
    for number in [-1, 7, i64::MIN, i64::MAX] {
        assert_eq!(RpcMode::from_number(number), None);
    }
    assert_eq!(RpcMode::from_name("slave"), Some(RpcMode::Puppet));
    assert_eq!(RpcMode::from_name("sync"), Some(RpcMode::RemoteSync));
    for name in ["", "Remote", "none", "any_peer"] {
        assert_eq!(RpcMode::from_name(name), None);
    }
}

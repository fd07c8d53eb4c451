//! The enums `AddressProof`, `CompressionMode`, `ConnectionError`, `DisconnectReason` and `FlushMode`. gdext 0.5 registers constants without an enum's name,
//! so this uses the same registration its macros use, one level lower.

use godot::builtin::StringName;
use godot::obj::GodotClass;
use godot::register::private::constant::{ConstantKind, ExportConstant, IntegerConstant};
use nme_core::admission::AddressProof;
use nme_core::session::{ConnectionError, Departure, FlushMode};

use crate::class::NetworkedMultiplayerENet;

/// Values of `compression_mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CompressionMode {
    None,
    RangeCoder,
    FastLz,
    Zlib,
    Zstd,
}

impl CompressionMode {
    const ALL: [(&'static str, Self); 5] = [
        ("COMPRESS_NONE", Self::None),
        ("COMPRESS_RANGE_CODER", Self::RangeCoder),
        ("COMPRESS_FASTLZ", Self::FastLz),
        ("COMPRESS_ZLIB", Self::Zlib),
        ("COMPRESS_ZSTD", Self::Zstd),
    ];

    pub(crate) fn from_number(number: i64) -> Option<Self> {
        Self::ALL.iter().map(|(_, mode)| *mode).find(|mode| mode.number() == number)
    }

    pub(crate) const fn number(self) -> i64 {
        self as i64
    }
}

/// Values of `flush_mode`.
const FLUSH_MODES: [(&str, FlushMode); 2] =
    [("FLUSH_PER_FRAME", FlushMode::PerFrame), ("FLUSH_EACH_PUT", FlushMode::EachPut)];

pub(crate) fn flush_mode(number: i64) -> Option<FlushMode> {
    FLUSH_MODES.iter().map(|(_, mode)| *mode).find(|mode| flush_mode_number(*mode) == number)
}

pub(crate) const fn flush_mode_number(mode: FlushMode) -> i64 {
    match mode {
        FlushMode::PerFrame => 0,
        FlushMode::EachPut => 1,
    }
}

/// Values of `require_address_proof`.
const ADDRESS_PROOFS: [(&str, AddressProof); 3] = [
    ("ADDRESS_PROOF_AUTO", AddressProof::Auto),
    ("ADDRESS_PROOF_ALWAYS", AddressProof::Always),
    ("ADDRESS_PROOF_NEVER", AddressProof::Never),
];

pub(crate) fn address_proof(number: i64) -> Option<AddressProof> {
    ADDRESS_PROOFS.iter().map(|(_, proof)| *proof).find(|proof| address_proof_number(*proof) == number)
}

pub(crate) const fn address_proof_number(proof: AddressProof) -> i64 {
    match proof {
        AddressProof::Auto => 0,
        AddressProof::Always => 1,
        AddressProof::Never => 2,
    }
}

/// Registers the enums. To be called once the classes are there.
pub(crate) fn register() {
    register_enum("AddressProof", ADDRESS_PROOFS.map(|(name, proof)| (name, address_proof_number(proof))));
    register_enum("CompressionMode", CompressionMode::ALL.map(|(name, mode)| (name, mode.number())));
    register_enum("FlushMode", FLUSH_MODES.map(|(name, mode)| (name, flush_mode_number(mode))));
    let none = ("CONNECTION_ERROR_NONE", 0);
    let errors = ConnectionError::ALL.map(|error| (connection_error_name(error), i64::from(error.number())));
    let none_left = ("DISCONNECT_REASON_NONE", 0);
    let reasons = Departure::ALL.map(|reason| (disconnect_reason_name(reason), i64::from(reason.number())));
    register_enum("DisconnectReason", std::iter::once(none_left).chain(reasons));
    register_enum("ConnectionError", std::iter::once(none).chain(errors));
}

fn register_enum(name: &str, values: impl IntoIterator<Item = (&'static str, i64)>) {
    let enumerators = values.into_iter().map(|(name, value)| IntegerConstant::new(name, value)).collect();
    let kind = ConstantKind::Enum { name: StringName::from(name), enumerators };
    ExportConstant::new(NetworkedMultiplayerENet::class_id(), kind).register();
}

/// The names of what `get_connection_error` answers.
const fn connection_error_name(error: ConnectionError) -> &'static str {
    match error {
        ConnectionError::TimedOut => "CONNECTION_ERROR_TIMED_OUT",
        ConnectionError::Refused => "CONNECTION_ERROR_REFUSED",
        ConnectionError::NotResolved => "CONNECTION_ERROR_NOT_RESOLVED",
        ConnectionError::ClosedByServer => "CONNECTION_ERROR_CLOSED_BY_SERVER",
        ConnectionError::Lost => "CONNECTION_ERROR_LOST",
        ConnectionError::CertificateExpired => "CONNECTION_ERROR_CERTIFICATE_EXPIRED",
        ConnectionError::CertificateNotYetValid => "CONNECTION_ERROR_CERTIFICATE_NOT_YET_VALID",
        ConnectionError::WrongName => "CONNECTION_ERROR_WRONG_NAME",
        ConnectionError::Untrusted => "CONNECTION_ERROR_UNTRUSTED",
        ConnectionError::NoDtls => "CONNECTION_ERROR_NO_DTLS",
        ConnectionError::HandshakeTimedOut => "CONNECTION_ERROR_HANDSHAKE_TIMED_OUT",
        ConnectionError::HandshakeFailed => "CONNECTION_ERROR_HANDSHAKE_FAILED",
        ConnectionError::Untagged => "CONNECTION_ERROR_UNTAGGED",
        ConnectionError::LongLost => "CONNECTION_ERROR_MTU",
        ConnectionError::Kicked => "CONNECTION_ERROR_KICKED",
    }
}

/// The names of what `get_peer_disconnect_reason` answers.
const fn disconnect_reason_name(reason: Departure) -> &'static str {
    match reason {
        Departure::Left => "DISCONNECT_REASON_LEFT",
        Departure::Lost => "DISCONNECT_REASON_LOST",
        Departure::Disconnected => "DISCONNECT_REASON_DISCONNECTED",
        Departure::Kicked => "DISCONNECT_REASON_KICKED",
        Departure::Limit => "DISCONNECT_REASON_LIMIT",
        Departure::Untagged => "DISCONNECT_REASON_UNTAGGED",
        Departure::LongLost => "DISCONNECT_REASON_MTU",
        Departure::Behind => "DISCONNECT_REASON_RELAY",
    }
}

// What the editor's help shows for the constants.
godot::sys::shard_add!(
    godot::private::__GODOT_DOCS_REGISTRY;
    godot::private::DocsShard::new::<NetworkedMultiplayerENet>(godot::private::DocsItem::InherentImpl(
        godot::private::InherentImplDocs {
            methods_xml: "",
            signals_xml: "",
            constants_xml: CONSTANTS_XML,
        }
    ))
);

const CONSTANTS_XML: &str = r#"
<constant name="ADDRESS_PROOF_AUTO" value="0" enum="AddressProof">The default. Clients are asked while it looks like a flood: from 64 requests a second on, or when a quarter of the places (64 at most) wait for a client's answer; until that has been over for 10 seconds.</constant>
<constant name="ADDRESS_PROOF_ALWAYS" value="1" enum="AddressProof">Every client is asked. Connecting takes one round trip longer.</constant>
<constant name="ADDRESS_PROOF_NEVER" value="2" enum="AddressProof">Nobody is asked: for clients of another ENet, when they do not answer. Those of Godot 3 and of this class do.</constant>
<constant name="COMPRESS_NONE" value="0" enum="CompressionMode">Nothing is compressed. Costs no CPU time. Compression hides nothing in any mode: see [member use_dtls] for that.</constant>
<constant name="COMPRESS_RANGE_CODER" value="1" enum="CompressionMode">ENet's own coder, the default. Saves most, above all on datagrams of up to a few hundred bytes, and costs most CPU time where they arrive.</constant>
<constant name="COMPRESS_FASTLZ" value="2" enum="CompressionMode">FastLZ: by far the least CPU time, and the least savings. It only finds bytes that repeat.</constant>
<constant name="COMPRESS_ZLIB" value="3" enum="CompressionMode">Zlib (deflate): saves less than the range coder, and costs most CPU time to send. For games of Godot 3.6 that have it.</constant>
<constant name="COMPRESS_ZSTD" value="4" enum="CompressionMode">Zstandard: saves as much as zlib on datagrams of about 1 KiB at less CPU time, and less than zlib on short ones.</constant>
<constant name="CONNECTION_ERROR_NONE" value="0" enum="ConnectionError">Nothing has gone wrong since the server or client was created.</constant>
<constant name="CONNECTION_ERROR_TIMED_OUT" value="1" enum="ConnectionError">Nobody answered the attempt to connect: the address or the port is wrong, no server runs there, a firewall is between, or the server has another [member compression_mode] or [member use_dtls]. A full server does not answer either while one of its clients is silent.</constant>
<constant name="CONNECTION_ERROR_REFUSED" value="2" enum="ConnectionError">The server is full, and everybody who is connected answers. With [member use_dtls] also: it refuses new connections ([member MultiplayerPeer.refuse_new_connections]). Without, such a server lets the client in and closes the connection at once, as in Godot 3.6, which is [constant CONNECTION_ERROR_CLOSED_BY_SERVER].</constant>
<constant name="CONNECTION_ERROR_NOT_RESOLVED" value="3" enum="ConnectionError">The host name given to [method create_client] has no address, or the lookup failed or took too long, for instance without a network.</constant>
<constant name="CONNECTION_ERROR_CLOSED_BY_SERVER" value="4" enum="ConnectionError">The server has closed the connection, or has disconnected this client. A client that was silent for so long that the server has given it up gets this when it goes on.</constant>
<constant name="CONNECTION_ERROR_LOST" value="5" enum="ConnectionError">The connection stood, and then the server did not answer any more (see [method set_peer_timeout]).</constant>
<constant name="CONNECTION_ERROR_CERTIFICATE_EXPIRED" value="6" enum="ConnectionError">DTLS: the last day of the server's certificate has passed, or this device's clock is wrong.</constant>
<constant name="CONNECTION_ERROR_CERTIFICATE_NOT_YET_VALID" value="7" enum="ConnectionError">DTLS: the first day of the server's certificate has not come, or this device's clock is wrong.</constant>
<constant name="CONNECTION_ERROR_WRONG_NAME" value="8" enum="ConnectionError">DTLS: the server's certificate is for another name than [member dtls_hostname], or than the address when that is empty.</constant>
<constant name="CONNECTION_ERROR_UNTRUSTED" value="9" enum="ConnectionError">DTLS: the server's certificate is neither the one of [method set_dtls_certificate] nor signed by it; without that call, nobody whom the operating system trusts has signed it.</constant>
<constant name="CONNECTION_ERROR_NO_DTLS" value="10" enum="ConnectionError">DTLS: somebody answers there, but without DTLS.</constant>
<constant name="CONNECTION_ERROR_HANDSHAKE_TIMED_OUT" value="11" enum="ConnectionError">DTLS: no complete handshake in time: the address or the port is wrong, no server runs there, a firewall is between, or the server does not [member use_dtls].</constant>
<constant name="CONNECTION_ERROR_HANDSHAKE_FAILED" value="12" enum="ConnectionError">DTLS: the handshake went wrong in another way, for example without a common cipher.</constant>
<constant name="CONNECTION_ERROR_UNTAGGED" value="13" enum="ConnectionError">The server does not tag its datagrams, and [member require_datagram_tags] is set here. Servers of Godot 3 do not.</constant>
<constant name="CONNECTION_ERROR_MTU" value="14" enum="ConnectionError">The connection stood, and then long datagrams got lost again and again while short ones arrived: somewhere on the path is a link with a small MTU, and a router or firewall that drops what does not fit. Set [member mtu] to a smaller number, on the server for everybody, or on this client.</constant>
<constant name="CONNECTION_ERROR_KICKED" value="15" enum="ConnectionError">The server has sent this client away with [method kick_peer]: see [method get_kick_code] and [method get_kick_text].</constant>
<constant name="DISCONNECT_REASON_NONE" value="0" enum="DisconnectReason">Nobody has left since the server or client was created.</constant>
<constant name="DISCONNECT_REASON_LEFT" value="1" enum="DisconnectReason">The peer has ended the connection itself.</constant>
<constant name="DISCONNECT_REASON_LOST" value="2" enum="DisconnectReason">The peer did not answer any more: see [method set_peer_timeout].</constant>
<constant name="DISCONNECT_REASON_DISCONNECTED" value="3" enum="DisconnectReason">This side has disconnected it, with [method disconnect_peer].</constant>
<constant name="DISCONNECT_REASON_KICKED" value="4" enum="DisconnectReason">This side has sent it away, with [method kick_peer].</constant>
<constant name="DISCONNECT_REASON_LIMIT" value="5" enum="DisconnectReason">It has sent more than [member max_packets_per_second], [member max_bytes_per_second] or [member max_packet_size] allow, or did not take what was sent to it. The log says which.</constant>
<constant name="DISCONNECT_REASON_UNTAGGED" value="6" enum="DisconnectReason">It does not tag its datagrams, and [member require_datagram_tags] is set.</constant>
<constant name="DISCONNECT_REASON_MTU" value="7" enum="DisconnectReason">Long datagrams got lost again and again while short ones arrived: see [member mtu].</constant>
<constant name="DISCONNECT_REASON_RELAY" value="8" enum="DisconnectReason">It is another client, behind the server: the server says that it has left, or has gone itself.</constant>
<constant name="FLUSH_PER_FRAME" value="0" enum="FlushMode">The default. Packets leave together, with the next poll or at the end of the frame, whichever comes first; before that when a datagram is full, and with a packet or poll that comes 5 ms or more behind the first of them. Costs far less CPU time and bandwidth than a datagram for each packet, and delays none into the next frame.</constant>
<constant name="FLUSH_EACH_PUT" value="1" enum="FlushMode">Each packet leaves at once, in a datagram of its own, as in Godot 3.6. For programs that work for long behind a packet, or may be killed there (see also [method flush]). It also keeps equal packets apart: otherwise, what a client sends to each peer that it knows, such as an RPC to all, travels as one packet to everybody, and reaches also who has joined just now.</constant>
"#;

//! The enums `CompressionMode` and `FlushMode`. gdext 0.5 registers constants without an enum's name, so this uses the same
//! registration its macros use, one level lower.

use godot::builtin::StringName;
use godot::obj::GodotClass;
use godot::register::private::constant::{ConstantKind, ExportConstant, IntegerConstant};

use nme_core::session::FlushMode;

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

/// Registers the enums. To be called once the classes are there.
pub(crate) fn register() {
    register_enum("CompressionMode", &CompressionMode::ALL, CompressionMode::number);
    register_enum("FlushMode", &FLUSH_MODES, flush_mode_number);
}

fn register_enum<T: Copy>(name: &str, values: &[(&str, T)], number: impl Fn(T) -> i64) {
    let enumerators = values.iter().map(|(name, value)| IntegerConstant::new(name, number(*value))).collect();
    let kind = ConstantKind::Enum { name: StringName::from(name), enumerators };
    ExportConstant::new(NetworkedMultiplayerENet::class_id(), kind).register();
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
<constant name="COMPRESS_NONE" value="0" enum="CompressionMode">Sends packets as they are. Costs no CPU time, and a packet sniffer can read the traffic.</constant>
<constant name="COMPRESS_RANGE_CODER" value="1" enum="CompressionMode">ENet's own coder, the default. Saves most on packets of up to a few hundred bytes, and costs most CPU time on longer ones.</constant>
<constant name="COMPRESS_FASTLZ" value="2" enum="CompressionMode">FastLZ: by far the least CPU time, and the least savings. It only finds bytes that repeat.</constant>
<constant name="COMPRESS_ZLIB" value="3" enum="CompressionMode">Zlib (deflate): savings near the range coder's, at less CPU time on packets of several hundred bytes.</constant>
<constant name="COMPRESS_ZSTD" value="4" enum="CompressionMode">Zstandard: saves as much as zlib on packets of about 1 KiB at less CPU time, and less than zlib on small ones.</constant>
<constant name="FLUSH_PER_FRAME" value="0" enum="FlushMode">Packets leave together, with the next poll or at the end of the frame, whichever comes first; before that when a datagram is full. Costs far less CPU time and bandwidth than a datagram for each packet, and delays none into the next frame.</constant>
<constant name="FLUSH_EACH_PUT" value="1" enum="FlushMode">Each packet leaves at once, in a datagram of its own, as in Godot 3.6. For programs that do long work between putting a packet and the end of the frame.</constant>
"#;

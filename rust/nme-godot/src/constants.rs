//! The enum `CompressionMode`. gdext 0.5 registers constants without an enum's name, so this uses the same
//! registration its macros use, one level lower.

use godot::builtin::StringName;
use godot::obj::GodotClass;
use godot::register::private::constant::{ConstantKind, ExportConstant, IntegerConstant};

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

/// Registers the enum. To be called once the classes are there.
pub(crate) fn register() {
    let enumerators =
        CompressionMode::ALL.iter().map(|(name, mode)| IntegerConstant::new(name, mode.number())).collect();
    let kind = ConstantKind::Enum { name: StringName::from("CompressionMode"), enumerators };
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
"#;

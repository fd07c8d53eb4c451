//! What a real Godot 4 does with the same datagrams: `PackedByteArray.compress` and `decompress`.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;
use std::{env, fs, io, process};

use crate::payloads;
use crate::timing::Measured;
use crate::variants::Kind;

/// Results by mode and kind.
pub(crate) struct Engine {
    /// "Godot" and its version.
    pub(crate) label: String,
    results: Vec<(String, String, Measured)>,
}

impl Engine {
    /// Lets the engine at `path` measure all kinds.
    pub(crate) fn measure(path: &Path, kinds: &[Kind]) -> io::Result<Self> {
        let folder = env::temp_dir().join(format!("nme-codecs-{}", process::id()));
        fs::create_dir_all(&folder)?;
        let output = ask(path, &folder, kinds);
        fs::remove_dir_all(&folder)?;
        let mut engine = Self { label: "Godot".to_owned(), results: Vec::new() };
        for line in output?.lines().filter_map(|line| line.strip_prefix("@@ ")) {
            engine.read(line, kinds);
        }
        if engine.results.is_empty() {
            return Err(io::Error::other("the engine has not answered"));
        }
        Ok(engine)
    }

    /// What it came to for a mode, as `label` of the engine's script.
    pub(crate) fn result(&self, mode: &str, kind: &str) -> Option<&Measured> {
        let found = self.results.iter().find(|(known, of, _)| known == mode && of == kind);
        found.map(|(_, _, measured)| measured)
    }

    fn read(&mut self, line: &str, kinds: &[Kind]) {
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["version", version] => self.label = format!("Godot {version}"),
            [mode, name, compress, decompress, bytes] => {
                let (Ok(compress), Ok(decompress), Ok(bytes)) =
                    (compress.parse(), decompress.parse(), bytes.parse::<f64>())
                else {
                    return;
                };
                let Some(kind) = kinds.iter().find(|kind| kind.name == name) else { return };
                let ratio = bytes / kind.bytes() as f64;
                let measured = Measured { compress, decompress, ratio, allocations: None };
                self.results.push((mode.to_owned(), name.to_owned(), measured));
            }
            _ => {}
        }
    }
}

fn ask(path: &Path, folder: &Path, kinds: &[Kind]) -> io::Result<String> {
    let (script, datagrams) = (folder.join("engine.gd"), folder.join("datagrams.txt"));
    fs::write(&script, include_str!("engine.gd"))?;
    let mut text = String::new();
    for kind in kinds {
        for datagram in &kind.datagrams {
            let _ = writeln!(text, "{} {}", kind.name, payloads::hex(datagram));
        }
    }
    fs::write(&datagrams, text)?;
    let output = Command::new(path)
        .args(["--headless", "--path"])
        .arg(folder)
        .arg("--script")
        .arg(&script)
        .arg("--")
        .arg(&datagrams)
        .output()?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

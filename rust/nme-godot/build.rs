//! Keeps the library loaded until the process ends: a host name's lookup runs on a thread that may outlive the
//! engine's use of the library by as long as the name servers take.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let system = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    // macOS never unloads a library with thread-local variables, which every Rust library has; on Windows the
    // library pins itself when it is loaded.
    if system == "linux" || system == "android" {
        println!("cargo::rustc-link-arg-cdylib=-Wl,-z,nodelete");
    }
}

//! Compiles this crate, and only this one, with `cfg(loom)`: the sources that it includes then get loom's atomics.

fn main() {
    println!("cargo::rustc-cfg=loom");
    println!("cargo::rerun-if-changed=build.rs");
}

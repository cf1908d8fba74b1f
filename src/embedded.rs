//! What `build.rs` compiled of `dictionaries/`.

/// The dictionaries and the knowledge, as `Lexicon::compile` writes them.
pub(crate) static LEXICON: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/lexicon.bin"));

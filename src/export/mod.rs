//! stub
#![allow(missing_docs)]
pub mod tree { pub fn to_tree_annotated(case: &crate::Case, _: bool) -> String { case.map.to_tree() } }
pub mod json { pub fn to_json_line(case: &crate::Case, _: &crate::lexicon::Lexicon) -> String {
  let m: Vec<_> = case.mentions.iter().map(|m| serde_json::json!({"text": m.text, "kind": m.kind, "assertion": m.assertion})).collect();
  format!("{}\n", serde_json::json!({"id": case.id, "primary": case.primary(), "causal_tree": case.map.to_tree(), "mentions": m})) } }
pub mod dot { pub fn to_dot(_: &crate::Case) -> String { String::new() } }
pub mod svg { pub fn to_svg(_: &crate::Case) -> String { String::new() } }
pub mod html { pub fn to_html(_: &crate::Case, _: &crate::lexicon::Lexicon) -> String { String::new() } }

//! shorei (症例) turns Japanese case reports into case maps: causal graphs from underlying
//! condition to disease to finding. Offline, in milliseconds a report.
//!
//! ```
//! let pipeline = shorei::Pipeline::load_default()?;
//! let report = "【主訴】呼吸困難【現病歴】2日前から発熱と咳嗽があった。胸痛はない。\
//!               【検査】CRP 12.3mg/dL。胸部X線で右下肺野に浸潤影を認めた。【診断】肺炎と診断した。";
//! let case = pipeline.structure("症例1", report)?;
//! assert_eq!(case.primary(), "肺炎");
//! println!("{}", case.map().to_tree());
//! # assert!(case.map().to_tree().contains("CRP/上昇"));
//! # assert!(!case.map().to_tree().contains("胸痛"));
//! # Ok::<(), shorei::Error>(())
//! ```
//!
//! The modules are a text's journey: [`normalize`], [`segment`], [`tokenize`], [`extract`],
//! [`qualify`], [`link`], [`relate`], [`arrange`]; [`pipeline`] is their order. [`lexicon`] is
//! what they know, [`encoder`] the transformer that they may ask, [`affinity`] says how well any effect fits any cause; [`export`] and [`evaluate`] are what comes after.

#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub mod types;

pub mod error;

pub mod affinity;
mod embedded;
pub mod encoder;
pub mod lexicon;

pub mod normalize;
pub mod segment;
pub mod tokenize;

pub mod extract;
pub mod link;
pub mod qualify;

pub mod arrange;
pub mod relate;

pub mod pipeline;

pub mod batch;

pub mod evaluate;
pub mod export;
pub mod search;

pub use error::Error;
pub use pipeline::Pipeline;
pub use types::{Case, CaseMap};

/// The README's Rust examples, run as doctests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

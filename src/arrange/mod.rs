//! Mentions and relations → the case map: fold mentions into candidate nodes, choose the primary
//! disease, attach every node to its strongest cause.

mod arborescence;
mod attach;
mod boosted;
mod features;
mod fit;
mod fold;
mod latent;

pub use attach::Arranger;
pub use features::{Features, Judged, Source, Standing};
pub use fold::fold;
pub use latent::add_latent;

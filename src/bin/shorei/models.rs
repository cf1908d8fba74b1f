//! `--no-model`, `--model DIR`, `--arranger DIR`, the same for every command that structures.

use std::path::PathBuf;

use shorei::{Error, Pipeline};

#[derive(clap::Args)]
pub struct Models {
    /// Without the transformer: dictionaries, rules and the arranger's classifiers only, some ten
    /// times as fast.
    #[arg(long, conflicts_with = "model")]
    pub no_model: bool,
    /// A folder with another transformer of training/model than the built-in one.
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// A folder with the arranger's classifiers (keep.txt, primary.txt, cause.txt), trained on
    /// one's own case maps; by default the built-in ones.
    #[arg(long, value_name = "DIR")]
    pub arranger: Option<PathBuf>,
}

impl Models {
    /// The pipeline with these models.
    pub fn pipeline(&self) -> Result<Pipeline, Error> {
        let mut builder = Pipeline::builder();
        if self.no_model {
            builder = builder.without_model();
        }
        if let Some(folder) = &self.model {
            builder = builder.model(folder);
        }
        if let Some(folder) = &self.arranger {
            builder = builder.arranger(folder);
        }
        builder.load()
    }
}

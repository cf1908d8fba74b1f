//! `--model DIR` and its kin, the same for every command that structures.

use std::path::PathBuf;

use shorei::{Error, Pipeline};

#[derive(clap::Args)]
pub struct Models {
    /// Without a transformer: dictionaries, rules and the arranger's classifiers only, some ten
    /// times as fast.
    #[arg(long, conflicts_with = "folder")]
    pub no_model: bool,
    /// A folder with a transformer: a Hugging Face token classifier (BERT, RoBERTa, DeBERTa-v2),
    /// whose mentions and statuses join those of the dictionaries; or one of training/model, in
    /// place of the built-in one.
    #[arg(long = "model", value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// What the labels of a Hugging Face folder mean: a TSV with the header label, kind, status,
    /// over the built-in table, which reads MedTxt's labels.
    #[arg(long, value_name = "FILE", requires = "folder")]
    pub labels: Option<PathBuf>,
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
        if let Some(folder) = &self.arranger {
            builder = builder.arranger(folder);
        }
        if let Some(folder) = &self.folder {
            builder = builder.model(folder);
        }
        if let Some(file) = &self.labels {
            builder = builder.labels(file);
        }
        builder.load()
    }

    /// What tells runs with these models from others: a resumed run must have the same.
    pub fn settings(&self) -> String {
        let path = |path: &Option<PathBuf>| path.as_ref().map_or(String::new(), |path| path.display().to_string());
        let parts = [
            if self.no_model {
                "no model".to_owned()
            } else {
                String::new()
            },
            path(&self.folder),
            path(&self.labels),
            path(&self.arranger),
        ];
        parts
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join("; ")
    }
}

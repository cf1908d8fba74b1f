//! `--model DIR` and its kin, the same for every command that structures.

use std::path::PathBuf;

use shorei::{Error, Pipeline};

#[derive(clap::Args)]
pub struct Models {
    /// A transformer beside dictionaries and rules: `built-in`, which makes statuses and MedTxt
    /// phrases surer at some ten times the time; or a folder with a Hugging Face token classifier
    /// (BERT, RoBERTa, DeBERTa-v2) or with one of training/model.
    #[arg(long = "model", value_name = "built-in|DIR")]
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
        if let Some(folder) = &self.arranger {
            builder = builder.arranger(folder);
        }
        builder = match &self.folder {
            Some(name) if name.as_os_str() == "built-in" => builder.built_in_model(),
            Some(folder) => builder.model(folder),
            None => builder,
        };
        if let Some(file) = &self.labels {
            builder = builder.labels(file);
        }
        builder.load()
    }

    /// What tells runs with these models from others: a resumed run must have the same.
    pub fn settings(&self) -> String {
        let path = |path: &Option<PathBuf>| path.as_ref().map_or(String::new(), |path| path.display().to_string());
        let parts = [path(&self.folder), path(&self.labels), path(&self.arranger)];
        parts
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join("; ")
    }
}

//! `--model DIR`, the same for every command that structures.

use std::path::PathBuf;

use shorei::encoder::Encoder;
use shorei::extract::neural::LabelTable;
use shorei::{Error, Pipeline};

#[derive(clap::Args)]
pub struct Model {
    /// A Hugging Face folder with a token classifier (BERT, RoBERTa, DeBERTa-v2), whose mentions
    /// and statuses join those of the dictionaries.
    #[arg(long = "model", value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// What the model's labels mean: a TSV with the header label, kind, status, over the built-in
    /// table, which reads MedTxt's labels.
    #[arg(long, value_name = "FILE", requires = "folder")]
    pub labels: Option<PathBuf>,
}

impl Model {
    /// The pipeline with the model, if there is one.
    pub fn over(&self, pipeline: Pipeline) -> Result<Pipeline, Error> {
        let Some(folder) = &self.folder else {
            return Ok(pipeline);
        };
        let mut table = LabelTable::built_in()?;
        if let Some(path) = &self.labels {
            let text = std::fs::read_to_string(path).map_err(|error| Error::Io {
                path: path.clone(),
                reason: format!("{error}; give a UTF-8 table of label, kind, status"),
            })?;
            table.lay_over(&text, &path.display().to_string())?;
        }
        pipeline.with_model(Encoder::load(folder)?, &table)
    }
}

//! `--model DIR` and its kin, the same for every command that structures.

use std::path::PathBuf;

use shorei::encoder::Encoder;
use shorei::extract::neural::LabelTable;
use shorei::extract::reader;
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
        match &self.folder {
            None => builder.load(),
            Some(folder) if reader::is_reader(folder) => builder.model(folder).load(),
            Some(folder) => builder.load()?.with_tagger(Encoder::load(folder)?, &self.table()?),
        }
    }

    fn table(&self) -> Result<LabelTable, Error> {
        let mut table = LabelTable::built_in()?;
        if let Some(path) = &self.labels {
            let text = std::fs::read_to_string(path).map_err(|error| Error::Io {
                path: path.clone(),
                reason: format!("{error}; give a UTF-8 table of label, kind, status"),
            })?;
            table.lay_over(&text, &path.display().to_string())?;
        }
        Ok(table)
    }
}

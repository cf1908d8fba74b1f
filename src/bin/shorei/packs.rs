//! `--dictionary PACK`, the same for every command.

use std::path::PathBuf;

use shorei::lexicon::Lexicon;
use shorei::lexicon::pack::Pack;
use shorei::{Error, Pipeline};

#[derive(clap::Args)]
pub struct Packs {
    /// A dictionary pack over the built-in dictionaries, made by `shorei dictionary build`. May be
    /// given several times: later ones win.
    #[arg(long = "dictionary", value_name = "PACK")]
    pub paths: Vec<PathBuf>,
}

impl Packs {
    fn load(&self) -> Result<Vec<Pack>, Error> {
        self.paths.iter().map(|path| Pack::load(path)).collect()
    }

    /// The pipeline with the packs.
    pub fn over(&self, pipeline: Pipeline) -> Result<Pipeline, Error> {
        pipeline.with_dictionaries(self.load()?)
    }

    /// The built-in dictionaries with the packs.
    pub fn lexicon(&self) -> Result<Lexicon, Error> {
        Lexicon::load_default()?.layered(self.load()?)
    }
}

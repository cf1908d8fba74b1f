//! `shorei dictionary build`: dictionaries of one's own → a pack.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser as _;
use shorei::Error;
use shorei::lexicon::import::{self, Format, Options};
use shorei::lexicon::pack::{self, KINDS};
use shorei::normalize::normalize;
use shorei::types::ConceptKind;

use crate::input::Failure;

#[derive(clap::Parser)]
#[command(after_help = "Formats:
  manbyo    MANBYO (万病辞書), and the two-column forms of MedNER-J and MedNERN
  babelon   a translation of HPO as Babelon TSV; what is OFFICIAL
  medis     標準病名マスター: nmain and index, and mdfy, at once
  mecab     ComeJisyo, J-GLOBAL MeSH: MeCab CSV with IPADIC's columns
  generic   CSV or TSV whose header names surface or label, and any of reading, english, kind,
            icd10, hpo, atc, loinc, parent, synonyms, abbreviations (several values parted by |),
            medis, hot, hot9, yj, jlac10, mesh, umls, mondo, orpha, snomed

UTF-8, Shift_JIS and EUC-JP are told apart. A broken row is named and left out.

Examples:
  shorei dictionary build --from manbyo MANBYO.csv -o manbyo.pack
  shorei dictionary build --from medis nmain.txt index.txt mdfy.txt -o medis.pack
  shorei dictionary build --from mecab --kind drug drugs.csv -o drugs.pack
  shorei structure --dictionary manbyo.pack --dictionary drugs.pack report.txt")]
pub struct BuildArgs {
    /// The dictionaries.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Their format.
    #[arg(long, value_parser = PossibleValuesParser::new(Format::ALL.map(Format::name)).map(|name| format(&name)))]
    pub from: Format,
    /// The pack to write.
    #[arg(short, long, value_name = "PACK")]
    pub output: PathBuf,
    /// What the terms are, where their rows do not say; by default what the format says, else
    /// diseases.
    #[arg(long, value_parser = PossibleValuesParser::new(KINDS.map(|(_, name)| name)).map(|name| kind(&name)))]
    pub kind: Option<ConceptKind>,
    /// The pack's name, with which the ids of its concepts begin; by default the file's name without
    /// its ending.
    #[arg(long)]
    pub name: Option<String>,
    /// Stop at the first broken row, and write nothing.
    #[arg(long)]
    pub strict: bool,
}

fn format(name: &str) -> Format {
    let found = Format::ALL.into_iter().find(|format| format.name() == name);
    found.unwrap_or(Format::Generic)
}

fn kind(name: &str) -> ConceptKind {
    let found = KINDS.iter().find(|(_, known)| *known == name);
    found.map_or(ConceptKind::Disease, |&(kind, _)| kind)
}

/// Writes the pack; the number of broken rows.
pub fn run(args: &BuildArgs) -> Result<usize, Failure> {
    let normalized = |text: &str| normalize(text).norm().to_owned();
    let options = Options {
        normalize: &normalized,
        kind: args.kind,
        strict: args.strict,
    };
    let import = import::read(args.from, &args.files, &options)?;
    for fault in &import.faults {
        anstream::eprintln!("shorei: {fault}");
    }
    for file in &import.files {
        anstream::println!(
            "{} ({}): {} terms, {} rows left out as their format asks",
            file.path,
            file.encoding,
            file.taken,
            file.left_out
        );
    }
    let output_error = |reason: String| Error::Io {
        path: args.output.clone(),
        reason,
    };
    if import.terms.is_empty() {
        return Err(
            output_error("not written, as no term was read; name the dictionary's format with --from".into()).into(),
        );
    }
    let stem = args.output.file_stem().unwrap_or_default().to_string_lossy();
    let built = pack::build(args.name.as_deref().unwrap_or(&stem), import.terms)?;
    std::fs::write(&args.output, &built.bytes).map_err(|error| output_error(error.to_string()))?;
    anstream::println!(
        "{}: {} concepts, {} surface forms, {} KiB",
        args.output.display(),
        built.concepts,
        built.surfaces,
        built.bytes.len() / 1024
    );
    if built.with_other_codes > 0 {
        anstream::println!(
            "{} concepts have several codes of one system: the first stands, `lookup` shows all",
            built.with_other_codes
        );
    }
    if !import.faults.is_empty() {
        anstream::println!("{} broken rows were left out", import.faults.len());
    }
    Ok(import.faults.len())
}

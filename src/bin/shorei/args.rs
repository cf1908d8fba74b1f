//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::dictionary::build::BuildArgs;
use crate::dictionary::coverage::CoverageArgs;
use crate::index::IndexArgs;
use crate::knowledge::KnowledgeArgs;
use crate::models::Models;
use crate::packs::Packs;
use crate::search::SearchArgs;

/// Japanese case reports → case maps: causal trees from underlying condition to disease to
/// finding. Works offline.
#[derive(Parser)]
#[command(version, max_term_width = 100)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Structure reports: text in, case map out.
    Structure(StructureArgs),
    /// Structure many reports, from file to file; can be resumed.
    Batch(BatchArgs),
    /// Show every stage of one report's way to its case map.
    Explain(ExplainArgs),
    /// Score predicted case maps against gold ones.
    Evaluate(EvaluateArgs),
    /// Look into the dictionaries and knowledge, and bring dictionaries of your own.
    Dictionary(DictionaryArgs),
    /// Keep cases in an index on disk.
    Index(IndexArgs),
    /// Findings in, ranked diseases and cases out.
    Search(SearchArgs),
    /// What all cases of an index know together.
    Knowledge(KnowledgeArgs),
}

/// Output formats of `structure`.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// The causal tree in the notation of the annotation guideline.
    Tree,
    /// One JSON object a line: text, sections, mentions, relations, case map.
    Json,
    /// Graphviz.
    Dot,
    /// The drawn tree.
    Svg,
    /// A self-contained page: the marked report beside the drawn tree.
    Html,
    /// MedTxt (PRISM) XML: the report with inline tags; no case map.
    Medtxt,
}

#[derive(Parser)]
#[command(after_help = "Examples:
  shorei structure report.txt
  shorei structure --format html report.txt > report.html
  shorei structure --format json reports.jsonl > cases.jsonl
  cat report.txt | shorei structure --id 症例1 -")]
pub struct StructureArgs {
    /// UTF-8 text files, a report each; .jsonl files with a record {\"id\", \"text\"} a line; `-` for
    /// standard input.
    #[arg(default_value = "-")]
    pub files: Vec<PathBuf>,
    /// The report's id; by default the file's name without its ending.
    #[arg(long)]
    pub id: Option<String>,
    /// What to print.
    #[arg(long, value_enum, default_value_t = Format::Tree)]
    pub format: Format,
    #[command(flatten)]
    pub models: Models,
    #[command(flatten)]
    pub packs: Packs,
}

#[derive(Parser)]
#[command(after_help = "Examples:
  shorei batch reports.jsonl cases.jsonl
  shorei batch reports.parquet cases            # cases/documents, cases/mentions, cases/edges
  shorei batch reports.csv cases --id-field 番号 --text-field 本文
  shorei batch folder-of-txt cases --resume")]
pub struct BatchArgs {
    /// A .jsonl, .csv, .tsv or .parquet file of reports with an id and a text, or a folder of UTF-8
    /// .txt files.
    #[arg(value_name = "IN")]
    pub input: PathBuf,
    /// A .jsonl file of cases, or a folder for the Parquet tables documents, mentions and edges.
    #[arg(value_name = "OUT")]
    pub output: PathBuf,
    /// Threads; by default as many as there are processors.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
    /// Take up a run that was broken off: nothing is lost, nothing done twice.
    #[arg(long)]
    pub resume: bool,
    /// The field or column of the id.
    #[arg(long, value_name = "NAME", default_value = "id")]
    pub id_field: String,
    /// The field or column of the text.
    #[arg(long, value_name = "NAME", default_value = "text")]
    pub text_field: String,
    #[command(flatten)]
    pub models: Models,
    #[command(flatten)]
    pub packs: Packs,
}

#[derive(Parser)]
#[command(after_help = "Example:
  shorei explain report.txt | less -R")]
pub struct ExplainArgs {
    /// A UTF-8 text file, or `-` for standard input.
    #[arg(default_value = "-")]
    pub file: PathBuf,
    #[command(flatten)]
    pub models: Models,
    #[command(flatten)]
    pub packs: Packs,
}

#[derive(Parser)]
#[command(after_help = "Examples:
  shorei structure --format json reports.jsonl > predicted.jsonl
  shorei evaluate gold.jsonl predicted.jsonl
  shorei evaluate gold.jsonl predicted.jsonl --errors | less")]
pub struct EvaluateArgs {
    /// Gold: a JSON record {\"id\", \"primary\", \"causal_tree\"} a line.
    pub gold: PathBuf,
    /// Predicted: the same fields; the output of `structure --format json` has them.
    pub predicted: PathBuf,
    /// Print the scores as JSON.
    #[arg(long)]
    pub json: bool,
    /// List, report by report, missed and spurious nodes and wrong parents.
    #[arg(long)]
    pub errors: bool,
    /// Also score mentions against sets of strings: a file of records
    /// {\"id\", \"positive_disease\"}, or MedTxt XML (.xml).
    #[arg(long, value_name = "FILE")]
    pub mentions: Option<PathBuf>,
    /// Take the mentions to score from this MedTxt XML, the output of `structure --format medtxt`,
    /// whose spans follow that guideline; by default from PREDICTED.
    #[arg(long, value_name = "FILE", requires = "mentions")]
    pub predicted_mentions: Option<PathBuf>,
    #[command(flatten)]
    pub packs: Packs,
}

#[derive(Parser)]
pub struct DictionaryArgs {
    #[command(subcommand)]
    pub command: DictionaryCommand,
}

#[derive(Subcommand)]
pub enum DictionaryCommand {
    /// What a term means: concepts, codes, parents, and the knowledge both ways.
    #[command(after_help = "Example:
  shorei dictionary lookup EGPA 低ナトリウム血症")]
    Lookup {
        /// Terms as reports write them.
        #[arg(required = true)]
        terms: Vec<String>,
        /// Every link, not only the 25 most frequent of each kind.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        packs: Packs,
    },
    /// Tables, rows, surface forms; of packs also what they change.
    Info {
        #[command(flatten)]
        packs: Packs,
    },
    /// Make a pack of dictionaries of your own.
    Build(BuildArgs),
    /// Duplicates, unknown parents and cycles, of packs or of the built-in dictionaries.
    Check {
        #[command(flatten)]
        packs: Packs,
    },
    /// What reports name and the dictionaries lack, most frequent first.
    Coverage(CoverageArgs),
}

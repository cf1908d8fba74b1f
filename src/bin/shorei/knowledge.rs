//! `shorei knowledge`.

use std::io::Write as _;
use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use shorei::Pipeline;
use shorei::search::CaseIndex;

use crate::input::Failure;
use crate::packs::Packs;

#[derive(clap::Parser)]
pub struct KnowledgeArgs {
    #[command(subcommand)]
    command: KnowledgeCommand,
}

#[derive(Subcommand)]
enum KnowledgeCommand {
    /// Fold the maps of all cases of an index into one weighted graph of what led to what.
    #[command(after_help = "Examples:
  shorei knowledge aggregate cases.index --min-cases 5 > links.tsv
  shorei search cases.index --knowledge links.tsv \"発熱 血小板低下\"
  shorei knowledge aggregate cases.index --format graphml > links.graphml")]
    Aggregate {
        /// The index's folder.
        index: PathBuf,
        /// What to print.
        #[arg(long, value_enum, default_value_t = GraphFormat::Tsv)]
        format: GraphFormat,
        /// Leave out links that fewer cases have.
        #[arg(long, default_value_t = 1)]
        min_cases: u64,
        /// So many ids of cases a link at most.
        #[arg(long, default_value_t = 5)]
        support: usize,
        #[command(flatten)]
        packs: Packs,
    },
}

/// Formats of a graph of causal links.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum GraphFormat {
    /// Tab-separated, with the columns of the knowledge tables: serves as --knowledge.
    Tsv,
    /// Comma-separated.
    Csv,
    /// One JSON object.
    Json,
    /// For Gephi, Cytoscape, networkx, yEd.
    Graphml,
}

/// Prints the graph; 0.
pub fn run(args: &KnowledgeArgs) -> Result<usize, Failure> {
    let KnowledgeCommand::Aggregate {
        index,
        format,
        min_cases,
        support,
        packs,
    } = &args.command;
    let pipeline = packs.over(Pipeline::load_default()?)?;
    let graph = CaseIndex::open(index, pipeline.shared_lexicon())?.aggregate(*min_cases, *support)?;
    let text = match format {
        GraphFormat::Tsv => graph.to_tsv(),
        GraphFormat::Csv => graph.to_csv()?,
        GraphFormat::Json => {
            serde_json::to_string_pretty(&graph)?
                + "
"
        }
        GraphFormat::Graphml => graph.to_graphml(),
    };
    anstream::stdout().write_all(text.as_bytes())?;
    Ok(0)
}

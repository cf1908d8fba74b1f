//! The `shorei` command. See `shorei --help`.

mod args;
mod batch;
mod dictionary;
mod evaluate;
mod explain;
mod index;
mod input;
mod knowledge;
mod models;
mod packs;
mod search;
mod structure;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command};

/// A report is thousands of small allocations, and the dictionaries are a million: the allocator is a
/// tenth of the time of either. (Without huge pages: making them takes a quarter of a second where
/// memory is fragmented.)
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Exit code when something was wrong with one report or file but the rest was done.
const PARTLY: u8 = 1;
/// Exit code when nothing could be done.
const FAILED: u8 = 2;

fn main() -> ExitCode {
    shorei::error::hide_panic_messages();
    let outcome = match Args::parse().command {
        Command::Structure(args) => structure::run(&args),
        Command::Batch(args) => batch::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Dictionary(args) => dictionary::run(&args),
        Command::Index(args) => index::run(&args),
        Command::Search(args) => search::run(&args),
        Command::Knowledge(args) => knowledge::run(&args),
    };
    match outcome {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(PARTLY),
        // The reader of a pipe has gone (`shorei … | head`): not a fault.
        Err(error) if input::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!("shorei: {error}");
            ExitCode::from(FAILED)
        }
    }
}

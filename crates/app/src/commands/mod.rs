//! One file a verb.

mod baseline;
mod bundle;
mod cited;
mod diagnose;
mod formats;
mod ingest;
mod keeping;
mod parse;
mod query;
mod removing;
mod rules;
mod standing;
mod store;

use crate::cli::{Cli, Verb};
use anyhow::Result;

/// Runs a command; the answer is the exit code.
pub fn run(cli: &Cli) -> Result<u8> {
    match &cli.verb {
        Verb::Diagnose(args) => diagnose::run(cli, args),
        Verb::Parse(args) => parse::run(cli, args),
        Verb::Formats(args) => formats::run(cli, args),
        Verb::Rules(args) => rules::run(cli, args),
        Verb::Ingest(args) => ingest::run(cli, args),
        Verb::Query(args) => query::run(cli, args),
        Verb::Store(args) => keeping::run(cli, args),
    }
}

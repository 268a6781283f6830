//! `whyline formats`: what is read, and what was chosen.

use crate::cli::{Cli, Formats};
use crate::output::safe;
use crate::{exit, load};
use anyhow::Result;
use std::io::Write;
use whyline_event::Key;
use whyline_parse::{Options, formats, prepare};

/// Runs the command.
pub fn run(cli: &Cli, args: &Formats) -> Result<u8> {
    let mut out = anstream::stdout().lock();
    if args.fields {
        for key in Key::ALL {
            writeln!(
                out,
                "{:34} {:9} {:28} {}",
                key.name(),
                format!("{:?}", key.kind()).to_lowercase(),
                key.aliases().join(" "),
                key.doc()
            )?;
        }
        return Ok(exit::DONE);
    }
    let own = load::own_formats(&args.rules)?;
    if args.detect.is_empty() {
        let mut names: Vec<&str> = formats::all().iter().chain(&own).map(|f| f.name()).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            writeln!(out, "{name}")?;
        }
        return Ok(exit::DONE);
    }
    let options = Options { threads: load::threads(cli.threads), formats: own, ..Options::default() };
    let bundle = prepare(&args.detect, &options);
    load::tell(&bundle.problems)?;
    for (input, plan) in bundle.inputs.iter().zip(&bundle.plans) {
        let stamped = if plan.stamped { "with time stamps" } else { "without time stamps" };
        writeln!(out, "{}: {} for {:.0} % of its first lines, {stamped}", safe::line(&input.source.path), plan.format, plan.share * 100.0)?;
    }
    Ok(exit::DONE)
}

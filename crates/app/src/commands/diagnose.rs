//! `whyline diagnose`: why did it happen?

use super::{bundle, cited, store};
use crate::cli::{Cli, Diagnose, DiagnosisFormat};
use crate::own::Own;
use crate::progress::Watch;
use crate::{exit, load, output, when};
use anyhow::{Result, bail};
use std::io::Write;
use whyline_diagnose::diagnose;
use whyline_event::stamp::NANOS;
use whyline_parse::Options;

/// Runs the command.
pub fn run(cli: &Cli, args: &Diagnose) -> Result<u8> {
    if args.paths.is_empty() && !args.baseline.is_empty() {
        return Err(exit::usage("--baseline goes with files: name the logs of the outage as well; a store holds its good days itself"));
    }
    let own = Own::read(&args.reading.rules)?;
    let pack = own.pack()?;
    let matcher = load::matcher(&pack);
    let watch = Watch::begin(false);
    let options = Options { progress: watch.progress(), ..load::options(&args.reading, &own, load::threads(cli.threads), None)? };
    let mut read = if args.paths.is_empty() {
        store::read(&cli.store, &options.told, &pack, &matcher)?
    } else {
        bundle::read(&args.paths, &args.baseline, &options, &pack, &matcher)?
    };
    let last = read.evidence.whole().map(|(_, last)| last.saturating_mul(NANOS));
    let mut asked = None;
    if let Some(stretch) = when::stretch(&args.window, &when::Base { last, zone: options.told.zone.as_ref() })? {
        asked = Some((stretch.from.div_euclid(NANOS), stretch.to.div_euclid(NANOS)));
    }
    watch.say("judging");
    let mut diagnosis = diagnose(&mut read.evidence, &pack, asked);
    if let Some(why) = read.evidence.requests.lost() {
        let folder = std::env::temp_dir();
        bail!(
            "requests that were put aside in a temporary file did not come back ({why}), so there is no answer\n  \
             help: the file lies in {}; set TMPDIR to a folder on another disk and run the command again",
            folder.display()
        );
    }
    cited::fill(&mut diagnosis, &read.from);
    drop(watch);
    let partial = load::tell(&read.problems)?;
    let mut out = anstream::stdout().lock();
    match args.format {
        DiagnosisFormat::Json => output::json::diagnosis(&mut out, &diagnosis, &read.evidence, &read.books)?,
        DiagnosisFormat::Text => {
            let look = output::text::Look { width: output::width(), explain: args.explain };
            output::text::diagnosis(&mut out, &diagnosis, &read.evidence, &read.books, &look)?;
        }
        DiagnosisFormat::Dot => output::graph::dot(&mut out, &diagnosis.trees)?,
        DiagnosisFormat::Mermaid => output::graph::mermaid(&mut out, &diagnosis.trees)?,
    }
    out.flush()?;
    let empty = load::tell_empty(read.evidence.sources.is_empty());
    let short = args.reading.strict && read.books.are_short();
    let reached = args.fail_on.is_some_and(|least| diagnosis.incidents.iter().any(|i| i.grade <= least.grade()));
    // What was reached stays reached, whatever else could have been read.
    Ok(match (reached, partial || empty || short) {
        (true, _) => exit::NEGATIVE,
        (false, true) => exit::PARTIAL,
        (false, false) => exit::DONE,
    })
}

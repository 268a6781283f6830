//! `whyline diagnose`: why did it happen?

use super::{bundle, cited, store};
use crate::cli::{Cli, Diagnose, DiagnosisFormat};
use crate::ground::{self, Asked, Ground};
use crate::own::Own;
use crate::progress::Watch;
use crate::{exit, load, output, when};
use anyhow::{Result, bail};
use std::io::Write;
use std::path::Path;
use whyline_diagnose::{Diagnosis, Evidence, diagnose};
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
    let (mut asked, mut seconds) = (None, None);
    if let Some(stretch) = when::stretch(&args.window, &when::Base { last, zone: options.told.zone.as_ref() })? {
        asked = Some(Asked::of(stretch, &read.evidence));
        seconds = Some((stretch.from.div_euclid(NANOS), stretch.to.div_euclid(NANOS)));
    }
    watch.say("judging");
    let mut diagnosis = diagnose(&mut read.evidence, &pack, seconds);
    if let Some(why) = read.evidence.requests.lost() {
        let folder = std::env::temp_dir();
        bail!(
            "requests that were put aside in a temporary file did not come back ({why}), so there is no answer\n  \
             help: the file lies in {}; set TMPDIR to a folder on another disk and run the command again",
            folder.display()
        );
    }
    read.problems.extend(own.taken_away());
    cited::fill(&mut diagnosis, &read.from);
    drop(watch);
    let partial = load::tell(&read.problems)?;
    ground::named_as_sources(&mut read.problems, &args.paths);
    let ground = Ground { books: read.books, problems: read.problems, asked, is_store: args.paths.is_empty() };
    ground::mark_unreadable(&mut diagnosis, &read.evidence, &ground);
    write(args, &diagnosis, &read.evidence, &ground)?;
    let empty = tell_empty(&ground, &read.evidence, &cli.store);
    let short = args.reading.strict && ground.books.are_short();
    let reached = args.fail_on.is_some_and(|least| diagnosis.incidents.iter().any(|i| i.grade <= least.grade()));
    // What was reached stays reached, whatever else could have been read.
    Ok(match (reached, partial || empty || short) {
        (true, _) => exit::NEGATIVE,
        (false, true) => exit::PARTIAL,
        (false, false) => exit::DONE,
    })
}

/// Writes the answer as it is wished.
fn write(args: &Diagnose, diagnosis: &Diagnosis, evidence: &Evidence, ground: &Ground) -> Result<()> {
    let mut out = anstream::stdout().lock();
    match args.format {
        DiagnosisFormat::Json => output::json::diagnosis(&mut out, diagnosis, evidence, ground)?,
        DiagnosisFormat::Text => {
            let look = output::text::Look { width: output::width(), explain: args.explain };
            output::text::diagnosis(&mut out, diagnosis, evidence, ground, &look)?;
        }
        DiagnosisFormat::Dot => output::graph::dot(&mut out, &diagnosis.trees)?,
        DiagnosisFormat::Mermaid => output::graph::mermaid(&mut out, &diagnosis.trees)?,
    }
    Ok(out.flush()?)
}

/// Says that there was nothing to read, or nothing in the stretch that was asked for, where this is so.
fn tell_empty(ground: &Ground, evidence: &Evidence, store: &Path) -> bool {
    if evidence.sources.is_empty() && ground.is_store {
        load::note(&format!(
            "warning: the store {} is empty: nothing was ingested, or the first ingest was interrupted; run `whyline ingest PATH...` again",
            store.display()
        ));
        return true;
    }
    if ground.asked_in_vain() {
        load::note("warning: no event lies in the stretch of time that was asked for");
        return true;
    }
    load::tell_empty(evidence.sources.is_empty())
}

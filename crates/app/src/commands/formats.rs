//! `whyline formats`: what is read, and what was chosen.

use crate::cli::{Cli, Formats, PlainFormat};
use crate::output::formats as shown;
use crate::own::Own;
use crate::{exit, load};
use anyhow::Result;
use std::io::Write;
use std::sync::Arc;
use whyline_event::Key;
use whyline_parse::explain::explain;
use whyline_parse::{Format, Options, catalogue, prepare, settle_clocks};

/// Runs the command.
pub fn run(cli: &Cli, args: &Formats) -> Result<u8> {
    let mut out = anstream::stdout().lock();
    let json = args.format == PlainFormat::Json;
    if args.fields {
        if json {
            write_json(&mut out, &shown::fields_json())?
        } else {
            fields(&mut out)?
        }
        return Ok(exit::DONE);
    }
    let rules = Own::read(&args.rules)?;
    let own = rules.formats()?;
    if !args.detect.is_empty() {
        return detect(cli, args, own, &mut out);
    }
    let told = rules.entries();
    if let Some(name) = &args.name {
        let Some(entry) = catalogue::find(name).or_else(|| told.iter().find(|entry| entry.name == *name)) else {
            let names = catalogue::entries().iter().chain(&told).map(|e| e.name.as_str());
            return Err(exit::usage(format!(
                "{name}: there is no such format; {}`whyline formats` lists them all",
                load::meant(name, names)
            )));
        };
        if json {
            write_json(&mut out, &shown::entry_json(entry, &own))?
        } else {
            shown::entry(&mut out, entry, &own)?
        }
        return Ok(exit::DONE);
    }
    let all: Vec<&catalogue::Entry> = catalogue::entries().iter().chain(&told).collect();
    if json {
        write_json(&mut out, &shown::list_json(&all, &own))?;
    } else {
        shown::list(&mut out, &all)?;
    }
    Ok(exit::DONE)
}

fn fields(out: &mut dyn Write) -> Result<()> {
    for key in Key::ALL {
        let kind = format!("{:?}", key.kind()).to_lowercase();
        writeln!(out, "{:34} {kind:9} {:28} {}", key.name(), key.aliases().join(" "), key.doc())?;
    }
    Ok(())
}

/// Says for each file what was chosen for which lines.
fn detect(cli: &Cli, args: &Formats, formats: Vec<Arc<dyn Format>>, out: &mut dyn Write) -> Result<u8> {
    let options = Options { threads: load::threads(cli.threads), formats, read_at: load::now(), ..Options::default() };
    let bundle = prepare(&args.detect, &options);
    let partial = load::tell(&bundle.problems)?;
    let (explained, facts) = explain(&bundle, options.threads);
    let settled = settle_clocks(&bundle, &facts, &options.told);
    let files = bundle.inputs.iter().zip(&explained).zip(&settled);
    if args.format == PlainFormat::Json {
        let files: Vec<_> = files.map(|((input, one), settled)| shown::explained_json(&input.source.path, one, settled)).collect();
        write_json(out, &serde_json::json!({"schema": 1, "files": files}))?;
    } else {
        for ((input, one), settled) in files {
            shown::explained(out, &input.source.path, one, settled)?;
        }
    }
    let empty = load::tell_empty(bundle.inputs.is_empty());
    Ok(if partial || empty { exit::PARTIAL } else { exit::DONE })
}

fn write_json(out: &mut dyn Write, value: &serde_json::Value) -> Result<()> {
    // As an error of writing, so that a reader who left is known as one.
    serde_json::to_writer_pretty(&mut *out, value).map_err(std::io::Error::from)?;
    writeln!(out)?;
    Ok(())
}

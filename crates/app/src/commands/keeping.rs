//! `whyline store`: what the store holds, whether it is whole, and what keeps it small.

use super::store::{self, Known};
use crate::books::size;
use crate::cli::{Cli, PlainFormat, StoreArgs, StoreVerb};
use crate::output::{safe, words};
use crate::{exit, load, when};
use anyhow::Result;
use serde_json::{Value as Json, json};
use std::io::Write;
use whyline_event::stamp::rfc3339;
use whyline_store::{Store, Writer, verify};

/// Memory for putting packs together, in bytes.
const MEMORY: usize = 400 << 20;

/// Runs the command.
pub fn run(cli: &Cli, args: &StoreArgs) -> Result<u8> {
    match &args.verb {
        StoreVerb::Info => info(cli, args.format),
        StoreVerb::Verify => check(cli, args.format),
        StoreVerb::Compact => compact(cli, args.format),
        StoreVerb::Rm { before, source } => remove(cli, args.format, before.as_deref(), source),
    }
}

fn print(text: &str) -> Result<()> {
    writeln!(anstream::stdout().lock(), "{text}")?;
    Ok(())
}

fn answer(format: PlainFormat, text: &str, json: &Json) -> Result<()> {
    match format {
        PlainFormat::Text => print(text),
        PlainFormat::Json => print(&serde_json::to_string_pretty(json)?),
    }
}

fn info(cli: &Cli, format: PlainFormat) -> Result<u8> {
    let store = store::open(&cli.store)?;
    let info = store.info().map_err(store::failed)?;
    let bytes = info.packs + info.index + info.rest;
    let ratio = if info.text == 0 { 0.0 } else { bytes as f64 / info.text as f64 };
    let times = info.times.map(|(from, to)| (rfc3339(from, 0), rfc3339(to, 0)));
    let listed: Vec<_> = store.order().into_iter().map(|number| &store.sources()[number]).collect();
    let original = |same: Option<u32>| same.and_then(|n| store.sources().get(n as usize)).map(|s| s.path.clone());
    let mut text = format!(
        "{} of {}, {} of raw text\n{} on disk ({:.2} of the text): {} events, {} index, {} tables\n",
        words::count(info.events, "event", "events"),
        words::count(info.sources, "source", "sources"),
        size(info.text),
        size(bytes),
        ratio,
        size(info.packs),
        size(info.index),
        size(info.rest)
    );
    match &times {
        Some((from, to)) => text.push_str(&format!("from {from} to {to}\n")),
        None => text.push_str("no event has a time\n"),
    }
    text.push_str(&format!("form {}\n", whyline_store::FORM));
    if info.removed > 0 {
        text.push_str(&format!("{} removed since it was made\n", words::count(info.removed, "event was", "events were")));
    }
    if info.dead >= 0.05 {
        text.push_str(&format!("{} of it is free for `whyline store compact` to give back\n", words::percent(info.dead)));
    }
    if info.capped > 0 {
        let times = words::count(info.capped, "time", "times");
        text.push_str(&format!(
            "{times} records were kept in a plainer way, because they were of too many kinds; they are found all the same\n"
        ));
    }
    for source in &listed {
        let mut notes = Vec::new();
        notes.extend(original(source.same_as).map(|of| format!("the same as {of}")));
        if source.unfinished {
            notes.push("unfinished: storing it was interrupted; ingest it again".to_string());
        }
        let notes = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join("; ")) };
        text.push_str(&format!(
            "  {}: {}, {}{notes}\n",
            source.path,
            words::count(source.counted.records, "record", "records"),
            size(source.length)
        ));
        source.problems.iter().for_each(|problem| text.push_str(&format!("    {problem}\n")));
    }
    let sources: Vec<Json> = listed
        .iter()
        .map(|s| {
            json!({"source": s.path, "host": s.host, "records": s.counted.records, "lines": s.counted.lines, "bytes": s.length,
                   "same_as": original(s.same_as), "unfinished": s.unfinished, "problems": s.problems})
        })
        .collect();
    let json = json!({
        "form": whyline_store::FORM, "events": info.events, "text_bytes": info.text, "bytes": bytes, "ratio": ratio,
        "parts": {"packs": info.packs, "index": info.index, "tables": info.rest},
        "first": times.as_ref().map(|t| &t.0), "last": times.as_ref().map(|t| &t.1),
        "removed": info.removed, "free": info.dead, "capped": info.capped, "unfinished": info.unfinished, "sources": sources,
    });
    answer(format, safe::lines(text.trim_end()).as_ref(), &json)?;
    Ok(exit::DONE)
}

fn check(cli: &Cli, format: PlainFormat) -> Result<u8> {
    let found = verify(&cli.store).map_err(store::failed)?;
    let mut text = format!("{}, {}: ", words::count(found.files, "file", "files"), size(found.bytes));
    text.push_str(if found.faults.is_empty() { "as they were written" } else { "damaged" });
    found.faults.iter().for_each(|fault| text.push_str(&format!("\n  {fault}")));
    if !found.faults.is_empty() {
        text.push_str("\nremove the folder and ingest the logs again");
    } else if found.interrupted {
        text.push_str("\nstoring was interrupted or goes on; run the same `whyline ingest` again");
    }
    let json = json!({"files": found.files, "bytes": found.bytes, "faults": found.faults, "interrupted": found.interrupted});
    answer(format, safe::lines(&text).as_ref(), &json)?;
    Ok(if found.faults.is_empty() { exit::DONE } else { exit::NEGATIVE })
}

fn disk(store: &Store) -> Result<u64> {
    let info = store.info().map_err(store::failed)?;
    Ok(info.packs + info.index + info.rest)
}

fn compact(cli: &Cli, format: PlainFormat) -> Result<u8> {
    let before = disk(&store::open(&cli.store)?)?;
    let mut writer = Writer::open(&cli.store, 1, MEMORY).map_err(store::failed)?;
    writer.compact().map_err(store::failed)?;
    writer.commit(&[]).map_err(store::failed)?;
    let after = disk(&store::open(&cli.store)?)?;
    answer(format, &format!("{} before, {} now", size(before), size(after)), &json!({"before": before, "after": after}))?;
    Ok(exit::DONE)
}

fn remove(cli: &Cli, format: PlainFormat, before: Option<&str>, globs: &[String]) -> Result<u8> {
    let store = store::open(&cli.store)?;
    let known = Known::of(&store, &whyline_parse::Told::default())?;
    let fits = |path: &str| globs.iter().any(|glob| whyline_parse::reading::glob(glob, path));
    let sources = store.sources().iter().zip(0u32..);
    let numbers: Vec<u32> = sources.filter(|(s, _)| !s.gone && fits(&s.path)).map(|(_, n)| n).collect();
    let base = when::Base { last: known.last(&store)?, zone: None };
    let instant = before.map(|text| when::instant("--before", text, &base)).transpose()?;
    drop(store);
    if before.is_none() && numbers.is_empty() {
        load::note("warning: no source fits; `whyline store info` lists them");
    }
    let mut writer = Writer::open(&cli.store, 1, MEMORY).map_err(store::failed)?;
    let mut removed = 0;
    if !numbers.is_empty() {
        removed += writer.remove_sources(&numbers).map_err(store::failed)?;
    }
    if let Some(instant) = instant {
        removed += writer.remove_before(instant, &known.clocks()).map_err(store::failed)?;
    }
    if removed > 0 || !numbers.is_empty() {
        writer.compact().map_err(store::failed)?;
    }
    let left = writer.len();
    writer.commit(&[]).map_err(store::failed)?;
    let text = format!("{} removed, {left} left", words::count(removed, "event", "events"));
    answer(format, &text, &json!({"removed": removed, "left": left, "sources": numbers.len()}))?;
    Ok(if removed == 0 && numbers.is_empty() { exit::NEGATIVE } else { exit::DONE })
}

//! `whyline store`: what the store holds, whether it is whole, and what keeps it small.

use super::{removing, store};
use crate::books::size;
use crate::cli::{Cli, PlainFormat, StoreArgs, StoreVerb};
use crate::exit;
use crate::output::{safe, words};
use anyhow::Result;
use serde_json::{Value as Json, json};
use std::io::Write;
use whyline_event::stamp::rfc3339;
use whyline_store::{Dropped, Info, Left, Store, StoredSource, Writer, verify};

/// Memory for putting packs together, in bytes.
pub(super) const MEMORY: usize = 400 << 20;

/// Runs the command.
pub fn run(cli: &Cli, args: &StoreArgs) -> Result<u8> {
    match &args.verb {
        StoreVerb::Info => info(cli, args.format),
        StoreVerb::Verify => check(cli, args.format),
        StoreVerb::Compact { drop_damaged } => compact(cli, args.format, *drop_damaged),
        StoreVerb::Rm { before, source, dry_run } => {
            removing::run(cli, args.format, &removing::What { before: before.as_deref(), globs: source, dry_run: *dry_run })
        }
    }
}

fn print(text: &str) -> Result<()> {
    writeln!(anstream::stdout().lock(), "{text}")?;
    Ok(())
}

pub(super) fn answer(format: PlainFormat, text: &str, json: &Json) -> Result<()> {
    match format {
        PlainFormat::Text => print(text),
        PlainFormat::Json => print(&serde_json::to_string_pretty(json)?),
    }
}

fn info(cli: &Cli, format: PlainFormat) -> Result<u8> {
    let store = store::open(&cli.store)?;
    let info = store.info().map_err(store::failed)?;
    let mut text = summary(&info);
    let mut sources: Vec<Json> = Vec::new();
    for number in store.order() {
        let source = &store.sources()[number];
        let left = info.of_sources.get(number).copied().unwrap_or_default();
        let same_as = source.same_as.and_then(|n| store.sources().get(n as usize)).map(|s| s.path.as_str());
        text.push_str(&line(source, left, same_as));
        source.problems.iter().for_each(|problem| text.push_str(&format!("    {problem}\n")));
        let times = left.times.map(|(from, to)| (rfc3339(from, 0), rfc3339(to, 0)));
        sources.push(json!({"source": source.path, "host": source.host, "records": source.counted.records, "events": left.events,
            "first": times.as_ref().map(|t| &t.0), "last": times.as_ref().map(|t| &t.1), "lines": source.counted.lines,
            "bytes": source.length, "same_as": same_as, "unfinished": source.unfinished, "problems": source.problems}));
    }
    let times = info.times.map(|(from, to)| (rfc3339(from, 0), rfc3339(to, 0)));
    let json = json!({
        "form": whyline_store::FORM, "events": info.events, "text_bytes": info.text, "bytes": bytes(&info), "ratio": ratio(&info),
        "parts": {"packs": info.packs, "index": info.index, "tables": info.rest},
        "first": times.as_ref().map(|t| &t.0), "last": times.as_ref().map(|t| &t.1),
        "removed": info.removed, "free": info.dead, "capped": info.capped, "unfinished": info.unfinished, "sources": sources,
    });
    answer(format, safe::lines(text.trim_end()).as_ref(), &json)?;
    Ok(if store::tell_damages(&store, &cli.store)? { exit::PARTIAL } else { exit::DONE })
}

fn bytes(info: &Info) -> u64 {
    info.packs + info.index + info.rest
}

fn ratio(info: &Info) -> f64 {
    if info.text == 0 { 0.0 } else { bytes(info) as f64 / info.text as f64 }
}

/// What a store holds as a whole.
fn summary(info: &Info) -> String {
    let mut text = format!(
        "{} of {}, {} of raw text\n{} on disk ({:.2} of the text): {} events, {} index, {} tables\n",
        words::count(info.events, "event", "events"),
        words::count(info.sources, "source", "sources"),
        size(info.text),
        size(bytes(info)),
        ratio(info),
        size(info.packs),
        size(info.index),
        size(info.rest)
    );
    match info.times {
        Some((from, to)) => text.push_str(&format!("from {} to {}\n", rfc3339(from, 0), rfc3339(to, 0))),
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
    text
}

/// What a store holds of a source, in a line.
fn line(source: &StoredSource, left: Left, same_as: Option<&str>) -> String {
    let mut notes = Vec::new();
    notes.extend(same_as.map(|of| format!("the same as {of}")));
    if source.unfinished {
        notes.push("unfinished: storing it goes on, was interrupted, or lost something to damage; ingest it again".to_string());
    }
    let notes = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join("; ")) };
    let records = words::count(source.counted.records, "record", "records");
    let records = match left.events {
        events if source.unfinished => format!("{} so far", words::count(events, "record", "records")),
        events if same_as.is_none() && events < source.own() => format!("{} of {records} left", words::number(events)),
        _ => records,
    };
    // How long a source is that was interrupted is not known.
    let length = if source.length > 0 { format!(", {}", size(source.length)) } else { String::new() };
    let times = left.times.map(|(from, to)| format!(", {} to {}", rfc3339(from, 0), rfc3339(to, 0))).unwrap_or_default();
    format!("  {}: {records}{length}{times}{notes}\n", source.path)
}

fn check(cli: &Cli, format: PlainFormat) -> Result<u8> {
    let found = verify(&cli.store).map_err(store::failed)?;
    let mut text = format!("{}, {}: ", words::count(found.files, "file", "files"), size(found.bytes));
    text.push_str(if found.faults.is_empty() { "as they were written" } else { "damaged" });
    found.faults.iter().for_each(|fault| text.push_str(&format!("\n  {fault}")));
    if !found.faults.is_empty() {
        text.push_str(&format!("\n{}", store::HOW_TO_MEND));
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

fn compact(cli: &Cli, format: PlainFormat, drop_damaged: bool) -> Result<u8> {
    let before = disk(&store::open(&cli.store)?)?;
    let mut writer = Writer::open(&cli.store, 1, MEMORY).map_err(store::failed)?;
    let dropped = if drop_damaged { writer.drop_damaged().map_err(store::failed)? } else { Dropped::default() };
    writer.compact().map_err(store::failed)?;
    writer.commit(&[]).map_err(store::failed)?;
    let after = disk(&store::open(&cli.store)?)?;
    let mut text = format!("{} before, {} now", size(before), size(after));
    if drop_damaged && dropped.files.is_empty() {
        text.push_str("\nnothing was damaged");
    } else if !dropped.files.is_empty() {
        text.push_str(&format!("\n{} given up, from {}", words::count(dropped.events, "event", "events"), dropped.files.join(", ")));
        dropped.sources.iter().for_each(|source| text.push_str(&format!("\n  {source}: ingest it again to have all of its events")));
    }
    let mut json = json!({"before": before, "after": after});
    if drop_damaged {
        json["dropped"] = json!({"events": dropped.events, "files": dropped.files, "sources": dropped.sources});
    }
    answer(format, safe::lines(&text).as_ref(), &json)?;
    Ok(exit::DONE)
}

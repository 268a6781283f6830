//! `whyline store rm`: removing events that are old, or that came from some sources.

use super::keeping::{MEMORY, answer};
use super::store::{self, Known};
use crate::cli::{Cli, PlainFormat};
use crate::output::{safe, words};
use crate::{exit, load, when};
use anyhow::Result;
use serde_json::{Value as Json, json};
use whyline_event::{Origin, Record, Source};
use whyline_query::{Node, Query, Target};
use whyline_store::{Store, Writer};

/// What is to be removed.
pub struct What<'a> {
    /// Events before a time.
    pub before: Option<&'a str>,
    /// Sources that fit, as `source:` of a query takes them.
    pub globs: &'a [String],
    /// Only say what would be removed.
    pub dry_run: bool,
}

/// Runs the command.
pub fn run(cli: &Cli, format: PlainFormat, what: &What<'_>) -> Result<u8> {
    let fits = what.globs.iter().map(|glob| asked(glob)).collect::<Result<Vec<Query>>>()?;
    let store = store::open(&cli.store)?;
    let known = Known::of(&store, &whyline_parse::Told::default())?;
    let none = Record::new("", Origin::default());
    let fits = |source: &Source| fits.iter().any(|query| query.matches_in(&none, Some(source)));
    let sources = store.sources().iter().zip(0u32..);
    let numbers: Vec<u32> = sources.filter(|(s, _)| !s.gone && fits(&s.source())).map(|(_, n)| n).collect();
    let base = when::Base { last: known.last(&store)?, zone: None };
    let instant = what.before.map(|text| when::instant("--before", text, &base)).transpose()?;
    if what.before.is_none() && numbers.is_empty() {
        load::note("warning: no source fits; `whyline store info` lists them, and `whyline query 'source:GLOB' --count` tries a pattern");
    }
    if what.dry_run {
        return tell(&store, &known, format, &numbers, instant);
    }
    drop(store);
    let mut writer = Writer::open(&cli.store, 1, MEMORY).map_err(store::failed)?;
    let mut removed = 0;
    if !numbers.is_empty() {
        removed += writer.remove_sources(&numbers).map_err(store::failed)?;
    }
    if let Some(instant) = instant {
        removed += writer.remove_before(instant, &known.clocks()).map_err(store::failed)?;
    }
    if removed == 0 && numbers.is_empty() {
        let left = writer.len();
        writer.leave().map_err(store::failed)?;
        return said(format, removed, left, 0);
    }
    writer.compact().map_err(store::failed)?;
    let left = writer.len();
    writer.commit(&[]).map_err(store::failed)?;
    said(format, removed, left, numbers.len())
}

/// A pattern, as `source:` of a query takes it.
fn asked(glob: &str) -> Result<Query> {
    let wrong = |why: &str| {
        exit::usage(format!("--source {glob}: {why}; write what stands behind `source:` in a query, with ? for a blank, as in `web01/*`"))
    };
    let query = Query::parse(&format!("source:{glob}")).map_err(|_| wrong("it cannot be read"))?;
    let mut other = false;
    query.root().walk(&mut |node, _| {
        other |= match node {
            Node::Field(target, _) => *target != Target::Source,
            Node::Words(_) | Node::All => true,
            _ => false,
        };
    });
    if other { Err(wrong("it asks for more than sources")) } else { Ok(query) }
}

fn said(format: PlainFormat, removed: u64, left: u64, sources: usize) -> Result<u8> {
    let text = format!("{} removed, {} left", words::count(removed, "event", "events"), words::number(left));
    answer(format, &text, &json!({"removed": removed, "left": left, "sources": sources}))?;
    Ok(if removed == 0 && sources == 0 { exit::NEGATIVE } else { exit::DONE })
}

/// Says what would be removed of each source.
fn tell(store: &Store, known: &Known, format: PlainFormat, numbers: &[u32], instant: Option<i64>) -> Result<u8> {
    let held = store.info().map_err(store::failed)?.of_sources;
    let before = instant.map(|instant| store.events_before(instant, &known.clocks())).transpose().map_err(store::failed)?;
    let (mut text, mut listed, mut removed) = (String::new(), Vec::<Json>::new(), 0);
    for number in store.order() {
        let whole = numbers.contains(&(number as u32));
        let all = held.get(number).map_or(0, |left| left.events);
        let gone = if whole { all } else { before.as_ref().and_then(|sums| sums.get(number)).copied().unwrap_or(0) };
        if whole || gone > 0 {
            let path = &store.sources()[number].path;
            removed += gone;
            text.push_str(&format!("  {path}: {} of {}\n", words::number(gone), words::count(all, "event", "events")));
            listed.push(json!({"source": path, "removed": gone, "left": all - gone.min(all)}));
        }
    }
    let left = store.len().saturating_sub(removed);
    let text = format!("{} would be removed, {} left\n{text}", words::count(removed, "event", "events"), words::number(left));
    let json = json!({"dry_run": true, "removed": removed, "left": left, "sources": listed});
    answer(format, safe::lines(text.trim_end()).as_ref(), &json)?;
    Ok(if listed.is_empty() { exit::NEGATIVE } else { exit::DONE })
}

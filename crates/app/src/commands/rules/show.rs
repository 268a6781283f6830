//! `whyline rules show`: all that is known of one rule.

use super::elsewhere;
use crate::exit;
use crate::own::Own;
use anyhow::Result;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;
use whyline_diagnose::Pack;
use whyline_diagnose::rules::written::{At, File, Filter, Format, Signal};
use whyline_diagnose::rules::{Fault, Through};

/// Runs the command.
pub fn run(id: &str, extra: &[PathBuf]) -> Result<u8> {
    let pack = Own::read(extra)?.pack()?;
    let mut out = anstream::stdout().lock();
    let mut found = false;
    for file in &pack.files {
        for format in file.formats.iter().filter(|f| f.id.text == id) {
            found = true;
            show_format(&mut out, file, format)?;
        }
        for filter in file.filters.iter().filter(|f| f.id.text == id) {
            found = true;
            show_filter(&mut out, file, filter)?;
        }
        for signal in file.signals.iter().filter(|s| s.id.text == id) {
            found = true;
            show_signal(&mut out, &pack, file, signal)?;
        }
    }
    if let Some(fault) = pack.fault(id).and_then(|i| pack.faults.get(i)) {
        found = true;
        show_fault(&mut out, &pack, fault)?;
    } else if let Some((file, fault)) =
        pack.files.iter().flat_map(|file| file.faults.iter().map(move |fault| (file, fault))).find(|(_, fault)| fault.id.text == id)
    {
        found = true;
        writeln!(out, "fault {id}: {}\n  file     {}:{}", fault.title, file.name, fault.id.line)?;
        show_off(&mut out, &pack, id)?;
    }
    if let Some(computed) = whyline_diagnose::computed::find(id) {
        found = true;
        writeln!(out, "measure {id}: {}", computed.title)?;
        show_off(&mut out, &pack, id)?;
    }
    if found {
        Ok(exit::DONE)
    } else {
        Err(exit::usage(format!("there is no signal, fault, filter or format `{id}` in the rules; {}", elsewhere(id, &pack))))
    }
}

fn show_signal(out: &mut impl Write, pack: &Pack, file: &File, signal: &Signal) -> Result<()> {
    let id = &signal.id.text;
    writeln!(out, "signal {id}: {}\n  file     {}:{}", signal.title, file.name, signal.id.line)?;
    if let Some(query) = &signal.query {
        writeln!(out, "  query    {}", query.text)?;
    }
    for (file, filter) in pack.filters_of(id) {
        writeln!(out, "  without  {} ({} {}:{})", filter.query.text, filter.id.text, file.name, filter.id.line)?;
    }
    if let Some(count) = &signal.count {
        let by = count.by.as_ref().map_or_else(|| "by whom each accuses".into(), |by| format!("by {}", by.text));
        let (of, at_least, within) = (&count.of.text, count.at_least, length(count.within));
        writeln!(out, "  count    of {of}, at least {at_least} within {within}, {by}")?;
    }
    let entity: Vec<&str> = signal.entity.iter().map(|e| e.text.as_str()).collect();
    let accused = match (&signal.count, entity.is_empty()) {
        (Some(count), _) => count.by.as_ref().map_or_else(|| format!("whom {} accuses", count.of.text), |by| by.text.clone()),
        (None, true) => "the service that writes it".into(),
        (None, false) => entity.join(", else "),
    };
    writeln!(out, "  accuses  {accused}")?;
    if !signal.until.is_empty() {
        let until: Vec<&str> = signal.until.iter().map(|u| u.text.as_str()).collect();
        writeln!(out, "  until    {}", until.join(", or "))?;
    }
    if signal.after > 0 {
        writeln!(out, "  after    {}", length(signal.after))?;
    }
    if !signal.origin.is_empty() {
        writeln!(out, "  origin   {}", signal.origin)?;
    }
    show_examples(out, [("matches", &signal.matching), ("ignores", &signal.ignoring)])?;
    let used: BTreeSet<&str> = pack
        .files
        .iter()
        .flat_map(|f| &f.faults)
        .filter(|f| f.evidence.iter().any(|e| e.signal.text == *id))
        .map(|f| f.id.text.as_str())
        .collect();
    writeln!(out, "  used by  {}", if used.is_empty() { "no fault".into() } else { used.into_iter().collect::<Vec<_>>().join(", ") })?;
    show_off(out, pack, id)
}

fn show_examples(out: &mut impl Write, lists: [(&str, &Vec<At>); 2]) -> Result<()> {
    for (verb, examples) in lists {
        for example in examples {
            writeln!(out, "  {verb:8} {}", example.text.trim_end().replace('\n', "\n           "))?;
        }
    }
    Ok(())
}

fn show_fault(out: &mut impl Write, pack: &Pack, fault: &Fault) -> Result<()> {
    writeln!(out, "fault {}: {}", fault.id, fault.title)?;
    for (file, own) in pack.files.iter().flat_map(|file| file.faults.iter().map(move |own| (file, own))) {
        if own.id.text == fault.id {
            let verb = if own.extends { "extended" } else { "file" };
            writeln!(out, "  {verb:8} {}:{}", file.name, own.id.line)?;
        }
    }
    for e in &fault.explains {
        writeln!(out, "  leads to {}{}", pack.faults[e.fault].id, way(e.through))?;
    }
    for e in &fault.because {
        writeln!(out, "  because  {}", pack.faults[*e].id)?;
    }
    for e in &fault.evidence {
        let verb = if e.weight < 0.0 { "against" } else { "for" };
        writeln!(out, "  {verb:8} {:44} {:+.2}", pack.signals[e.signal as usize].id, e.weight)?;
    }
    for (word, lines) in [("check", &fault.check), ("fix", &fault.fix), ("prevent", &fault.prevent)] {
        for line in lines {
            writeln!(out, "  {word:8} {line}")?;
        }
    }
    Ok(())
}

/// Where a rule is switched off.
fn show_off(out: &mut impl Write, pack: &Pack, id: &str) -> Result<()> {
    for (file, at) in pack.off(id) {
        writeln!(out, "  off      by `{}`, {}:{}", at.text, file.name, at.line)?;
    }
    Ok(())
}

fn show_filter(out: &mut impl Write, file: &File, filter: &Filter) -> Result<()> {
    writeln!(out, "filter {}: {}\n  file     {}:{}", filter.id.text, filter.title, file.name, filter.id.line)?;
    let signals: Vec<&str> = filter.signals.iter().map(|at| at.text.as_str()).collect();
    writeln!(out, "  keeps    {}\n  from     {}", filter.query.text, signals.join(", "))?;
    show_examples(out, [("keeps", &filter.matching), ("leaves", &filter.ignoring)])
}

/// How a fault is connected with what it leads to, in the words of rule files.
fn way(through: Through) -> &'static str {
    match through {
        Through::Upstream => " (through: upstream)",
        Through::Dependency => " (through: dependency)",
        Through::Host => " (through: host)",
        Through::Same => " (through: same)",
        Through::Any => " (through: any)",
        Through::Unsaid => "",
    }
}

/// A length of time as rule files have it.
fn length(seconds: u64) -> String {
    let units = [(86_400, "d"), (3600, "h"), (60, "m")];
    let unit = units.into_iter().find(|(unit, _)| seconds > 0 && seconds.is_multiple_of(*unit));
    unit.map_or_else(|| format!("{seconds}s"), |(unit, name)| format!("{}{name}", seconds / unit))
}

fn show_format(out: &mut impl Write, file: &File, format: &Format) -> Result<()> {
    writeln!(out, "format {}: {}\n  file     {}:{}", format.id.text, format.title, file.name, format.id.line)?;
    let options = [("timestamp", &format.timestamp), ("zone", &format.zone), ("starts", &format.starts)];
    let told = format.told.iter().map(|(key, text)| (key.as_str(), text));
    for (key, text) in told.chain(options.into_iter().filter_map(|(key, at)| Some((key, at.as_ref()?)))) {
        writeln!(out, "  {key:8} {}", text.text.trim_end().replace('\n', "\n           "))?;
    }
    for (group, unit) in &format.units {
        writeln!(out, "  unit     {} in {}", group.text, unit.text)?;
    }
    if !format.provides.is_empty() {
        writeln!(out, "  adds     {}", format.provides.join(", "))?;
    }
    for sample in &format.samples {
        let verb = if sample.reads { "reads" } else { "leaves" };
        writeln!(out, "  {verb:8} {}", sample.text.text.trim_end().replace('\n', "\n           "))?;
    }
    Ok(())
}

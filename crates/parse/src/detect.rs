//! Which formats a source is written in: scored over its first records.

use crate::cut::{read, text_of};
use crate::format::{Cx, Fit, Format};
use crate::formats::json::list::List;
use crate::formats::json::yaml::Events;
use crate::fractions::{Durations, Fractions};
use crate::order::Expected;
use crate::section::Commands;
use crate::wrapped::{self, Wrap};
use std::collections::BTreeMap;
use std::sync::Arc;
use whyline_event::stamp::NANOS;
use whyline_event::{Bump, Form, Key, Origin};

/// Lines of a source that detection looks at.
pub const HEAD_LINES: usize = 400;

/// Lines of the head on which every format is tried.
const SAMPLE: usize = 48;

/// Where more of the lines than this are read they are not broken.
const WELL_READ: f64 = 0.85;

/// Of them the first ones: a file may say what it is in its first lines alone.
const FIRST: usize = 4;

/// So many lines: the first ones, and the others evenly spread.
fn spread<'a>(lines: &[&'a str], count: usize) -> Vec<&'a str> {
    let (first, rest) = lines.split_at(lines.len().min(FIRST));
    let step = rest.len().div_ceil(count - FIRST).max(1);
    first.iter().chain(rest.iter().step_by(step)).copied().collect()
}

/// How a source is read.
#[derive(Clone)]
pub struct Plan {
    /// The formats in the order in which they are tried on each record.
    pub order: Vec<Arc<dyn Format>>,
    /// The name of the format that reads most of the head (the innermost one).
    pub format: String,
    /// The share of the head's lines that it fits, 0 to 1.
    pub share: f64,
    /// Whether most records of the head carry a time stamp.
    pub stamped: bool,
    /// Host names that lines of the head carry, with counts.
    pub hosts: BTreeMap<String, u32>,
    /// Whether the head looks like no text at all.
    pub binary: bool,
    /// When its records are to be expected.
    pub expected: Expected,
    /// Output of commands that the head shows.
    pub commands: Commands,
    /// What its durations with a fraction and without a unit count.
    pub(crate) fractions: Fractions,
    /// Its lines were broken by a terminal, and are joined.
    pub(crate) wrap: Option<Arc<Wrap>>,
    /// Its lines look broken at so many columns, and could not be joined.
    pub(crate) looks_broken: Option<usize>,
}

/// Finds the formats of a source by its first lines.
///
/// Every format reads every line of the head; a format's score is the sum of its fits. Formats that read nothing are kept,
/// behind the others and in their general order, for the line that is unlike the rest. `known` formats (from an option or a
/// configuration file in the bundle) come before all others where they fit at all.
///
/// Lines that a terminal broke are joined before, where that makes them far better readable.
pub fn detect(head: &[u8], known: &[Arc<dyn Format>], all: &[Arc<dyn Format>]) -> Plan {
    let mut plan = by_lines(head, known, all);
    if plan.format != "generic" && plan.share > WELL_READ {
        return plan;
    }
    if let Some(joined) = wrapped::looks(head) {
        let mut better = by_lines(&joined.head, known, all);
        if wrapped::is_right(&plan, &joined, &better) {
            better.wrap = Some(Arc::new(joined.wrap));
            return better;
        }
        plan.looks_broken = wrapped::is_doubtful(&plan, &joined).then_some(joined.wrap.columns);
    }
    plan
}

/// The formats of a source by its first lines as they stand.
fn by_lines(head: &[u8], known: &[Arc<dyn Format>], all: &[Arc<dyn Format>]) -> Plan {
    let arena = Bump::new();
    let lines: Vec<&str> =
        head.split(|b| *b == b'\n').take(HEAD_LINES).map(|l| text_of(&arena, l.strip_suffix(b"\r").unwrap_or(l), true).0).collect();
    let (openers, all): (Vec<_>, Vec<_>) = all.iter().cloned().partition(|f| f.is_command());
    let (commands, inside) = match is_all_of_one(&arena, &all, &lines) {
        true => (Commands { openers, ..Commands::default() }, vec![None; lines.len()]),
        false => Commands::shown(openers, &lines),
    };
    let list = List::of(&lines);
    let events = Events::of(&lines);
    let objects =
        list.as_ref().map(|list| list.objects(&arena, &lines)).or_else(|| events.as_ref().map(|events| events.objects(&arena, &lines)));
    let outside = lines.into_iter().zip(&inside).filter(|(l, name)| name.is_none() && !l.trim().is_empty()).map(|(l, _)| l);
    let lines = objects.unwrap_or_else(|| crate::joins::whole(&arena, outside.collect()));
    let binary = crate::binary::suspected(head);
    let list = list.map(|list| Arc::new(list) as Arc<dyn Format>).or_else(|| events.map(|events| Arc::new(events) as Arc<dyn Format>));
    let mut order: Vec<Arc<dyn Format>> = known.iter().cloned().chain(list).chain(all.iter().cloned()).collect();
    let sample = spread(&lines, SAMPLE);
    order = ranked(&arena, order, &sample);
    // What the head teaches: columns without names, header lines.
    let texts = inner_texts(&arena, &order, &lines);
    let mut learnt = false;
    for format in &mut order {
        if let Some(head) = texts.get(format.name())
            && let Some(better) = format.learn(head)
        {
            *format = better;
            learnt = true;
        }
    }
    if learnt {
        order = ranked(&arena, order, &sample);
    }
    let mut plan = summary(&arena, order, &lines, binary);
    plan.commands = commands;
    by_command(&mut plan, lines.len(), &inside);
    plan
}

/// How surely a format reads a text; 0 when it does not.
fn fit<'a>(cx: &Cx<'a>, format: &Arc<dyn Format>, text: &'a str) -> Fit {
    let mut record = whyline_event::Record::new(text, Origin::default());
    format.read(cx, text, &mut record).unwrap_or(0)
}

/// Whether every line of a head is plainly of the format that knows the first one best: then none is output of a command.
fn is_all_of_one(arena: &Bump, all: &[Arc<dyn Format>], lines: &[&str]) -> bool {
    const PLAINLY: Fit = 60;
    let cx = Cx::new(arena, &[]);
    let mut written = lines.iter().copied().filter(|line| !line.trim().is_empty());
    let Some(first) = written.next() else { return false };
    let best = all.iter().map(|format| (fit(&cx, format, first), format)).max_by_key(|(fit, _)| *fit);
    best.is_some_and(|(sure, format)| sure >= PLAINLY && written.all(|line| fit(&cx, format, line) >= PLAINLY))
}

/// So many envelopes inside each other are opened to find what order the formats have inside.
const NESTED: u8 = 2;

/// Sorts formats: first the one with the highest sum of fits over the lines, then the one with the highest over those that are
/// left, and so on; so a format that reads the few lines of a second program comes before one that could read a little of everything. An
/// envelope leaves the texts inside to the others. Formats that read nothing more come last, by all that they could read; equal
/// ones keep their order.
fn ranked(arena: &Bump, order: Vec<Arc<dyn Format>>, lines: &[&str]) -> Vec<Arc<dyn Format>> {
    // An envelope may find anything inside, so it sees all formats; their order is settled by their own scores.
    let weigh =
        |format: &Arc<dyn Format>, text: &str, depth: u8| -> u64 { weight(fit(&Cx { depth, ..Cx::new(arena, &order) }, format, text)) };
    let mut scores: Vec<Vec<u64>> = order.iter().map(|format| lines.iter().map(|line| weigh(format, line, 0)).collect()).collect();
    let whole: Vec<u64> = scores.iter().map(|row| row.iter().sum()).collect();
    // Texts with how many envelopes were opened for them.
    let mut texts: Vec<(&str, u8)> = lines.iter().map(|line| (*line, 0)).collect();
    let mut left = vec![true; lines.len()];
    let mut places: Vec<usize> = Vec::with_capacity(order.len());
    let mut open: Vec<usize> = (0..order.len()).collect();
    let mut opened = 0;
    while let Some(best) = open.iter().copied().max_by_key(|f| (gain(scores.get(*f), &left), std::cmp::Reverse(*f))) {
        if gain(scores.get(best), &left) == 0 {
            break;
        }
        let read: Vec<usize> = (0..left.len()).filter(|at| left[*at] && scores[best][*at] > 0).collect();
        read.iter().for_each(|at| left[*at] = false);
        places.push(best);
        open.retain(|f| *f != best);
        // Inner formats never read a whole line of an enveloped source; they are scored on the texts inside. What is inside may be an
        // envelope again.
        let outer: Vec<&str> =
            read.iter().filter_map(|at| texts.get(*at)).filter(|(_, depth)| *depth == opened).map(|(text, _)| *text).collect();
        if order[best].is_envelope() && opened < NESTED && !outer.is_empty() {
            opened += 1;
            for text in inner_lines(arena, &order[best], &outer, opened - 1) {
                for (f, (row, format)) in scores.iter_mut().zip(&order).enumerate() {
                    row.push(if f == best { 0 } else { weigh(format, text, opened) / 4 });
                }
                texts.push((text, opened));
                left.push(true);
            }
        }
    }
    // Lines of a rarer kind may come later; formats that read nearly anything must not take them from the one that knows them.
    let is_vague = |f: usize| order.get(f).is_some_and(|format| matches!(format.name(), "generic" | "app"));
    open.sort_by_key(|f| (is_vague(*f), std::cmp::Reverse(whole[*f])));
    places.into_iter().chain(open).filter_map(|f| order.get(f).cloned()).collect()
}

/// The sum of a format's weights over the lines that are left.
fn gain(row: Option<&Vec<u64>>, left: &[bool]) -> u64 {
    row.map_or(0, |row| row.iter().zip(left).filter(|(_, left)| **left).map(|(weight, _)| *weight).sum())
}

fn weight(fit: Fit) -> u64 {
    // A specific fit counts more than in proportion: ten vague fits do not outweigh three sure ones.
    u64::from(fit) * u64::from(fit)
}

/// The texts inside an envelope.
fn inner_lines<'a>(arena: &'a Bump, envelope: &Arc<dyn Format>, lines: &[&'a str], depth: u8) -> Vec<&'a str> {
    lines
        .iter()
        .filter_map(|line| {
            let mut record = whyline_event::Record::new(line, Origin::default());
            let cx = Cx { depth, ..Cx::new(arena, &[]) };
            envelope.read(&cx, line, &mut record)?;
            Some(record.body)
        })
        .collect()
}

/// The texts that each format really reads, envelopes opened, by format name.
fn inner_texts<'a>(arena: &'a Bump, order: &[Arc<dyn Format>], lines: &[&'a str]) -> BTreeMap<&'static str, Vec<&'a str>> {
    let mut texts: BTreeMap<&'static str, Vec<&'a str>> = BTreeMap::new();
    for line in lines {
        let mut text = *line;
        for _ in 0..4 {
            let mut opened = None;
            for format in order {
                let mut record = whyline_event::Record::new(text, Origin::default());
                let cx = Cx::new(arena, &[]);
                if format.read(&cx, text, &mut record).is_some() {
                    texts.entry(format.name()).or_default().push(text);
                    opened = format.is_envelope().then_some(record.body);
                    break;
                }
            }
            match opened {
                Some(body) if body.len() < text.len() && !body.is_empty() => text = body,
                _ => break,
            }
        }
    }
    texts
}

fn summary(arena: &Bump, order: Vec<Arc<dyn Format>>, lines: &[&str], binary: bool) -> Plan {
    let mut formats: BTreeMap<String, usize> = BTreeMap::new();
    let mut hosts: BTreeMap<String, u32> = BTreeMap::new();
    let (mut stamps, mut first) = (0, false);
    let (mut dated, mut durations) = (Vec::new(), Durations::default());
    for (at, line) in lines.iter().enumerate() {
        let (record, _) = read(arena, &order, line, Origin::default());
        *formats.entry(record.format.to_string()).or_default() += 1;
        stamps += usize::from(record.stamp.is_some());
        dated.extend(record.stamp.filter(|s| matches!(s.form, Form::Explicit | Form::Civil)).map(|s| s.nanos.div_euclid(NANOS)));
        durations.add(arena, &order, line, &record);
        first |= at == 0 && record.stamp.is_some();
        if let Some(host) = record.str(Key::HostName) {
            *hosts.entry(host.to_string()).or_default() += 1;
        }
    }
    let best = formats.iter().max_by_key(|(name, n)| (**n, name.as_str() != "generic"));
    let (format, share) = best.map_or(("generic".to_string(), 0.0), |(name, n)| (name.clone(), *n as f64 / lines.len().max(1) as f64));
    // Stack traces may make most of a head's lines; a tenth with stamps is enough to say that the records have them, and less
    // where the first line has one.
    let stamped = stamps * if first { 40 } else { 10 } >= lines.len() && stamps > 0;
    dated.sort_unstable();
    let expected = Expected { usual: dated.get(dated.len() / 2).copied(), ..Expected::default() };
    let fractions = durations.told();
    Plan {
        order,
        format,
        share,
        stamped,
        hosts,
        binary,
        expected,
        commands: Commands::default(),
        fractions,
        wrap: None,
        looks_broken: None,
    }
}

/// Where most lines of a head are output of commands, the plan is named by the command that wrote most of it.
fn by_command(plan: &mut Plan, outside: usize, inside: &[Option<&'static str>]) {
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    for name in inside.iter().flatten().filter(|name| **name != crate::formats::snapshot::SHELL) {
        *names.entry(name).or_default() += 1;
    }
    let total = (outside + names.values().sum::<usize>()).max(1) as f64;
    plan.share *= outside as f64 / total;
    if let Some((name, n)) = names.into_iter().max_by_key(|(_, n)| *n)
        && n as f64 / total > plan.share
    {
        plan.format = name.to_string();
        plan.share = n as f64 / total;
    }
}

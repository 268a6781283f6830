//! The lines that prove a cause, and those that speak against it, as they stand in their files.

use super::page::{Ink, Page, Text, line_middle};
use super::{Answer, json};
use crate::output::safe;
use crate::output::words::{count, number};
use std::io::Result;
use whyline_diagnose::diagnosis::{Cause, Citation};
use whyline_query::{Marks, Query};

/// Less than this is noise, shown by `--explain` only.
const WORTH: f64 = 0.1;

/// On a page narrower than this a quoted line may take a row more.
const NARROW: usize = 110;

/// The lines of one signal.
struct Group<'a> {
    signal: &'a str,
    lines: Vec<&'a Citation>,
}

pub(super) fn write(page: &mut Page<'_>, answer: &Answer<'_>, cause: &Cause, rank: usize) -> Result<()> {
    let groups = groups(&cause.evidence);
    // (signals, lines of each): all of them, those of the first cause, those of its rivals.
    let (most, lines) = match (answer.explain, rank) {
        (true, _) => (usize::MAX, usize::MAX),
        (false, 0) => (5, 2),
        (false, _) => (2, 1),
    };
    section(page, answer, "what proves it", groups.iter().filter(|g| g.weight() > 0.0), most, lines)?;
    let against = if answer.explain { usize::MAX } else { most.min(3) };
    let said = section(page, answer, "what speaks against it", groups.iter().filter(|g| g.weight() < 0.0), against, 1)?;
    if answer.explain { Ok(()) } else { doubts(page, cause, said) }
}

impl Group<'_> {
    fn weight(&self) -> f64 {
        self.lines.first().map_or(0.0, |c| c.weight)
    }
}

fn groups(evidence: &[Citation]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for c in evidence {
        match groups.iter_mut().find(|g| g.signal == c.signal && (g.weight() < 0.0) == (c.weight < 0.0)) {
            Some(group) => group.lines.push(c),
            None => groups.push(Group { signal: &c.signal, lines: vec![c] }),
        }
    }
    groups
}

fn section<'a>(
    page: &mut Page<'_>,
    answer: &Answer<'_>,
    title: &str,
    groups: impl Iterator<Item = &'a Group<'a>>,
    most: usize,
    lines: usize,
) -> Result<bool> {
    let all: Vec<&Group<'_>> = groups.filter(|g| answer.explain || g.weight().abs() >= WORTH).collect();
    if all.is_empty() {
        return Ok(false);
    }
    page.write("     ", "     ", &Text::new().and(Ink::Faint, title), 1)?;
    for group in all.iter().take(most) {
        one(page, answer, group, lines)?;
    }
    if all.len() > most {
        let left = count(all.len() - most, "more signal", "more signals");
        page.write("       ", "       ", &Text::new().and(Ink::Faint, format!("and {left} (--explain)")), 1)?;
    }
    Ok(true)
}

fn one(page: &mut Page<'_>, answer: &Answer<'_>, group: &Group<'_>, most: usize) -> Result<()> {
    let Some(first) = group.lines.first() else { return Ok(()) };
    let mut text = Text::plain(first.title.as_str());
    // What was measured over many lines cites one of them and carries its numbers in its title.
    let counted = !first.measured;
    if counted && first.count > 1 {
        text = text.and(Ink::Faint, format!("  {} times", number(first.count)));
    }
    text = text.and(
        Ink::Faint,
        if answer.explain { format!("  {} {:+.2}", group.signal, group.weight()) } else { format!("  {}", strength(group.weight())) },
    );
    let (sign, ink) = if group.weight() < 0.0 { ("−", Ink::Red) } else { ("+", Ink::Green) };
    page.write("       ", "         ", &Text::new().and(ink, sign).then(" ").join(text), 3)?;
    for c in group.lines.iter().take(most) {
        line(
            page,
            c,
            if answer.explain {
                6
            } else if page.width() < NARROW {
                3
            } else {
                2
            },
        )?;
    }
    let shown = group.lines.len().min(most);
    let left = if counted { (first.count as usize).saturating_sub(shown) } else { group.lines.len() - shown };
    if left > 0 {
        page.write("         ", "         ", &Text::new().and(Ink::Faint, format!("and {} more", number(left))), 1)?;
    }
    Ok(())
}

fn strength(weight: f64) -> &'static str {
    match weight.abs() {
        w if w >= 2.0 => "strong",
        w if w >= 1.0 => "fair",
        _ => "weak",
    }
}

/// One citation: where, then the line; of a record of several lines the first and the one that decides.
fn line(page: &mut Page<'_>, c: &Citation, rows: usize) -> Result<()> {
    quote(page, "         ", (&format!("{}:{}", c.source, c.line), &c.text, &c.query), rows)
}

/// A line with its place and the query that it answers, `indent` before its first row.
pub(super) fn quote(page: &mut Page<'_>, indent: &str, (place, text, query): (&str, &str, &str), rows: usize) -> Result<()> {
    let rest = format!("{indent}  ");
    let whole = joined(text);
    let text: Vec<&str> = whole.as_deref().unwrap_or(text).lines().filter(|l| !l.trim().is_empty()).collect();
    // A row can lose a few columns to a word that is kept whole.
    let room = (page.width() - rest.len()) * rows - 12 * (rows - 1);
    let fitting = |text: &str, used: usize| {
        let (text, room) = (safe::line(text.trim()), room.saturating_sub(used).max(60));
        if text.chars().count() <= room {
            text.into_owned()
        } else {
            let marks =
                if text.starts_with('{') { Query::parse(query).map(|q| Marks::of(&q)).unwrap_or_default() } else { Marks::default() };
            json::shorter(&text, room, &marks).unwrap_or_else(|| line_middle(&text, room))
        }
    };
    let (first, decisive) = shown(&text);
    let first = fitting(first, place.chars().count());
    page.write(indent, &rest, &Text::new().and(Ink::Cyan, place).then("  ").then(first), usize::MAX)?;
    if let Some(decisive) = decisive {
        // Of what was cut nobody knows the number of lines.
        let skipped = match text.len() {
            0..=2 => String::new(),
            _ if text.contains(&"…") => "… ".to_string(),
            lines => format!("… of {lines} lines: "),
        };
        let decisive = fitting(decisive, skipped.chars().count());
        page.write(&rest, &rest, &Text::new().and(Ink::Faint, skipped).then(decisive), usize::MAX)?;
    }
    Ok(())
}

/// An object of JSON that was written over several lines, on one.
fn joined(text: &str) -> Option<String> {
    let text = text.trim().trim_end_matches(',');
    let is_object = text.starts_with('{') && text.contains('\n');
    let object = is_object.then(|| serde_json::from_str::<serde_json::Value>(text).ok()).flatten()?;
    Some(object.to_string())
}

/// The lines of a record that are shown: the first, and the one that decides. In a log of slow statements the times come before the statement, and
/// before them when and for whom it ran; of an object that could not be read as a whole the message is shown.
fn shown<'a>(lines: &[&'a str]) -> (&'a str, Option<&'a str>) {
    let first = lines.first().copied().unwrap_or("");
    if first.starts_with("# Time:") || first.starts_with("# User@Host:") || first.starts_with("# Query_time:") {
        let times = lines.iter().find(|line| line.starts_with("# Query_time:")).unwrap_or(&first);
        let is_statement =
            |line: &&&str| !line.starts_with('#') && !line.starts_with("SET timestamp") && !line.to_lowercase().starts_with("use ");
        return (times, lines.iter().find(is_statement).copied());
    }
    // An event of Kubernetes in YAML.
    if first.trim_start().starts_with("- apiVersion:") {
        let named = |name: &str| lines.iter().find(|line| line.trim_start().starts_with(name)).copied();
        return (named("message:").unwrap_or(first), named("reason:"));
    }
    if first.trim() == "{" {
        let is_message = |line: &&&str| MESSAGES.iter().any(|key| line.trim_start().strip_prefix('"').is_some_and(|l| l.starts_with(key)));
        return (lines.iter().find(is_message).copied().unwrap_or(first), None);
    }
    (first, decisive(lines))
}

/// Keys of messages in JSON, with what ends them.
const MESSAGES: [&str; 4] = ["message\"", "msg\"", "error\"", "note\""];

/// Of a stack trace the line that says what happened: the innermost cause, else the exception that a traceback ends with, else
/// the place where it was thrown. `None` where the first line says it all.
fn decisive<'a>(lines: &[&'a str]) -> Option<&'a str> {
    let rest = lines.get(1..)?;
    if let Some(property) = telling_property(lines.first()?) {
        return rest.iter().map(|l| l.trim()).find(|l| l.starts_with(property));
    }
    let cause = rest.iter().rev().find(|l| l.trim_start().starts_with("Caused by:"));
    let thrown = rest.iter().rev().find(|l| names_an_error(l));
    let place = rest.first().filter(|l| l.trim_start().starts_with("at "));
    cause.or(thrown).or(place).map(|l| l.trim())
}

/// Of output of commands that spans lines, the property that says how things stand: of a unit and of a container's state.
fn telling_property(first: &str) -> Option<&'static str> {
    let first = first.trim_start();
    if first.starts_with("State:") || first.starts_with("Last State:") {
        return Some("Reason:");
    }
    first.starts_with(['●', '×', '○', '↻']).then_some("Active:")
}

/// `KeyError: 'price'`, `pymysql.err.OperationalError: (1040, ...)`: a name with a capital in it, a colon, at the very left.
fn names_an_error(line: &str) -> bool {
    let Some((name, _)) = line.split_once(':') else { return false };
    let word = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '$');
    name.len() > 3 && name.chars().all(word) && name.rsplit('.').next().is_some_and(|n| n.starts_with(char::is_uppercase))
}

/// Terms that rest on no line but speak against a cause.
fn doubts(page: &mut Page<'_>, cause: &Cause, mut said: bool) -> Result<()> {
    for entry in cause.ledger.iter().filter(|e| e.value <= -0.5 && matches!(e.term.as_str(), "place" | "symptoms" | "coverage")) {
        if !said {
            page.write("     ", "     ", &Text::new().and(Ink::Faint, "what speaks against it"), 1)?;
            said = true;
        }
        page.write("       ", "         ", &Text::new().and(Ink::Red, "−").then(format!(" {}", entry.note)), 2)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_that_decides() {
        let java = [
            "ERROR request failed",
            "java.lang.RuntimeException: no quote",
            "\tat a.B.c(B.java:1)",
            "Caused by: java.net.ConnectException: refused",
            "\t... 3 more",
        ];
        assert_eq!(decisive(&java), Some("Caused by: java.net.ConnectException: refused"));
        let python = ["Traceback (most recent call last):", "  File \"a.py\", line 1, in f", "    x()", "KeyError: 'price'"];
        assert_eq!(decisive(&python), Some("KeyError: 'price'"));
        assert_eq!(decisive(&["one line"]), None);
        assert_eq!(decisive(&["(2006, 'gone away')", "[SQL: select 1]", "(Background on this error at: https://example.org)"]), None);
        let unit = ["× ledger.service - Ledger API", "     Loaded: loaded", "     Active: failed (Result: exit-code)"];
        assert_eq!(decisive(&unit), Some("Active: failed (Result: exit-code)"));
        let node = ["TypeError: price is undefined", "    at total (/srv/cart.js:12:3)", "    at next (/srv/app.js:3:1)"];
        assert_eq!(decisive(&node), Some("at total (/srv/cart.js:12:3)"));
    }

    #[test]
    fn of_an_event_in_yaml_the_message_is_shown() {
        let event = ["- apiVersion: v1", "  count: 3", "  kind: Event", "  message: 'Readiness probe failed'", "  reason: Unhealthy"];
        assert_eq!(shown(&event), ("  message: 'Readiness probe failed'", Some("  reason: Unhealthy")));
        assert_eq!(shown(&event[..2]), ("- apiVersion: v1", None));
    }
}

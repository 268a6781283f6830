//! Formats told as a server's configuration has them: the text of a `log_format` or `LogFormat`, or the whole directive.

use super::{Flaw, Made, OwnField, Part};
use crate::formats::access::conf::{self, Definition};
use crate::formats::access::{Layout, apache_layout, nginx_layout};
use std::sync::Arc;
use whyline_event::FormatSpec;

/// A `log_format` of nginx.
pub fn nginx(spec: &FormatSpec, flaws: &mut Vec<Flaw>) -> Option<Made> {
    let text = spec.text.trim();
    let directive = if text.starts_with("log_format") {
        Some(if text.ends_with(';') { text.to_string() } else { format!("{text};") })
    } else {
        // Only the strings, as they stand between the name and the semicolon.
        text.starts_with(['\'', '"']).then(|| format!("log_format pasted {};", text.trim_end_matches(';')))
    };
    let text = match directive {
        Some(directive) => only(conf::nginx(&directive), "log_format NAME '...';", spec, flaws)?,
        None => text.to_string(),
    };
    layout(&text, nginx_layout(super::names::intern(&spec.name), &text), spec, flaws)
}

/// A `LogFormat` of Apache.
pub fn apache(spec: &FormatSpec, flaws: &mut Vec<Flaw>) -> Option<Made> {
    let text = spec.text.trim();
    let begins = |word: &str| text.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
    let directive = if begins("LogFormat ") || begins("CustomLog ") {
        Some(text.to_string())
    } else {
        text.starts_with('"').then(|| format!("LogFormat {text}"))
    };
    let text = match directive {
        Some(directive) => only(conf::apache(&directive), "LogFormat \"...\" NAME", spec, flaws)?,
        None => text.to_string(),
    };
    layout(&text, apache_layout(super::names::intern(&spec.name), &text), spec, flaws)
}

fn only(mut found: Vec<Definition>, shape: &str, spec: &FormatSpec, flaws: &mut Vec<Flaw>) -> Option<String> {
    if found.len() == 1 {
        return found.pop().map(|d| d.text);
    }
    let message = if found.is_empty() { "the directive cannot be read" } else { "there is more than one directive here" };
    let help = format!("paste one, as it stands in the configuration: `{shape}`");
    flaws.push(Flaw::new(Part::Text, 0..spec.text.len(), message, help));
    None
}

fn layout(text: &str, made: Result<Layout, String>, spec: &FormatSpec, flaws: &mut Vec<Flaw>) -> Option<Made> {
    let whole = 0..spec.text.len();
    if text.trim_start().starts_with('{') {
        let help = "leave this format out; what its keys mean is known by their names";
        flaws.push(Flaw::new(Part::Text, whole, "lines of JSON are read without being told how", help));
        return None;
    }
    match made {
        Ok(layout) => {
            let own_fields = layout.own_names().map(|name| OwnField { name: name.to_string(), at: place(&spec.text, name) }).collect();
            Some(Made { inner: Arc::new(layout), own_fields, durations: Vec::new() })
        }
        Err(why) => {
            let help = "paste it as the server has it; `$name` (nginx) or `%letter` (Apache) stand for what is written";
            let at = spec.text.find("${").filter(|_| why.contains("${")).map_or(whole, |at| at..at + 2);
            flaws.push(Flaw::new(Part::Text, at, format!("the format cannot be used: {why}"), help));
            None
        }
    }
}

fn place(text: &str, name: &str) -> std::ops::Range<usize> {
    let at = text.find(name).unwrap_or(0);
    at..(at + name.len()).min(text.len())
}

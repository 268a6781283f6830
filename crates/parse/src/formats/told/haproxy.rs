//! Formats told as HAProxy's `log-format`: variables (`%ci`), sample expressions (`%[src]`), and what stands between them.
//!
//! The variables are those of the manual, section 8.2.4 (8.2.6 since 3.0). Variables that write nothing where there is nothing (the
//! captured headers) take the blank before them along, as the program does.

use super::names::intern;
use super::slot::Slot;
use super::{Flaw, Made, OwnField, Part};
use crate::format::{Cx, Fit, Format};
use crate::formats::access::Unit;
use crate::formats::cursor::first_line;
use crate::stamp;
use regex::Regex;
use std::sync::Arc;
use whyline_event::{FormatSpec, Key, Record, Value};

/// Longer formats are refused.
const LONGEST: usize = 4000;
/// Most variables.
const MOST: usize = 64;

/// What a variable stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Means {
    /// The time when the request began.
    Begin,
    /// The time when it ended.
    End,
    /// The frontend, with `~` where the connection is encrypted.
    Frontend,
    /// Headers in braces, or nothing.
    Headers,
    /// Filled as a group of a pattern is.
    Slot(Slot),
    /// Read, but not kept.
    Nothing,
}

const NUMBER: &str = r"[+-]?\d+";
const WORD: &str = r"\S+?";
const FREE: &str = ".*?";

/// What a variable means, and the shape of its text.
fn variable(name: &str) -> Option<(Means, &'static str)> {
    let field = |key, shape| (Means::Slot(Slot::Field(key, None)), shape);
    let took = |key| (Means::Slot(Slot::Field(key, Some(Unit::Millis))), NUMBER);
    let own = |name: &str, shape| (Means::Slot(Slot::Own(intern(name), None)), shape);
    Some(match name {
        "ci" => field(Key::ClientAddress, WORD),
        "cp" => field(Key::ClientPort, NUMBER),
        "t" | "tr" => (Means::Begin, r"\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d\.\d{3}"),
        "T" | "Tl" | "trg" | "trl" => {
            (if name.starts_with('T') { Means::End } else { Means::Begin }, r"\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}")
        }
        "Ts" => (Means::End, r"\d{9,10}"),
        "f" | "ft" => (Means::Frontend, WORD),
        "b" => field(Key::UpstreamName, WORD),
        "s" => field(Key::UpstreamServer, WORD),
        "si" => field(Key::UpstreamAddress, WORD),
        "sp" => own("upstream.port", NUMBER),
        "Tw" => took(Key::QueueDuration),
        "Tc" => took(Key::UpstreamConnect),
        "Tr" => took(Key::UpstreamHeader),
        "Ta" | "Tt" => took(Key::Duration),
        "TR" | "Tq" => (Means::Slot(Slot::Own("haproxy.request.duration", Some(Unit::Millis))), NUMBER),
        "Td" | "Th" | "Ti" | "Tu" => (Means::Nothing, NUMBER),
        "ST" => field(Key::Status, NUMBER),
        "B" => field(Key::ResponseBytes, NUMBER),
        "U" => field(Key::RequestBytes, NUMBER),
        "tsc" | "ts" => field(Key::Termination, WORD),
        "ac" => field(Key::ActiveConnections, NUMBER),
        "fc" => own("haproxy.connections.frontend", NUMBER),
        "bc" => own("haproxy.connections.backend", NUMBER),
        "sc" => own("haproxy.connections.server", NUMBER),
        "rc" => field(Key::Retries, NUMBER),
        "bq" => field(Key::QueueLength, NUMBER),
        "sq" => own("proxy.queue.server", NUMBER),
        "r" => (Means::Slot(Slot::Request), FREE),
        "HM" => field(Key::Method, WORD),
        "HP" | "HPO" | "HU" => field(Key::Path, FREE),
        "HQ" => field(Key::UrlQuery, FREE),
        "HV" => field(Key::HttpVersion, WORD),
        "ID" => field(Key::RequestId, WORD),
        "H" => field(Key::HostName, WORD),
        "pid" => field(Key::ProcessPid, NUMBER),
        "sslv" => field(Key::TlsVersion, WORD),
        "sslc" => field(Key::Cipher, WORD),
        "CC" | "CS" | "hrl" | "hsl" => (Means::Nothing, FREE),
        "hr" | "hs" => (Means::Headers, r"\{[^}]*\}"),
        "bi" | "fi" => (Means::Nothing, WORD),
        "bp" | "fp" | "lc" | "rt" | "ms" => (Means::Nothing, NUMBER),
        "o" => (Means::Nothing, ""),
        _ => return None,
    })
}

struct LogFormat {
    regex: Regex,
    /// By number of the group, from 1.
    groups: Vec<Means>,
    fit: Fit,
}

/// Compiles a `log-format`.
pub fn compile(spec: &FormatSpec, flaws: &mut Vec<Flaw>) -> Option<Made> {
    let before = flaws.len();
    if spec.text.len() > LONGEST {
        let message = format!("the format has more than {LONGEST} bytes");
        flaws.push(Flaw::new(Part::Text, 0..0, message, "paste the value of log-format only"));
        return None;
    }
    let text = setting(&spec.text);
    let offset = spec.text.find(text).unwrap_or(0);
    let mut builder = Builder { made: String::from("^"), groups: Vec::new() };
    builder.pieces(text, offset, flaws);
    let whole = 0..spec.text.len();
    let tells = |m: &Means| matches!(m, Means::Slot(Slot::Field(..) | Slot::Request));
    if flaws.len() == before && !builder.groups.iter().any(tells) {
        let help = "paste the value of log-format, for instance `%ci:%cp [%tr] %ft %b/%s %ST %B %{+Q}r`";
        flaws.push(Flaw::new(Part::Text, whole.clone(), "the format says nothing of a request", help));
    }
    if builder.groups.len() > MOST {
        let message = format!("the format has more than {MOST} variables");
        flaws.push(Flaw::new(Part::Text, whole.clone(), message, ""));
    }
    if flaws[before..].iter().any(|f| !f.is_warning) {
        return None;
    }
    builder.made.push('$');
    let regex = match Regex::new(&builder.made) {
        Ok(regex) => regex,
        Err(error) => {
            flaws.push(Flaw::new(Part::Text, whole, format!("the format cannot be used: {error}"), ""));
            return None;
        }
    };
    let own_fields = builder
        .groups
        .iter()
        .filter_map(|m| match m {
            Means::Slot(Slot::Own(name, _)) => Some(OwnField { name: (*name).to_string(), at: 0..0 }),
            _ => None,
        })
        .collect();
    let fit = if builder.groups.iter().any(|m| matches!(m, Means::Begin | Means::End)) { 97 } else { 85 };
    Some(Made { inner: Arc::new(LogFormat { regex, groups: builder.groups, fit }), own_fields, durations: Vec::new() })
}

/// The value alone, where the whole directive was pasted; escapes of the configuration (`\ `, `\"`) are resolved where the
/// text is read.
fn setting(text: &str) -> &str {
    let text = text.trim();
    let Some(rest) = text.strip_prefix("log-format") else { return text };
    let rest = rest.trim_start();
    let quoted = |q: char| rest.strip_prefix(q).and_then(|r| r.strip_suffix(q));
    quoted('"').or_else(|| quoted('\'')).unwrap_or(rest)
}

struct Builder {
    made: String,
    groups: Vec<Means>,
}

impl Builder {
    fn pieces(&mut self, text: &str, offset: usize, flaws: &mut Vec<Flaw>) {
        let mut at = 0;
        while let Some(rest) = text.get(at..).filter(|r| !r.is_empty()) {
            let Some(c) = rest.chars().next() else { break };
            let used = match c {
                '%' if rest.starts_with("%%") => {
                    self.made.push('%');
                    2
                }
                '%' => self.escape(rest, offset + at, flaws),
                '\\' if rest.len() > 1 => {
                    let escaped = rest.chars().nth(1).unwrap_or('\\');
                    self.literal(escaped);
                    1 + escaped.len_utf8()
                }
                other => {
                    self.literal(other);
                    other.len_utf8()
                }
            };
            at += used.max(1);
        }
    }

    /// Blanks are written once, however many there are.
    fn literal(&mut self, c: char) {
        if c == ' ' {
            if !self.made.ends_with(" +") && self.made != "^" {
                self.made.push_str(" +");
            }
        } else {
            self.made.push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
        }
    }

    /// `%name`, `%{flags}name`, `%[expression]`, `%{flags}[expression]`, each perhaps with a name of its own in parentheses (since 2.9).
    fn escape(&mut self, rest: &str, offset: usize, flaws: &mut Vec<Flaw>) -> usize {
        let mut used = 1;
        let mut take = |open: char, close: char| -> Option<&str> {
            let tail = rest.get(used..)?.strip_prefix(open)?;
            let end = tail.find(close)?;
            used += end + 2;
            tail.get(..end)
        };
        let named = take('(', ')');
        let flags = take('{', '}').unwrap_or("");
        if let Some(expression) = take('[', ']') {
            // A name that was given is kept, else the expression.
            let name = named.unwrap_or(expression).split(':').next().unwrap_or(expression);
            let means = fetch(name).unwrap_or(Means::Slot(Slot::Own(intern(name), None)));
            self.group(means, FREE, flags);
            return used;
        }
        let tail = rest.get(used..).unwrap_or("");
        let letters = tail.bytes().take_while(u8::is_ascii_alphanumeric).count();
        // `%ciX` is `%ci` before an X only if there is no longer name.
        let found = (1..=letters).rev().find_map(|n| Some((n, variable(tail.get(..n)?)?)));
        match found {
            Some((n, (means, shape))) => {
                if !shape.is_empty() {
                    self.group(means, shape, flags);
                }
                used + n
            }
            None => {
                let word = tail.get(..letters).unwrap_or("");
                let message = format!("log-format has no variable `%{word}`");
                let help =
                    "see the table of variables in section \"Custom log format\" of HAProxy's manual; a percent sign is written `%%`";
                flaws.push(Flaw::new(Part::Text, offset..offset + used + letters, message, help));
                used + letters
            }
        }
    }

    fn group(&mut self, means: Means, shape: &str, flags: &str) {
        let again = matches!(means, Means::Slot(_)) && self.groups.contains(&means);
        self.groups.push(if again { Means::Nothing } else { means });
        let quoted = flags.contains("+Q");
        let inner = match quoted {
            true => format!("\"({})\"", if shape == WORD { r#"[^"]*?"# } else { shape }),
            // What is not known is written as a dash.
            false if shape == NUMBER || shape == FREE => format!("({shape}|-)"),
            false => format!("({shape})"),
        };
        if means == Means::Headers {
            // Where nothing is captured, nothing is written, and no second blank.
            let blank = self.made.strip_suffix(" +").map(str::len);
            if let Some(len) = blank {
                self.made.truncate(len);
                self.made.push_str(&format!("(?: +{inner})?"));
                return;
            }
            self.made.push_str(&format!("(?:{inner})?"));
            return;
        }
        self.made.push_str(&inner);
    }
}

/// What the usual sample expressions stand for.
fn fetch(expression: &str) -> Option<Means> {
    let name = expression.split(['(', ',']).next().unwrap_or(expression).trim();
    let key = match (name, expression) {
        ("src", _) => Key::ClientAddress,
        ("src_port", _) => Key::ClientPort,
        ("method", _) => Key::Method,
        ("path" | "pathq" | "url", _) => Key::Path,
        ("query", _) => Key::UrlQuery,
        ("status", _) => Key::Status,
        ("unique-id", _) => Key::RequestId,
        ("be_name", _) => Key::UpstreamName,
        ("srv_name", _) => Key::UpstreamServer,
        ("fe_name", _) => Key::Frontend,
        ("ssl_fc_protocol", _) => Key::TlsVersion,
        ("ssl_fc_cipher", _) => Key::Cipher,
        ("ssl_fc_sni", _) => Key::Tls,
        ("hostname", _) => Key::HostName,
        ("termination_state", _) => Key::Termination,
        _ => return None,
    };
    Some(Means::Slot(Slot::Field(key, None)))
}

impl Format for LogFormat {
    fn name(&self) -> &'static str {
        "haproxy"
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let line = first_line(text).trim_end();
        let found = self.regex.captures(line)?;
        let part = |number: usize| found.get(number).and_then(|m| text.get(m.range()));
        let mut time = None;
        for (number, means) in self.groups.iter().enumerate() {
            if matches!(means, Means::Begin | Means::End)
                && let Some(text) = part(number + 1)
            {
                let (stamp, _) = stamp::clf(text).or_else(|| stamp::epoch(text))?;
                // Of both the beginning counts, as in the built-in formats: it has the finer notation.
                if time.is_none() || *means == Means::Begin {
                    time = Some((stamp, *means == Means::Begin));
                }
            }
        }
        record.body = text;
        record.severity = None;
        if let Some((stamp, begin)) = time {
            record.stamp = Some(stamp);
            if begin {
                record.put_other("time.is_start", Value::Bool(true));
            }
        }
        for (number, means) in self.groups.iter().enumerate() {
            let Some(text) = part(number + 1).filter(|t| !t.is_empty() && *t != "-") else { continue };
            match means {
                Means::Begin | Means::End | Means::Nothing | Means::Headers => {}
                Means::Frontend => record.put_str(Key::Frontend, text.trim_end_matches('~')),
                // A phase that was not reached is -1; a plus marks a line that was written before the end.
                Means::Slot(Slot::Field(..) | Slot::Own(..)) if text == "-1" => {}
                Means::Slot(slot) => slot.put(text.strip_prefix('+').unwrap_or(text), cx, record),
            }
        }
        Some(self.fit)
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        self.regex.is_match(line)
    }
}

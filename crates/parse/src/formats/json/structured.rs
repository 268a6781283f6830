//! Filling a record from the pairs of a structured log, whatever notation they came in.

use super::flat::Scalar;
use crate::format::{Cx, Fit};
use crate::formats::cursor::trimmed;
use crate::formats::keys::{OF_RAILS, Role, Unit, roles};
use crate::formats::{exception, fill, message};
use crate::fractions::Fractions;
use crate::stamp;
use whyline_event::{Form, Key, Record, Severity, Stamp, Value, address};

/// What the pairs held.
#[derive(Clone, Copy, Debug, Default)]
pub struct Found<'a> {
    /// A time.
    pub time: Option<Stamp>,
    /// A level.
    pub level: bool,
    /// The message.
    pub message: Option<&'a str>,
    /// The record is of an HTTP exchange.
    pub http: bool,
    /// What the keys mean, in the order of the pairs.
    roles: &'a [Option<Role>],
    /// Which of the pairs is the time.
    time_at: Option<usize>,
}

impl Found<'_> {
    /// How surely a text with these pairs is a log record.
    pub fn fit(&self) -> Fit {
        match (self.time.is_some(), self.level, self.message.is_some()) {
            (true, true, true) => 60,
            (true, true, false) | (true, false, true) => 58,
            (true, false, false) => 55,
            (false, true, true) => 50,
            _ => 30,
        }
    }
}

/// Finds time, level and message without filling anything.
pub fn look<'a>(cx: &Cx<'a>, pairs: &[(&'a str, Scalar<'a>)]) -> Found<'a> {
    look_as(pairs, roles(cx, pairs.iter().map(|(name, _)| *name)))
}

/// [`look`], where it is known what the keys mean.
pub fn look_as<'a>(pairs: &[(&'a str, Scalar<'a>)], roles: &'a [Option<Role>]) -> Found<'a> {
    let mut found = Found { roles, ..Found::default() };
    let mut fallback = None;
    let (mut method, mut status) = (false, false);
    for (at, ((_, value), role)) in pairs.iter().zip(found.roles).enumerate() {
        match role {
            Some(Role::Time) => {
                let time = better(found.time, time(*value));
                if time != found.time {
                    (found.time, found.time_at) = (time, Some(at));
                }
            }
            Some(Role::Level) => found.level |= matches!(value, Scalar::Str(_) | Scalar::Number(_)),
            Some(Role::Message) => {
                if let (Scalar::Str(text), None) = (value, found.message) {
                    found.message = Some(text);
                }
            }
            Some(Role::Fallback) => {
                if let (Scalar::Str(text), None) = (value, fallback) {
                    fallback = Some(*text);
                }
            }
            Some(Role::Field(Key::Method)) => method = true,
            Some(Role::Status) => status = true,
            _ => {}
        }
    }
    found.message = found.message.filter(|m| !m.is_empty()).or(fallback);
    found.http = method || status && found.roles.contains(&Some(Role::Target));
    found
}

/// Of two times the first, unless the second is the same moment and says more of it: its zone, or more digits.
fn better(had: Option<Stamp>, new: Option<Stamp>) -> Option<Stamp> {
    let (Some(old), Some(other)) = (had, new) else { return had.or(new) };
    let local = |stamp: &Stamp| stamp.nanos.saturating_add(i64::from(stamp.offset.unwrap_or(0)) * 1_000_000_000);
    let quarter = 900_000_000_000;
    let between = local(&old).saturating_sub(local(&other));
    let apart = between.rem_euclid(quarter);
    let near = between.saturating_abs() < 15 * 4 * quarter && (apart < 1_000_000_000 || quarter - apart < 1_000_000_000);
    let says_more = match (old.form == Form::Explicit, other.form == Form::Explicit) {
        (false, true) => true,
        (true, false) => false,
        _ => other.digits > old.digits,
    };
    Some(if near && says_more { other } else { old })
}

/// A time from a value: any notation, or an epoch number.
pub fn time(value: Scalar<'_>) -> Option<Stamp> {
    match value {
        Scalar::Str(text) => {
            let text = text.trim_start_matches(['[', ' ']);
            stamp::prefix(text).or_else(|| stamp::epoch(text)).map(|(stamp, _)| stamp)
        }
        Scalar::Number(text) => epoch_number(text),
        _ => None,
    }
}

/// An epoch number, also in exponent form as some encoders write large floats (`1.7952530e+09`).
fn epoch_number(text: &str) -> Option<Stamp> {
    if let Some((stamp, _)) = stamp::epoch(text).filter(|(_, used)| *used == text.len()) {
        return Some(stamp);
    }
    if !text.contains(['e', 'E']) {
        return None;
    }
    let seconds: f64 = text.parse().ok()?;
    let seconds = if seconds > 1e17 {
        seconds / 1e9
    } else if seconds > 1e14 {
        seconds / 1e6
    } else if seconds > 1e11 {
        seconds / 1e3
    } else {
        seconds
    };
    (946_684_800.0..4_102_444_800.0).contains(&seconds).then(|| Stamp::explicit((seconds * 1e9) as i64, 0, 6))
}

/// Puts all pairs into the record. The caller has set the format; body and stamp are set here.
pub fn put<'a>(cx: &Cx<'a>, pairs: &[(&'a str, Scalar<'a>)], found: &Found<'a>, record: &mut Record<'a>) {
    if found.time.is_some() {
        record.stamp = found.time;
    }
    if let Some(text) = found.message {
        record.body = text;
    }
    let named_host = pairs.iter().any(|(name, _)| matches!(*name, "hostname" | "host"));
    let mut taken = false;
    for (at, ((name, value), role)) in pairs.iter().zip(found.roles).enumerate() {
        // Most pairs are a field with a text, which is not there yet.
        if let (Some(Role::Field(key)), Scalar::Str(text)) = (*role, *value)
            && !matches!(key, Key::ExceptionMessage | Key::ProcessPid | Key::CodeLine)
            && !record.fields.may_have(key)
        {
            if !text.is_empty() {
                record.put(key, Value::Str(text));
            }
            continue;
        }
        let Some(role) = *role else {
            other(cx, name, *value, record);
            continue;
        };
        match role {
            Role::Message | Role::Fallback => {
                if value.text().is_some_and(|t| Some(t) == found.message) && !taken {
                    taken = true;
                } else {
                    other(cx, name, *value, record);
                }
            }
            Role::Time if found.time_at == Some(at) => {}
            Role::Time => {
                let time = time(*value);
                if time.is_none() || time != found.time {
                    other(cx, name, *value, record);
                }
            }
            _ => put_role(cx, role, name, *value, Context { http: found.http, named_host, pairs }, record),
        }
    }
    if let Some(text) = found.message {
        message::fields(cx, text, record);
    }
}

#[derive(Clone, Copy)]
struct Context<'a, 'p> {
    http: bool,
    named_host: bool,
    pairs: &'p [(&'a str, Scalar<'a>)],
}

impl Context<'_, '_> {
    /// Whether the record is of Caddy's reverse proxy (modules/caddyhttp/reverseproxy), which calls a server behind it a host.
    fn of_proxy(&self) -> bool {
        let is_it = |text: &str| text.starts_with("http.handlers.reverse_proxy");
        self.pairs.iter().any(|(name, value)| *name == "logger" && value.text().is_some_and(is_it))
    }

    /// Whether the record is of a request to Rails, as lograge writes it: its durations are milliseconds with two decimals.
    fn of_rails(&self) -> bool {
        OF_RAILS.iter().all(|key| self.pairs.iter().any(|(name, _)| name == key))
    }

    /// Whether the record is of Rust's tracing (tracing-subscriber, fmt::format::Json), whose target is the module that speaks.
    fn of_tracing(&self) -> bool {
        self.pairs.iter().any(|(name, _)| name.starts_with("fields."))
    }
}

fn put_role<'a>(cx: &Cx<'a>, role: Role, name: &'a str, value: Scalar<'a>, context: Context<'a, '_>, record: &mut Record<'a>) {
    let text = value.text().unwrap_or("");
    match role {
        Role::Level => level(cx, value, record),
        Role::Name if !text.is_empty() => once(cx, if context.named_host { Key::ServiceName } else { Key::Logger }, name, value, record),
        Role::Host if !text.is_empty() && context.http => fill::endpoint(record, text, Key::ServerAddress, Key::ServerPort),
        Role::Host if !text.is_empty() => host(cx, name, value, context, record),
        Role::Process => match value {
            Scalar::Number(n) => fill::once_int(record, Key::ProcessPid, n),
            Scalar::Str(s) => once(cx, Key::ProcessName, name, Scalar::Str(s), record),
            _ => other(cx, name, value, record),
        },
        Role::Target if text.starts_with('/') || text.contains("://") || context.http => fill::target(record, text),
        Role::MaybeTarget if context.http && text.starts_with('/') => fill::target(record, text),
        Role::MaybeTarget if name == "target" && !text.is_empty() && context.of_tracing() => once(cx, Key::Logger, name, value, record),
        Role::Status => match text.parse::<i64>() {
            Ok(n) if (100..600).contains(&n) && !record.has(Key::Status) => record.put(Key::Status, Value::Int(n)),
            _ => other(cx, name, value, record),
        },
        Role::Duration(Unit::Shape) if context.of_rails() => put_role(cx, Role::Duration(Unit::Millis), name, value, context, record),
        Role::Duration(unit) => match duration(value, unit, cx.fractions).filter(|_| !record.has(Key::Duration)) {
            Some(d) => record.put(Key::Duration, d),
            None => other(cx, name, value, record),
        },
        // Where it is no number it is a text, of whatever.
        Role::Field(Key::CodeLine) if text.parse::<u32>().is_err() => other(cx, name, value, record),
        Role::Caller => caller(cx, name, value, record),
        Role::Client if !text.is_empty() && !record.has(Key::ClientAddress) && is_address(text) => fill::client(record, text),
        // A list of addresses, as proxies hand it on: the first is the client's.
        Role::Client if !record.has(Key::ClientAddress) && text.contains(',') && is_address(first_of(text)) => {
            fill::client(record, first_of(text));
            fill::once_str(record, Key::ForwardedFor, text);
        }
        Role::Store if matches!(address::split_port(text), (host, Some(_)) if address::ip(host).is_some() || address::is_host_name(host)) =>
        {
            once(cx, Key::Peer, name, value, record);
        }
        Role::Cache | Role::Store if role == Role::Cache || ends_with(name, "cache") => match found_in_cache(name, value) {
            Some(word) => once(cx, Key::CacheStatus, name, Scalar::Str(word), record),
            None => other(cx, name, value, record),
        },
        Role::Peer if !text.is_empty() => once(cx, Key::Peer, name, value, record),
        Role::Bytes if context.http && text.parse::<i64>().is_ok() => fill::once_int(record, Key::ResponseBytes, text),
        Role::Error if !text.is_empty() => {
            if text.contains('\n') {
                exception::stack(text, record);
            } else {
                message::fields(cx, text, record);
                message::asked_server(text, record);
                once(cx, Key::ExceptionMessage, name, value, record);
            }
        }
        Role::Stack if !text.is_empty() => {
            exception::stack(text, record);
            message::fields(cx, text, record);
        }
        Role::Code if is_errno(text) => once(cx, Key::ErrorType, name, value, record),
        Role::Field(Key::ExceptionMessage) if !text.is_empty() => {
            message::fields(cx, text, record);
            once(cx, Key::ExceptionMessage, name, value, record);
        }
        Role::Field(Key::ProcessPid) if text.parse::<i64>().is_err() => other(cx, name, value, record),
        Role::Field(key) => once(cx, key, name, value, record),
        _ => other(cx, name, value, record),
    }
}

/// Whether a key ends with a word, in any case.
fn ends_with(name: &str, word: &str) -> bool {
    name.len().checked_sub(word.len()).and_then(|at| name.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case(word))
}

/// What came of looking into a cache, as proxies call it: only where the value is such a word, or says of a hit whether it was one.
fn found_in_cache<'a>(name: &str, value: Scalar<'a>) -> Option<&'a str> {
    const WORDS: [&str; 5] = ["hit", "miss", "expired", "stale", "bypass"];
    let asks = ends_with(name, "hit");
    match value {
        Scalar::Str(word) if WORDS.iter().any(|known| known.eq_ignore_ascii_case(word)) => Some(word),
        Scalar::Bool(true) | Scalar::Str("true") if asks => Some("hit"),
        Scalar::Bool(false) | Scalar::Str("false") if asks => Some("miss"),
        _ => None,
    }
}

/// A machine's name. What has a port is one of the programs of a machine, and most often that of another one.
fn host<'a>(cx: &Cx<'a>, name: &'a str, value: Scalar<'a>, context: Context<'a, '_>, record: &mut Record<'a>) {
    let has_port = value.text().is_some_and(|text| address::split_port(text).1.is_some());
    match (has_port, has_port && context.of_proxy()) {
        (false, _) => once(cx, Key::HostName, name, value, record),
        (true, true) => once(cx, Key::UpstreamAddress, name, value, record),
        (true, false) => other(cx, name, value, record),
    }
}

/// A level word, or a number of bunyan, pino or syslog.
fn level<'a>(cx: &Cx<'a>, value: Scalar<'a>, record: &mut Record<'a>) {
    match value {
        Scalar::Str(word) => {
            let word = trimmed(word);
            match word.parse::<i64>() {
                Ok(n) => number_level(n, word, record),
                Err(_) => fill::level(record, word),
            }
        }
        Scalar::Number(word) => {
            if let Ok(n) = word.parse::<i64>() {
                number_level(n, word, record);
            }
        }
        _ => {}
    }
    let _ = cx;
}

fn number_level<'a>(n: i64, word: &'a str, record: &mut Record<'a>) {
    if record.severity.is_some() && record.has(Key::Level) {
        return;
    }
    let severity = match n {
        0..=7 => u8::try_from(n).ok().and_then(Severity::from_syslog),
        200 => Some(Severity::Info),
        _ => Severity::from_bunyan(n),
    };
    match severity {
        Some(severity) => fill::level_as(record, word, severity),
        None => record.put_str(Key::Level, word),
    }
}

/// A duration from a value with or without unit; `fractions` says what the source counts where neither value nor key tells.
pub fn duration(value: Scalar<'_>, unit: Unit, fractions: Fractions) -> Option<Value<'static>> {
    let (text, is_number) = match value {
        Scalar::Str(s) => (trimmed(s), trimmed(s).bytes().all(|b| b.is_ascii_digit() || b == b'.')),
        Scalar::Number(n) => (n, true),
        _ => return None,
    };
    if !is_number {
        return Value::duration(text);
    }
    let scaled = |per_second: f64| {
        let ns = text.parse::<f64>().ok()? * 1e9 / per_second;
        (0.0..9e18).contains(&ns).then_some(Value::Duration(ns as i64))
    };
    if text.contains(['e', 'E']) {
        let millis = unit == Unit::Millis || unit == Unit::Shape && fractions == Fractions::Millis;
        return scaled(if millis { 1e3 } else { 1.0 });
    }
    match unit {
        Unit::Seconds => Value::seconds(text),
        Unit::Micros => scaled(1e6),
        Unit::Nanos => scaled(1e9),
        Unit::Brief if text.split_once('.').is_some_and(|(whole, _)| whole.parse::<u8>().is_ok_and(|n| n < 60)) => Value::seconds(text),
        Unit::Millis | Unit::Brief => Value::millis(text),
        Unit::Shape if text.contains('.') && fractions == Fractions::Seconds => Value::seconds(text),
        Unit::Shape if text.contains('.') => Value::millis(text),
        Unit::Shape => match text.parse::<i64>() {
            Ok(n) if n >= 1_000_000 => Some(Value::Duration(n)),
            Ok(_) => Value::millis(text),
            Err(_) => None,
        },
    }
}

/// `file.go:12` becomes file and line; a path alone is the file.
fn caller<'a>(cx: &Cx<'a>, name: &'a str, value: Scalar<'a>, record: &mut Record<'a>) {
    let Some((file, line)) = value.text().and_then(|t| t.rsplit_once(':')) else { return other(cx, name, value, record) };
    if line.bytes().all(|b| b.is_ascii_digit()) && !line.is_empty() && !file.contains(' ') {
        fill::once_str(record, Key::CodeFile, file);
        fill::once_int(record, Key::CodeLine, line);
    } else {
        other(cx, name, value, record);
    }
}

fn first_of(text: &str) -> &str {
    text.split(',').next().unwrap_or(text).trim()
}

fn is_address(text: &str) -> bool {
    whyline_event::address::ip(text).is_some() || whyline_event::address::ip(text.trim_matches(['[', ']'])).is_some()
}

/// `ECONNREFUSED`, `EAI_AGAIN`, `ER_DUP_ENTRY`.
fn is_errno(text: &str) -> bool {
    text.len() > 3 && text.starts_with('E') && text.bytes().all(|b| b.is_ascii_uppercase() || b == b'_' || b.is_ascii_digit())
}

fn once<'a>(cx: &Cx<'a>, key: Key, name: &'a str, value: Scalar<'a>, record: &mut Record<'a>) {
    if matches!(value, Scalar::List(_)) && !record.has(key) {
        return value.each(cx, &mut |value| record.put(key, value));
    }
    if matches!(value, Scalar::List(_)) {
        return other(cx, name, value, record);
    }
    let Some(value) = value.value() else { return };
    if value == Value::Str("") {
        return;
    }
    match record.get(key) {
        None => record.put(key, value),
        Some(old) if old == value => {}
        Some(_) => record.put_other(name, value),
    }
}

/// A field of its writer's own; of a list each element is one of its values.
fn other<'a>(cx: &Cx<'a>, name: &'a str, value: Scalar<'a>, record: &mut Record<'a>) {
    value.each(cx, &mut |value| record.put_other(name, value));
}

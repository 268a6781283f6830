//! Options of the command line, made ready: reading, rules and formats.

use crate::cli::Reading;
use crate::exit::usage;
use crate::output::safe;
use crate::own::Own;
use crate::spelling;
use anyhow::Result;
use std::collections::BTreeSet;
use std::sync::Arc;
use whyline_diagnose::rules::{Finding, written};
use whyline_diagnose::{Matcher, Pack};
use whyline_event::Zone;
use whyline_parse::catalogue;
use whyline_parse::formats::access;
use whyline_parse::input::encoding;
use whyline_parse::{Format, Gravity, Options, Problem, Told};

/// Number of threads: as told, else all cores.
pub fn threads(told: Option<usize>) -> usize {
    told.filter(|n| *n > 0).unwrap_or_else(|| std::thread::available_parallelism().map_or(1, |n| n.get()))
}

/// Zones and year, as the options write them.
pub fn told(zones: &[String], year: Option<i16>) -> Result<Told> {
    let mut told = Told { year, ..Told::default() };
    for text in zones {
        let (host, zone) = match text.split_once('=') {
            Some((host, zone)) => (Some(host), zone),
            None => (None, text.as_str()),
        };
        let parsed = Zone::parse(zone).ok_or_else(|| {
            usage(format!("--tz {text}: `{zone}` is no time zone; write `UTC`, an offset like `+02:00`, or a name like `Europe/Zurich`"))
        })?;
        match host {
            Some(host) => told.zones.push((host.to_string(), parsed)),
            None => told.zone = Some(parsed),
        }
    }
    Ok(told)
}

/// How inputs are read, from the options.
pub fn options(reading: &Reading, own: &Own, threads: usize, only: Option<String>) -> Result<Options> {
    let told = told(&reading.tz, reading.year)?;
    let mut hosts = Vec::new();
    for text in &reading.host {
        let (name, glob) = text
            .split_once('=')
            .ok_or_else(|| usage(format!("--host {text}: write NAME=GLOB, for instance `--host web01='web/*.log'`")))?;
        hosts.push((name.to_string(), glob.to_string()));
    }
    let encodings = reading.encoding.iter().map(|text| encoding(text)).collect::<Result<Vec<_>>>()?;
    let mut formats = own.formats()?;
    let only = only.as_deref().map(|name| reader(name, &formats)).transpose()?;
    if let Some(name) = &only {
        formats.retain(|f| f.name() == name);
    }
    for text in &reading.log_format {
        let made = match text.strip_prefix("apache:") {
            Some(apache) => access::from_apache(apache),
            None => access::from_log_format("nginx.access", text),
        };
        formats.push(made.map_err(|e| usage(format!("--log-format {text}: {e}")))?);
    }
    Ok(Options { told, hosts, formats, only, encodings, read_at: now(), threads, once: false, progress: None })
}

/// The present time, in seconds.
pub fn now() -> Option<i64> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok()
}

/// An encoding, as the option writes it.
fn encoding(text: &str) -> Result<encoding::Told> {
    let (name, pattern) = match text.split_once('=') {
        Some((name, pattern)) => (name, Some(pattern)),
        None => (text, None),
    };
    encoding::Told::new(name, pattern).ok_or_else(|| {
        usage(format!(
            "--encoding {text}: `{name}` is no encoding; write `latin1`, `windows-1252`, `gb18030`, `shift_jis`, `utf-16le`, `utf-16be` or another name of the WHATWG's Encoding Standard"
        ))
    })
}

/// The reader that a name means: its own, or that of an entry of the catalogue. A name that nothing has is refused, and the error
/// says which was perhaps meant.
fn reader(name: &str, own: &[Arc<dyn Format>]) -> Result<String> {
    let all = whyline_parse::formats::all();
    let mut names: BTreeSet<&str> = all.iter().chain(own).map(|f| f.name()).collect();
    if names.contains(name) {
        return Ok(name.to_string());
    }
    if let Some(entry) = catalogue::find(name) {
        return Ok(entry.reader_name().to_string());
    }
    names.extend(catalogue::entries().iter().map(|entry| entry.name.as_str()));
    Err(usage(format!("--as {name}: there is no such format; {}`whyline formats` lists them all", meant(name, names))))
}

/// `perhaps a, b was meant; `, where names are near.
pub fn meant<'n>(name: &str, names: impl IntoIterator<Item = &'n str>) -> String {
    let near = spelling::near(name, names.into_iter());
    if near.is_empty() { String::new() } else { format!("perhaps {} was meant; ", near.join(", ")) }
}

/// Tells problems on standard error; an argument that does not exist ends the run.
pub fn tell(problems: &[Problem]) -> Result<bool> {
    let mut partial = false;
    for problem in problems {
        // Names of files are as hostile as their lines.
        let text = safe::line(&problem.to_string()).into_owned();
        match problem.gravity {
            Gravity::Missing => return Err(usage(text)),
            Gravity::Unreadable => {
                partial = true;
                note(&format!("warning: {text}"));
            }
            Gravity::Remark => note(&format!("note: {text}")),
        }
    }
    Ok(partial)
}

/// Says that there was nothing to read, where this is so.
pub fn tell_empty(empty: bool) -> bool {
    if empty {
        note("warning: there is no log file here; nothing was read. Give the folder that the logs were copied into.");
    }
    empty
}

/// Writes a line to standard error; names of files may be hostile, too.
pub fn note(text: &str) {
    use std::io::Write;
    // Nothing can be done where standard error is closed.
    crate::progress::beside(|| drop(writeln!(anstream::stderr().lock(), "{}", crate::output::safe::lines(text))));
}

/// The built-in files.
pub fn built_in() -> Result<Vec<written::File>> {
    Pack::built_in_files().map_err(|f| anyhow::anyhow!(findings(&f)))
}

/// The matcher of a pack.
pub fn matcher(pack: &Pack) -> Matcher {
    Matcher::new(pack.queries())
}

/// Findings, one below the other.
pub fn findings(list: &[Finding]) -> String {
    list.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

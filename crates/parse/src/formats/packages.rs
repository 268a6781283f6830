//! What package managers write of their work: changes to a machine, with packages and versions. dpkg, apt, yum, dnf, pacman.

use crate::format::{Cx, Fit, Format};
use crate::formats::cursor::{Cursor, first_line};
use crate::formats::fill;
use crate::stamp;
use whyline_event::{Form, Key, Record, Stamp, Value};

/// dpkg.log, yum.log, dnf's rpm log, pacman.log: a line a step.
#[derive(Clone, Copy, Debug, Default)]
pub struct Packages;

struct Step<'a> {
    format: &'static str,
    stamp: Stamp,
    action: &'a str,
    package: &'a str,
    version: &'a str,
    before: &'a str,
    body: &'a str,
    fit: Fit,
}

impl Format for Packages {
    fn name(&self) -> &'static str {
        "packages"
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let line = first_line(text);
        let step = match *line.as_bytes().first()? {
            b'[' => pacman(line),
            b'0'..=b'9' if line.as_bytes().get(10) == Some(&b'T') => dnf(line),
            b'0'..=b'9' => dpkg(line),
            b'A'..=b'Z' => yum(line),
            _ => None,
        }?;
        record.format = step.format;
        record.stamp = Some(step.stamp);
        record.body = step.body;
        let action =
            if step.action.bytes().any(|b| b.is_ascii_uppercase()) { cx.keep(&step.action.to_ascii_lowercase()) } else { step.action };
        fill::once_str(record, Key::Action, action);
        put(record, step.package, step.version, step.before);
        Some(step.fit)
    }
}

fn put<'a>(record: &mut Record<'a>, package: &'a str, version: &'a str, before: &'a str) {
    for (name, value) in [("package.name", package), ("package.version", version), ("package.version.before", before)] {
        if !value.is_empty() && value != "<none>" {
            record.put_other(name, Value::Str(value));
        }
    }
}

/// `2026-11-21 10:15:02 upgrade nginx:amd64 1.24.0-1 1.24.0-2`, `... status installed nginx:amd64 1.24.0-2`, `... startup archives unpack`.
fn dpkg(line: &str) -> Option<Step<'_>> {
    let mut c = Cursor::new(line);
    let stamp = c.stamp_by(stamp::iso).filter(|s| s.form == Form::Civil && s.digits == 0)?;
    c.must(" ")?;
    let body = c.rest;
    let verb = c.word()?;
    let plain = |action, package: &'static str| Step { format: "dpkg", stamp, action, package, version: "", before: "", body, fit: 92 };
    match verb {
        "startup" => return (c.rest.starts_with(" archives") || c.rest.starts_with(" packages")).then(|| plain(verb, "")),
        "conffile" => return Some(plain(verb, "")),
        "status" => {
            c.must(" ")?;
            let state = c.word()?;
            if ![
                "installed",
                "unpacked",
                "half-installed",
                "half-configured",
                "config-files",
                "not-installed",
                "triggers-awaited",
                "triggers-pending",
            ]
            .contains(&state)
            {
                return None;
            }
            let action = body.get(..verb.len() + 1 + state.len())?;
            c.must(" ")?;
            let package = c.word()?;
            c.blanks();
            return Some(Step { package: bare(package), version: c.rest.trim_end(), ..plain(action, "") });
        }
        "install" | "upgrade" | "remove" | "purge" | "configure" | "trigproc" | "disappear" => {}
        _ => return None,
    }
    c.must(" ")?;
    let package = c.word()?;
    c.must(" ")?;
    let before = c.word()?;
    c.must(" ")?;
    let version = c.word()?;
    c.at_end().then(|| Step { package: bare(package), version, before, ..plain(verb, "") })
}

/// The name without its architecture.
fn bare(package: &str) -> &str {
    package.split(':').next().unwrap_or(package)
}

/// `Nov 21 10:15:02 Updated: nginx-1:1.24.0-2.el7.x86_64`; erased packages stand without a version.
fn yum(line: &str) -> Option<Step<'_>> {
    let (stamp, used) = stamp::syslog(line)?;
    let body = line.get(used..)?.strip_prefix(' ')?;
    let (action, package) = body.split_once(": ")?;
    if !matches!(action, "Installed" | "Updated" | "Erased" | "Dep-Installed" | "Obsoleted") || package.contains(' ') {
        return None;
    }
    let (name, version) = nevra(package);
    Some(Step { format: "yum", stamp, action, package: name, version, before: "", body, fit: 90 })
}

/// dnf: `2026-11-21T10:15:02+0000 SUBDEBUG Upgrade: nginx-1:1.24.0-2.el9.x86_64`.
fn dnf(line: &str) -> Option<Step<'_>> {
    let mut c = Cursor::new(line);
    let stamp = c.stamp_by(stamp::iso)?;
    c.must(" ")?;
    let level = c.word().filter(|w| matches!(*w, "SUBDEBUG" | "INFO" | "DEBUG" | "DDEBUG"))?;
    c.must(" ")?;
    let body = c.rest;
    let (action, package) = body.split_once(": ")?;
    let known = matches!(
        action,
        "Installed"
            | "Upgrade"
            | "Upgraded"
            | "Erase"
            | "Erased"
            | "Downgrade"
            | "Downgraded"
            | "Reinstall"
            | "Reinstalled"
            | "Obsoleted"
            | "Removed"
            | "Updated"
    );
    if !known || package.contains(' ') || level.is_empty() {
        return None;
    }
    let (name, version) = nevra(package);
    Some(Step { format: "dnf", stamp, action, package: name, version, before: "", body, fit: 90 })
}

/// Name and version of `name-epoch:version-release.arch`. The architecture ends the text, the version has one dash.
fn nevra(text: &str) -> (&str, &str) {
    let (rest, _) = text
        .rsplit_once('.')
        .filter(|(_, arch)| matches!(*arch, "x86_64" | "noarch" | "i686" | "aarch64" | "ppc64le" | "s390x" | "i386"))
        .unwrap_or((text, ""));
    let dash = rest.rfind('-').and_then(|last| rest.get(..last)?.rfind('-'));
    match dash.and_then(|at| Some((rest.get(..at)?, rest.get(at + 1..)?))) {
        Some((name, version)) if version.starts_with(|c: char| c.is_ascii_digit()) => (name, version),
        _ => (rest, ""),
    }
}

/// `[2026-11-21T10:15:02+0000] [ALPM] upgraded nginx (1.24.0-1 -> 1.24.0-2)`.
fn pacman(line: &str) -> Option<Step<'_>> {
    let mut c = Cursor::new(line);
    c.must("[")?;
    let stamp = c.stamp_by(stamp::iso)?;
    c.must("] [")?;
    let who = c.until("] ").filter(|w| w.starts_with("ALPM") || *w == "PACMAN")?;
    let body = c.rest;
    let mut step = Step { format: "pacman", stamp, action: "", package: "", version: "", before: "", body, fit: 92 };
    if who == "ALPM"
        && let Some((verb, rest)) =
            body.split_once(' ').filter(|(v, _)| matches!(*v, "installed" | "upgraded" | "removed" | "downgraded" | "reinstalled"))
        && let Some((package, versions)) = rest.split_once(" (")
    {
        let versions = versions.trim_end_matches(')');
        let (before, version) = versions.split_once(" -> ").unwrap_or(("", versions));
        step = Step { action: verb, package, version, before, ..step };
    }
    Some(step)
}

/// `/var/log/apt/history.log`: a paragraph a run, from `Start-Date` to `End-Date`.
#[derive(Clone, Copy, Debug, Default)]
pub struct AptHistory;

/// Packages of one run that become fields; the text has them all.
const MOST: usize = 50;

impl Format for AptHistory {
    fn name(&self) -> &'static str {
        "apt.history"
    }

    fn read<'a>(&self, _cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let date = text.strip_prefix("Start-Date: ")?;
        let (day, clock) = first_line(date).split_once(' ')?;
        let (day, _) = stamp::iso(&format!("{day} {}", clock.trim()))?;
        record.format = "apt.history";
        record.stamp = Some(day);
        record.body = text;
        for line in text.lines().skip(1) {
            let Some((name, value)) = line.split_once(": ") else { continue };
            let action = match name {
                "Commandline" => {
                    fill::once_str(record, Key::Command, value);
                    continue;
                }
                "Requested-By" => {
                    fill::once_str(record, Key::User, value.split(' ').next().unwrap_or(value));
                    continue;
                }
                "Error" => {
                    fill::once_str(record, Key::ExceptionMessage, value);
                    fill::level_as(record, "Error", whyline_event::Severity::Error);
                    continue;
                }
                "Install" => "install",
                "Upgrade" => "upgrade",
                "Downgrade" => "downgrade",
                "Reinstall" => "reinstall",
                "Remove" => "remove",
                "Purge" => "purge",
                _ => continue,
            };
            fill::once(record, Key::Action, Value::Str(action));
            packages(value, record);
        }
        Some(95)
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        line.starts_with("Start-Date: ")
    }

    fn block(&self) -> bool {
        true
    }

    fn ends_at_blank(&self) -> bool {
        true
    }
}

/// `nginx:amd64 (1.24.0-1, 1.24.0-2), libfoo:amd64 (2.1-1, automatic)`.
fn packages<'a>(list: &'a str, record: &mut Record<'a>) {
    for part in list.split("), ").take(MOST) {
        let Some((package, versions)) = part.split_once(" (") else { continue };
        let mut versions = versions.trim_end_matches(')').split(", ").filter(|v| *v != "automatic");
        let (first, second) = (versions.next().unwrap_or(""), versions.next());
        let (before, version) = second.map_or(("", first), |second| (first, second));
        put(record, bare(package), version, before);
    }
}

//! What commands showed of the places that the failing requests go to: who listened there, and which certificates had ended.

use super::{Measured, View};
use crate::names::NONE;
use std::collections::{BTreeMap, BTreeSet};
use whyline_event::address;

pub(super) fn measure(view: &mut View<'_>) {
    listeners(view);
    certificates(view);
}

/// A command that was run this long (ms) before the first symptom still shows the trouble.
const LEAD: i64 = 15_000;

/// The listening sockets of a machine as one source shows them.
struct Listing {
    collected: i64,
    /// Port, addresses, line.
    ports: BTreeMap<u16, Vec<(String, u32)>>,
    source: u32,
    first_line: u32,
}

fn listings(view: &View<'_>, host: &str) -> Vec<Listing> {
    let mut list: BTreeMap<(u32, i64), Listing> = BTreeMap::new();
    for socket in view.evidence.snapshots.sockets.iter().filter(|s| s.listens && view.evidence.text(s.row.host) == host) {
        let Some(source) = view.evidence.sources.get(socket.row.source as usize) else { continue };
        let collected = socket.row.millis(&source.clock);
        let listing = list.entry((socket.row.source, collected)).or_insert_with(|| Listing {
            collected,
            ports: BTreeMap::new(),
            source: socket.row.source,
            first_line: socket.row.line,
        });
        listing.ports.entry(socket.port).or_default().push((view.evidence.text(socket.address).to_string(), socket.row.line));
    }
    list.into_values().collect()
}

/// Whether nobody, or somebody, listened where the failing requests were sent.
fn listeners(view: &mut View<'_>) {
    let mut targets: BTreeSet<&str> = BTreeSet::new();
    for i in &view.affected {
        let of = &view.request(*i).of;
        if of.upstream != NONE {
            targets.insert(view.evidence.text(of.upstream));
        }
    }
    let mut found: Vec<(&'static str, String, Listing, u32, String)> = Vec::new();
    for target in targets {
        let (name, Some(port)) = address::split_port(target) else { continue };
        let own = matches!(name, "127.0.0.1" | "localhost" | "::1");
        let host = if own { view.incident.hosts().iter().next().map(|h| h.to_string()) } else { view.topology.behind(target) };
        let Some(host) = host else { continue };
        for listing in listings(view, &host).into_iter().filter(|l| l.collected >= view.incident.onset - LEAD) {
            let all = |a: &str| matches!(a, "*" | "0.0.0.0" | "::" | "");
            let sockets = listing.ports.get(&port);
            let serves = |a: &str| all(a) || a == name || own && a.starts_with("127.") || !own && !a.starts_with("127.") && a != "::1";
            let line = sockets.and_then(|s| s.first()).map_or(listing.first_line, |(_, line)| *line);
            let (id, note) = match sockets {
                None => ("target.not-listening", format!("nothing listened on port {port} of {host}")),
                Some(list) if !list.iter().any(|(a, _)| serves(a)) => {
                    ("target.listens-elsewhere", format!("on port {port} of {host} somebody listened for the machine itself only"))
                }
                // Afterwards it may have been started again.
                Some(_) if listing.collected <= view.incident.end => {
                    ("target.listening", format!("somebody listened on port {port} of {host}"))
                }
                Some(_) => continue,
            };
            found.push((id, format!("addr:{target}"), listing, line, note));
        }
    }
    for (id, entity, listing, line, note) in found {
        add(view, id, entity, listing.collected, None, note, (listing.source, line));
    }
}

/// A certificate that ended longer before the incident (ms) is one that nobody uses.
const RECENT: i64 = 30 * 86_400_000;

/// Certificates that had ended, or had not begun, while requests failed.
fn certificates(view: &mut View<'_>) {
    let (onset, end) = (view.incident.onset, view.incident.end);
    let mut found = Vec::new();
    for certificate in &view.evidence.snapshots.certificates {
        let Some(source) = view.evidence.sources.get(certificate.row.source as usize) else { continue };
        let collected = certificate.row.millis(&source.clock);
        let host = view.evidence.text(certificate.row.host);
        let entity = if host.is_empty() { view.edge_entity() } else { format!("host:{host}") };
        let subject = match view.evidence.text(certificate.subject) {
            "" => String::new(),
            name => format!(" for {name}"),
        };
        let day = |ms: i64| whyline_event::stamp::rfc3339(ms.saturating_mul(1_000_000), 0);
        let cite = (certificate.row.source, certificate.row.line);
        match (certificate.from, certificate.to) {
            (_, Some(to)) if to <= end && to >= onset - RECENT => {
                // It names its end: where that is when the trouble began, it is when the cause began.
                let since = Some(to).filter(|to| *to >= onset - 240_000);
                found.push(("certificate.ended", entity, collected, since, format!("the certificate{subject} ended {}", day(to)), cite));
            }
            (Some(from), _) if from > onset && from <= end.max(collected) + RECENT => {
                found.push((
                    "certificate.not-begun",
                    entity,
                    collected,
                    None,
                    format!("the certificate{subject} begins {}", day(from)),
                    cite,
                ));
            }
            _ => {}
        }
    }
    for (id, entity, collected, since, note, cite) in found {
        add(view, id, entity, collected, since, note, cite);
    }
}

/// Adds what was seen when a command was run; `since` where the output names the time at which it began.
fn add(view: &mut View<'_>, id: &str, entity: String, collected: i64, since: Option<i64>, note: String, cite: (u32, u32)) {
    let Some(signal) = view.pack.signal(id) else { return };
    let onset = since.unwrap_or(view.incident.onset);
    let state = if since.is_none() { Some(collected) } else { None };
    view.found.push(Measured { signal, entity, onset, note, cite: vec![cite], collected: state });
}

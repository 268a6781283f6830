//! Addresses that a service asks since its start and never asked before.

use super::View;
use super::versions::served_since;
use crate::entity::{of_service, parts};
use crate::evidence::Series;
use crate::names::NONE;
use crate::rules::Accused;
use std::collections::BTreeSet;
use whyline_event::{Key, address};

/// Signals that tell of the start of a service.
const STARTS: [&str; 3] = ["systemd.service-started", "app.listening", "process.started"];
/// So long (s) before its first error a service has started at the most.
const STARTED: i64 = 60;
/// So long (s) a service takes to settle.
const SETTLED: i64 = 3;
/// So many errors name the address.
const FEW: u64 = 3;

/// What tells of trouble has this weight at least (that of `supporting` is above it).
const TROUBLE: f64 = 1.0;

/// What stands for the right address.
struct Known {
    /// Another endpoint that the service named, or the only machine of the kind.
    name: String,
    is_endpoint: bool,
    /// The machine there.
    machine: String,
}

/// Services that ask an address since their start which fails from the start on, while they asked another one on the same port before, or the
/// only machine of the kind is known to stand elsewhere.
pub(super) fn measure(view: &mut View<'_>) {
    let seconds = (view.incident.onset / 1000 - 60, view.incident.end / 1000 + 5);
    let evidence = view.evidence;
    let id = |series: &Series| view.pack.signals[series.signal as usize].id.as_str();
    let starts: Vec<&Series> = evidence.series.iter().filter(|s| STARTS.contains(&id(s))).collect();
    let mut found = Vec::new();
    for series in &evidence.series {
        let ("addr" | "name", asked, _) = parts(evidence.text(series.entity)) else { continue };
        let Some((first, begun)) = begun(view, &starts, series, seconds) else { continue };
        let Some(known) = known(view, series, asked).filter(|known| is_well(view, series, asked, known, seconds)) else { continue };
        let (service, host) = (evidence.text(series.service), evidence.text(series.host));
        let before = if known.is_endpoint { format!("{} was", known.name) } else { format!("the only such server here is {}", known.name) };
        let note = format!("{asked} was never asked before by {service}, which started {} s earlier; {before}", first - begun);
        let cite = series.samples.iter().take(2).map(|s| (series.source as u32, s.line)).collect();
        found.push((of_service(service, host), first * 1000, note, cite));
    }
    found.sort();
    found.dedup_by(|a, b| a.0 == b.0);
    for (entity, onset, note, cite) in found {
        view.add("dependency.new-address", entity, onset, note, cite);
    }
}

/// When errors that name an endpoint began, and when the service that speaks of it had started right before: services name no address while all
/// is well, so only behind a start is the first error that of the first call; what served well after its start reached all that it needs.
fn begun(view: &View<'_>, starts: &[&Series], series: &Series, (from, to): (i64, i64)) -> Option<(i64, i64)> {
    let signal = &view.pack.signals[series.signal as usize];
    if signal.entity.first() != Some(&Accused::Key(Key::Peer)) || series.host == NONE || series.within(from, to) < FEW {
        return None;
    }
    let first = series.bins.first().map(|b| b.0).filter(|first| *first >= from)?;
    let begun = starts.iter().filter(|s| s.host == series.host).flat_map(|s| s.bins.iter().map(|b| b.0));
    let begun = { begun }.find(|s| (first - STARTED..=first).contains(s))?;
    (!served_since(view, begun + SETTLED, view.evidence.text(series.host))).then_some((first, begun))
}

/// The right address, where only one can be: the other one on the same port that the service named, or the only machine of the kind, which is
/// known to stand elsewhere.
fn known(view: &View<'_>, series: &Series, asked: &str) -> Option<Known> {
    let (address, Some(port)) = address::split_port(asked) else { return None };
    let is_other = |text: &str| {
        let (other, p) = address::split_port(text);
        p == Some(port) && other != address && address::ip(other).is_some() == address::ip(address).is_some()
    };
    let evidence = view.evidence;
    let own = evidence.pairs.iter().filter(|(pair, _)| pair.host == series.host && pair.service == series.service);
    let others: BTreeSet<&str> = own.map(|(pair, _)| evidence.text(pair.peer)).filter(|peer| is_other(peer)).collect();
    let only = others.first().filter(|_| others.len() == 1).map(|peer| peer.to_string());
    let is_endpoint = only.is_some();
    // A store that runs elsewhere alone is not to be asked on one's own machine.
    let own = address::ip(address).is_some_and(|ip| ip.is_loopback()) || address == "localhost";
    let asking = evidence.text(series.host);
    let is_elsewhere = |host: &String| if own { host != asking } else { view.topology.has_another(host, address) };
    let stands = || view.topology.only_machine(port).filter(is_elsewhere);
    let name = only.or_else(stands)?;
    let machine = view.topology.behind(&name).unwrap_or_else(|| name.clone());
    let is_same = view.topology.behind(asked).is_some_and(|at| at == machine);
    (!is_same).then_some(Known { name, is_endpoint, machine })
}

/// Whether the right address does not fail as well, nor its machine tell of trouble of its own, nor another endpoint begin to fail more often for
/// those on the same machine.
fn is_well(view: &View<'_>, series: &Series, asked: &str, known: &Known, (from, to): (i64, i64)) -> bool {
    let evidence = view.evidence;
    // Somebody guesses passwords everywhere.
    let is_trouble = |s: &Series| {
        let faults =
            view.pack.faults.iter().filter(|fault| !fault.symptom && !["security.", "client."].iter().any(|id| fault.id.starts_with(id)));
        faults.flat_map(|fault| &fault.evidence).any(|e| e.signal == s.signal && e.weight >= TROUBLE)
    };
    let begins = |s: &Series| s.within(from, to) > 0 && s.within(i64::MIN, from - 1) == 0 && is_trouble(s);
    let fails = |s: &Series| {
        s.host == series.host && parts(evidence.text(s.entity)).1 == known.name && s.within(from, to) > 0
            || evidence.text(s.host) == known.machine && begins(s)
    };
    let now = series.within(from, to);
    let is_louder = |s: &Series| {
        let of_other = matches!(parts(evidence.text(s.entity)), ("addr" | "name", other, _) if other != asked);
        s.host == series.host && of_other && begins(s) && s.within(from, to) > now
    };
    !evidence.series.iter().any(|s| fails(s) || is_louder(s))
}

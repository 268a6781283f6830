//! The machine that is meant: clients complain of a store without naming it, and in the bundle one of that kind is ill at these seconds by its own
//! words; or somebody finds that clocks disagree, and one machine says that its own was wrong. Then both speak of one fault, and that machine has it.

use crate::activity::{Activity, programs_asked};
use crate::belief::{Hypothesis, Known, Term};
use crate::reach::Reach;
use crate::untold::CONCLUSIVE;
use std::collections::BTreeSet;

/// A server that says so itself is meant where it begins so long before its clients complain, at the most, or behind (ms).
const BEFORE: i64 = 60_000;
const BEHIND: i64 = 20_000;
/// What is worth less is no word of its own.
const AUDIBLE: f64 = 0.5;
/// Of several servers the one is meant that is so much surer than the others.
const SURER: f64 = 1.0;
/// What is told of a server and what its clients complain of without a name begin so near to each other (ms) where both are one.
const AT_ONCE: i64 = 15_000;

/// Puts a fault of what clients call without naming it together with the same fault of the one server that can be meant.
pub(crate) fn together(known: &Known<'_>, reach: &Reach, list: &mut Vec<Hypothesis>) {
    let faults: BTreeSet<usize> = list.iter().filter(|h| is_complaint(reach, h)).map(|h| h.fault).collect();
    for fault in faults {
        let complaints: Vec<usize> = (0..list.len()).filter(|i| list[*i].fault == fault && is_complaint(reach, &list[*i])).collect();
        let onset = complaints.iter().map(|i| list[*i].onset).min().unwrap_or(0);
        let mut servers: Vec<usize> =
            (0..list.len()).filter(|i| list[*i].fault == fault && is_server(known, reach, &list[*i], onset)).collect();
        servers.sort_by(|a, b| list[*b].score.total_cmp(&list[*a].score).then(a.cmp(b)));
        let [server, others @ ..] = &servers[..] else { continue };
        if others.first().is_some_and(|other| list[*other].score + SURER > list[*server].score) {
            continue;
        }
        merge(list, *server, &complaints);
    }
}

/// Takes complaints into a hypothesis of the one that they speak of.
fn merge(list: &mut Vec<Hypothesis>, server: usize, complaints: &[usize]) {
    let told: Vec<Hypothesis> = complaints.iter().filter_map(|i| list.get(*i)).cloned().collect();
    if let Some(server) = list.get_mut(server) {
        told.iter().for_each(|complaint| take_over(server, complaint));
    }
    let mut number = 0;
    list.retain(|_| {
        number += 1;
        !complaints.contains(&(number - 1))
    });
}

/// What tells that two clocks disagree, and not which of them is wrong: whoever checks a token or a certificate goes by a clock of its own.
const DISAGREE: [&str; 2] = ["time.token-not-yet-valid", "tls.verify-not-yet-valid"];
/// What tells that a clock itself was wrong.
const WRONG: [&str; 4] = ["time.was-wrong", "time.stepped", "snapshot.clock-off", "clock.offset"];

/// Puts clocks that disagree together with the one machine whose own clock is known to have been wrong.
pub(crate) fn clocks(known: &Known<'_>, list: &mut Vec<Hypothesis>) {
    let Known { pack, activities, .. } = *known;
    let is_skew = |h: &Hypothesis| pack.faults.get(h.fault).is_some_and(|fault| fault.id == "time.clock-skew");
    let own = |h: &Hypothesis, ids: &[&str]| {
        h.speaking(activities).any(|(term, a)| term.value >= AUDIBLE && a.place == h.place && ids.contains(&term.name.as_str()))
    };
    let is_wrong = |h: &Hypothesis| is_skew(h) && h.place.starts_with("host:") && own(h, &WRONG);
    let complaints: Vec<usize> =
        (0..list.len()).filter(|i| is_skew(&list[*i]) && own(&list[*i], &DISAGREE) && !own(&list[*i], &WRONG)).collect();
    let wrong: Vec<usize> = (0..list.len()).filter(|i| is_wrong(&list[*i])).collect();
    if let ([machine], false) = (&wrong[..], complaints.is_empty()) {
        merge(list, *machine, &complaints);
    }
}

/// Whether those on the way of the failing requests complain of what they do not name.
fn is_complaint(reach: &Reach, h: &Hypothesis) -> bool {
    h.place.starts_with("dependency:") && reach.is_asked_on_the_way(&h.place)
}

/// Whether a hypothesis is one of a server of the right kind that tells of it itself, at about this time.
fn is_server(known: &Known<'_>, reach: &Reach, h: &Hypothesis, onset: i64) -> bool {
    let Known { evidence, pack, activities, topology, .. } = *known;
    let Some(host) = h.place.strip_prefix("host:").filter(|_| reach.stores.contains(&h.place)) else { return false };
    let is_told_there = |a: &Activity| {
        let mut series = a.series.iter().filter_map(|i| evidence.series.get(*i));
        a.place == h.place && !a.shown && series.any(|series| evidence.text(series.host) == host)
    };
    programs_asked(&pack.faults[h.fault].id).iter().any(|program| topology.runs(program, host))
        && h.speaking(activities).any(|(term, a)| {
            term.value >= AUDIBLE && names_it(known, h, a) && is_told_there(a) && (onset - BEFORE..=onset + BEHIND).contains(&a.onset)
        })
}

/// Whether a signal names the fault of a hypothesis beyond doubt. What is less may be said of another one: a replica loses its primary.
fn names_it(known: &Known<'_>, h: &Hypothesis, a: &Activity) -> bool {
    known.pack.faults[h.fault].evidence.iter().any(|e| e.signal == a.signal && e.weight >= CONCLUSIVE)
}

/// Adds what speaks for a complaint to the server that is meant.
fn take_over(server: &mut Hypothesis, complaint: &Hypothesis) {
    let is_new = |server: &Hypothesis, term: &Term| !server.terms.iter().any(|own| own.name == term.name);
    let more: Vec<Term> = complaint.terms.iter().filter(|term| term.activity.is_some() && is_new(server, term)).cloned().collect();
    let at = server.terms.iter().position(|term| term.activity.is_none() && term.name != "prior").unwrap_or(server.terms.len());
    server.terms.splice(at..at, more);
    for name in ["place", "coverage"] {
        let better = complaint.terms.iter().find(|term| term.name == name);
        let own = server.terms.iter_mut().find(|term| term.name == name);
        if let (Some(own), Some(better)) = (own, better)
            && better.value > own.value
        {
            *own = Term { note: format!("for those who complain: {}", better.note), ..better.clone() };
        }
    }
    server.score = server.terms.iter().map(|term| term.value).sum();
    server.onset = server.onset.min(complaint.onset);
    server.dated |= complaint.dated;
    server.also.push(complaint.place.clone());
}

/// Whether what a service calls without naming it is the store of a deeper fault: one that says itself, and beyond doubt, that it is ill, from the
/// same seconds on. Of several such stores nobody knows which.
pub(crate) fn is_the_store(known: &Known<'_>, reach: &Reach, list: &[Hypothesis], deep: &Hypothesis, step: &Hypothesis) -> bool {
    let is_ill = |h: &Hypothesis| {
        reach.stores.contains(&h.place)
            && h.speaking(known.activities).any(|(term, a)| {
                let is_now = (a.onset - step.onset).abs() <= AT_ONCE;
                term.value >= CONCLUSIVE / 2.0 && a.place == h.place && !a.shown && names_it(known, h, a) && is_now
            })
    };
    is_complaint(reach, step) && is_ill(deep) && !list.iter().any(|h| h.place != deep.place && is_ill(h))
}

//! What ties a fault to the failing requests. That something befell some machine at about the time is no proof: in a bundle of several machines
//! something does every few minutes. So a fault that only its time connects with the trouble is not stood by.

use crate::activity::Activity;
use crate::belief::{Hypothesis, Known, Term, anchors_by};
use crate::computed;
use crate::entity::{parts, service_of_path};
use crate::reach::Reach;
use crate::topology::STORES;
use crate::untold::SUPERVISORS;
use std::collections::BTreeSet;

/// No more is believed of a fault that nothing but the time ties to the failing requests.
const MOST: f64 = 0.6;
/// Traces tie a fault to the trouble that are so many, and last for this share of it.
const MANY: u64 = 4;
const LASTING: f64 = 0.3;
/// So do traces of which the first and the last are so near (ms, or a fifth of its length) to its beginning and its end.
const BOTH_ENDS: i64 = 20_000;
/// What is worth less than this ties nothing.
const AUDIBLE: f64 = 0.3;

/// Holds back the confidence in faults that nothing ties to the failing requests.
pub(crate) fn hold_back(known: &Known<'_>, reach: &Reach, list: &mut [Hypothesis]) {
    for h in list.iter_mut().filter(|h| h.step_of.is_none() && h.confidence > MOST) {
        let is_tied = explains_more(h) || is_measured(known, h) || lasts(known, h) || is_on_the_way(known, reach, h);
        if !is_tied {
            let note = "nothing here but the time ties it to the failing requests".to_string();
            h.terms.push(Term { name: "untied".into(), value: 0.0, note, activity: None });
            h.confidence = MOST;
        }
    }
}

/// Whether it explains what else was found.
fn explains_more(h: &Hypothesis) -> bool {
    h.terms.iter().any(|term| term.name == "steps" && term.value > 0.0)
}

/// Whether something was measured that makes it, rather than how things went for everybody.
fn is_measured(known: &Known<'_>, h: &Hypothesis) -> bool {
    let id = |a: &Activity| &known.pack.signals[a.signal as usize].id;
    h.speaking(known.activities).any(|(_, a)| computed::find(id(a)).is_some_and(|c| !c.context))
}

/// The activities that can make it.
fn anchors<'h>(known: &'h Known<'_>, h: &'h Hypothesis) -> impl Iterator<Item = &'h Activity> {
    let rule = &known.pack.faults[h.fault];
    let anchors = move |a: &Activity| rule.evidence.iter().any(|e| e.signal == a.signal && anchors_by(known.pack, e));
    h.speaking(known.activities).map(|(_, a)| a).filter(move |a| anchors(a))
}

/// Whether its traces go on while the trouble does, or begin and end with it.
fn lasts(known: &Known<'_>, h: &Hypothesis) -> bool {
    let (onset, end) = known.stretch;
    let length = (end - onset).max(1_000);
    let share = |a: &Activity| (a.last.min(end) - a.onset.max(onset)).max(0) as f64 / length as f64;
    let covers = |a: &Activity| a.covers.is_some_and(|share| share >= LASTING && !a.outlasts);
    let own = || h.speaking(known.activities).filter(|(term, a)| term.value >= AUDIBLE && !a.of_incident && !a.shown).map(|(_, a)| a);
    let first = own().map(|a| a.onset).min().unwrap_or(0);
    let last = own().map(|a| a.last).max().unwrap_or(0);
    let near = BOTH_ENDS.max(length / 5);
    let is_about = (first - onset).abs() <= near && (last - end).abs() <= near && (last - first) * 2 >= length;
    is_about || own().any(|a| a.hits >= MANY && share(a) >= LASTING || covers(a))
}

/// Where users arrive only these are the faults of one server behind it.
const OF_THE_FRONT: [&str; 9] = ["proxy.", "tls.", "lb.", "net.", "dns.", "firewall.", "cdn.", "client.", "security."];

/// Whether the failing requests are known to pass its place, and it concerns what serves them there.
fn is_on_the_way(known: &Known<'_>, reach: &Reach, h: &Hypothesis) -> bool {
    let id = &known.pack.faults[h.fault].id;
    let worth = reach.worth(&h.place, id).0;
    if h.place.starts_with("client:") {
        return worth >= 0.0;
    }
    if worth <= 0.0 {
        return false;
    }
    // What the system of a machine needs is not what its service asks.
    if let ("dependency", "syslog" | "journal" | "systemd" | "sssd" | "nslcd" | "kernel" | "auth" | "messages", _) = parts(&h.place) {
        return false;
    }
    let Some(host) = h.place.strip_prefix("host:") else { return true };
    if reach.comes_with_them(&h.place) {
        return true;
    }
    // What befalls the machine of a proxy does not strike one of the servers behind it alone.
    let is_front = reach.on_the_way.get(&h.place) == Some(&0) && !OF_THE_FRONT.iter().any(|domain| id.starts_with(domain));
    let of_one = |a: &Activity| known.pack.signals[a.signal as usize].id == "failures.one-upstream";
    let is_elsewhere = is_front && known.activities.iter().any(|a| of_one(a) && a.gain > 0.0);
    !is_guessed(known, host, id) && !is_elsewhere && !is_of_another(known, host, h)
}

/// Whether a machine of which only logs of the system are there is taken for the one behind an address because no other is left. A node serves
/// by its pods.
fn is_guessed(known: &Known<'_>, host: &str, fault: &str) -> bool {
    let evidence = known.evidence;
    let mut own = evidence.sources.iter().filter(|source| source.host == host);
    let serves = STORES.iter().any(|store| known.topology.runs(store, host)) || fault.starts_with("k8s.");
    known.topology.is_left_over(host) && !serves && own.all(|source| source.tells_of_system() || source.records == 0)
}

/// Whether all that speaks for it names services or units of the machine, and none of those that write logs of their own there.
fn is_of_another(known: &Known<'_>, host: &str, h: &Hypothesis) -> bool {
    let own = services(known, host);
    let named = |a: &Activity| {
        let (kind, name, _) = parts(&a.entity);
        (matches!(kind, "service" | "unit") && !SUPERVISORS.contains(&name)).then(|| name.to_string())
    };
    let named: BTreeSet<String> = anchors(known, h).filter_map(named).collect();
    !own.is_empty() && !named.is_empty() && !named.iter().any(|name| own.iter().any(|service| are_akin(name, service)))
}

/// The services of a machine that log requests, or that have logs of their own.
fn services(known: &Known<'_>, host: &str) -> BTreeSet<String> {
    let evidence = known.evidence;
    let kinds = evidence.requests.all_kinds().filter(|(kind, _)| evidence.text(kind.host) == host);
    let asked = kinds.map(|(kind, _)| evidence.text(kind.service).to_string());
    let sources = evidence.sources.iter().filter(|source| source.host == host && !source.tells_of_system());
    let logging = sources.flat_map(|source| {
        let folder = source.path.rsplit('/').nth(1).unwrap_or("").to_string();
        [service_of_path(&source.path), folder, source.family().to_string()]
    });
    asked.chain(logging).filter(|name| !name.is_empty() && name != host).collect()
}

/// Words that a unit's name may have besides those of its service.
const COMMON: [&str; 14] =
    ["api", "app", "web", "www", "server", "service", "srv", "backend", "main", "prod", "production", "daemon", "fpm", "http"];

/// Whether a unit or service is another name for a service: `shop-api.service` for `shop`, but not `shop-mailer.service`.
fn are_akin(unit: &str, service: &str) -> bool {
    let words = |name: &str| -> BTreeSet<String> {
        let name = name.strip_suffix(".service").unwrap_or(name).to_ascii_lowercase();
        name.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| word.len() >= 2).map(str::to_string).collect()
    };
    let (unit, service) = (words(unit), words(service));
    let same = |x: &str, y: &str| x == y || x.len() >= 4 && y.contains(x) || y.len() >= 4 && x.contains(y);
    let shared = |word: &&String| service.iter().any(|other| same(word, other));
    let others = unit.iter().filter(|word| !shared(word) && !COMMON.contains(&word.as_str()));
    unit.iter().any(|word| shared(&word)) && (others.count() == 0 || unit.is_superset(&service) && service.len() > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_service() {
        for (a, b, want) in [
            ("shop-api.service", "shop", true),
            ("php8.2-fpm.service", "php", true),
            ("postgresql@15-main.service", "postgres", true),
            ("monthly-report.service", "orders", false),
            ("newsletter.service", "apache", false),
            ("filebeat", "nginx", false),
            ("shop-mailer.service", "shop", false),
            ("shop-report.service", "shop-api", false),
            ("docker-shop-api-1", "shop-api", true),
            ("gunicorn.service", "gunicorn", true),
        ] {
            assert_eq!(are_akin(a, b), want, "{a} {b}");
        }
    }
}

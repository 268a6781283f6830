//! Whom a hypothesis accuses, in the words that people use first.

use crate::activity::Activity;
use crate::belief::Hypothesis;
use crate::evidence::{Evidence, Series};
use crate::names::NONE;
use crate::rules::Pack;

/// The entities that a hypothesis accuses, the best supported first: those that its evidence names at its place, the place itself, and what
/// the failures have in common. Of a fault that is the speaker's own (a load balancer that asks for a wrong path) the speaker comes first;
/// where clients are accused, whom they turned against comes last.
pub(crate) fn entities(evidence: &Evidence, pack: &Pack, activities: &[Activity], h: &Hypothesis) -> Vec<String> {
    let own = || h.speaking(activities);
    let mut entities: Vec<String> = Vec::new();
    let mut add = |entity: &str| {
        if !entities.iter().any(|known| known == entity) {
            entities.push(entity.to_string());
        }
    };
    let speaker = || {
        let series = own().filter(|(_, activity)| !activity.shown).flat_map(|(_, activity)| &activity.series);
        series.filter_map(|at| evidence.series.get(*at)).find_map(|series| writer(evidence, series))
    };
    if pack.faults[h.fault].of_speaker {
        speaker().into_iter().for_each(|speaker| add(&speaker));
    }
    // What a service complains of without naming it is not the service.
    let unnamed = h.place.strip_prefix("dependency:").map(|asking| format!("service:{asking}"));
    if unnamed.is_some() {
        add(&h.place);
    }
    own()
        .filter(|(_, activity)| activity.place == h.place && unnamed.as_ref() != Some(&activity.entity))
        .for_each(|(_, activity)| add(&activity.entity));
    add(&h.place);
    h.also.iter().for_each(|complaint| add(complaint));
    entities.truncate(3 + usize::from(pack.faults[h.fault].of_speaker));
    // What the failures have in common (a client, a path) names the accused more closely than a machine does.
    let shared = own().filter(|(term, _)| term.name.starts_with("failures.one-")).map(|(_, activity)| activity.entity.clone());
    entities.extend(shared.filter(|e| !h.place.contains(e.as_str())).take(2).collect::<Vec<_>>());
    if h.place.starts_with("client:") {
        entities.extend(speaker());
    }
    entities
}

/// Who wrote the lines of a series.
fn writer(evidence: &Evidence, series: &Series) -> Option<String> {
    let (service, host) = (evidence.text(series.service), evidence.text(series.host));
    (series.host != NONE && series.service != NONE && !service.is_empty()).then(|| format!("service:{service}@{host}"))
}

//! What several machines share: where two or more become slow at once, on all that they are asked for, the reason lies as likely in what is common to
//! them (a store, a disk, the processor below them) as in their program. So slowness alone is not stood by then.

use crate::activity::Activity;
use crate::belief::{Hypothesis, Known, Term, anchors_by};
use crate::computed;
use std::collections::BTreeSet;

/// No more is believed of a slow service among several machines that became slow at once.
const MOST: f64 = 0.65;
/// The term that says so.
pub(crate) const NAME: &str = "shared";
/// The fault, and the measures that tell that a machine became slow.
const SLOW: &str = "app.slow-response";
const MEASURED: [&str; 2] = ["backend.slower", "backend.stalls"];
/// A line of the service itself names a reason inside where it has this weight or more (between `supporting` and that of `app.slow-request`).
const INSIDE: f64 = 1.7;

/// Holds back the confidence in a slow service where others became slow with it and nothing inside it is named.
pub(crate) fn hold_back(known: &Known<'_>, list: &mut [Hypothesis]) {
    let Known { pack, activities, .. } = *known;
    let id = |a: &Activity| pack.signals.get(a.signal as usize).map_or("", |signal| signal.id.as_str());
    let slow: BTreeSet<&str> = activities.iter().filter(|a| MEASURED.contains(&id(a))).map(|a| a.place.as_str()).collect();
    let is_one_path = activities.iter().any(|a| id(a) == "failures.one-path");
    if slow.len() < 2 || is_one_path {
        return;
    }
    for h in list.iter_mut().filter(|h| h.step_of.is_none() && h.confidence > MOST && slow.contains(h.place.as_str())) {
        let Some(rule) = pack.faults.get(h.fault).filter(|rule| rule.id == SLOW) else { continue };
        let is_named = |a: &Activity| {
            let names = |e: &crate::rules::Evidence| e.signal == a.signal && e.weight >= INSIDE && anchors_by(pack, e);
            computed::find(id(a)).is_none() && rule.evidence.iter().any(names)
        };
        let explains_more = h.terms.iter().any(|term| term.name == "steps" && term.value > 0.0);
        if !explains_more && !h.speaking(activities).any(|(_, a)| is_named(a)) {
            let note = format!("{} machines became slow at once: what they share may be the reason", slow.len());
            h.terms.push(Term { name: NAME.into(), value: 0.0, note, activity: None });
            h.confidence = MOST;
        }
    }
}

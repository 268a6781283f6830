//! How a cause led to what was felt, step by step; and what its steps would be without it.

use super::{Context, round, time};
use crate::belief::{Hypothesis, leads_to};
use crate::report::{Besides, Step};
use crate::rules::FaultId;
use crate::symptoms::{Incident, Symptom};
use std::collections::BTreeSet;

/// What was felt, each once: that an error log tells of the very failures that requests show is no other symptom. A proxy may tell of them when
/// it gives up, long after they began.
pub(super) fn felt(incident: &Incident) -> Vec<&Symptom> {
    let is_shown = |told: &&Symptom| {
        let same = |s: &&Symptom| s.id == told.id && s.host == told.host && !s.affected.is_empty();
        let most = |s: &Symptom| s.affected.len() + s.affected.len() / 10 + 2;
        let of_requests = told.affected.is_empty() && told.id.starts_with("http.");
        of_requests && incident.symptoms.iter().filter(same).any(|s| told.total <= most(s))
    };
    incident.symptoms.iter().filter(|symptom| !is_shown(symptom)).collect()
}

impl Context<'_> {
    /// From the cause up: the steps that it explains, then the symptoms. Nothing begins before what brought it, whenever it was told: many a line
    /// is written at the end of a wait.
    pub(super) fn chain(&self, h: &Hypothesis) -> Vec<Step> {
        let felt = felt(self.incident);
        let latest = felt.iter().map(|s| s.onset).min().unwrap_or(self.incident.onset);
        let begun = |h: &Hypothesis, cause: i64| h.onset.min(latest).max(cause);
        let from = begun(h, i64::MIN);
        let step = |h: &Hypothesis| {
            let fault = &self.pack.faults[h.fault];
            let onset = begun(h, from);
            Step {
                id: fault.id.clone(),
                text: fault.title.clone(),
                entity: h.entities.first().cloned().unwrap_or_default(),
                onset: time(onset),
                told: (h.onset > onset).then(|| time(h.onset)),
            }
        };
        let mut chain: Vec<Step> = self.steps_from(h).into_iter().map(step).collect();
        for s in felt {
            let text = match s.id.as_str() {
                "http.slow" => format!("{} of {} requests took far longer than usual", s.affected.len(), s.total),
                "traffic.drop" if s.usual > 0 => format!("{} requests in place of {}", s.total, s.usual),
                "traffic.drop" => format!("no request was logged for {} s", (s.end - s.onset) / 1000),
                _ if s.affected.is_empty() => format!("{} times", s.total),
                _ => format!("{} of {} requests", s.affected.len(), s.total),
            };
            chain.push(Step { id: s.id.clone(), text, entity: s.entity.clone(), onset: time(s.onset), told: None });
        }
        chain
    }

    /// The cause and one line of its steps, each right above the one before: the best supported where there are several. Only what leads on to
    /// something that was felt is a step on the way there.
    fn steps_from<'h>(&'h self, h: &'h Hypothesis) -> Vec<&'h Hypothesis> {
        let mine = self.list.iter().position(|x| std::ptr::eq(x, h));
        let felt: BTreeSet<&str> = self.incident.symptoms.iter().map(|s| s.id.as_str()).collect();
        let believed: BTreeSet<FaultId> = self.list.iter().filter(|x| x.score > 0.0).map(|x| x.fault).collect();
        let leads_there = |x: &Hypothesis| {
            let ways = leads_to(self.pack, x.fault, |fault| fault == x.fault || believed.contains(&fault));
            felt.is_empty() || ways.iter().any(|id| felt.contains(id))
        };
        let mut steps = vec![h];
        let mut at = h;
        let mut seen = BTreeSet::from([h.fault]);
        while steps.len() < 4 {
            let above = self
                .list
                .iter()
                .filter(|x| x.step_of.is_some() && self.root_of(x) == mine && x.score > 0.0 && !seen.contains(&x.fault))
                .filter(|x| self.pack.faults[at.fault].explains.iter().any(|e| e.fault == x.fault))
                .filter(|x| leads_there(x))
                .max_by(|a, b| a.score.total_cmp(&b.score));
            let Some(next) = above else { break };
            seen.insert(next.fault);
            steps.push(next);
            at = next;
        }
        steps
    }

    fn root_of(&self, h: &Hypothesis) -> Option<usize> {
        let mut root = h.step_of;
        for _ in 0..8 {
            match root.and_then(|r| self.list.get(r)).and_then(|r| r.step_of) {
                Some(next) => root = Some(next),
                None => break,
            }
        }
        root
    }

    /// How much of the belief is that the steps of a cause came about without it, where that is worth telling.
    pub(super) fn besides(&self) -> Vec<Besides> {
        const WORTH: f64 = 0.1;
        let roots = self.list.iter().enumerate().filter(|(_, h)| h.step_of.is_none() && h.rest.is_finite());
        let besides = |(number, h): (usize, &Hypothesis)| {
            // What is held back says nothing of the sum.
            let is_whole = !h.terms.iter().any(|term| matches!(term.name.as_str(), "untold" | "untied" | "shared"));
            let confidence = h.confidence * (h.rest - h.score).exp();
            let mut steps = self.list.iter().filter(|step| step.step_of == Some(number));
            let step = steps.next().filter(|_| is_whole && confidence >= WORTH)?;
            let id = |h: &Hypothesis| self.pack.faults[h.fault].id.clone();
            Some(Besides { id: id(step), without: id(h), confidence: round(confidence.min(1.0)) })
        };
        roots.filter_map(besides).collect()
    }
}

//! Whether a log that a rule asks for was given: nobody should be sent for what lies on the table.

use super::tells_of_whole_system;
use crate::belief::Hypothesis;
use crate::evidence::{Evidence, SourceInfo};
use crate::names::NONE;
use crate::rules::written::Missing;
use crate::symptoms::Incident;
use crate::untold::BEFORE;

/// What the wishes of rules for logs of stores begin with, and the formats that answer them.
const OF_STORES: [(&str, &[&str]); 6] = [
    ("log of the database", &["mysql.slowlog", "mongodb"]),
    ("error log of the database", &["mysql.error", "mariadb", "postgresql", "mongodb", "sqlserver", "oracle.alert", "cassandra"]),
    ("log of the cache", &["redis"]),
    ("log of the broker", &["rabbitmq"]),
    ("lock waits in the log of", &["mysql.slowlog"]),
    ("logs of both database servers", &["mysql.error", "mariadb", "postgresql"]),
];

/// What stands in the wishes of rules for a service's own log of how long its requests took.
const OF_TIMES: [&str; 2] = ["duration of each request", "request times as"];

/// What the wishes of rules for logs of a machine's system begin with.
const OF_SYSTEMS: [&str; 5] = ["system log of", "kernel log of", "journal of", "journal or supervisor log of", "auth.log of"];

/// Whether the log that a rule asks for is there, of the time of the incident.
pub(super) fn is_given(evidence: &Evidence, incident: &Incident, h: &Hypothesis, wish: &Missing) -> bool {
    let (from, to) = (incident.onset.div_euclid(1000), incident.end.div_euclid(1000));
    // What a command showed afterwards tells of what was before.
    let reaches = |number: usize| match (evidence.span(number), evidence.looked(number)) {
        (Some((first, last)), _) => first <= to && last >= from - BEFORE,
        (None, looked) => looked.is_some_and(|(_, last)| last >= from),
    };
    let any = |which: &dyn Fn(&SourceInfo) -> bool| {
        let mut sources = evidence.sources.iter().enumerate();
        sources.any(|(number, source)| source.records > 0 && which(source) && reaches(number))
    };
    if wish.log.starts_with("events of the namespace") {
        return any(&|source| matches!(source.format.as_str(), "k8s.event" | "command.kubectl-events"));
    }
    if wish.log.contains("with user agent") {
        return incident.affected().iter().any(|number| evidence.request(*number).of.agent != NONE);
    }
    let machine = h.machine();
    if OF_TIMES.iter().any(|wished| wish.log.contains(wished)) {
        let its = |id| id != NONE && evidence.text(id) == machine;
        let chosen = evidence.requests.choose(|kind| its(kind.host) && kind.upstream == NONE && kind.server == NONE);
        return evidence.requests.ended(&chosen, incident.onset, incident.end).any(|(_, request)| request.took().is_some());
    }
    if OF_SYSTEMS.iter().any(|wished| wish.log.starts_with(wished)) {
        let is_kind = if wish.log.starts_with("journal") { SourceInfo::tells_of_system } else { tells_of_whole_system };
        return !machine.is_empty() && any(&|source| source.host == machine && is_kind(source));
    }
    // Of what has no name here any log of the kind may be the one.
    let its = |source: &SourceInfo| source.host == machine || !evidence.sources.iter().any(|other| other.host == machine);
    let of_store = OF_STORES.iter().find(|(wished, _)| wish.log.starts_with(wished));
    of_store.is_some_and(|(_, formats)| any(&|source| its(source) && formats.contains(&source.format.as_str())))
}

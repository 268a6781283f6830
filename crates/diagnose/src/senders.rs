//! Who sent the failing requests: what a client is worth as their reason.

use crate::evidence::{Evidence, Request};
use crate::names::{NONE, NameId};
use std::collections::{BTreeMap, BTreeSet};
use whyline_event::address;

/// The clients of the failing requests.
#[derive(Debug, Default)]
pub(crate) struct Senders {
    /// How many of them a client sent, by its place, of those whose clients are known.
    sent: BTreeMap<String, usize>,
    all: usize,
    /// Most are errors of the service itself (500), or of a proxy that could not connect: nobody is slowed down by them.
    errors: bool,
    /// Clients that are servers of the bundle: they send on what others ask.
    own: BTreeSet<String>,
}

impl Senders {
    pub(crate) fn of(evidence: &Evidence, affected: &[u32]) -> Senders {
        let requests = || affected.iter().map(|i| evidence.request(*i));
        let mut counts: BTreeMap<NameId, usize> = BTreeMap::new();
        for client in requests().map(|r| r.of.client).filter(|client| *client != NONE) {
            *counts.entry(client).or_default() += 1;
        }
        let all = counts.values().sum();
        let place = |client: &str| format!("client:{client}");
        let sent = counts.into_iter().map(|(client, n)| (place(evidence.text(client)), n)).collect();
        let upstreams = evidence.requests.all_kinds().map(|(kind, _)| address::split_port(evidence.text(kind.upstream)).0);
        let own = upstreams.filter(|upstream| !upstream.is_empty()).map(place).collect();
        Senders { sent, all, own, errors: requests().filter(is_error).count() * 2 > affected.len() }
    }

    /// What a client is worth. A scan goes on somewhere at any time: it is to blame for what the scanner itself gets.
    pub(crate) fn worth(&self, place: &str, fault: &str) -> (f64, &'static str) {
        const A_CLIENT: (f64, &str) = (0.0, "a client");
        if fault.starts_with("security.") && self.own.contains(place) {
            return (-3.0, "a server of one's own, which sends on what others ask");
        }
        if self.all == 0 {
            return A_CLIENT;
        }
        let sent = self.sent.get(place).copied().unwrap_or(0);
        let share = sent as f64 / self.all as f64;
        match fault {
            "security.brute-force" if sent == 0 => (-3.0, "none of the failing requests are its own"),
            "security.scan" if share >= 0.8 => (0.6, "the failing requests are its own"),
            // That it makes the service slow for all is another matter than an error that its own requests provoke.
            "security.scan" if share < 0.3 && self.errors => (-2.0, "the failing requests are those of others"),
            _ => A_CLIENT,
        }
    }
}

/// Whether a request failed at once by an error of the service or because nobody could be connected to.
fn is_error(r: &Request) -> bool {
    r.of.status == 500 || matches!(r.of.status, 502 | 503) && r.took().is_some_and(|took| took < 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scanner_is_to_blame_for_what_it_gets() {
        let sent = |n| BTreeMap::from([("client:a".to_string(), n), ("client:b".to_string(), 100 - n)]);
        let worth = |n, errors, fault: &str| Senders { sent: sent(n), all: 100, errors, own: BTreeSet::new() }.worth("client:a", fault).0;
        assert_eq!(
            (worth(90, true, "security.scan"), worth(20, true, "security.scan"), worth(20, false, "security.scan")),
            (0.6, -2.0, 0.0)
        );
        assert_eq!((worth(50, true, "security.scan"), worth(20, true, "client.retry-storm")), (0.0, 0.0));
        let senders = Senders { sent: sent(90), all: 100, errors: true, own: BTreeSet::from(["client:b".to_string()]) };
        assert_eq!((senders.worth("client:b", "security.scan").0, senders.worth("client:b", "client.retry-storm").0), (-3.0, 0.0));
        assert_eq!((senders.worth("client:c", "security.brute-force").0, senders.worth("client:a", "security.brute-force").0), (-3.0, 0.0));
        // Where no client is known, nothing is said.
        assert_eq!(Senders::default().worth("client:a", "security.scan").0, 0.0);
    }
}

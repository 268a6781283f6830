//! Signals that no single line shows: measured over the whole bundle, for each incident. See `rules/README.md`.

/// A computed signal.
pub struct Computed {
    /// Id.
    pub id: &'static str,
    /// One line for people.
    pub title: &'static str,
    /// It describes the incident as a whole, so it counts for every hypothesis about it, whoever is accused.
    pub of_incident: bool,
}

const fn c(id: &'static str, title: &'static str, of_incident: bool) -> Computed {
    Computed { id, title, of_incident }
}

/// All computed signals.
pub const ALL: &[Computed] = &[
    c("traffic.surge", "requests rose to 1.6 times the usual or more", true),
    c("traffic.flood", "requests rose to 4 times the usual or more", true),
    c("traffic.steady", "the number of requests did not rise", true),
    c("traffic.few-clients", "most of the rise comes from at most three clients", true),
    c("traffic.many-new-clients", "most of the rise comes from clients that were not there before", true),
    c("traffic.repeats", "clients repeat failed requests, and the traffic grows after the first errors", true),
    c("failures.one-path", "the failures concern one path, while others are served well", true),
    c("failures.one-upstream", "the failures concern one upstream, while others serve well", false),
    c("failures.one-client", "the failures concern one client or user agent, while others are served well", true),
    c("failures.everywhere", "nearly every request fails", true),
    c("upstream.new-address", "the failing upstream was never used before", false),
    c("upstream.other-port-serves", "the same machine serves well on another port", false),
    c("upstream.timeout-plateau", "the failed requests end after one and the same time", true),
    c("upstream.fails-at-once", "the failed requests end within milliseconds", true),
    c("backend.serves", "the service behind the failing upstream answers well all through", false),
    c("backend.silent", "a service that logged steadily is silent", false),
    c("backend.late-success", "the service logs success for requests that the proxy gave up on", true),
    c("backend.slower", "the service's own times rose to 3 times or more", false),
    c("backend.not-slower", "the service's own times stayed the same", false),
    c("queue.growth", "requests wait longer in the proxy's queue", true),
    c("checks.fail-while-serving", "health checks fail for servers that answer real requests well", true),
    c("dependency.unlogged", "errors name a target of which no log was given", false),
    c("latency.retransmission-steps", "slow answers cluster round the steps of TCP retransmission", true),
    c("clock.offset", "the host's clock differs from its neighbours'", false),
];

/// The computed signal of this id.
pub fn find(id: &str) -> Option<&'static Computed> {
    ALL.iter().find(|c| c.id == id)
}

//! Signals that no single line shows: measured over the whole bundle, for each incident. See `rules/README.md`.

/// A computed signal.
pub struct Computed {
    /// Id.
    pub id: &'static str,
    /// One line for people.
    pub title: &'static str,
    /// It describes the incident as a whole, so it counts for every hypothesis about it, whoever is accused.
    pub of_incident: bool,
    /// It describes how things went, which many faults (or none) would bring about: it shifts the balance between hypotheses
    /// but makes none.
    pub context: bool,
}

const fn c(id: &'static str, title: &'static str, of_incident: bool) -> Computed {
    Computed { id, title, of_incident, context: false }
}

const fn x(id: &'static str, title: &'static str, of_incident: bool) -> Computed {
    Computed { id, title, of_incident, context: true }
}

/// All computed signals.
pub const ALL: &[Computed] = &[
    c("traffic.surge", "requests rose to 1.6 times the usual or more", true),
    c("traffic.flood", "requests rose to 4 times the usual or more", true),
    x("traffic.steady", "the number of requests did not rise", true),
    x("traffic.few-clients", "most of the rise comes from at most three clients", true),
    x("traffic.many-new-clients", "most of the rise comes from clients that were not there before", true),
    c("traffic.repeats", "clients repeat failed requests, and the traffic grows after the first errors", true),
    x("refusals.of-known-clients", "most of the refused requests are those of clients that were served elsewhere before", true),
    x("failures.one-path", "the failures concern one path, while others are served well", true),
    x("failures.one-upstream", "the failures concern one upstream, while others serve well", false),
    x("failures.one-client", "the failures concern one client or user agent, while others are served well", true),
    x("failures.everywhere", "nearly every request fails", true),
    c("setting.changed", "a service starts with another setting than before", false),
    c("setting.keepalive-changed", "a service starts with another time for which it keeps connections", false),
    c("setting.restored", "a service starts with the setting again that it had before", false),
    c("upstream.rerouted", "requests go to another upstream than before, which does not know them", false),
    c("upstream.new-address", "the failing upstream was never used before", false),
    x("upstream.some-served", "the failing upstream serves other requests well at the same time", false),
    c("upstream.other-port-serves", "the same machine serves well on another port", false),
    x("upstream.none-served", "an upstream that served before serves nothing at all", false),
    x("upstream.longer-served-before", "requests for the same paths took longer before, and were served", true),
    x("upstream.timeout-plateau", "the failed requests end after one and the same time", true),
    x("upstream.timeout-far-above-usual", "the time-out is twenty times what requests for the same paths took before, and more", true),
    x("upstream.long-timeout", "the failed requests waited for half a minute or longer", true),
    x("upstream.fails-at-once", "the failed requests end within milliseconds", true),
    x("backend.serves", "the service behind the failing upstream answers well all through", false),
    c("backend.silent", "a service that logged steadily is silent", false),
    c("cache.hit-rate-collapse", "a cache answers far fewer requests than usual", false),
    c("memory.growth", "the memory of a process grows from line to line, without coming to rest", false),
    c("queue.depth-growth", "far more than usual waits in a queue", false),
    c("net.retransmissions-rise", "far more TCP segments than usual are sent again", false),
    c("edge.asks-for-removed", "a cache is asked for files that are gone, while another one has moved on to new ones", false),
    c("dns.old-address-asked", "an address fails which a name stood for until it was moved", false),
    c("zone.loaded-before", "a name server loaded the zone of a name right before lookups of the name began to fail", false),
    c("upstream.moved", "the service behind the failing upstream now answers at another address", false),
    c("target.quiet", "the target of time-outs runs on and knows of no trouble", false),
    c("target.other-port-answers", "a machine that could not be reached answers at another port at the same time", false),
    x("backend.not-asked", "a log of requests ends or pauses: no request reaches the service any more", false),
    c("backend.stalls", "the service ends no request at all while the failing ones wait, again and again", false),
    c("backend.late-success", "the service logs success for requests that the proxy gave up on", true),
    c("backend.slower", "the service's own times rose to 3 times or more", false),
    x("backend.not-slower", "the service's own times stayed the same", false),
    c("queue.growth", "requests wait longer in the proxy's queue", true),
    c("checks.fail-while-serving", "health checks fail for servers that answer real requests well", true),
    c("firewall.changed-and-back", "the rules of a packet filter were changed when the trouble began and again when it ended", false),
    c("checks.ask-anew", "health checks ask for another path since then, and are refused", true),
    x("dependency.logged", "errors name a host of which a log of requests was given", false),
    c("dependency.unlogged", "errors name a target of which no log was given", false),
    c(
        "dependency.failing-calls",
        "calls of a service to another one are answered with errors of the server far more often than before",
        false,
    ),
    c("dependency.slow-calls", "a service tells of calls to another one that take far longer than before", false),
    c("version.changed", "a service runs in another version than before", false),
    x("version.restored", "a service runs in an earlier version again", false),
    c("dependency.new-address", "a service asks an address that it never asked before, and fails from the first time on", false),
    c("latency.retransmission-steps", "slow answers cluster round the steps of TCP retransmission", true),
    c("target.not-listening", "nothing listened where the failing requests were sent, when somebody looked", false),
    c("target.listens-elsewhere", "the service listened for its own machine only, when somebody looked", false),
    x("target.listening", "somebody listened where the failing requests were sent while they failed", false),
    c("certificate.ended", "a certificate had ended", true),
    c("certificate.not-begun", "a certificate had not begun to be valid", true),
    c("backend.late-start", "the service answers after the proxy gave up, though it says that it took little time", false),
    c("handshake.known-clients", "clients that had requests answered fail in the handshake, while others are served", true),
    x("clock.offset", "the host's clock differs from its neighbours'", false),
];

/// The computed signal of this id.
pub fn find(id: &str) -> Option<&'static Computed> {
    ALL.iter().find(|c| c.id == id)
}

//! Texts of rules that are printed with names in them: what to do, and which logs would decide.
//!
//! A command must run as it is printed. So each place where a name may stand has the form that a command wants there: an address without
//! its port, a unit that systemd may know, a time as `journalctl` reads it. Where nothing is known the place holds a word in capitals.

mod dialect;

use crate::belief::Hypothesis;
use crate::entity::{parts, service_of_path};
use crate::evidence::Evidence;
use crate::report::Missing;
use crate::rules::is_id;
use crate::symptoms::Incident;
use crate::untold::{SUPERVISORS, speaks_of_others};
use std::collections::BTreeSet;
use whyline_event::address;
use whyline_event::stamp::rfc3339;

/// What texts of rules may hold between braces, and what stands there for it.
pub const PLACEHOLDERS: [(&str, &str); 10] = [
    ("entity", "the accused, as it is written"),
    ("host", "its machine; where that is not known, its name"),
    ("address", "its address or name, without a port"),
    ("port", "its port; PORT where none is known"),
    ("endpoint", "address and port, as URLs want them"),
    ("name", "the name that was asked for; NAME where none is known"),
    ("client", "the address of an accused client; ADDRESS where none is known"),
    ("unit", "its service or unit; SERVICE where none is known"),
    ("since", "five minutes before the trouble, as `journalctl --since` reads it"),
    ("until", "five minutes after it"),
];

/// So much is shown before and after an incident, in ms.
const MARGIN: i64 = 300_000;
const MINUTE: i64 = 60_000;

/// The time of an incident, with a few minutes before and after.
#[derive(Clone, Debug)]
pub(crate) struct Around {
    pub since: String,
    pub until: String,
}

impl Around {
    /// Of a stretch of time, ms. Whole minutes, with their zone: `journalctl` takes a time without one for the local time of its machine.
    pub(crate) fn of(from: i64, to: i64) -> Around {
        let minute = |ms: i64| {
            let text = rfc3339(ms.div_euclid(MINUTE).saturating_mul(MINUTE).saturating_mul(1_000_000), 0);
            let (day, time) = text.split_once('T').unwrap_or((&text, ""));
            format!("{day} {} UTC", time.get(..5).unwrap_or(""))
        };
        Around { since: minute(from.saturating_sub(MARGIN)), until: minute(to.saturating_add(MARGIN + MINUTE - 1)) }
    }

    /// Of an incident.
    pub(crate) fn incident(incident: &Incident) -> Around {
        Around::of(incident.onset, incident.end)
    }

    /// The options of `journalctl` for this time.
    pub(crate) fn journal(&self) -> String {
        format!("--since \"{}\" --until \"{}\"", self.since, self.until)
    }
}

/// Fills texts of rules for one hypothesis.
pub(crate) struct Filler<'a> {
    evidence: &'a Evidence,
    h: &'a Hypothesis,
    around: Around,
}

impl<'a> Filler<'a> {
    /// For a hypothesis about an incident.
    pub(crate) fn new(evidence: &'a Evidence, incident: &Incident, h: &'a Hypothesis) -> Filler<'a> {
        let from = if h.dated { incident.onset.min(h.onset) } else { incident.onset };
        Filler { evidence, h, around: Around::of(from, incident.end) }
    }

    /// The texts that are for the programs at hand, filled.
    pub(crate) fn lines(&self, texts: &[String]) -> Vec<String> {
        texts.iter().filter_map(|text| self.line(text)).collect()
    }

    /// A text, filled, as far as it is for the programs at hand, and for a signal that speaks.
    pub(crate) fn line(&self, text: &str) -> Option<String> {
        let text = match for_signal(text) {
            Some((id, _)) if !self.h.speaking_signals().any(|signal| signal == id) => return None,
            Some((_, text)) => text,
            None => text,
        };
        let (text, port) = dialect::of_program(self.evidence, self.h, text)?;
        Some(self.filled(&text, port))
    }

    /// A text with what is known in place of what stands between braces.
    pub(crate) fn fill(&self, text: &str) -> String {
        self.filled(text, None)
    }

    /// The same; `usual` is the port that the program in question is known by.
    fn filled(&self, text: &str, usual: Option<u16>) -> String {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        for (range, name) in placeholders(text) {
            let at = text.len() - rest.len();
            filled.push_str(text.get(at..range.start).unwrap_or(""));
            let value = self.value(name, usual).unwrap_or_else(|| format!("{{{name}}}"));
            filled.push_str(if is_plain(&value) || !PLACEHOLDERS.iter().any(|(known, _)| *known == name) { &value } else { blank(name) });
            rest = text.get(range.end..).unwrap_or("");
        }
        filled + rest
    }

    fn value(&self, name: &str, usual: Option<u16>) -> Option<String> {
        let named = !self.h.is_unnamed();
        let (address, port) = self.endpoint();
        let port = port.or(usual);
        Some(match name {
            "entity" if named => self.h.accused().1.to_string(),
            "host" if named => self.host().to_string(),
            "address" if named => address.to_string(),
            "entity" | "host" | "address" => blank(name).into(),
            "port" => port.map_or_else(|| blank(name).into(), |port| port.to_string()),
            "endpoint" => {
                let address = if named { address } else { "HOST" };
                let address = if address.contains(':') { format!("[{address}]") } else { address.to_string() };
                port.map_or_else(|| format!("{address}:PORT"), |port| format!("{address}:{port}"))
            }
            "name" => self.name().unwrap_or(blank(name)).to_string(),
            "client" => self.entities().find(|(kind, _)| *kind == "client").map_or(blank(name), |(_, name)| name).to_string(),
            "unit" => self.unit().unwrap_or_else(|| blank(name).into()),
            "since" => self.around.since.clone(),
            "until" => self.around.until.clone(),
            _ => return None,
        })
    }

    fn entities(&self) -> impl Iterator<Item = (&str, &str)> {
        self.h.entities.iter().map(|entity| parts(entity)).map(|(kind, name, _)| (kind, name))
    }

    /// The machine of the accused; where none is known, its name without a port. Of a client that is the machine against which it turned.
    fn host(&self) -> &str {
        let host = self.h.host();
        if self.h.accused().0 == "client" {
            return self.h.entities.iter().find_map(|entity| parts(entity).2).unwrap_or("HOST");
        }
        if self.h.names_an_endpoint() { address::split_port(host).0 } else { host }
    }

    /// Where the accused is asked: the first address with a port, else its name, else its machine.
    fn endpoint(&self) -> (&str, Option<u16>) {
        let asked =
            || self.entities().filter(|(kind, name)| matches!(*kind, "addr" | "name") && !name.contains('/') && !name.starts_with("unix:"));
        let with_port = asked().map(|(_, name)| address::split_port(name)).find(|(_, port)| port.is_some());
        let other = || if self.h.names_an_endpoint() { asked().next().map(|(_, name)| address::split_port(name)) } else { None };
        with_port.or_else(other).unwrap_or((self.host(), None))
    }

    /// The name that was asked for, where the accused is one.
    fn name(&self) -> Option<&str> {
        let names =
            self.entities().filter(|(kind, name)| *kind == "name" && !name.contains('/')).map(|(_, name)| address::split_port(name).0);
        names.into_iter().find(|name| name.contains('.') && address::ip(name).is_none())
    }

    /// What systemd may know the accused by: the unit or service that is named, else the only one that writes a log of its own at its
    /// machine.
    fn unit(&self) -> Option<String> {
        let is_service =
            |name: &str| !SUPERVISORS.contains(&name) && !matches!(name, "syslog" | "journal" | "messages") && !name.contains([' ', '/']);
        let machine = self.h.machine();
        // Who complains of another machine is no service there.
        let mut named = self.h.entities.iter().map(|entity| parts(entity)).filter(|(kind, name, host)| {
            matches!(*kind, "unit" | "service") && is_service(name) && host.is_none_or(|host| machine.is_empty() || host == machine)
        });
        if let Some((_, name, _)) = named.next() {
            return Some(name.to_string());
        }
        let sources = self.evidence.sources.iter().filter(|source| source.records > 0 && !machine.is_empty() && source.host == machine);
        let own = sources.filter(|source| !source.is_of_system() && source.family() != "journald" && !speaks_of_others(&source.format));
        let names: BTreeSet<String> = own.map(|source| service_of_path(&source.path)).filter(|name| is_service(name)).collect();
        if names.len() == 1 { names.into_iter().next() } else { None }
    }
}

/// Whether a text means nothing but itself to a shell. Names come from logs, where strangers write as well, and commands are copied and run.
fn is_plain(text: &str) -> bool {
    !text.contains([';', '&', '|', '$', '`', '<', '>', '(', ')', '{', '}', '\'', '"', '\\']) && !text.contains(char::is_control)
}

/// What stands where a name is not known, or is none to be written into a command.
fn blank(placeholder: &str) -> &'static str {
    match placeholder {
        "port" => "PORT",
        "endpoint" => "HOST:PORT",
        "name" => "NAME",
        "client" => "ADDRESS",
        "unit" => "SERVICE",
        _ => "HOST",
    }
}

/// Gives the commands that differ only in their times, of incidents within a day, the whole stretch: one log is asked for once.
pub(crate) fn same_times(list: &mut [Missing]) {
    let split = |command: &str| -> Option<(String, String, String)> {
        let (before, rest) = command.split_once("--since \"")?;
        let (since, rest) = rest.split_once("\" --until \"")?;
        let (until, behind) = rest.split_once('"')?;
        Some((format!("{before}\0{behind}"), since.to_string(), until.to_string()))
    };
    let apart: Vec<_> = list.iter().map(|missing| split(&missing.command)).collect();
    for (at, one) in apart.iter().enumerate() {
        let Some((command, since, until)) = one else { continue };
        let mut whole = (since.clone(), until.clone());
        for (other, missing) in apart.iter().zip(&*list) {
            let Some((same, from, to)) = other else { continue };
            let is_same =
                same == command && list.get(at).is_some_and(|m| (&m.host, &m.log, &m.why) == (&missing.host, &missing.log, &missing.why));
            if is_same && from.get(..10) == since.get(..10) {
                whole = (whole.0.min(from.clone()), whole.1.max(to.clone()));
            }
        }
        if let (Some(missing), Some((before, behind))) = (list.get_mut(at), command.split_once('\0')) {
            missing.command = format!("{before}--since \"{}\" --until \"{}\"{behind}", whole.0, whole.1);
        }
    }
}

/// The signal for which alone a text is given, and the text: `redis.protected-mode: set a password`.
pub(crate) fn for_signal(text: &str) -> Option<(&str, &str)> {
    text.split_once(": ").filter(|(id, _)| is_id(id))
}

/// Whatever stands between braces as a name does, with its place: `{host}`, not `${HOME}`, `%{Referer}i`, `{{json .}}`, `{a,b}`, `{ print }`.
pub(crate) fn placeholders(text: &str) -> impl Iterator<Item = (std::ops::Range<usize>, &str)> {
    text.match_indices('{').filter_map(|(open, _)| {
        let inside = text.get(open + 1..)?;
        let length = inside.find('}')?;
        let name = inside.get(..length)?;
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'));
        let doubled = text.get(..open)?.ends_with(['$', '%', '{']) || inside.get(length + 1..)?.starts_with('}');
        (is_name && !doubled).then_some((open..open + length + 2, name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::belief::Term;

    fn hypothesis(entities: &[&str], place: &str) -> Hypothesis {
        Hypothesis {
            fault: 0,
            place: place.into(),
            score: 0.0,
            terms: Vec::new(),
            onset: 1_795_208_760_000,
            dated: true,
            entities: entities.iter().map(|e| (*e).to_string()).collect(),
            also: Vec::new(),
            step_of: None,
            rest: 0.0,
            confidence: 0.0,
            lacks: None,
        }
    }

    fn filled(entities: &[&str], place: &str, text: &str) -> String {
        let h = hypothesis(entities, place);
        let around = Around::of(1_795_208_765_000, 1_795_208_845_000);
        Filler { evidence: &Evidence::default(), h: &h, around }.fill(text)
    }

    #[test]
    fn each_place_has_the_form_that_a_command_wants() {
        let of_address = |text| filled(&["addr:10.0.0.5:8080"], "host:app1", text);
        assert_eq!(of_address("ping -c3 {address}; nc -vz {address} {port}"), "ping -c3 10.0.0.5; nc -vz 10.0.0.5 8080");
        assert_eq!(of_address("df -h # on {host}"), "df -h # on app1");
        assert_eq!(of_address("systemctl status {unit}"), "systemctl status SERVICE");
        assert_eq!(of_address("curl -sv http://{endpoint}/"), "curl -sv http://10.0.0.5:8080/");
        assert_eq!(
            filled(&["addr:[2001:db8::5]:8080"], "addr:[2001:db8::5]:8080", "{address} {endpoint}"),
            "2001:db8::5 [2001:db8::5]:8080"
        );
        assert_eq!(filled(&["host:app1", "addr:10.0.0.5:8443"], "host:app1", "{endpoint}"), "10.0.0.5:8443");
        assert_eq!(filled(&["host:app1"], "host:app1", "{endpoint}"), "app1:PORT");
        assert_eq!(filled(&["unit:shop.service@app1"], "host:app1", "{unit} {address}"), "shop.service app1");
        assert_eq!(
            filled(&["name:db.internal:5432"], "name:db.internal:5432", "dig {name}; # on {host}"),
            "dig db.internal; # on db.internal"
        );
        assert_eq!(
            filled(&["client:203.0.113.7", "service:sshd@web01"], "client:203.0.113.7", "{client} # on {host}"),
            "203.0.113.7 # on web01"
        );
    }

    #[test]
    fn what_has_no_name_is_for_the_reader_to_fill_in() {
        let unnamed = |text| filled(&["dependency:shop@app1"], "dependency:shop@app1", text);
        assert_eq!(unnamed("{entity} {host} {address} {endpoint} {unit} {name} {client}"), "HOST HOST HOST HOST:PORT SERVICE NAME ADDRESS");
    }

    #[test]
    fn what_a_shell_would_run_is_no_name() {
        for name in ["x;reboot", "$(reboot)", "`reboot`", "a|b", "a&b", "a>b", "a\"b", "a\nb"] {
            let entities = format!("unit:{name}@app1");
            assert_eq!(filled(&[&entities], "host:app1", "systemctl status {unit} # on {host}"), "systemctl status SERVICE # on app1");
            let host = format!("host:{name}");
            assert_eq!(filled(&[&host], &host, "ping {address}; curl http://{endpoint}/"), "ping HOST; curl http://HOST:PORT/");
        }
    }

    #[test]
    fn times_are_those_of_the_incident() {
        assert_eq!(
            filled(&["host:a"], "host:a", "--since \"{since}\" --until \"{until}\""),
            "--since \"2026-11-20 21:01 UTC\" --until \"2026-11-20 21:13 UTC\""
        );
    }

    #[test]
    fn a_line_for_a_signal_is_given_where_it_speaks() {
        let mut h = hypothesis(&["addr:10.0.0.6:6379"], "addr:10.0.0.6:6379");
        let evidence = Evidence::default();
        let line = |h: &Hypothesis, text: &str| Filler { evidence: &evidence, h, around: Around::of(0, 0) }.line(text);
        assert_eq!(line(&h, "redis.protected-mode: set a password"), None);
        h.terms.push(Term { name: "redis.protected-mode".into(), value: 4.0, note: String::new(), activity: Some(0) });
        assert_eq!(line(&h, "redis.protected-mode: set a password").as_deref(), Some("set a password"));
        // The port that a program is known by stands in where none is named.
        let h = hypothesis(&["service:redis@cache1"], "host:cache1");
        let ping = "Redis: redis-cli -h {address} -p {port} ping; Memcached: nc {address} {port}";
        assert_eq!(line(&h, ping).as_deref(), Some("redis-cli -h cache1 -p 6379 ping"));
        assert_eq!(line(&h, "PostgreSQL: psql; MySQL, MariaDB: mysql").as_deref(), Some("PostgreSQL: psql; MySQL, MariaDB: mysql"));
        assert_eq!(line(&h, "Kubernetes: kubectl get pods"), None);
    }

    #[test]
    fn one_log_is_asked_for_once() {
        let missing = |host: &str, since: &str, until: &str| {
            let command = format!("journalctl -k --since \"{since}\" --until \"{until}\" | grep x");
            let (log, why) = ("kernel log".to_string(), "tells".to_string());
            Missing { host: host.into(), log, why, command, decides: String::new(), incident: String::new(), unreadable: None }
        };
        let day = |time: &str| format!("2026-11-30 {time} UTC");
        let mut list = [
            missing("a", &day("16:30"), &day("16:40")),
            missing("a", &day("16:35"), &day("16:45")),
            missing("b", &day("16:35"), &day("16:45")),
            missing("a", "2026-12-02 16:35 UTC", "2026-12-02 16:45 UTC"),
        ];
        same_times(&mut list);
        let whole = "journalctl -k --since \"2026-11-30 16:30 UTC\" --until \"2026-11-30 16:45 UTC\" | grep x";
        assert_eq!([&list[0].command, &list[1].command], [whole, whole]);
        assert!(list[2].command.contains("16:35") && list[3].command.contains("2026-12-02 16:35"));
    }

    #[test]
    fn braces_of_others_stay() {
        for text in ["awk '{print $3}'", "${HOME}", "%{Referer}i", "{{json .}}", "{a,b}", "find -exec ls {} +", "{ print }"] {
            assert_eq!(filled(&["host:a"], "host:a", text), text);
        }
    }

    /// Of the built-in rules: what begins with a program is a command, and holds nothing that a shell or the program would take for an argument.
    #[test]
    fn commands_of_the_built_in_rules_hold_no_words_for_people() {
        const PROGRAMS: [&str; 18] = [
            "systemctl",
            "journalctl",
            "ss",
            "df",
            "free",
            "ping",
            "nc",
            "tcpdump",
            "curl",
            "dig",
            "getent",
            "redis-cli",
            "psql",
            "mysql",
            "top",
            "iostat",
            "last",
            "kubectl",
        ];
        let pack = crate::rules::Pack::built_in().unwrap_or_default();
        let texts = pack.faults.iter().flat_map(|fault| {
            let missing = fault.missing.iter().map(|missing| &missing.command);
            fault.check.iter().chain(&fault.fix).chain(&fault.prevent).chain(missing).map(|text| (&fault.id, text))
        });
        let mut commands = 0;
        for (fault, text) in texts {
            assert!(!text.contains(" ago\""), "{fault}: the time of the incident is known: {text}");
            let command = text.rsplit_once(" # ").map_or(text.as_str(), |(command, _)| command);
            if PROGRAMS.contains(&command.split(' ').next().unwrap_or("")) {
                commands += 1;
                for word in [" on {", " from the ", " at {", "-u {entity}", "status {entity}", "host {entity}"] {
                    assert!(!command.contains(word), "{fault}: {text}");
                }
            }
        }
        assert!(commands > 80, "{commands}");
    }
}

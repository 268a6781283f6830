//! Whose files lie in a sosreport: one folder a machine, with its `var/log` and, below `sos_commands/PLUGIN/`, what commands printed.

use crate::host::Known;
use crate::layout::machine_of_name;
use std::collections::{BTreeMap, BTreeSet};

/// The folder (perhaps empty) in which `sos_commands` lies, for a path below it.
fn report(path: &str) -> Option<&str> {
    let at = if path.starts_with("sos_commands/") { 0 } else { path.find("/sos_commands/")? };
    path.get(..at)
}

/// The reports of a bundle, each with the machine that it tells of.
pub(crate) struct Reports<'a> {
    hosts: BTreeMap<&'a str, Option<String>>,
}

impl<'a> Reports<'a> {
    /// Finds the reports: by the machine that most of their logs name, else by their folder, `sosreport-web01-2026-11-20-abcdefg`.
    pub fn of(sources: &[Known<'a>]) -> Reports<'a> {
        let roots: BTreeSet<&'a str> = sources.iter().filter_map(|s| report(s.path)).collect();
        let host = |root: &str| {
            let mut named: BTreeMap<&str, u32> = BTreeMap::new();
            for source in sources.iter().filter(|s| below(s.path, root)) {
                source.hosts.iter().for_each(|(host, n)| *named.entry(host).or_default() += n);
            }
            let most = named.into_iter().max_by_key(|(name, n)| (*n, std::cmp::Reverse(*name))).map(|(name, _)| name.to_string());
            most.or_else(|| of_folder(root.rsplit('/').next().unwrap_or(root)))
        };
        Reports { hosts: roots.into_iter().map(|root| (root, host(root))).collect() }
    }

    /// The machine of a file in a report; `None` for a file that lies in none, or in one that names no machine.
    pub fn host(&self, path: &str) -> Option<String> {
        self.hosts.iter().rev().find(|(root, _)| below(path, root)).and_then(|(_, host)| host.clone())
    }

    /// Whether a file is one of the commands' outputs, whose folder names no machine.
    pub fn is_output(&self, path: &str) -> bool {
        report(path).is_some()
    }
}

fn below(path: &str, root: &str) -> bool {
    root.is_empty() || path.strip_prefix(root).is_some_and(|rest| rest.starts_with('/'))
}

/// The machine in a report's name.
fn of_folder(name: &str) -> Option<String> {
    name.starts_with("sosreport-").then(|| machine_of_name(name)).filter(|host| !host.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines() {
        let none = BTreeMap::new();
        let named = BTreeMap::from([("web01".to_string(), 9), ("lb1".to_string(), 2)]);
        let known = |path, hosts| Known { path, doubtful: 0, hosts };
        let sources = [
            known("a/sosreport-x-2026-11-20-abc/sos_commands/filesys/df_-al", &none),
            known("a/sosreport-x-2026-11-20-abc/var/log/messages", &named),
            known("b/sosreport-app-2-2026-11-20-abc/sos_commands/date/date", &none),
            known("c/nginx/access.log", &none),
        ];
        let reports = Reports::of(&sources);
        assert_eq!(reports.host(sources[0].path).as_deref(), Some("web01"));
        assert_eq!(reports.host(sources[2].path).as_deref(), Some("app-2"));
        assert_eq!(reports.host(sources[3].path), None);
        assert!(reports.is_output(sources[0].path) && !reports.is_output(sources[1].path));
        let alone = [known("sos_commands/filesys/df_-al", &none), known("var/log/messages", &named)];
        assert_eq!(Reports::of(&alone).host(alone[0].path).as_deref(), Some("web01"));
    }
}

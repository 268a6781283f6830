//! Bundles whose folders mean something: sosreport, `kubectl cluster-info dump`, must-gather, the log folders of a kubelet. They
//! say whose logs a file holds, and which files are no logs at all.

use std::collections::{BTreeMap, BTreeSet};
use whyline_event::Key;

/// What the place of a file says of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placed {
    /// Whose logs these are.
    pub host: Option<String>,
    /// Fields of all its records.
    pub labels: Vec<(Key, String)>,
    /// It is configuration or state that was gathered beside the logs.
    pub no_log: bool,
}

/// The layouts of a bundle.
#[derive(Debug, Default)]
pub struct Layouts {
    /// Machines by the top folder of their sosreport.
    machines: BTreeMap<String, String>,
    /// Top folders of dumps of a cluster.
    dumps: BTreeSet<String>,
}

/// In a sosreport: folders that hold logs, or the output of commands.
const SOS_LOGS: &[&str] = &["var/log/", "sos_commands/", "opt/", "srv/", "home/", "root/", "tmp/"];

impl Layouts {
    /// Looks for layouts among the paths of inputs. `text` gives the beginning of an input; it is asked only for the files that
    /// name a machine.
    pub fn of(paths: &[&str], text: &dyn Fn(usize) -> Vec<u8>) -> Layouts {
        let mut layouts = Layouts::default();
        for (i, path) in paths.iter().enumerate() {
            if let Some((top, inside)) = sos(path) {
                let known = layouts.machines.entry(top.to_string()).or_insert_with(|| machine_of_name(top));
                if matches!(inside, "hostname" | "etc/hostname" | "sos_commands/host/hostname" | "sos_commands/general/hostname")
                    && let Some(name) = host_name(&String::from_utf8_lossy(&text(i)))
                {
                    *known = name;
                }
            } else if let Some(top) = path.strip_suffix("/nodes.json").or((*path == "nodes.json").then_some("")) {
                layouts.dumps.insert(top.to_string());
            } else if let Some(top) = path.strip_suffix("/logs.txt").and_then(above_pod)
                && text(i).starts_with(START.as_bytes())
            {
                // The lists of objects were not copied.
                layouts.dumps.insert(top.to_string());
            }
        }
        layouts
    }

    /// What the place of a file says.
    pub fn place(&self, path: &str) -> Placed {
        if let Some(placed) = kubelet(path).or_else(|| must_gather(path)).or_else(|| self.dump(path)) {
            return placed;
        }
        match sos(path) {
            Some((top, inside)) => Placed {
                host: self.machines.get(top).cloned(),
                labels: Vec::new(),
                no_log: !SOS_LOGS.iter().any(|folder| inside.starts_with(folder)),
            },
            None => Placed { labels: of_name(path), ..Placed::default() },
        }
    }

    /// `kubectl cluster-info dump --output-directory`: `NAMESPACE/POD/logs.txt` beside lists of objects as JSON.
    fn dump(&self, path: &str) -> Option<Placed> {
        let inside = |top: &str| match top {
            "" => Some(path),
            top => path.strip_prefix(top)?.strip_prefix('/'),
        };
        let inside = self.dumps.iter().filter_map(|top| inside(top)).min_by_key(|rest| rest.len())?;
        let parts: Vec<&str> = inside.split('/').collect();
        match parts[..] {
            [namespace, pod, "logs.txt"] => Some(pod_log(namespace, pod, None)),
            [.., "events.json" | "events.yaml"] => None,
            [_] | [_, _] if inside.ends_with(".json") || inside.ends_with(".yaml") => Some(Placed { no_log: true, ..Placed::default() }),
            _ => None,
        }
    }
}

/// How a log in a dump of a cluster begins (kubectl pkg/cmd/clusterinfo/clusterinfo_dump.go).
const START: &str = "==== START logs for container ";

/// The folder above those of a pod and its namespace; the text is empty where these are on top.
fn above_pod(folder: &str) -> Option<&str> {
    let (above, _pod) = folder.rsplit_once('/')?;
    Some(above.rsplit_once('/').map_or("", |(top, _)| top))
}

/// What the name of a file alone says: Tomcat's access log, whose lines are any web server's, is always called so
/// (org.apache.catalina.valves.AccessLogValve in conf/server.xml).
fn of_name(path: &str) -> Vec<(Key, String)> {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name.starts_with("localhost_access_log") {
        true => vec![(Key::ServiceName, "tomcat".to_string())],
        false => Vec::new(),
    }
}

fn pod_log(namespace: &str, pod: &str, container: Option<&str>) -> Placed {
    let mut labels = vec![(Key::Namespace, namespace.to_string()), (Key::PodName, pod.to_string())];
    labels.extend(container.map(|c| (Key::ContainerName, c.to_string())));
    // The pod is the machine that the programs in it see, and its name is their host name.
    Placed { host: Some(pod.to_string()), labels, no_log: false }
}

/// The kubelet's folders: `/var/log/pods/NAMESPACE_POD_UID/CONTAINER/0.log`, and the links
/// `/var/log/containers/POD_NAMESPACE_CONTAINER-ID.log`.
fn kubelet(path: &str) -> Option<Placed> {
    let parts: Vec<&str> = path.split('/').collect();
    if let [.., "pods", pod, container, _file] = parts[..]
        && let [namespace, pod, uid] = pod.split('_').collect::<Vec<_>>()[..]
        && uid.len() >= 32
        && uid.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
    {
        return Some(pod_log(namespace, pod, Some(container)));
    }
    if let [.., "containers", file] = parts[..]
        && let [pod, namespace, rest] = file.split('_').collect::<Vec<_>>()[..]
        && let Some((container, id)) = rest.split('.').next().and_then(|name| name.rsplit_once('-'))
        && id.len() == 64
        && id.bytes().all(|b| b.is_ascii_hexdigit())
    {
        return Some(pod_log(namespace, pod, Some(container)));
    }
    None
}

/// `oc adm must-gather`: `namespaces/NS/pods/POD/CONTAINER/CONTAINER/logs/current.log` beside objects as YAML.
fn must_gather(path: &str) -> Option<Placed> {
    let parts: Vec<&str> = path.split('/').collect();
    let at = parts.iter().position(|p| *p == "namespaces" || *p == "cluster-scoped-resources")?;
    match parts[at..] {
        ["namespaces", namespace, "pods", pod, container, _, "logs", ..] => Some(pod_log(namespace, pod, Some(container))),
        // The events are a log.
        ["namespaces", _, "core", "events.yaml" | "events.json"] => None,
        ["namespaces", _, ..] | ["cluster-scoped-resources", ..] if path.ends_with(".yaml") || path.ends_with(".json") => {
            Some(Placed { no_log: true, ..Placed::default() })
        }
        _ => None,
    }
}

/// The top folder of a sosreport and the path in it.
fn sos(path: &str) -> Option<(&str, &str)> {
    let at = path.rmatch_indices("sosreport-").find(|(at, _)| *at == 0 || path.as_bytes().get(at - 1) == Some(&b'/'))?.0;
    let end = at + path.get(at..)?.find('/')?;
    // The archive and the folder in it have the same name; the folder comes last.
    Some((path.get(..end)?, path.get(end + 1..)?))
}

/// The machine by the name of a sosreport: `sosreport-HOST-CASE-2026-11-20-abcdefg`, or the older `sosreport-HOST.CASE-20261120...`.
pub(crate) fn machine_of_name(top: &str) -> String {
    let name = top.rsplit('/').next().unwrap_or(top).trim_start_matches("sosreport-").trim_end_matches('!');
    let parts: Vec<&str> = name.split('-').collect();
    let digits = |p: &str, n: usize| p.len() == n && p.bytes().all(|b| b.is_ascii_digit());
    let date = parts.windows(3).position(|w| digits(w[0], 4) && digits(w[1], 2) && digits(w[2], 2));
    let date = date.or_else(|| parts.iter().position(|p| p.len() >= 8 && p.bytes().all(|b| b.is_ascii_digit())));
    let mut end = date.unwrap_or(parts.len()).max(1);
    // A case number, which follows the machine.
    if end > 1 && parts[end - 1].len() >= 5 && parts[end - 1].bytes().all(|b| b.is_ascii_digit()) {
        end -= 1;
    }
    let machine = parts[..end].join("-");
    match machine.rsplit_once('.') {
        Some((front, case)) if case.bytes().all(|b| b.is_ascii_digit()) && !case.is_empty() => front.to_string(),
        _ => machine,
    }
}

/// The first word of a `hostname` file, the domain left out, as machines name themselves in their logs.
fn host_name(text: &str) -> Option<String> {
    let first = text.split_whitespace().next()?;
    let short = first.split('.').next()?;
    let usable = !short.is_empty() && short.len() <= 63 && short.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    usable.then(|| short.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layouts(paths: &[&str]) -> Layouts {
        Layouts::of(paths, &|_| Vec::new())
    }

    fn said(placed: &Placed) -> (Option<&str>, Vec<&str>, bool) {
        (placed.host.as_deref(), placed.labels.iter().map(|(_, v)| v.as_str()).collect(), placed.no_log)
    }

    #[test]
    fn pods() {
        let none = Layouts::default();
        let uid = "8b0e1c9e-6f4f-4c62-9f8e-1b2a3c4d5e6f";
        let id = "0123456789abcdef".repeat(4);
        for path in [
            format!("node1/var/log/pods/shop_api-7c9d_{uid}/web/0.log"),
            format!("var/log/pods/shop_api-7c9d_{uid}/web/0.log.20261120-101500.gz"),
            format!("var/log/containers/api-7c9d_shop_web-{id}.log"),
            "must-gather.local.1/quay/namespaces/shop/pods/api-7c9d/web/web/logs/current.log".into(),
            "g/namespaces/shop/pods/api-7c9d/web/web/logs/rotated/0.log.20261120-101500.gz".into(),
            "x.tar.gz!/namespaces/shop/pods/api-7c9d/web/web/logs/previous.log".into(),
        ] {
            assert_eq!(said(&none.place(&path)), (Some("api-7c9d"), vec!["shop", "api-7c9d", "web"], false), "{path}");
        }
        let dump = layouts(&["d/nodes.json", "d/shop/api-7c9d/logs.txt", "d/shop/pods.json"]);
        assert_eq!(said(&dump.place("d/shop/api-7c9d/logs.txt")), (Some("api-7c9d"), vec!["shop", "api-7c9d"], false));
        assert!(dump.place("d/shop/pods.json").no_log && dump.place("d/nodes.json").no_log);
        assert_eq!(none.place("d/shop/api-7c9d/logs.txt"), Placed::default());
        assert!(!dump.place("d/shop/events.json").no_log);
        let begins = |_| b"==== START logs for container web of pod shop/api-7c9d ====".to_vec();
        for path in ["shop/api-7c9d/logs.txt", "x/d/shop/api-7c9d/logs.txt"] {
            assert_eq!(said(&Layouts::of(&[path], &begins).place(path)).0, Some("api-7c9d"), "{path}");
        }
        assert!(none.place("g/namespaces/shop/pods/api/api.yaml").no_log);
        assert!(none.place("g/namespaces/shop/core/pods.yaml").no_log && !none.place("g/namespaces/shop/core/events.yaml").no_log);
        assert_eq!(none.place("var/log/pods/README"), Placed::default());
        assert_eq!(said(&none.place("app1/logs/localhost_access_log.2026-11-20.txt")), (None, vec!["tomcat"], false));
    }

    #[test]
    fn sosreports() {
        let top = "sosreport-web-01-03471234-2026-11-20-abcdefg";
        let all = layouts(&[&format!("{top}/var/log/messages")]);
        assert_eq!(said(&all.place(&format!("{top}/var/log/messages"))), (Some("web-01"), vec![], false));
        assert!(all.place(&format!("{top}/proc/meminfo")).no_log);
        assert!(all.place(&format!("{top}/etc/nginx/nginx.conf")).no_log);
        assert!(!all.place(&format!("{top}/sos_commands/logs/journalctl_--no-pager")).no_log);
        for (name, machine) in [
            ("sosreport-db7-2026-11-20-abcdefg", "db7"),
            ("sosreport-db7.example.com-2026-11-20-abcdefg", "db7.example.com"),
            ("sosreport-db7.03471234-20261120101500-ab12", "db7"),
            ("sosreport-", ""),
        ] {
            assert_eq!(machine_of_name(name), machine);
        }
        let (file, log) = (format!("a.tar.xz!/{top}/hostname"), format!("a.tar.xz!/{top}/var/log/messages"));
        let all = Layouts::of(&[&file, &log], &|_| b"web01.example.com\n".to_vec());
        assert_eq!(all.place(&log).host.as_deref(), Some("web01"));
    }
}

//! Go: the standard logger, glog and klog, and panics.

use crate::format::{Cx, Fit, Format};
use crate::formats::cursor::{Cursor, begins_record};
use crate::formats::{exception, fill, logfmt, message};
use crate::seek::Needle;
use crate::stamp;
use whyline_event::{Key, Record, Severity, Stamp, Value};

/// glog and klog: `E1121 10:30:01.123456    7 x.go:12] text`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Glog;

impl Format for Glog {
    fn name(&self) -> &'static str {
        "glog"
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let (stamp, mut c) = glog(text)?;
        record.format = "glog";
        record.stamp = Some(stamp);
        fill::level(record, text.get(..1)?);
        c.blanks();
        if let Some(thread) = c.digits() {
            fill::once_str(record, Key::ThreadName, thread);
        }
        c.blanks();
        // CockroachDB sets the place off with a blank, and puts a channel in front of it.
        let bare = c.peek().rsplit_once(':').is_some_and(|(_, n)| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
        if let Some(place) = if bare { c.word() } else { c.until("] ").or_else(|| c.until("]")) } {
            c.blanks();
            c.eat("⋮ ");
            let place = place.split_once('@').map_or(place, |(_, place)| place);
            let (file, line) = place.rsplit_once(':').unwrap_or((place, ""));
            fill::once_str(record, Key::CodeFile, file);
            fill::once_int(record, Key::CodeLine, line);
        }
        record.body = c.rest;
        pod(cx, c.rest, record);
        exception::fields(c.rest, record);
        message::fields(cx, c.rest, record);
        Some(88)
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        glog(line).is_some() || is_panic(line)
    }
}

/// Structured values of Kubernetes components: `pod="namespace/name"`, `node="name"`.
fn pod<'a>(cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) {
    let value = |mark: &str| text.split_once(mark).and_then(|(_, rest)| rest.split('"').next());
    if let Some((namespace, name)) = value(" pod=\"").and_then(|v| v.split_once('/')) {
        fill::once_str(record, Key::PodName, name);
        fill::once_str(record, Key::Namespace, namespace);
    } else if let Some((namespace, name)) = workload(text) {
        fill::once_str(record, Key::Namespace, namespace);
        if let Some(pod) = refused_pod(text) {
            fill::once_str(record, Key::PodName, pod);
        }
        let object = cx.keep(&format!("{}{name}", kind(record.str(Key::CodeFile).unwrap_or(""))));
        record.put(Key::ObjectName, Value::Str(object));
    } else if let Some(name) = value(" pod \"").filter(|name| !name.contains([' ', '/', '\\'])) {
        // The kubelet's volumes (pkg/volume/util/nestedpendingoperations).
        fill::once_str(record, Key::PodName, name);
    } else if let Some((namespace, name)) = value(" Service \"").and_then(|v| v.split_once('/')) {
        // ingress-nginx (internal/ingress/controller/controller.go).
        fill::once_str(record, Key::Namespace, namespace);
        record.put(Key::ObjectName, Value::Str(cx.keep(&format!("service/{name}"))));
    }
    if let Some(node) = value(" node=\"") {
        fill::once_str(record, Key::NodeName, node);
    }
}

/// Namespace and name of the workload that a controller could not bring to its wanted state: `sync "shop/web-7d9c" failed with ...`,
/// `error syncing StatefulSet shop/web, ...`, also with the quotes escaped inside another value
/// (kubernetes pkg/controller/replicaset/replica_set.go, statefulset/stateful_set.go).
fn workload(text: &str) -> Option<(&str, &str)> {
    const SYNC: Needle = Needle::new("sync");
    let rest = SYNC.after(text)?;
    let rest = rest.strip_prefix("ing").unwrap_or(rest).strip_prefix(' ')?;
    let kind = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
    let behind_kind = rest.get(kind..)?.strip_prefix(' ').filter(|_| rest.starts_with(|c: char| c.is_ascii_uppercase()));
    let bare = behind_kind.unwrap_or(rest).trim_start_matches(['\\', '"']);
    (behind_kind.is_some() || bare.len() < rest.len()).then_some(())?;
    let mut c = Cursor::new(bare);
    let is_name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.');
    let namespace = c.run(is_name)?;
    c.must("/")?;
    let name = c.run(is_name)?;
    c.rest.starts_with(['\\', '"', ',', ':', ' ']).then_some((namespace, name))
}

/// What a controller brings to its wanted state, by the file that it is in.
fn kind(file: &str) -> &'static str {
    match file {
        "replica_set.go" => "replicaset/",
        "stateful_set.go" => "statefulset/",
        "daemon_controller.go" => "daemonset/",
        "job_controller.go" => "job/",
        _ => "",
    }
}

/// The pod that admission refused: `pods "web-0" is forbidden`; of a name that is still to be made up only the beginning is told.
fn refused_pod(text: &str) -> Option<&str> {
    const PODS: Needle = Needle::new("pods ");
    let rest = PODS.after(text)?.trim_start_matches(['\\', '"']);
    let end = rest.find(['\\', '"'])?;
    let name = rest.get(..end).filter(|name| !name.is_empty() && !name.ends_with('-') && !name.contains(' '))?;
    rest.get(end..)?.trim_start_matches(['\\', '"']).starts_with(" is forbidden").then_some(name)
}

fn glog(text: &str) -> Option<(Stamp, Cursor<'_>)> {
    let (stamp, used, _) = stamp::glog(text)?;
    let mut c = Cursor::new(text);
    c.take(used)?;
    let line = crate::formats::cursor::first_line(c.rest);
    let place = line.contains(']') || line.contains(".go:") || line.contains(".cc:");
    (c.rest.starts_with(' ') && place).then_some((stamp, c))
}

/// The standard logger: `2026/11/21 09:32:18 text`, with microseconds, with `file.go:12: ` before the text.
#[derive(Clone, Copy, Debug, Default)]
pub struct GoLog;

impl Format for GoLog {
    fn name(&self) -> &'static str {
        "go.log"
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        if is_panic(text) {
            return panic(cx, text, record);
        }
        let (stamp, mut c) = match go_log(text) {
            Some(found) => found,
            None => {
                let (prefix, stamp, c) = prefixed(text)?;
                fill::once_str(record, Key::Logger, prefix);
                (stamp, c)
            }
        };
        record.format = "go.log";
        record.stamp = Some(stamp);
        let mut fit = 32;
        let mut here = c;
        if let Some(file) = here.run(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'/' | b'-')).filter(|f| f.ends_with(".go"))
            && here.eat(":")
            && let Some(line) = here.digits()
            && here.eat(": ")
        {
            fill::once_str(record, Key::CodeFile, file);
            fill::once_int(record, Key::CodeLine, line);
            c = here;
            fit = 60;
        }
        if logfmt::behind_stamp(cx, c.rest, record) {
            return Some(60);
        }
        if let Some(word) = crate::formats::app::level::any(&mut c) {
            fill::level(record, word);
            c.eat(":");
            c.blanks();
            fit += 12;
        }
        record.body = c.rest;
        exception::fields(c.rest, record);
        message::fields(cx, c.rest, record);
        message::asked_server(c.rest, record);
        Some(fit)
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        is_panic(line) || begins_record(line) || prefixed(line).is_some()
    }
}

/// A prefix that a program gave its logger without a blank behind it: etcd's `raft2026/11/21 09:32:18 INFO: text`.
fn prefixed(text: &str) -> Option<(&str, Stamp, Cursor<'_>)> {
    let letters = text.bytes().take(17).take_while(u8::is_ascii_lowercase).count();
    let (prefix, rest) = text.split_at_checked(letters).filter(|_| (2..=16).contains(&letters))?;
    let (stamp, c) = go_log(rest)?;
    Some((prefix, stamp, c))
}

fn go_log(text: &str) -> Option<(Stamp, Cursor<'_>)> {
    if text.as_bytes().get(4) != Some(&b'/') {
        return None;
    }
    let mut c = Cursor::new(text);
    let stamp = c.stamp_by(stamp::iso).filter(|s| s.offset.is_none() && matches!(s.digits, 0 | 6))?;
    c.must(" ")?;
    // A dash follows in logs of other programs.
    (!c.rest.starts_with("- ")).then_some((stamp, c))
}

/// Whether a line begins the report of a crash.
pub fn is_panic(line: &str) -> bool {
    line.starts_with("panic: ") || line.starts_with("fatal error: ") || line.starts_with("runtime: goroutine stack exceeds")
}

fn panic<'a>(cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
    record.format = "go.panic";
    record.body = text;
    fill::level_as(record, "panic", Severity::Fatal);
    exception::fields(text, record);
    let line = crate::formats::cursor::first_line(text);
    if let Some((_, message)) = line.split_once(": ") {
        fill::once(record, Key::ExceptionType, Value::Str("panic"));
        fill::once_str(record, Key::ExceptionMessage, message);
    }
    message::fields(cx, text, record);
    // A crash has no stamp and yet begins a record.
    Some(if text.starts_with("panic: ") { 60 } else { 40 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_event::{Bump, Origin};

    #[test]
    fn lines() {
        let arena = Bump::new();
        let cx = Cx::new(&arena, &[]);
        let text = "E1121 10:30:01.123456       7 reflector.go:138] no [list] today";
        let mut r = Record::new(text, Origin::default());
        assert_eq!(Glog.read(&cx, text, &mut r), Some(88));
        assert_eq!((r.body, r.int(Key::CodeLine), r.severity), ("no [list] today", Some(138), Some(Severity::Error)));
        for (text, namespace, pod, object) in [
            (
                r#""Unhandled Error" err="sync \"shop/web-7d9c\" failed with pods \"web-7d9c-x2\" is forbidden: exceeded quota: team""#,
                "shop",
                Some("web-7d9c-x2"),
                Some("web-7d9c"),
            ),
            (
                r#""Unhandled Error" err="sync \"shop/web-7d9c\" failed with pods \"web-7d9c-\" is forbidden: no""#,
                "shop",
                None,
                Some("web-7d9c"),
            ),
            (
                r#""Unhandled Error" err="error syncing StatefulSet shop/web, requeuing: pods \"web-0\" is forbidden: no""#,
                "shop",
                Some("web-0"),
                Some("web"),
            ),
            (r#"Error: SetUp failed for volume "v" pod "web-0" (UID: "b4") : secret "a" not found"#, "", Some("web-0"), None),
            (r#"Error obtaining Endpoints for Service "shop/web": no object"#, "shop", None, Some("service/web")),
            (r#""Syncing" pod="shop/web-0" node="n1""#, "shop", Some("web-0"), None),
            ("async sync of things", "", None, None),
            ("sync a/b.go: done", "", None, None),
        ] {
            let mut r = Record::new(text, Origin::default());
            super::pod(&cx, text, &mut r);
            assert_eq!((r.str(Key::Namespace).unwrap_or(""), r.str(Key::PodName)), (namespace, pod), "{text}");
            assert_eq!(r.str(Key::ObjectName), object, "{text}");
        }
        let text = r#"E1121 10:30:01.123456 1 replica_set.go:562] "Unhandled Error" err="sync \"shop/web-7d9c\" failed with x""#;
        let mut r = Record::new(text, Origin::default());
        assert_eq!((Glog.read(&cx, text, &mut r), r.str(Key::ObjectName)), (Some(88), Some("replicaset/web-7d9c")));
        let text = "W261121 10:30:01.123456 77 1@kv/a.go:48 ⋮ [n1] 12 slow";
        let mut r = Record::new(text, Origin::default());
        assert_eq!(Glog.read(&cx, text, &mut r), Some(88));
        assert_eq!((r.body, r.int(Key::CodeLine), r.str(Key::CodeFile)), ("[n1] 12 slow", Some(48), Some("kv/a.go")));
        let text = "2026/11/21 09:32:18.000001 shop.go:7: listening: 80";
        let mut r = Record::new(text, Origin::default());
        assert_eq!(GoLog.read(&cx, text, &mut r), Some(60));
        assert_eq!((r.body, r.str(Key::CodeFile)), ("listening: 80", Some("shop.go")));
        let text = "2026/11/21 09:32:18.000001 level=error msg=\"call failed\" status=502 err=\"Get \\\"https://pay.lan:8443/v1\\\": x509: unknown\"";
        let mut r = Record::new(text, Origin::default());
        assert_eq!(GoLog.read(&cx, text, &mut r), Some(60));
        assert_eq!((r.format, r.body, r.severity, r.int(Key::Status)), ("go.log", "call failed", Some(Severity::Error), Some(502)));
        assert_eq!(r.str(Key::Peer), Some("pay.lan:8443"));
        let text = "2026/11/21 09:32:18 message=of the day";
        let mut r = Record::new(text, Origin::default());
        assert_eq!((GoLog.read(&cx, text, &mut r), r.body), (Some(32), "message=of the day"));
        let text = "panic: no map\n\ngoroutine 1 [running]:\nmain.main()";
        let mut r = Record::new(text, Origin::default());
        assert_eq!(GoLog.read(&cx, text, &mut r), Some(60));
        assert_eq!((r.str(Key::ExceptionMessage), r.severity), (Some("no map"), Some(Severity::Fatal)));
        assert!(!GoLog.starts(&cx, "goroutine 7 [running]:"));
    }
}

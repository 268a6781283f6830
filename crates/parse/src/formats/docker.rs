//! What container runtimes wrap round a line.

use crate::format::{Cx, Fit, Format};
use crate::formats::cursor::{Cursor, begins_record, first_line};
use crate::formats::json::flat::flatten;
use crate::formats::{exception, fill, message};
use crate::stamp;
use whyline_event::{Key, Name, Record};

/// Docker's json-file driver: `{"log":"text\n","stream":"stdout","attrs":{"tag":"shop-web-1"},"time":"..."}`.
#[derive(Clone, Copy, Debug, Default)]
pub struct DockerJson;

impl Format for DockerJson {
    fn name(&self) -> &'static str {
        "docker.json"
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        if !text.trim_start().starts_with('{') || !text.contains("\"log\"") || !text.contains("\"time\"") {
            return None;
        }
        // The last part carries the stamp of the whole line.
        let (parts, last) = text.rsplit_once('\n').filter(|_| self.is_part(first_line(text))).unwrap_or(("", text));
        let flat = flatten(cx, last)?;
        let log = flat.text("log")?;
        let log = if parts.is_empty() { log } else { cx.keep(&joined(cx, parts, log)?) };
        let (stamp, _) = stamp::iso(flat.text("time")?)?;
        if flat.pairs.iter().any(|(name, _)| !matches!(*name, "log" | "time" | "stream") && !name.starts_with("attrs.")) {
            return None;
        }
        record.format = "docker.json";
        record.stamp = Some(stamp);
        for (name, value) in &flat.pairs {
            match (*name, value.text()) {
                ("stream", Some(stream)) => fill::once_str(record, Key::LogStream, stream),
                ("attrs.tag", Some(tag)) => fill::once_str(record, Key::ContainerName, tag),
                (name, Some(_)) if name.starts_with("attrs.") => {
                    if let Some(value) = value.value() {
                        record.put_other(name, value);
                    }
                }
                _ => {}
            }
        }
        payload(cx, "docker.json", log.trim_end_matches(['\n', '\r']), record);
        Some(95)
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        line.starts_with('{')
    }

    /// The driver writes an entry for each 16 KiB of a line; only the last ends with the line's end.
    fn is_part(&self, line: &str) -> bool {
        line.len() > PART && stream(line).is_some_and(|(at, _)| at > PART && !line.get(..at).is_some_and(|log| log.ends_with("\\n")))
    }

    fn same_stream(&self, part: &str, line: &str) -> bool {
        matches!((stream(part), stream(line)), (Some((_, a)), Some((_, b))) if a == b)
    }

    fn is_envelope(&self) -> bool {
        true
    }
}

/// How much of a line is one entry (daemon/logger/copier.go).
const PART: usize = 16 * 1024;

/// Where the text of an entry ends, and its stream.
fn stream(line: &str) -> Option<(usize, &str)> {
    const MARK: &str = "\",\"stream\":\"";
    let at = memchr::memmem::rfind(line.as_bytes(), MARK.as_bytes()).filter(|_| line.starts_with("{\"log\":\""))?;
    Some((at, line.get(at + MARK.len()..)?.split('"').next()?))
}

/// The texts of the parts and of the last one.
fn joined(cx: &Cx<'_>, parts: &str, last: &str) -> Option<String> {
    let mut whole = String::new();
    for part in parts.split('\n') {
        whole.push_str(flatten(cx, cx.keep(part))?.text("log")?);
    }
    whole.push_str(last);
    Some(whole)
}

/// Reads the text in a container's envelope.
pub(super) fn payload<'a>(cx: &Cx<'a>, envelope: &'static str, text: &'a str, record: &mut Record<'a>) {
    record.body = text;
    if !cx.inner(envelope, text, record) {
        exception::fields(text, record);
        message::fields(cx, text, record);
    }
    container_is_no_host(record);
}

/// Inside a container a logger takes for the host's name what Docker gave it for one: the short id of the container.
fn container_is_no_host(record: &mut Record<'_>) {
    let is_id = |text: &str| text.len() == 12 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if let Some(id) = record.str(Key::HostName).filter(|host| is_id(host)) {
        record.fields.retain(|field| field.name != Name::Known(Key::HostName));
        fill::once_str(record, Key::ContainerId, id);
    }
}

struct CriLine<'a> {
    stamp: whyline_event::Stamp,
    stream: &'a str,
    partial: bool,
    rest: &'a str,
}

fn cri(line: &str) -> Option<CriLine<'_>> {
    let mut c = Cursor::new(line);
    let stamp = c.stamp_by(stamp::iso)?;
    c.must(" ")?;
    let stream = c.word().filter(|w| matches!(*w, "stdout" | "stderr"))?;
    c.must(" ")?;
    let tags = c.word().filter(|w| w.split(':').all(|t| matches!(t, "F" | "P")))?;
    c.eat(" ");
    Some(CriLine { stamp, stream, partial: tags.starts_with('P'), rest: c.rest })
}

/// The Kubernetes container runtime interface: `2026-11-21T10:00:00.1Z stdout F text`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cri;

impl Format for Cri {
    fn name(&self) -> &'static str {
        "cri"
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let head = first_line(text);
        let first = cri(head)?;
        let (stamp, stream, mut partial) = (first.stamp, first.stream, first.partial);
        let mut rest = text.get(head.len() - first.rest.len()..)?;
        if partial && head.len() < text.len() {
            // Parts of one line, each with the envelope in front.
            let mut whole = String::with_capacity(text.len());
            whole.push_str(first.rest);
            for line in text.split('\n').skip(1) {
                let next = cri(line);
                partial = next.as_ref().is_some_and(|l| l.partial);
                whole.push_str(next.map_or(line, |l| l.rest));
            }
            rest = cx.keep(&whole);
        }
        record.format = "cri";
        record.stamp = Some(stamp);
        record.put_str(Key::LogStream, stream);
        if partial {
            record.notes.push("partial line");
        }
        payload(cx, "cri", rest, record);
        Some(95)
    }

    fn is_part(&self, line: &str) -> bool {
        line.get(..64).unwrap_or(line).contains(" P") && cri(line).is_some_and(|l| l.partial)
    }

    fn same_stream(&self, part: &str, line: &str) -> bool {
        matches!((cri(part), cri(line)), (Some(a), Some(b)) if a.stream == b.stream)
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        let mut c = Cursor::new(line);
        c.stamp_by(stamp::iso).is_some() && (c.eat(" stdout ") || c.eat(" stderr "))
    }

    fn is_envelope(&self) -> bool {
        true
    }
}

/// The name that `docker compose logs` and `kubectl logs --prefix` put before a line: `shop-web-1  | text`,
/// `[pod/shop-7c/web] text`; `docker compose logs --timestamps` adds a stamp.
#[derive(Clone, Copy, Debug, Default)]
pub struct Prefixed;

impl Format for Prefixed {
    fn name(&self) -> &'static str {
        "k8s.pod_prefix"
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        if let Some((pod, container, rest)) = kubectl(text) {
            record.format = "k8s.pod_prefix";
            record.put_str(Key::PodName, pod);
            record.put_str(Key::ContainerName, container);
            finish(cx, "k8s.pod_prefix", rest, record);
            fill::pod_as_host(record);
            // Nothing else begins so; a text that nobody reads may stand for it where a whole line of another kind does not.
            return Some(if record.format == "k8s.pod_prefix" { 80 } else { 96 });
        }
        if let Some((name, rest)) = compose(text) {
            record.format = "compose";
            record.put_str(Key::ContainerName, name);
            finish(cx, "compose", rest, record);
            return Some(60);
        }
        if let Some((pod, container, rest)) = stern_plain(text) {
            record.format = "k8s.pod_prefix";
            record.put_str(Key::PodName, pod);
            record.put_str(Key::ContainerName, container);
            finish(cx, "k8s.pod_prefix", rest, record);
            fill::pod_as_host(record);
            return Some(if record.format == "k8s.pod_prefix" { 60 } else { 95 });
        }
        let (stamp, pod, rest) = stern(text)?;
        record.format = "k8s.pod_prefix";
        record.stamp = Some(stamp);
        record.put_str(Key::PodName, pod);
        payload(cx, "k8s.pod_prefix", rest, record);
        Some(50)
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        begins_record(line) || kubectl(line).is_some() || compose(line).is_some() || stern_plain(line).is_some() || stern(line).is_some()
    }

    fn is_envelope(&self) -> bool {
        true
    }
}

/// A stamp may stand between the name and the text.
fn finish<'a>(cx: &Cx<'a>, name: &'static str, rest: &'a str, record: &mut Record<'a>) {
    let mut c = Cursor::new(rest);
    if rest.as_bytes().get(10) == Some(&b'T')
        && let Some(stamp) = c.stamp_by(stamp::iso)
        && stamp.digits > 6
        && c.eat(" ")
    {
        record.stamp = Some(stamp);
        payload(cx, name, c.rest, record);
    } else {
        payload(cx, name, rest, record);
    }
}

/// The bare stamp that `kubectl logs --timestamps` and `docker logs --timestamps` put before a line, in nanoseconds of which trailing zeros may be
/// missing. It is taken for that only before what begins like a record of its own: a JSON object, a stamp, an address, klog.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stamped;

impl Format for Stamped {
    fn name(&self) -> &'static str {
        "container.timestamps"
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        if cx.depth > 0 {
            return None;
        }
        let (stamp, rest) = stamped(text)?;
        record.format = "container.timestamps";
        record.stamp = Some(stamp);
        payload(cx, "container.timestamps", rest, record);
        // What nobody reads may as well be a program's own stamp and its words.
        Some(if record.format == "container.timestamps" { 40 } else { 94 })
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        stamped(line).is_some()
    }

    fn is_envelope(&self) -> bool {
        true
    }
}

/// A stamp with nanoseconds, and the record behind it.
fn stamped(text: &str) -> Option<(whyline_event::Stamp, &str)> {
    if text.as_bytes().get(10) != Some(&b'T') {
        return None;
    }
    let mut c = Cursor::new(text);
    let stamp = c.stamp_by(stamp::iso).filter(|s| s.digits > 6 && s.offset.is_some())?;
    c.must(" ")?;
    let begins = match c.rest.as_bytes() {
        [b'{', b'"', ..] | [b'[', b'0'..=b'9', ..] | [b'0'..=b'9', ..] => true,
        [b'I' | b'W' | b'E' | b'F', month @ ..] => month.get(..4).is_some_and(|digits| digits.iter().all(u8::is_ascii_digit)),
        _ => false,
    };
    begins.then_some((stamp, c.rest))
}

fn kubectl(text: &str) -> Option<(&str, &str, &str)> {
    let mut c = Cursor::new(text);
    let name = c.between("[pod/", "]")?;
    let (pod, container) = name.split_once('/')?;
    c.eat(" ");
    Some((pod, container, c.rest))
}

/// `shop-web-1  | text`.
pub(crate) fn compose(text: &str) -> Option<(&str, &str)> {
    let at = memchr::memchr(b'|', text.as_bytes().get(..text.len().min(64))?)?;
    let name = text.get(..at)?;
    let bare = name.trim_end_matches(' ');
    let rest = text.get(at + 1..)?;
    let usable = name.len() > bare.len()
        && !bare.is_empty()
        && (rest.is_empty() || rest.starts_with(' '))
        && bare.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        && bare.bytes().any(|b| b.is_ascii_alphabetic())
        && whyline_event::Severity::from_word(bare).is_none();
    usable.then(|| (bare, rest.strip_prefix(' ').unwrap_or(rest)))
}

/// A stamp with nanoseconds, a pod's name with its two hashes, and the text.
fn stern(text: &str) -> Option<(whyline_event::Stamp, &str, &str)> {
    let mut c = Cursor::new(text);
    let stamp = c.stamp_by(stamp::iso).filter(|s| s.digits >= 6 && s.offset.is_some())?;
    c.must(" ")?;
    let pod = c.word()?;
    c.must(" ")?;
    is_of_deployment(pod).then_some((stamp, pod, c.rest))
}

/// stern's default template: pod, container and text.
fn stern_plain(text: &str) -> Option<(&str, &str, &str)> {
    let mut words = text.splitn(3, ' ');
    let (pod, container, rest) = (words.next()?, words.next()?, words.next()?);
    let is_label = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (container.starts_with(|c: char| c.is_ascii_lowercase()) && container.bytes().all(is_label) && is_of_deployment(pod))
        .then_some((pod, container, rest))
}

/// Whether a name is that of a pod of a deployment: it ends with the hash of its replica set and five letters of its own.
fn is_of_deployment(pod: &str) -> bool {
    let is_made = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let mut parts = pod.rsplit('-');
    let own = parts.next().filter(|own| own.len() == 5 && own.bytes().all(is_made));
    let set =
        parts.next().filter(|set| (8..=10).contains(&set.len()) && set.bytes().all(is_made) && set.bytes().any(|b| b.is_ascii_digit()));
    own.is_some() && set.is_some() && parts.next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_event::{Bump, Origin};

    fn read<'a>(format: &dyn Format, arena: &'a Bump, text: &'a str) -> Option<Record<'a>> {
        let mut r = Record::new(text, Origin::default());
        format.read(&Cx::new(arena, &[]), text, &mut r)?;
        Some(r)
    }

    #[test]
    fn envelopes() {
        let arena = Bump::new();
        let text = r#"{"log":"hello \"you\"\n","stream":"stderr","attrs":{"tag":"shop-1"},"time":"2026-11-21T09:17:08.017067184Z"}"#;
        let r = read(&DockerJson, &arena, text).unwrap();
        assert_eq!((r.body, r.str(Key::ContainerName), r.str(Key::LogStream)), ("hello \"you\"", Some("shop-1"), Some("stderr")));
        let r = read(&Cri, &arena, "2026-11-21T09:17:08.017067184Z stdout F hi").unwrap();
        assert_eq!((r.body, r.str(Key::LogStream)), ("hi", Some("stdout")));
        let r = read(&Prefixed, &arena, "shop-web-1   | hi | there").unwrap();
        assert_eq!((r.body, r.str(Key::ContainerName)), ("hi | there", Some("shop-web-1")));
        let r = read(&Prefixed, &arena, "[pod/shop-7c9d/web] 2026-11-21T09:17:08.017067184Z hi").unwrap();
        assert_eq!((r.body, r.str(Key::PodName), r.stamp.is_some()), ("hi", Some("shop-7c9d"), true));
        let r = read(&Prefixed, &arena, "2026-11-21T09:17:08.017067184Z shop-5c66d57d58-6mp2b 10:00:00.1 hi").unwrap();
        assert_eq!(r.str(Key::PodName), Some("shop-5c66d57d58-6mp2b"));
        for no in ["a | b", "INFO  | hi", "| x", "2026-11-21T09:17:08Z stdin F x"] {
            assert!(read(&Cri, &arena, no).is_none());
        }
        assert!(read(&Prefixed, &arena, "INFO   | hi").is_none());
        assert_eq!(stamped("2026-11-21T09:17:08.017067184Z {\"msg\":\"hi\"}").map(|(_, rest)| rest), Some("{\"msg\":\"hi\"}"));
        for no in ["2026-11-21T09:17:08.017Z {\"msg\":1}", "2026-11-21T09:17:08.017067184Z hi", "2026-11-21T09:17:08.017067184Z INFO hi"] {
            assert!(stamped(no).is_none(), "{no}");
        }
    }
}

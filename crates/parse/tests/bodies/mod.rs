//! What hostile input must never do to the readers: the bodies of the fuzz targets (`fuzz/`), of which the test suite runs a short
//! deterministic slice (`hostile.rs`).
//!
//! Each takes any bytes and fails by panicking: where a reader panics, or where a promise is broken.

use std::io::Read;
use std::ops::ControlFlow;
use std::sync::{Arc, LazyLock};
use whyline_event::{Bump, Origin, Record};
use whyline_parse::format::{Cx, Format};
use whyline_parse::input::{Input, Place, archive, each, encoding, open};
use whyline_parse::marks::Page;
use whyline_parse::reading::read_text;
use whyline_parse::{cut, detect, formats, stamp};

static ALL: LazyLock<Vec<Arc<dyn Format>>> = LazyLock::new(formats::all);

/// A body, by the name of its target.
pub type Body = fn(&[u8]);

/// All bodies.
pub const BODIES: &[(&str, Body)] = &[
    ("time", time),
    ("detection", detection),
    ("records", records),
    ("access", |data| family(data, Family::Access)),
    ("envelopes", |data| family(data, Family::Envelope)),
    ("databases", |data| family(data, Family::Database)),
    ("applications", |data| family(data, Family::Application)),
    // The same body; each has seeds of its own kind, so that the long runs go deep into every container.
    ("packings", container),
    ("tar", container),
    ("zip", container),
    ("encodings", encodings),
];

/// Runs the body of a target.
pub fn run(target: &str, data: &[u8]) {
    for (name, body) in BODIES {
        if *name == target {
            body(data);
        }
    }
}

/// Every notation of time: what is found lies within the text, and the general reader finds no less than the special ones.
pub fn time(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for found in [
        stamp::prefix(&text),
        stamp::iso(&text),
        stamp::clf(&text),
        stamp::slash(&text),
        stamp::syslog(&text),
        stamp::compact(&text),
        stamp::epoch(&text),
        stamp::tai64n(&text),
        stamp::time_only(&text),
        stamp::glog(&text).map(|(stamp, used, _)| (stamp, used)),
    ]
    .into_iter()
    .flatten()
    {
        assert!(text.is_char_boundary(found.1) && found.1 <= text.len(), "{text:?}: {found:?}");
        let clock = whyline_event::Clock::default();
        let _ = whyline_event::stamp::rfc3339(clock.instant(&found.0), found.0.digits);
    }
    let _ = stamp::month_name(&text);
}

/// Detection takes any head, and its plan reads that head.
pub fn detection(data: &[u8]) {
    let plan = detect::detect(data, &[], &ALL);
    assert!((0.0..=1.0).contains(&plan.share));
    assert!(!plan.order.is_empty() && plan.order.len() <= ALL.len());
    for line in data.split(|b| *b == b'\n').take(20) {
        let _ = cut::starts_record(&plan, line);
    }
}

/// Records: every line is in a record or blank, none in two, and records come in the order in which they begin.
pub fn records(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let lines = text.split_inclusive('\n').count() as u64;
    let (mut before, mut in_records) = (0, 0);
    // A line with a hole of zeros in it is the end of one record and the beginning of another: both name it.
    // So does a line on which several events of Windows stand.
    let shared = (text.matches('\0').count() + text.matches("</Event>").count()) as u64;
    read_text(&text, Some("host"), &ALL, &mut |record| {
        // Lines of two writers may take turns, so a record may begin before another ends.
        assert!(record.origin.line + u64::from(shared > 0) > before, "{text:?}: record at {} comes too late", record.origin.line);
        before = record.origin.line;
        assert!(before + u64::from(record.origin.lines) <= lines + 1, "{text:?}");
        in_records += u64::from(record.origin.lines);
        assert!(record.body.len() <= cut::LONGEST_BODY);
        let _ = whyline_event::Event::new(record, &whyline_event::Source::default(), &whyline_event::Clock::default()).to_json();
    });
    assert!(in_records <= lines + shared, "{text:?}: lines are in two records");
    // A hole alone on its line is as good as nothing.
    let blank = text.lines().filter(|line| line.trim_matches(|c: char| c == '\0' || c.is_whitespace()).is_empty()).count() as u64;
    assert!(in_records + blank >= lines, "{text:?}: lines were lost");
}

/// Reads so much of what a container yields: a bomb must end by itself, but not here.
const YIELD: u64 = 4 << 20;

/// Anything that may be packed or an archive is opened as the program does it: its members are walked and decoded, the same each
/// time, and the members that [`each`] finds are those of the walk.
pub fn container(data: &[u8]) {
    let place = Place::Memory(Arc::new(data.to_vec()));
    let walk = || {
        let mut members: Vec<(usize, String, u64)> = Vec::new();
        let walked = archive::walk(&place, &mut |leaf, bytes| {
            let read = std::io::copy(&mut bytes.take(YIELD), &mut std::io::sink());
            members.push((leaf.number, leaf.name.to_string(), read.unwrap_or(0)));
            if members.len() < 64 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        (walked.is_ok_and(|notes| notes.is_some()), members)
    };
    let (is_archive, members) = walk();
    assert_eq!((is_archive, &members), (walk().0, &walk().1), "a second walk finds something else");
    if !is_archive {
        assert!(members.is_empty());
        if let Ok(stream) = open(&Input::new("x".into(), place.clone())) {
            let _ = std::io::copy(&mut stream.take(YIELD), &mut std::io::sink());
        }
        return;
    }
    let shared = Arc::new(place);
    let inputs: Vec<Input> = members
        .iter()
        .map(|(number, name, _)| Input::new(name.clone(), Place::Member { archive: shared.clone(), number: *number }))
        .collect();
    let mut seen = 0;
    each(&inputs.iter().collect::<Vec<_>>(), &mut |_, opened| {
        seen += 1;
        if let Ok(bytes) = opened {
            let _ = std::io::copy(&mut bytes.take(YIELD), &mut std::io::sink());
        }
        ControlFlow::Continue(())
    });
    assert_eq!(seen, inputs.len(), "a member was not handed over");
}

/// Any bytes are decoded in the encoding that is found for them, and in those that may be told; what comes of it is UTF-8 and
/// has the same lines however it is read.
pub fn encodings(data: &[u8]) {
    let mut charsets = vec![encoding::charset("x.log", data, &[])];
    for name in ["utf-16le", "utf-16be", "shift_jis", "gb18030", "latin1"] {
        let told: Vec<_> = encoding::Told::new(name, None).into_iter().collect();
        charsets.push(encoding::charset("x.log", data, &told));
    }
    for charset in charsets {
        let mut whole = Vec::new();
        let read = encoding::decode(data, &charset).read_to_end(&mut whole);
        assert!(read.is_ok(), "memory cannot be read");
        if charset.name().is_some() {
            assert!(std::str::from_utf8(&whole).is_ok(), "{:?} yields no UTF-8", charset.name());
        }
        let mut pieces = Vec::new();
        let mut reader = encoding::decode(data, &charset);
        let mut buffer = [0u8; 7];
        while let Ok(n @ 1..) = reader.read(&mut buffer) {
            pieces.extend_from_slice(&buffer[..n]);
        }
        assert_eq!(whole, pieces);
    }
}

/// Formats that are tried together.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Web servers, proxies, caches, mail and name servers.
    Access,
    /// Formats that carry others.
    Envelope,
    /// Databases and queues.
    Database,
    /// Everything else.
    Application,
}

fn family_of(format: &dyn Format) -> Family {
    let name = format.name();
    let starts = |list: &[&str]| list.iter().any(|start| name.starts_with(start));
    if format.is_envelope() {
        Family::Envelope
    } else if starts(&["mysql", "postgres", "mongo", "redis", "elastic", "cassandra", "kafka", "sql", "oracle", "pg", "rabbit"]) {
        Family::Database
    } else if name.ends_with(".access") || starts(&["aws", "haproxy", "squid", "traefik", "envoy", "w3c", "iis", "nginx", "apache"]) {
        Family::Access
    } else {
        Family::Application
    }
}

/// The formats of a family read a text alone, and with what its lines teach them. A text that is not read leaves the record as it was.
pub fn family(data: &[u8], family: Family) {
    let text = String::from_utf8_lossy(data);
    let arena = Bump::new();
    let cx = Cx::new(&arena, &ALL);
    let lines: Vec<&str> = text.lines().collect();
    for format in ALL.iter().filter(|format| family_of(&***format) == family) {
        read(&cx, &**format, &text);
        if let Some(learnt) = format.learn(&lines) {
            read(&cx, &*learnt, &text);
            if learnt.wants_marks() {
                marked(&cx, &*learnt, &text);
            }
            for line in lines.iter().take(8) {
                read(&cx, &*learnt, line);
                let _ = learnt.starts(&cx, line);
            }
        }
    }
}

/// What a format reads of lines whose marks were made ahead is what it reads of the lines alone, and begins a record.
fn marked(cx: &Cx<'_>, format: &dyn Format, text: &str) {
    let mut page = Page::default();
    page.mark(text.as_bytes());
    let mut start = 0;
    for end in page.lines().iter().copied().chain([text.len()]) {
        let line = text.get(start..end).unwrap_or("");
        let line = line.strip_suffix('\r').unwrap_or(line);
        if let Some(marks) = page.line(start, line.len()) {
            let line: &str = cx.arena.alloc_str(line);
            let (mut quick, mut careful) = (Record::new(line, Origin::default()), Record::new(line, Origin::default()));
            let fit = format.read_marked(cx, line, &marks, &mut quick);
            assert!(fit.is_some() || quick.fields.is_empty(), "fields are left of {line:?}");
            if fit.is_some() {
                assert_eq!(format.read(cx, line, &mut careful), fit, "{line:?}");
                assert_eq!((&quick.fields, quick.stamp, quick.format), (&careful.fields, careful.stamp, careful.format), "{line:?}");
                assert!(quick.stamp.is_some() && !line.starts_with([' ', '\t']), "{line:?} begins no record");
            }
        }
        start = end + 1;
    }
}

fn read(cx: &Cx<'_>, format: &dyn Format, text: &str) {
    let text = cx.arena.alloc_str(text);
    let mut record = Record::new(text, Origin::default());
    if format.read(cx, text, &mut record).is_none() {
        let name = format.name();
        assert!(record.fields.is_empty() && record.notes.is_empty(), "{name} left fields of {text:?}");
        assert!(record.stamp.is_none() && record.severity.is_none(), "{name} left a stamp or level of {text:?}");
        assert!(record.format == "generic" && record.body == text, "{name} left its name or body on {text:?}");
    }
}

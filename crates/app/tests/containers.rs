//! Whatever the logs come in: folders, archives, packed files, rotated pieces, other encodings. The answer is the same; only the
//! names of sources differ.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says plainly what it expects")]

mod common;

use common::{Fixture, Ran, access_log, packed, unpacked, whyline};
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The incident that is packed in every way: three machines, five programs, one of its logs packed already.
const INCIDENT: &str = "nginx-app-service-stopped";

/// Paths below `logs/` with their bytes, unpacked.
fn files(fixture: &Fixture) -> Vec<(String, Vec<u8>)> {
    let name = |path: &Path| path.strip_prefix(&fixture.logs).unwrap().to_str().unwrap().trim_end_matches(".gz").to_string();
    fixture.files().iter().map(|path| (name(path), unpacked(path))).collect()
}

fn tarred(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, bytes.as_slice()).unwrap();
    }
    builder.into_inner().unwrap()
}

fn zipped(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A way of packing bytes.
type Pack = fn(&[u8]) -> Vec<u8>;

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn bz2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn lz4(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zst(bytes: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(bytes, 1).unwrap()
}

struct Folder(TempDir);

impl Folder {
    fn path(&self) -> PathBuf {
        self.0.path().join("logs")
    }
}

fn folder(files: &[(String, Vec<u8>)]) -> Folder {
    let folder = Folder(TempDir::new().unwrap());
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    folder
}

fn file(name: &str, bytes: &[u8]) -> (TempDir, String) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    let path = path.to_str().unwrap().to_string();
    (folder, path)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Diagnoses with one thread and with two: the same bytes.
#[track_caller]
fn diagnose(path: &str, code: i32) -> Ran {
    let one = whyline(["--threads", "1", "diagnose", "--format", "json", path]).expect(code);
    let two = whyline(["--threads", "2", "diagnose", "--format", "json", path]).expect(code);
    assert!(one == two, "{path}: the number of threads shows");
    one
}

/// The same verdict; the answers are long, so only where they part is shown.
#[track_caller]
fn agree(answer: &Value, plain: &Value, what: &str) {
    let (a, b) = (verdict(answer).to_string(), verdict(plain).to_string());
    if a != b {
        let at = a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y).count();
        let part = |text: &str| String::from_utf8_lossy(&text.as_bytes()[at.saturating_sub(200)..(at + 200).min(text.len())]).into_owned();
        panic!("{what}: \n{}\nand not\n{}", part(&a), part(&b));
    }
}

/// What must not depend on how the logs are packed.
fn verdict(answer: &Value) -> Value {
    let causes = answer["causes"].as_array().unwrap().iter();
    let causes: Vec<Value> = causes.map(|c| serde_json::json!([c["id"], c["onset"], c["confidence"], c["entities"]])).collect();
    let evidence: Vec<Value> =
        answer["causes"].as_array().unwrap().iter().flat_map(|c| c["evidence"].as_array().unwrap()).map(|e| e["text"].clone()).collect();
    let hosts = answer["sources"].as_array().unwrap().iter().map(|s| s["host"].clone());
    let mut hosts: Vec<Value> = hosts.filter(|h| !h.is_null()).collect();
    hosts.sort_by_key(Value::to_string);
    hosts.dedup();
    assert_eq!(answer["books"]["balanced"], true);
    let mut incidents = answer["incidents"].clone();
    for considered in incidents.as_array_mut().unwrap().iter_mut().flat_map(|i| i["considered"].as_array_mut().unwrap()) {
        // Notes name sources.
        considered["terms"].as_array_mut().unwrap().iter_mut().for_each(|term| term["note"] = Value::Null);
    }
    serde_json::json!([causes, evidence, incidents, hosts])
}

fn sources(answer: &Value) -> Vec<String> {
    answer["sources"].as_array().unwrap().iter().map(|s| s["source"].as_str().unwrap().to_string()).collect()
}

#[test]
fn an_incident_in_every_archive() {
    let fixture = Fixture::named(INCIDENT);
    let plain = fixture.diagnose(&["--format", "json"]).expect(0).json();
    assert!(!plain["causes"].as_array().unwrap().is_empty());
    let files = files(&fixture);
    let tar = tarred(&files);
    let names: Vec<String> = files.iter().map(|(name, _)| format!("/{name}")).collect();
    // The names say nothing: every archive has the same.
    for (what, bytes) in [
        ("tar", tar.clone()),
        ("gz", packed(&tar)),
        ("zst", zst(&tar)),
        ("xz", xz(&tar)),
        ("bz2", bz2(&tar)),
        ("lz4", lz4(&tar)),
        ("zip", zipped(&files)),
        ("in another", packed(&tarred(&[("from-carol.tar.xz".into(), xz(&tar)), ("note.txt".into(), b"these are all I have\n".to_vec())]))),
    ] {
        let (_folder, path) = file("bundle", &bytes);
        let answer = diagnose(&path, 0).json();
        agree(&answer, &plain, what);
        let inner = if what == "in another" { "bundle!/from-carol.tar.xz!" } else { "bundle!" };
        let found: Vec<String> = sources(&answer).iter().filter_map(|s| s.strip_prefix(inner)).map(str::to_string).collect();
        assert_eq!(found, names, "{what}");
    }
}

#[test]
fn an_archive_on_standard_input() {
    let fixture = Fixture::named(INCIDENT);
    let plain = fixture.diagnose(&["--format", "json"]).expect(0).json();
    let files = files(&fixture);
    for bytes in [packed(&tarred(&files)), zipped(&files)] {
        let answer = common::whyline_fed(&["diagnose", "--format", "json", "-"], &bytes).expect(0).json();
        agree(&answer, &plain, "the verdict");
        assert!(sources(&answer).iter().all(|s| s.starts_with("-!/")), "{:?}", sources(&answer));
    }
}

#[test]
fn an_incident_whose_files_are_packed_by_different_programs() {
    let fixture = Fixture::named(INCIDENT);
    let plain = fixture.diagnose(&["--format", "json"]).expect(0).json();
    let packings: [Pack; 5] = [packed, zst, xz, bz2, lz4];
    let packed: Vec<(String, Vec<u8>)> =
        files(&fixture).into_iter().enumerate().map(|(i, (name, bytes))| (name, packings[i % packings.len()](&bytes))).collect();
    let folder = folder(&packed);
    agree(&diagnose(text(&folder.path()), 0).json(), &plain, "the verdict");
    let (_folder, path) = file("bundle.tar", &tarred(&packed));
    agree(&diagnose(&path, 0).json(), &plain, "the verdict");
}

#[test]
fn an_incident_in_other_encodings() {
    let fixture = Fixture::named(INCIDENT);
    let plain = fixture.diagnose(&["--format", "json"]).expect(0).json();
    let wide = |text: &[u8]| -> Vec<u8> { String::from_utf8_lossy(text).encode_utf16().flat_map(u16::to_le_bytes).collect() };
    for mark in [&b"\xff\xfe"[..], b""] {
        let files: Vec<(String, Vec<u8>)> = files(&fixture).into_iter().map(|(n, b)| (n, [mark, &wide(&b)].concat())).collect();
        let folder = folder(&files);
        let answer = diagnose(text(&folder.path()), 0).json();
        agree(&answer, &plain, "the verdict");
        assert!(answer["sources"].as_array().unwrap().iter().all(|s| s["encoding"] == "UTF-16LE"));
        let said = whyline(["diagnose", "--explain", text(&folder.path())]).expect(0);
        assert!(said.out.contains("read as UTF-16LE"), "{}", said.out);
    }
    assert!(plain["sources"].as_array().unwrap().iter().all(|s| s["encoding"].is_null()));
}

/// Cuts a log into three pieces at line ends and names them as logrotate does.
fn rotated(name: &str, bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let ends: Vec<usize> = memchr_lines(bytes);
    if ends.len() < 9 {
        return vec![(name.to_string(), bytes.to_vec())];
    }
    let (a, b) = (ends[ends.len() / 3], ends[2 * ends.len() / 3]);
    vec![
        (format!("{name}.2.gz"), packed(&bytes[..a])),
        (format!("{name}.1"), bytes[a..b].to_vec()),
        (name.to_string(), bytes[b..].to_vec()),
    ]
}

fn memchr_lines(bytes: &[u8]) -> Vec<usize> {
    bytes.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(i, _)| i + 1).collect()
}

#[test]
fn an_incident_in_rotated_pieces() {
    let fixture = Fixture::named(INCIDENT);
    let plain = fixture.diagnose(&["--format", "json"]).expect(0).json();
    let pieces: Vec<(String, Vec<u8>)> = files(&fixture).iter().flat_map(|(n, b)| rotated(n, b)).collect();
    let folder = folder(&pieces);
    let answer = diagnose(text(&folder.path()), 0).json();
    agree(&answer, &plain, "the verdict");
    for sum in ["lines", "records", "stored", "duplicate"] {
        assert_eq!(answer["books"][sum], plain["books"][sum], "{sum}");
    }
    let (_folder, path) = file("bundle.tgz", &packed(&tarred(&pieces)));
    agree(&diagnose(&path, 0).json(), &plain, "the verdict");
}

#[test]
fn what_two_rotated_pieces_both_hold_counts_once() {
    let log = access_log(900).into_bytes();
    let ends = memchr_lines(&log);
    let (older, newer) = (&log[..ends[499]], &log[ends[449]..]);
    for (names, in_tar) in [
        (["access.log.1", "access.log"], false),
        (["access.log-20261120.gz", "access.log"], false),
        (["access.log.1", "access.log"], true),
        (["b/x.log", "b/x.log.1"], true),
    ] {
        let bytes = |name: &str, text: &[u8]| if name.ends_with(".gz") { packed(text) } else { text.to_vec() };
        // In the last case the archive holds the newer piece first.
        let (a, b) = if names[0].starts_with('b') { (newer, older) } else { (older, newer) };
        let files = [(names[0].to_string(), bytes(names[0], a)), (names[1].to_string(), bytes(names[1], b))];
        let kept = if in_tar { folder(&[("x.tar".into(), tarred(&files))]) } else { folder(&files) };
        let path = text(&kept.path()).to_string();
        let ran = whyline(["parse", &path]).expect(0);
        assert_eq!(ran.books(), (950, 950));
        assert!(ran.err.contains("900 stored + 50 duplicate"), "{}", ran.err);
        let mut bodies: Vec<String> = ran.events().iter().map(|e| e["body"].as_str().unwrap().to_string()).collect();
        bodies.sort();
        let mut want: Vec<String> = String::from_utf8(log.clone()).unwrap().lines().map(str::to_string).collect();
        want.sort();
        assert_eq!(bodies, want);
        assert!(diagnose(&path, 0).json()["books"]["balanced"] == true);
    }
}

#[test]
fn a_record_that_rotation_cut_is_one() {
    let log = access_log(60).into_bytes();
    let middle = memchr_lines(&log)[29] + 40;
    let folder = folder(&[("access.log.1".into(), log[..middle].to_vec()), ("access.log".into(), log[middle..].to_vec())]);
    let ran = whyline(["parse", text(&folder.path())]).expect(0);
    assert_eq!(ran.books(), (61, 60));
    let bodies: Vec<String> = ran.events().iter().map(|e| e["body"].as_str().unwrap().to_string()).collect();
    assert_eq!(bodies, String::from_utf8(log).unwrap().lines().collect::<Vec<_>>());
    let events = ran.events();
    assert_eq!(
        (events[29]["line"].as_u64(), events[30]["source"].as_str(), events[30]["line"].as_u64()),
        (Some(30), Some("access.log.1"), Some(31))
    );
    assert_eq!((events[31]["source"].as_str(), events[31]["line"].as_u64()), (Some("access.log"), Some(2)));
}

#[test]
fn rotated_pieces_follow_each_other_over_new_year() {
    let folder = folder(&[
        ("syslog.1".into(), b"Dec 30 23:59:58 web7 sshd[811]: one\nDec 31 00:00:03 web7 sshd[811]: two\n".to_vec()),
        ("syslog".into(), b"Jan  2 00:00:03 web7 sshd[811]: three\nJan  2 00:00:04 web7 sshd[811]: four\n".to_vec()),
    ]);
    let ran = whyline(["parse", "--tz", "UTC", "--year", "2025", text(&folder.path())]).expect(0);
    let stamps: Vec<String> = ran.events().iter().map(|e| e["timestamp"].as_str().unwrap().to_string()).collect();
    assert_eq!(stamps, ["2025-12-30T23:59:58Z", "2025-12-31T00:00:03Z", "2026-01-02T00:00:03Z", "2026-01-02T00:00:04Z"]);
}

#[test]
fn a_year_of_rotated_pieces_lies_before_the_newest() {
    let piece = |month: &str| format!("{month}  3 00:00:03 web7 sshd[811]: up\n{month}  4 00:00:03 web7 sshd[811]: up\n").into_bytes();
    let folder = folder(&[
        ("syslog.5".into(), piece("Feb")),
        ("syslog.4".into(), piece("Apr")),
        ("syslog.3.gz".into(), packed(&piece("May"))),
        ("syslog.2".into(), piece("Aug")),
        ("syslog.1".into(), piece("Oct")),
        ("syslog".into(), piece("Nov")),
        ("app.log".into(), b"2026-11-04T00:00:00Z INFO up\n2026-11-04T00:00:01Z INFO up\n".to_vec()),
    ]);
    let events = whyline(["parse", text(&folder.path())]).expect(0).events();
    assert_eq!(events.len(), 14);
    assert!(events.iter().all(|e| e["timestamp"].as_str().unwrap().starts_with("2026-")), "{events:#?}");
}

#[test]
fn the_store_counts_what_two_pieces_hold_as_files_do() {
    let log = access_log(900).into_bytes();
    let ends = memchr_lines(&log);
    let kept = folder(&[("access.log.1".into(), log[..ends[499]].to_vec()), ("access.log".into(), log[ends[449]..].to_vec())]);
    let store = kept.0.path().join("store");
    whyline(["--store", text(&store), "ingest", text(&kept.path())]).expect(0).says("900 stored + 50 duplicate");
    let files = diagnose(text(&kept.path()), 0).json();
    let stored = whyline(["--store", text(&store), "diagnose", "--format", "json"]).expect(0).json();
    assert_eq!(stored["books"], files["books"]);
    assert_eq!(whyline(["--store", text(&store), "query", "--count", "status:200"]).expect(0).out.trim(), "900");
}

#[test]
fn columns_that_one_piece_names_hold_for_the_others() {
    let head = "#Software: Microsoft Internet Information Services 10.0\n#Fields: date time cs-method cs-uri-stem sc-status time-taken\n";
    let row = |i: usize| format!("2026-11-20 10:00:{i:02} GET /items/{i} 200 12\n");
    let older = format!("{head}{}", (0..20).map(row).collect::<String>());
    let newer: String = (20..40).map(row).collect();
    let folder = folder(&[("u_ex.log.1".into(), older.into_bytes()), ("u_ex.log".into(), newer.into_bytes())]);
    let ran = whyline(["query", "--count", "status:200", text(&folder.path())]).expect(0);
    assert_eq!(ran.out.trim(), "40");
}

#[test]
fn a_truncated_archive_gives_what_stood_before_the_cut() {
    let log = access_log(6000).into_bytes();
    let tar = tarred(&[("web01/access.log".into(), log.clone()), ("web02/access.log".into(), log[..log.len() / 2].to_vec())]);
    for bytes in [
        tar[..tar.len() / 2].to_vec(),
        {
            let gz = packed(&tar);
            gz[..gz.len() / 2].to_vec()
        },
        {
            let x = zst(&tar);
            x[..x.len() / 2].to_vec()
        },
    ] {
        let (_folder, path) = file("logs.tar", &bytes);
        let ran = whyline(["parse", &path]).expect(3).says("logs.tar: ends too early (truncated)").says("copy it again");
        assert_eq!(ran.err.matches("truncated").count(), 1, "told once: {}", ran.err);
        let events = ran.events();
        assert!(events.len() > 1000, "{} events", events.len());
        assert_eq!(events[0]["source"], "logs.tar!/web01/access.log");
        diagnose(&path, 3);
    }
}

#[test]
fn bombs_end_with_a_message_and_the_rest_is_answered() {
    // 320 MB of one line, in some kilobytes.
    let mut encoder = zstd::stream::Encoder::new(Vec::new(), 3).unwrap();
    let line = "2026-11-20T10:00:00Z INFO all is well, all is well, all is well, all is well\n".repeat(1 << 14);
    for _ in 0..(320 << 20) / line.len() {
        encoder.write_all(line.as_bytes()).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    assert!(bomb.len() < 250_000, "{} bytes", bomb.len());
    let log = access_log(30).into_bytes();
    let folder = folder(&[("bomb.log".into(), bomb.clone()), ("access.log".into(), log.clone())]);
    let ran = whyline(["parse", "--format", "none", text(&folder.path())]).expect(3);
    let ran = ran.says("bomb.log: unpacks to more than 1000 times its size").says("unpack it yourself");
    let lines = ran.books().0;
    assert!(lines > 3_000_000, "what was read before the refusal stays counted: {lines}");
    let (_folder, path) = file("x.tar", &tarred(&[("access.log".into(), log), ("bomb.zst".into(), bomb)]));
    let ran = whyline(["query", "--count", "status:200", &path]).expect(3).says("x.tar!/bomb.zst: unpacks to more than");
    assert_eq!(ran.out.trim(), "30");
}

#[test]
fn names_in_archives_are_only_names() {
    let mut header = tar::Header::new_gnu();
    header.as_old_mut().name[..16].copy_from_slice(b"../../etc/x\x1b[2Ja");
    let log = access_log(5).into_bytes();
    header.set_size(log.len() as u64);
    header.set_cksum();
    let mut builder = tar::Builder::new(Vec::new());
    builder.append(&header, log.as_slice()).unwrap();
    let (_folder, path) = file("x.tar", &builder.into_inner().unwrap());
    let ran = whyline(["parse", &path]).expect(0);
    assert_eq!(ran.events()[0]["source"], "x.tar!/../../etc/x\u{1b}[2Ja");
    let ran = whyline(["diagnose", "--explain", &path]).expect(0);
    assert!(!ran.out.contains('\u{1b}') && ran.out.contains(r"x.tar!/../../etc/x\x1b[2Ja"), "{}", ran.out);
}

#[test]
fn what_is_no_log_in_an_archive_is_told_and_not_read() {
    let noise: Vec<u8> = (0..9000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let files = [("core.1".into(), noise.clone()), ("core.2".into(), noise), ("access.log".into(), access_log(5).into_bytes())];
    let (_folder, path) = file("x.tar", &tarred(&files));
    let ran = whyline(["parse", &path]).expect(0).says("x.tar: 2 members look like no text and were not read; the first is x.tar!/core.1");
    assert_eq!(ran.says("2 left out as no text").books().0, 5);
}

#[test]
fn a_sosreport_names_its_machine_and_only_its_logs_are_read() {
    let top = "sosreport-web01-03471234-2026-11-20-abcdefg";
    let files = [
        (format!("{top}/sos_commands/host/hostname"), b"web01.example.com\n".to_vec()),
        (format!("{top}/proc/meminfo"), b"MemTotal: 1 kB\n".to_vec()),
        (format!("{top}/etc/passwd"), b"root:x:0:0:root:/root:/bin/bash\n".to_vec()),
        (format!("{top}/var/log/nginx/access.log"), access_log(5).into_bytes()),
    ];
    let (_kept, path) = file("sos.tar.xz", &xz(&tarred(&files)));
    let kept = folder(&files);
    for path in [path.as_str(), text(&kept.path())] {
        let ran = whyline(["parse", path]).expect(0).says("was gathered beside the logs").says("not read");
        let events = ran.events();
        let served: Vec<&Value> = events.iter().filter(|e| e["attributes"]["http.response.status_code"] == 200).collect();
        assert_eq!(served.len(), 5);
        assert!(served.iter().all(|e| e["attributes"]["host.name"] == "web01"), "{}", served[0]);
        assert!(!events.iter().any(|e| e["source"].as_str().unwrap().contains("/etc/")));
    }
}

#[test]
fn pods_say_who_they_are() {
    let line = b"2026-11-20T10:00:00.123456789Z stdout F GET /items 200\n".to_vec();
    let path = "node1/var/log/pods/shop_api-7c9d_8b0e1c9e-6f4f-4c62-9f8e-1b2a3c4d5e6f/web/0.log";
    let kept = folder(&[(path.into(), line)]);
    let ran = whyline(["parse", text(&kept.path())]).expect(0);
    let fields = &ran.events()[0]["attributes"];
    assert_eq!(
        (&fields["k8s.pod.name"], &fields["k8s.namespace.name"], &fields["container.name"], &fields["host.name"]),
        (&"api-7c9d".into(), &"shop".into(), &"web".into(), &"api-7c9d".into())
    );
    whyline(["query", "--count", "namespace:shop k8s.container.name:web", text(&kept.path())]).expect(0);
}

#[test]
fn encodings_that_are_told() {
    let (name, bytes) = ("app.log", b"2026-11-20T10:00:00Z ERROR Gr\xfc\xdfe\n");
    let kept = folder(&[(name.into(), bytes.to_vec())]);
    let body = |more: &[&str]| whyline([&["parse", text(&kept.path())], more].concat()).expect(0).events()[0]["body"].clone();
    assert_eq!(body(&[]), "Gr\u{fffd}\u{fffd}e");
    assert_eq!(body(&["--encoding", "latin1"]), "Grüße");
    assert_eq!(body(&["--encoding", "latin1=*.log"]), "Grüße");
    assert_eq!(body(&["--encoding", "latin1=*.txt"]), "Gr\u{fffd}\u{fffd}e");
    for verb in ["diagnose", "parse"] {
        whyline([verb, text(&kept.path()), "--encoding", "klingon"]).expect(2).says("`klingon` is no encoding").says("windows-1252");
    }
}

#[test]
fn holes_hide_nothing() {
    let log = access_log(100).into_bytes();
    let half = memchr_lines(&log)[49];
    let hole = vec![0; 4096];
    // After a whole line, in the middle of one, and a megabyte of it at the beginning.
    let lead = vec![0; 3 << 20];
    for (bytes, lines, served) in [
        ([&log[..half], &hole, &log[half..]].concat(), 100, 100),
        ([&log[..half - 20], &hole, &log[half..]].concat(), 99, 100),
        ([&lead, &log[..]].concat(), 100, 100),
        ([&log[..], &hole].concat(), 101, 100),
        ([b"\xef\xbb\xbf", &log[..]].concat(), 100, 100),
        (b"\xef\xbb\xbf".to_vec(), 0, 0),
    ] {
        let kept = folder(&[("access.log".into(), bytes)]);
        let ran = whyline(["parse", text(&kept.path())]).expect(0);
        assert!(!ran.err.contains("no text"), "{}", ran.err);
        assert_eq!(ran.books().0, lines);
        let count = ran.events().iter().filter(|e| e["attributes"]["http.response.status_code"] == 200).count();
        assert_eq!(count, served);
    }
    let kept = folder(&[("access.log".into(), String::from_utf8(log).unwrap().replace('\n', "\r").into_bytes())]);
    assert_eq!(whyline(["parse", text(&kept.path())]).expect(0).books(), (100, 100));
}

#[test]
fn files_named_one_by_one_keep_their_machine() {
    let fixture = Fixture::named(INCIDENT);
    let kept = folder(&files(&fixture).into_iter().filter(|(name, _)| name.starts_with("web01/nginx/")).collect::<Vec<_>>());
    let web = kept.path().join("web01/nginx");
    let mut arguments = vec!["parse".to_string()];
    arguments.extend(fs::read_dir(web).unwrap().map(|e| e.unwrap().path().to_str().unwrap().to_string()));
    let ran = whyline(&arguments).expect(0);
    assert!(ran.events().iter().all(|e| e["attributes"]["host.name"] == "web01"));
}

#[test]
fn an_archive_is_stored_and_known_again() {
    let fixture = Fixture::named(INCIDENT);
    let files = files(&fixture);
    let (kept, path) = file("bundle.tar.gz", &packed(&tarred(&files)));
    let store = kept.path().join("store");
    let store = text(&store);
    whyline(["--store", store, "ingest", &path]).expect(0);
    let from_files = verdict(&whyline(["diagnose", "--format", "json", &path]).expect(0).json());
    assert_eq!(verdict(&whyline(["--store", store, "diagnose", "--format", "json"]).expect(0).json()), from_files);
    whyline(["--store", store, "ingest", &path]).expect(0).says("0 are new");
    // The same logs unpacked are the same streams.
    whyline(["--store", store, "ingest", text(&fixture.logs)]).expect(0).says("0 are new");
}

/// Of two kinds of lines in one stream the rarer may come long after the head that was looked at, as the errors of a proxy do behind its
/// requests.
#[test]
fn lines_of_a_kind_that_the_head_did_not_show_are_known() {
    use std::fmt::Write as _;
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("controller.log");
    let mut text = String::new();
    for n in 0..2_000 {
        let (minute, second) = (n / 60 % 60, n % 60);
        writeln!(
            text,
            r#"203.0.113.{} - - [20/Nov/2026:20:{minute:02}:{second:02} +0000] "GET /p/{n} HTTP/1.1" 200 512 "-" "curl/8.5.0""#,
            n % 200
        )
        .unwrap();
    }
    text.push_str(concat!(
        "2026/11/20 20:33:21 [error] 29#29: *81 connect() failed (111: Connection refused) while connecting to upstream, client: 203.0.113.9, ",
        "server: shop.example, request: \"GET / HTTP/1.1\", upstream: \"http://10.0.0.3:8080/\", host: \"shop.example\"\n"
    ));
    fs::write(&file, &text).unwrap();
    let ran = whyline(["parse", file.to_str().unwrap()]);
    let last: serde_json::Value = serde_json::from_str(ran.out.lines().last().unwrap()).unwrap();
    assert_eq!(last["format"], "nginx.error");
    assert_eq!(last["attributes"]["upstream.address"], "10.0.0.3:8080");
}

/// A container's logger takes for its host what Docker named the container: no machine.
#[test]
fn the_id_of_a_container_is_no_host() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("77fd0c1e9a2b-json.log");
    let line = concat!(
        r#"{"log":"{\"level\":30,\"time\":1795888800170,\"pid\":1,\"hostname\":\"77fd0c1e9a2b\",\"name\":\"feed\",\"msg\":\"ready\"}\n","#,
        r#""stream":"stdout","time":"2026-11-28T18:00:00.170140991Z"}"#
    );
    fs::write(&file, format!("{line}\n{line}\n")).unwrap();
    let ran = whyline(["parse", file.to_str().unwrap()]);
    let first: serde_json::Value = serde_json::from_str(ran.out.lines().next().unwrap()).unwrap();
    assert_eq!(first["attributes"]["container.id"], "77fd0c1e9a2b");
    assert_eq!(first["attributes"]["host.name"], serde_json::Value::Null);
}

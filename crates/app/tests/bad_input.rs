//! Input that is not as it should be: the program says what, where and what would help, ends with the code that README.md
//! promises, keeps its books, and gives the full answer from the rest.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says plainly what it expects")]

mod common;

use common::{Fixture, Ran, access_log, finish, packed, program, whyline};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tempfile::TempDir;

/// A folder of files.
struct Bundle(TempDir);

impl Bundle {
    fn new<'a, B: AsRef<[u8]> + 'a>(files: impl IntoIterator<Item = (&'a str, B)>) -> Bundle {
        let bundle = Bundle(TempDir::new().unwrap());
        for (name, bytes) in files {
            bundle.put(name, bytes.as_ref());
        }
        bundle
    }

    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn run(&self, verb: &str, more: &[&str]) -> Ran {
        whyline([&[verb, self.path().to_str().unwrap()], more].concat())
    }

    /// Diagnoses and parses the folder: both must end with this code and with books that balance on so many lines.
    #[track_caller]
    fn both(&self, code: i32, lines: u64) -> (Ran, Ran) {
        let (diagnosed, parsed) = (self.run("diagnose", &[]).expect(code), self.run("parse", &[]).expect(code));
        for ran in [&diagnosed, &parsed] {
            assert_eq!(ran.books().0, lines, "lines in the books: {}", ran.err);
        }
        assert!(parsed.events().iter().map(|e| e["lines"].as_u64().unwrap()).sum::<u64>() <= lines);
        (diagnosed, parsed)
    }
}

#[test]
fn an_empty_folder() {
    let (diagnosed, parsed) = Bundle::new::<&str>([]).both(3, 0);
    assert!(diagnosed.out.starts_with("Nothing was read"), "{}", diagnosed.out);
    for ran in [diagnosed, parsed] {
        ran.says("there is no log file here").says("Give the folder");
    }
    let json = Bundle::new::<&str>([]).run("diagnose", &["--format", "json"]).expect(3).json();
    assert_eq!((json["causes"].as_array().unwrap().len(), json["sources"].as_array().unwrap().len()), (0, 0));
}

#[test]
fn a_path_that_does_not_exist() {
    for verb in ["diagnose", "parse"] {
        let ran = whyline([verb, "no/such/folder"]).expect(2).says("no/such/folder: does not exist").says("check the spelling");
        assert_eq!(ran.out, "");
    }
}

#[test]
fn empty_files_and_blank_lines() {
    Bundle::new([("empty.log", ""), ("blank.log", "\n  \n\t\n")]).both(0, 3);
    Bundle::new([("empty.gz", packed(b""))]).both(0, 0);
}

#[test]
fn a_log_of_one_line() {
    let (_, parsed) = Bundle::new([("one.log", "2026-11-21T10:00:00Z ERROR out of cheese\n")]).both(0, 1);
    assert_eq!(parsed.events()[0]["body"], "out of cheese");
}

#[test]
fn a_binary_file_beside_a_log() {
    let noise: Vec<u8> = (0..200_000u32).map(|i| (i.wrapping_mul(i).wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let lines = noise.iter().filter(|b| **b == b'\n').count() + usize::from(noise.last() != Some(&b'\n'));
    let bundle = Bundle::new([("core.1234", noise.as_slice()), ("access.log", access_log(50).as_bytes())]);
    let (diagnosed, parsed) = bundle.both(0, 50);
    for ran in [&diagnosed, &parsed] {
        assert!(ran.err.contains("core.1234: looks like no text and was not read"), "{}", ran.err);
        let all = format!("{}{}", ran.out, ran.err).replace("\n       ", " ");
        assert!(all.contains("1 left out as no text; balanced"), "{all}");
    }
    assert!(diagnosed.out.contains("Of 50 logged requests all"), "{}", diagnosed.out);
    let json = bundle.run("diagnose", &["--format", "json"]).expect(0).json();
    assert_eq!((json["books"]["left_out"].as_u64(), json["sources"].as_array().unwrap().len()), (Some(1), 1));
    // Who names it by itself wants it read.
    let named = whyline(["parse", bundle.path().join("core.1234").to_str().unwrap()]).expect(0);
    assert_eq!(named.says("core.1234: looks like no text; its lines were kept as they are").books().0, lines as u64);
    let alone = Bundle::new([("core.1234", noise.as_slice())]);
    alone.both(3, 0).0.says("there is no log file here");
    let stored = TempDir::new().unwrap();
    let ran = whyline(["--store", stored.path().join("s").to_str().unwrap(), "ingest", bundle.path().to_str().unwrap()]).expect(0);
    assert_eq!(ran.says("1 left out as no text").books().0, 50);
}

/// What programs leave beside their logs, by its first bytes, however much text is in it; and logs that are odd, but logs.
#[test]
fn what_is_no_text_is_told_from_odd_logs() {
    let text = access_log(40);
    let behind = |magic: &[u8]| [magic, text.as_bytes()].concat();
    let dumps = [
        ("app", behind(b"\x7fELF\x02\x01\x01")),
        ("net.pcap", behind(b"\xd4\xc3\xb2\xa1\x02\0\x04\0")),
        ("net.pcapng", behind(b"\n\r\r\n\x1c\0\0\0\x4d\x3c\x2b\x1a")),
        ("graph.png", behind(b"\x89PNG\r\n\x1a\n")),
        ("photo.jpg", behind(b"\xff\xd8\xff\xe0")),
        ("report.pdf", behind(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")),
        ("dump.rdb", behind(b"REDIS0011\xfa")),
        ("app.db", behind(b"SQLite format 3\0")),
        ("ibdata1", [&[0x9e, 0x3c, 0x11, 0x7a, 0, 0, 0, 1, 0, 0, 0, 0, 0, 8, 0x45, 0xbf].repeat(200)[..], &[0; 16_000]].concat()),
    ];
    let files = dumps.iter().map(|(name, bytes)| (*name, bytes.as_slice())).chain([("access.log", text.as_bytes())]);
    let (diagnosed, _) = Bundle::new(files).both(0, 40);
    diagnosed.says("app: and 8 other files look like no text and were not read").says("give a file by itself");
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let few = text.replace(" 200 ", " 200\0\0 ");
    let latin = [text.replace("shop", "caf\u{e9}").chars().map(|c| c as u8).collect::<Vec<_>>(), b"\xe9\xe8 caf\xe9\n".to_vec()].concat();
    let japanese: Vec<u8> = b"2026-11-20 20:31:07 ERROR \x83\x66\x81\x5b\x83\x5e\x83\x78\x81\x5b\x83\x58\x82\xc9\x90\xda\x91\xb1\x82\xc5\x82\xab\x82\xdc\x82\xb9\x82\xf1\n".repeat(9);
    let torn = [text.as_bytes(), &[0; 700], b"\x01\x02"].concat();
    // A dozen zeros for each line, as a program leaves them that writes fields of a fixed width.
    let fields = text.replace('\n', &format!("{}\n", "\0".repeat(12)));
    for (name, bytes, lines) in [
        ("utf16.log", utf16, 40),
        ("few.log", few.into_bytes(), 40),
        ("latin.log", latin, 41),
        ("japanese.log", japanese, 9),
        ("torn.log", torn, 41),
        ("fields.log", fields.into_bytes(), 40),
    ] {
        let ran = Bundle::new([(name, bytes)]).run("parse", &[]).expect(0);
        assert!(!ran.err.contains("no text"), "{name}: {}", ran.err);
        assert_eq!(ran.books().0, lines, "{name}");
    }
}

#[test]
fn packings_and_layouts_that_are_not_read() {
    let noise: Vec<u8> = (0..3000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let with = |magic: &[u8]| [magic, &noise].concat();
    for (name, bytes, what, help) in [
        ("logs.7z", with(b"7z\xbc\xaf\x27\x1c"), "7z archive", "unpack it first"),
        ("logs.rar", with(b"Rar!\x1a\x07\x01"), "rar archive", "unpack it first"),
        ("syslog.2.lz", with(b"LZIP\x01"), "packed with lzip", "lzip -dk"),
        ("syslog.2.Z", with(b"\x1f\x9d\x90"), "packed with compress", "uncompress"),
        ("system.journal", with(b"LPKSHHRH"), "binary journal", "journalctl"),
        ("syslog.2.xz", with(b"\xfd7zXZ\0"), "damaged", "copy it again"),
        ("logs.zip", with(b"PK\x03\x04"), "logs.zip", "copy it again"),
    ] {
        let bundle = Bundle::new([(name, bytes.as_slice()), ("access.log", access_log(5).as_bytes())]);
        let ran = bundle.run("diagnose", &[]).expect(3).says(name).says(what).says(help);
        ran.books();
        assert!(ran.out.contains("Of 5 logged requests all"), "{}", ran.out);
    }
}

#[test]
fn a_gzip_file_that_was_cut_off() {
    let whole = packed(access_log(3000).as_bytes());
    let bundle = Bundle::new([("access.log.gz", &whole[..whole.len() / 2])]);
    let parsed = bundle.run("parse", &[]).expect(3).says("access.log.gz: ends too early (truncated)").says("copy it again");
    let events = parsed.events();
    // What stood before the cut is there, in full.
    assert!(events.len() > 1000, "{} events", events.len());
    let original = access_log(3000);
    for (event, line) in events.iter().zip(original.lines()).take(events.len() - 1) {
        assert_eq!(event["body"], line);
    }
    assert_eq!(parsed.books().1, events.len() as u64);
    bundle.run("diagnose", &[]).expect(3).says("truncated").books();
    Bundle::new([("access.log.gz", &whole[..5])]).both(3, 0);
}

#[test]
fn a_gzip_file_that_is_damaged() {
    let mut damaged = packed(access_log(3000).as_bytes());
    let middle = damaged.len() / 2;
    damaged[middle..middle + 40].fill(0xaa);
    let ran = Bundle::new([("access.log.gz", damaged)]).run("diagnose", &[]).expect(3).says("access.log.gz").says("copy it again");
    assert!(ran.books().0 > 100);
}

/// Something that is there but cannot be read: closed to everybody, or, for those whom nothing is closed to, the memory of a
/// process, whose first page belongs to nobody.
#[cfg(target_os = "linux")]
fn unreadable(bundle: &Bundle) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = bundle.put("closed.log", b"2026-11-21T10:00:00Z ERROR nobody reads this\n");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::File::open(&path).is_err() { path } else { PathBuf::from("/proc/self/mem") }
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_that_cannot_be_read() {
    let other = Bundle::new([("access.log", access_log(7))]);
    let bundle = Bundle::new::<&str>([]);
    let path = unreadable(&bundle);
    for verb in ["diagnose", "parse"] {
        let ran = whyline([verb, path.to_str().unwrap(), other.path().join("access.log").to_str().unwrap()]).expect(3);
        let ran = ran.says(path.file_name().unwrap().to_str().unwrap()).says("warning: ");
        assert_eq!(ran.books().0, 7);
    }
}

#[test]
fn bytes_that_are_no_text() {
    let (_, parsed) = Bundle::new([("latin1.log", b"2026-11-21T10:00:00Z INFO caf\xe9 \xff\n2026-11-21T10:00:01Z INFO ok\n")]).both(0, 2);
    let events = parsed.events();
    assert_eq!(events[0]["body"], "caf\u{fffd} \u{fffd}");
    assert_eq!(events[0]["notes"][0], "bytes that are no UTF-8 were replaced");
    assert_eq!(events[1]["notes"], serde_json::Value::Null);
}

#[test]
fn nul_bytes() {
    // What a power cut leaves in a log.
    let mut bytes = access_log(100).into_bytes();
    bytes.extend([0; 4000]);
    bytes.extend(b"\n");
    bytes.extend(access_log(100).into_bytes());
    let (_, parsed) = Bundle::new([("access.log", bytes)]).both(0, 201);
    let served = parsed.events().iter().filter(|e| e["attributes"]["http.response.status_code"] == 200).count();
    assert_eq!(served, 200);
}

#[test]
fn line_ends_of_every_kind() {
    let unix = access_log(20);
    let read = |text: &str| -> Vec<String> {
        let (_, parsed) = Bundle::new([("access.log", text)]).both(0, 20);
        parsed.events().iter().map(|e| format!("{} {} {}", e["timestamp"], e["body"], e["attributes"])).collect()
    };
    assert_eq!(read(&unix.replace('\n', "\r\n")), read(&unix));
    assert_eq!(read(unix.trim_end()), read(&unix));
}

#[test]
fn a_line_of_fifty_megabytes() {
    let mut bytes = b"2026-11-21T10:00:00Z INFO ".to_vec();
    bytes.resize(50_000_000, b'x');
    bytes.extend(b"\n2026-11-21T10:00:01Z INFO after\n");
    let bundle = Bundle::new([("app.log", bytes)]);
    let (_, parsed) = bundle.both(0, 2);
    let events = parsed.events();
    assert_eq!(events.len(), 2);
    assert_eq!(events[0]["length"], 50_000_000);
    assert!(events[0]["body"].as_str().unwrap().len() <= 1 << 20);
    assert!(events[0]["notes"][0].as_str().unwrap().contains("cut at 1 MB"), "{}", events[0]["notes"]);
    assert_eq!(
        (&events[1]["body"], events[1]["offset"].as_u64(), events[1]["line"].as_u64()),
        (&"after".into(), Some(50_000_001), Some(2))
    );
    if let Some(kilobytes) = peak_memory(&["diagnose", bundle.path().to_str().unwrap()]) {
        assert!(kilobytes < 300_000, "{kilobytes} kB of memory for one long line");
    }
}

/// The most memory that a run held, in kB, where the system has a program that measures it.
fn peak_memory(arguments: &[&str]) -> Option<u64> {
    let mut measured = std::process::Command::new("/usr/bin/time");
    let done = measured.args(["-f", "%M", env!("CARGO_BIN_EXE_whyline")]).args(arguments).output().ok()?;
    String::from_utf8_lossy(&done.stderr).lines().last()?.trim().parse().ok()
}

#[test]
fn the_same_content_under_two_hosts_counts_once() {
    let media = Fixture::named("uploads-disk-full");
    let log = fs::read(media.logs.join("media-web/nginx/access.log")).unwrap();
    let lines = log.iter().filter(|b| **b == b'\n').count() as u64;
    let bundle = Bundle::new([("web7/access.log", log.clone()), ("web8/access.log.gz", packed(&log))]);
    let twice = bundle.run("diagnose", &["--format", "json"]).expect(0).json();
    let once = Bundle::new([("web7/access.log", log)]).run("diagnose", &["--format", "json"]).expect(0).json();
    assert_eq!(twice["incidents"], once["incidents"]);
    assert_eq!((twice["books"]["stored"].as_u64(), twice["books"]["duplicate"].as_u64()), (Some(lines), Some(lines)));
    assert_eq!(twice["books"]["balanced"], true);
    assert_eq!(twice["sources"][1]["same_as"], "web7/access.log");
    let text = bundle.run("diagnose", &[]).expect(0);
    assert!(text.out.contains("counted once"), "{}", text.out);
    assert_eq!(text.books(), (2 * lines, 2 * lines));
}

#[test]
#[cfg(unix)]
fn links_in_circles_and_out_of_the_folder() {
    use std::os::unix::fs::symlink;
    let bundle = Bundle::new([("web7/access.log", access_log(9))]);
    let elsewhere = Bundle::new([("secret.log", access_log(9))]);
    symlink("..", bundle.path().join("web7/up")).unwrap();
    symlink("me", bundle.path().join("web7/me")).unwrap();
    symlink("access.log", bundle.path().join("web7/current.log")).unwrap();
    symlink(elsewhere.path(), bundle.path().join("out")).unwrap();
    let (diagnosed, parsed) = bundle.both(0, 9);
    for ran in [diagnosed, parsed] {
        ran.says("2 links lead nowhere or out of the folder").says("the first is out").says("name what they lead to");
    }
    // A link that is named itself is what was meant.
    whyline(["parse", bundle.path().join("out").to_str().unwrap()]).expect(0).says("9 lines");
}

#[test]
#[cfg(unix)]
fn pipes_can_be_read_once_only_and_are() {
    let bundle = Bundle::new([("access.log", access_log(30))]);
    let script = r#""$0" parse --format none <(cat "$1") <(gzip -c "$1" | head -c 100000)"#;
    let mut bash = std::process::Command::new("bash");
    bash.args(["-c", script, env!("CARGO_BIN_EXE_whyline")]).arg(bundle.path().join("access.log"));
    if let Ok(done) = bash.output() {
        let said = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(0), "{said}");
        assert!(said.contains("60 lines = 60 in events"), "{said}");
    }
}

#[test]
#[cfg(unix)]
fn names_that_would_steer_a_terminal() {
    let whole = packed(access_log(300).as_bytes());
    let bundle = Bundle::new([("a\u{1b}]0;owned\u{7}\n.gz", &whole[..60])]);
    for ran in [bundle.run("diagnose", &[]).expect(3), bundle.run("parse", &["--format", "none"]).expect(3)] {
        let all = format!("{}{}", ran.out, ran.err);
        assert!(!all.chars().any(|c| c.is_control() && c != '\n'), "{all:?}");
        assert!(ran.err.contains(r"a\x1b]0;owned\x07\n.gz"), "{}", ran.err);
    }
}

#[test]
fn options_that_mean_nothing() {
    let bundle = Bundle::new([("access.log", access_log(3))]);
    for (options, said, help) in [
        (vec!["--tz", "Europe/Zurick"], "`Europe/Zurick` is no time zone", "Europe/Zurich"),
        (vec!["--tz", "web7=CEST+1"], "`CEST+1` is no time zone", "+02:00"),
        (vec!["--host", "web7"], "--host web7", "NAME=GLOB"),
        (vec!["--log-format", "$nothing"], "--log-format $nothing", "column"),
        (vec!["--year", "next"], "next", "--year"),
    ] {
        for verb in ["diagnose", "parse"] {
            let ran = bundle.run(verb, &options).expect(2).says(said).says(help);
            assert_eq!(ran.out, "", "nothing is answered to a question that is not understood");
        }
    }
    bundle.run("diagnose", &["--until", "tomorrow"]).expect(2).says("`tomorrow` is no time").says("2026-11-21T10:00:00Z");
    bundle.run("diagnose", &["--around", "10:00", "--window", "wide"]).expect(2).says("`wide` is no length of time").says("5m");
    bundle
        .run("parse", &["--as", "nginx.acess"])
        .expect(2)
        .says("no such format")
        .says("nginx.access, nginx.error")
        .says("whyline formats");
    bundle.run("parse", &["--as", "windows"]).expect(2).says("no such format").says("whyline formats");
    bundle.run("parse", &["--as", "nginx.access"]).expect(0);
    whyline(["--store", "no/such/store", "diagnose"]).expect(2).says("there is no store at no/such/store").says("whyline ingest");
    whyline(["diagnoze", "x"]).expect(2).says("diagnose");
}

#[test]
fn a_query_that_cannot_be_read() {
    let bundle = Bundle::new([("access.log", access_log(3))]);
    let path = bundle.path().to_str().unwrap();
    for (query, said) in [("status:502 AND (", "never closed"), ("path:/[/", "regular expression")] {
        let ran = whyline(["query", query, path]).expect(2).says(said).says("^");
        assert_eq!(ran.out, "");
    }
    // A field that nobody knows is no error: programs name their own.
    whyline(["query", "statsu:502", path]).expect(1).says("no event has a field called `statsu`").says("did you mean `status`?");
    whyline(["query", "status:502", path]).expect(1);
    whyline(["query", "status:200", path]).expect(0);
}

#[test]
fn rule_files_with_errors() {
    let logs = Bundle::new([("access.log", access_log(3))]);
    let rest = "    entity: host.name\n    origin: a test\n    examples: {match: [x], ignore: [y]}\n";
    for (rules, said) in [
        (
            "signals:\n  my.signal:\n    title: mine\n    queri: x\n".to_string(),
            vec!["rules.yaml:4:5", "`queri` is no key of a signal", "did you mean `query`?", "^"],
        ),
        ("signals:\n  my.signal\n".to_string(), vec!["rules.yaml:", "^"]),
        (
            format!("signals:\n  my.signal:\n    title: mine\n    query: 'status:502 AND ('\n{rest}"),
            vec!["rules.yaml:4:28", "never closed", "^", "help"],
        ),
        (
            "faults:\n  my.fault:\n    title: mine\n    evidence:\n      - {signal: nginx.upstream-refuse, strength: strong}\n".to_string(),
            vec!["rules.yaml:5:18", "no signal `nginx.upstream-refuse`", "nginx.upstream-refused"],
        ),
    ] {
        let bundle = Bundle::new([("rules.yaml", &rules)]);
        let path = bundle.path().join("rules.yaml");
        let ran = logs.run("diagnose", &["--rules", path.to_str().unwrap()]).expect(2);
        assert_eq!(ran.out, "");
        let checked = whyline(["rules", "check", path.to_str().unwrap()]).expect(1);
        for words in said {
            assert!(ran.err.contains(words), "diagnose --rules does not say {words:?}:\n{}", ran.err);
            let all = format!("{}{}", checked.out, checked.err);
            assert!(all.contains(words), "rules check does not say {words:?}:\n{all}");
        }
        let tested = whyline(["rules", "test", path.to_str().unwrap()]);
        assert!(tested.code == 2 || tested.code == 1 || !rules.contains("query"), "{tested:?}");
    }
    logs.run("diagnose", &["--rules", "no/such/rules"]).expect(2).says("no/such/rules");
    logs.run("diagnose", &["--rules", logs.path().to_str().unwrap()]).expect(2).says("there is no rule file (*.yaml) here");
}

#[test]
fn an_example_that_fails_is_a_negative_answer() {
    let rules = "signals:\n  my.signal:\n    title: mine\n    query: body:cheese\n    entity: host.name\n    origin: a test\n    quiet: true\n    examples:\n      match: ['2026-11-21T10:00:00Z INFO bread']\n      ignore: ['2026-11-21T10:00:00Z INFO butter']\n";
    let bundle = Bundle::new([("rules.yaml", rules)]);
    let path = bundle.path().join("rules.yaml");
    let ran = whyline(["rules", "test", path.to_str().unwrap()]).expect(1);
    assert!(
        ran.out.contains("rules.yaml:9:") && ran.out.contains("must match but does not") && ran.out.contains("1 passed, 1 failed"),
        "{}",
        ran.out
    );
}

#[test]
fn readers_that_leave_early() {
    let bundle = Bundle::new([("access.log", access_log(20_000))]);
    for verb in [&["parse"][..], &["diagnose", "--format", "json"], &["diagnose"], &["query", "status:200"]] {
        for bytes in [0, 1] {
            let mut child = program().args(verb).arg(bundle.path()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            let mut out = child.stdout.take().unwrap();
            out.read_exact(&mut vec![0; bytes]).unwrap();
            drop(out);
            let done = child.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&done.stderr);
            assert_eq!(done.status.code(), Some(0), "{verb:?}: {said}");
            assert!(!said.contains("panicked") && !said.contains("roken pipe"), "{verb:?}: {said}");
        }
    }
    let ran = finish(program().args(["rules", "list"]).stdout(Stdio::null()));
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
}

//! What the end-to-end tests share: running the program, finding the fixtures, reading their lines.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says plainly what it expects")]
// Each test file is a program of its own and uses its share of this.
#![allow(dead_code)]

use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a run of the program left behind.
#[derive(Debug, PartialEq, Eq)]
pub struct Ran {
    /// The exit code; -1 when a signal ended it.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Ran {
    /// The output as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("no JSON: {e}\n{self:#?}"))
    }

    /// The output as JSON, one value per line.
    pub fn events(&self) -> Vec<Value> {
        self.out.lines().map(|l| serde_json::from_str(l).unwrap_or_else(|e| panic!("no JSON: {e}: {l}"))).collect()
    }

    /// Checks the exit code, shows everything when it is another one.
    #[track_caller]
    pub fn expect(self, code: i32) -> Ran {
        assert_eq!(self.code, code, "exit code; standard error was:\n{}\nstandard output was:\n{}", self.err, start(&self.out, 4000));
        assert!(!self.err.contains("panicked"), "{}", self.err);
        self
    }

    /// Checks that standard error says something.
    #[track_caller]
    pub fn says(self, words: &str) -> Ran {
        assert!(self.err.contains(words), "standard error does not say {words:?}:\n{}", self.err);
        self
    }

    /// Checks the books that the run printed, and returns lines and records.
    #[track_caller]
    pub fn books(&self) -> (u64, u64) {
        let all = format!("{}\n{}", self.out, self.err);
        let line = all.split("books:").nth(1).unwrap_or_else(|| panic!("no books:\n{all}")).replace("\n       ", " ");
        assert!(line.contains("; balanced"), "the books: {line}");
        let before = |word: &str| -> u64 {
            let text = line.split(word).next().unwrap().trim_end().rsplit(' ').next().unwrap();
            text.parse().unwrap_or_else(|_| panic!("{text:?} in {line}"))
        };
        (before(" lines ="), before(" records ="))
    }
}

fn start(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

/// The program, in surroundings that are the same everywhere.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_whyline"));
    command.env_remove("WHYLINE_THREADS").env_remove("TZ").env("COLUMNS", "100").env("NO_COLOR", "1").stdin(Stdio::null());
    command
}

/// Runs the program.
pub fn whyline<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> Ran {
    finish(program().args(arguments))
}

/// Runs a prepared command.
pub fn finish(command: &mut Command) -> Ran {
    let done = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).expect("whyline writes UTF-8 only");
    Ran { code: done.status.code().unwrap_or(-1), out: text(done.stdout), err: text(done.stderr) }
}

/// Runs the program with bytes on its standard input.
pub fn whyline_fed(arguments: &[&str], input: &[u8]) -> Ran {
    let mut child = program().args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A program that ends early leaves the pipe unread.
    let feeder = std::thread::spawn(move || drop(pipe.write_all(&input)));
    let done = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    let text = |bytes| String::from_utf8(bytes).expect("whyline writes UTF-8 only");
    Ran { code: done.status.code().unwrap_or(-1), out: text(done.stdout), err: text(done.stderr) }
}

/// The top folder of the workspace.
pub fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// A recorded incident, or a healthy control.
pub struct Fixture {
    /// Name of its folder.
    pub id: String,
    /// Its logs.
    pub logs: PathBuf,
    /// What really happened.
    pub truth: Value,
}

impl Fixture {
    /// Reads a fixture's label.
    pub fn named(id: &str) -> Fixture {
        let folder = top().join("fixtures").join(id);
        let path = folder.join("truth.json");
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        Fixture { id: id.into(), logs: folder.join("logs"), truth: serde_json::from_str(&text).unwrap() }
    }

    /// All fixtures by name.
    pub fn all() -> Vec<Fixture> {
        names(&top().join("fixtures")).iter().map(|id| Fixture::named(id)).collect()
    }

    /// Ids in a list of the label.
    pub fn list(&self, key: &str) -> Vec<String> {
        self.truth[key].as_array().map(|l| l.iter().map(|v| v.as_str().unwrap().to_string()).collect()).unwrap_or_default()
    }

    /// Whether nothing was broken.
    pub fn healthy(&self) -> bool {
        self.list("root_causes").is_empty()
    }

    /// Its log files.
    pub fn files(&self) -> Vec<PathBuf> {
        files_below(&self.logs)
    }

    /// Runs `whyline diagnose` over its folder, with more arguments.
    pub fn diagnose(&self, more: &[&str]) -> Ran {
        whyline([&["diagnose", self.logs.to_str().unwrap()], more].concat())
    }
}

/// Names in a folder, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Files below a folder, sorted.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for name in names(folder) {
        let path = folder.join(name);
        if path.is_dir() { found.extend(files_below(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// The bytes of a log file, unpacked.
pub fn unpacked(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    if path.extension().is_none_or(|e| e != "gz") {
        return bytes;
    }
    let mut all = Vec::new();
    flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut all).unwrap();
    all
}

/// Packs bytes as gzip does.
pub fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The lines of a log file, without their ends.
pub fn lines(path: &Path) -> Vec<String> {
    let text = String::from_utf8_lossy(&unpacked(path)).into_owned();
    let text = text.strip_suffix('\n').unwrap_or(&text);
    if text.is_empty() { Vec::new() } else { text.split('\n').map(str::to_string).collect() }
}

/// A healthy access log of so many lines, one a second, with each line's host before it.
pub fn access_log(lines: usize) -> String {
    (0..lines)
        .map(|i| {
            format!(
                "203.0.113.{} - - [21/Nov/2026:10:{:02}:{:02} +0000] \"GET /items/{i} HTTP/1.1\" 200 {} \"-\" \"Mozilla/5.0\"\n",
                i % 200 + 1,
                i / 60 % 60,
                i % 60,
                500 + i % 77
            )
        })
        .collect()
}

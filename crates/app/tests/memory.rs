//! Reading is a stream: what it holds does not grow with what it reads.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test says plainly what it expects")]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

const MB: usize = 1 << 20;
/// What one run may hold more than another for the order in which threads got their blocks.
const SLACK: usize = 12 * MB;

/// Access lines of about 150 bytes with varied paths and request ids, in the order of time.
fn lines(from: usize, bytes: usize) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes + 200);
    let mut i = from;
    while text.len() < bytes {
        let (second, mix) = (i / 20, (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        writeln!(
            text,
            "203.0.113.{} - - [{:02}/Nov/2026:{:02}:{:02}:{:02} +0000] \"GET /items/{}?x={i} HTTP/1.1\" 200 {} \"-\" \"agent/{}\" rid={mix:016x}{mix:016x}",
            i % 250,
            1 + second / 86_400 % 28,
            second / 3600 % 24,
            second / 60 % 60,
            second % 60,
            mix >> 44,
            mix >> 50,
            i % 500
        )
        .unwrap();
        i += 1;
    }
    text
}

/// The most memory that a process had so far, in bytes.
fn peak(pid: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

/// The peak of a run over so many bytes of standard input.
fn parse(stdin: usize) -> usize {
    let mut child = Command::new(env!("CARGO_BIN_EXE_whyline"))
        .args(["--threads", "2", "parse", "--format", "none", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    for n in 0..stdin / MB {
        pipe.write_all(&lines(n * 7000, MB)).unwrap();
    }
    // All but what the pipe holds has been taken.
    std::thread::sleep(std::time::Duration::from_millis(300));
    let peak = peak(child.id());
    drop(pipe);
    assert!(child.wait().unwrap().success());
    peak
}

#[test]
fn standard_input_of_any_size_takes_the_same_memory() {
    let (little, much) = (parse(16 * MB), parse(64 * MB));
    assert!(much < little + SLACK, "{} MB for 16 MB, {} MB for 64 MB", little / MB, much / MB);
}

fn fill(folder: &Path, files: usize) {
    std::fs::create_dir_all(folder).unwrap();
    for n in 0..files {
        std::fs::write(folder.join(format!("host{n:04}.log")), lines(n * 1000, MB / 8)).unwrap();
    }
}

#[test]
fn many_files_take_little_more_than_few() {
    let folder = tempfile::tempdir().unwrap();
    let (few, many) = (folder.path().join("few"), folder.path().join("many"));
    fill(&few, 64);
    fill(&many, 512);
    let (little, much) = (whole(&few), whole(&many));
    // What is known of each source stays: its plan, and some moments by which clocks are compared.
    const KNOWN: usize = 48 << 10;
    assert!(much < little + SLACK + (512 - 64) * KNOWN, "{} MB for 8 MB, {} MB for 64 MB", little / MB, much / MB);
}

/// The peak of a whole run, looked at until it ends.
fn whole(folder: &Path) -> usize {
    let mut child = Command::new(env!("CARGO_BIN_EXE_whyline"))
        .args(["--threads", "2", "parse", "--format", "none"])
        .arg(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut most = 0;
    while child.try_wait().unwrap().is_none() {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap_or("0 kB");
        most = most.max(line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024);
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    most
}

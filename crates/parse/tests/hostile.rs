//! A short deterministic slice of the fuzzing: the bodies of the targets over lines of `fixtures/`, bent by a fixed sequence of
//! mutations. The long runs are in `fuzz/`.
#![allow(clippy::unwrap_used, reason = "a test says plainly what it expects")]

mod bodies;

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

/// Mutated inputs for each body and seed.
const ROUNDS: usize = 12;

/// A small generator of pseudo-random numbers (xorshift64*, Vigna 2016): the same sequence everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % n.max(1)
    }
}

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, into);
        } else {
            into.push(path);
        }
    }
}

/// Pieces of the logs of the fixtures: a few lines from each file, and some that no program writes.
fn seeds() -> Vec<Vec<u8>> {
    let mut paths = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures"), &mut paths);
    let mut seeds: Vec<Vec<u8>> = Vec::new();
    for path in paths {
        let bytes = std::fs::read(path).unwrap();
        let lines: Vec<&[u8]> = bytes.split_inclusive(|b| *b == b'\n').collect();
        for part in [lines.get(..3), lines.get(lines.len() / 2..lines.len() / 2 + 2)].into_iter().flatten() {
            let mut piece = part.concat();
            piece.truncate(1500);
            seeds.push(piece);
        }
    }
    seeds.extend([
        b"".to_vec(),
        b"\n\n\r\n".to_vec(),
        b"\xff\xfe\x00{\x00".to_vec(),
        b"{\"a\":{\"b\":[1,{\"c\":\"\\u12".to_vec(),
        b"\"\"\"\"\"".to_vec(),
        // A line of syslog with zeros in it, as a crash leaves them.
        b"2026-11-21T11:17:01.291595+01:00 web CRON[62]: (root) CMD (cd /\0\0\0\0x\0\0te: half a line".to_vec(),
        "\u{661}\u{662}/Nov/2026:10:39:18 \u{2212}0100 \u{202e}".as_bytes().to_vec(),
    ]);
    seeds
}

/// A text in every packing and archive, and in UTF-16.
fn packed() -> Vec<Vec<u8>> {
    let text = b"Nov 20 22:05:41 web01 app[7]: one\nNov 20 22:05:42 web01 app[7]: two\n".repeat(6);
    let into = |writer: &mut dyn Write| writer.write_all(&text).unwrap();
    let mut all: Vec<Vec<u8>> = Vec::new();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    into(&mut gzip);
    all.push(gzip.finish().unwrap());
    all.push(zstd::encode_all(&text[..], 1).unwrap());
    let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    into(&mut bzip2);
    all.push(bzip2.finish().unwrap());
    let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
    into(&mut xz);
    all.push(xz.finish().unwrap());
    let mut lz4 = lz4_flex::frame::FrameEncoder::new(Vec::new());
    into(&mut lz4);
    all.push(lz4.finish().unwrap());
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in [("var/log/a.log", &text), ("b.log.gz", &all[0])] {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        tar.append_data(&mut header, name, &bytes[..]).unwrap();
    }
    let tar = tar.into_inner().unwrap();
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in [("a.log", &text), ("inner.tar", &tar)] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    all.push(zip.finish().unwrap().into_inner());
    all.push(tar);
    all.push(String::from_utf8_lossy(&text).encode_utf16().flat_map(u16::to_le_bytes).collect());
    all
}

/// Bytes that mean something to some reader.
const PIECES: [&[u8]; 16] =
    [b"\"", b"\\", b"[", b"]", b"{", b"}", b"=", b":", b" ", b"\n", b"\t", b"\0", b"\xc3", b"99999999999999999999", b"-", b"%"];

fn bend(input: &mut Vec<u8>, dice: &mut Dice) {
    for _ in 0..1 + dice.below(4) {
        let at = dice.below(input.len() + 1);
        match dice.below(5) {
            0 => input.truncate(at),
            1 => {
                let piece = PIECES[dice.below(PIECES.len())];
                input.splice(at..at, piece.iter().copied());
            }
            2 if at < input.len() => input[at] = dice.below(256) as u8,
            3 => {
                let end = (at + dice.below(12)).min(input.len());
                input.drain(at..end);
            }
            _ => {
                let end = (at + dice.below(40)).min(input.len());
                let copy = input[at..end].to_vec();
                let to = dice.below(input.len() + 1);
                input.splice(to..to, copy);
            }
        }
    }
}

#[test]
fn nothing_hostile_breaks_a_reader() {
    let (texts, packed) = (seeds(), packed());
    assert!(texts.len() > 40, "the fixtures are not there");
    for (name, _) in bodies::BODIES {
        let seeds = if matches!(*name, "packings" | "tar" | "zip" | "encodings") { &packed } else { &texts };
        let mut dice = Dice(0x5eed_0000 + name.len() as u64);
        for (i, seed) in seeds.iter().enumerate() {
            bodies::run(name, seed);
            // Detection tries every format on every line, which is slow without optimisation.
            let rounds = if *name == "detection" || *name == "records" { 1 } else { ROUNDS };
            for _ in 0..rounds {
                let mut input = seed.clone();
                if dice.below(4) == 0 {
                    input.extend_from_slice(&seeds[(i + dice.below(seeds.len())) % seeds.len()]);
                }
                bend(&mut input, &mut dice);
                bodies::run(name, &input);
            }
        }
    }
}

/// The first and the last years that are read as such lie further apart than a number of nanoseconds can say.
#[test]
fn moments_may_lie_as_far_apart_as_time_goes() {
    let moments = ["1701-09-22 00:12:44", "1970-01-01 00:00:00", "2026-11-21 10:00:00", "2199-12-31 23:59:59"];
    for first in moments {
        for second in moments {
            let explicit = |moment: &str| moment.replace(' ', "T") + "Z";
            let text = [
                format!("{first},000 INFO shop started\n{second},000 INFO shop started\n{first},000 INFO shop started\n"),
                format!(r#"{{"time":"{}","level":"info","msg":"{second} INFO shop started"}}"#, explicit(first)) + "\n",
                format!(r#"{{"log":"{second} ERROR shop failed\n","stream":"stdout","time":"{}"}}"#, explicit(first)) + "\n",
                format!("{}+09:00 web1 kernel: [12345678901.5] eth0: link up\n", explicit(second).trim_end_matches('Z')),
            ];
            for body in ["records", "time", "envelopes"] {
                bodies::run(body, text.concat().as_bytes());
                text.iter().for_each(|part| bodies::run(body, part.as_bytes()));
            }
        }
    }
}

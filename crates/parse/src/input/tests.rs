//! Archives and packed streams that are built here and read: whole, nested, cut, hostile.

use super::archive::{self, Notes};
use super::limit::MOST_MEMBERS;
use super::{Input, Place, each};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::ops::ControlFlow;
use std::sync::Arc;

const PACKINGS: &[&str] = &["gz", "zst", "bz2", "xz", "lz4"];

fn packed(packing: &str, bytes: &[u8]) -> Vec<u8> {
    match packing {
        "gz" => {
            let mut e = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            e.write_all(bytes).unwrap();
            e.finish().unwrap()
        }
        "zst" => {
            let mut e = zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
            // As the program zstd does.
            e.include_checksum(true).unwrap();
            e.write_all(bytes).unwrap();
            e.finish().unwrap()
        }
        "bz2" => {
            let mut e = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
            e.write_all(bytes).unwrap();
            e.finish().unwrap()
        }
        "xz" => {
            let mut e = liblzma::write::XzEncoder::new(Vec::new(), 1);
            e.write_all(bytes).unwrap();
            e.finish().unwrap()
        }
        _ => {
            // A block is the least that can be unpacked.
            let info = lz4_flex::frame::FrameInfo::new().block_size(lz4_flex::frame::BlockSize::Max64KB).content_checksum(true);
            let mut e = lz4_flex::frame::FrameEncoder::with_frame_info(info, Vec::new());
            e.write_all(bytes).unwrap();
            e.finish().unwrap()
        }
    }
}

fn tarred(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mtime(1_795_255_001);
        // As hostile as names may be, which the builder would refuse.
        if name.len() <= 100 {
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_cksum();
            builder.append(&header, *bytes).unwrap();
        } else {
            builder.append_data(&mut header, name, *bytes).unwrap();
        }
    }
    builder.into_inner().unwrap()
}

fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
    for (i, (name, bytes)) in files.iter().enumerate() {
        let method = if i % 2 == 0 { zip::CompressionMethod::Deflated } else { zip::CompressionMethod::Stored };
        writer.start_file(*name, zip::write::SimpleFileOptions::default().compression_method(method)).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn place(bytes: Vec<u8>) -> Place {
    Place::Memory(Arc::new(bytes))
}

/// The streams of an archive with what could be read of them.
fn walked(bytes: Vec<u8>) -> (Vec<(String, Vec<u8>)>, Notes) {
    let mut streams = Vec::new();
    let notes = archive::walk(&place(bytes), &mut |leaf, reader| {
        assert_eq!(leaf.number, streams.len());
        let mut text = Vec::new();
        let _ = reader.read_to_end(&mut text);
        streams.push((leaf.name.to_string(), text));
        ControlFlow::Continue(())
    });
    (streams, notes.unwrap().expect("an archive"))
}

/// One stream that is no archive, and how its reading ended.
fn read(bytes: Vec<u8>) -> (Vec<u8>, Option<io::ErrorKind>) {
    let input = Input::new("x".into(), place(bytes));
    let (mut text, mut error) = (Vec::new(), None);
    each(&[&input], &mut |_, opened| {
        error = opened.and_then(|r| r.read_to_end(&mut text)).err().map(|e| e.kind());
        ControlFlow::Continue(())
    });
    (text, error)
}

fn lines(count: usize) -> Vec<u8> {
    (0..count).flat_map(|i| format!("2026-11-20 20:31:07 INFO line {i} {}\n", i.wrapping_mul(2_654_435_761)).into_bytes()).collect()
}

fn names(streams: &[(String, Vec<u8>)]) -> Vec<&str> {
    streams.iter().map(|(name, _)| name.as_str()).collect()
}

#[test]
fn every_packing_and_several_streams_in_a_row() {
    let text = lines(5000);
    for packing in PACKINGS {
        assert_eq!(read(packed(packing, &text)), (text.clone(), None), "{packing}");
        let (a, b) = text.split_at(70_000);
        let both = [packed(packing, a), packed(packing, b)].concat();
        assert_eq!(read(both), (text.clone(), None), "{packing} twice");
        assert_eq!(read(packed(packing, b"")), (Vec::new(), None), "{packing} of nothing");
    }
}

#[test]
fn what_stands_before_a_cut_is_read() {
    let text = lines(60_000);
    for packing in PACKINGS {
        let whole = packed(packing, &text);
        let (got, error) = read(whole[..whole.len() / 2].to_vec());
        assert!(error.is_some(), "{packing}: a cut is told");
        assert!(text.starts_with(&got) && got.len() > text.len() / 5, "{packing}: {} of {} bytes", got.len(), text.len());
        let mut damaged = whole.clone();
        let middle = damaged.len() / 2;
        damaged[middle..middle + 64].fill(0x55);
        let (got, error) = read(damaged);
        assert!(error.is_some(), "{packing}: damage is told");
        assert!(got.len() > text.len() / 5, "{packing}: {} bytes", got.len());
    }
}

#[test]
fn members_of_every_archive() {
    let long = format!("{}/x.log", "deep".repeat(60));
    let text = lines(300);
    let files: Vec<(&str, &[u8])> =
        vec![("var/log/syslog", &text), ("./var/log/app/x.log", b"one\n"), ("empty.log", b""), (&long, &text[..40])];
    let wanted = ["/var/log/syslog".to_string(), "/var/log/app/x.log".into(), "/empty.log".into(), format!("/{long}")];
    let tar = tarred(&files);
    let all = PACKINGS.iter().map(|p| packed(p, &tar)).chain([tar.clone(), zipped(&files), packed("gz", &zipped(&files))]);
    for bytes in all {
        let (streams, notes) = walked(bytes);
        assert_eq!(names(&streams), wanted);
        assert!(streams.iter().zip(&files).all(|((_, got), (_, want))| got == want));
        assert!(notes.troubles.is_empty() && notes.links.is_empty());
    }
}

#[test]
fn packed_members_and_archives_in_archives() {
    let inner = tarred(&[("a.log", b"inner a\n")]);
    let deeper = tarred(&[("inner.tar", &inner)]);
    let files: Vec<(&str, Vec<u8>)> = vec![
        ("x.log.2.gz", packed("gz", b"packed\n")),
        ("web01.tar.xz", packed("xz", &inner)),
        ("web02.zip", zipped(&[("b.log", b"inner b\n")])),
        ("deeper.tar", deeper),
        ("last.log", b"last\n".to_vec()),
    ];
    let files: Vec<(&str, &[u8])> = files.iter().map(|(n, b)| (*n, b.as_slice())).collect();
    for bytes in [tarred(&files), zipped(&files)] {
        let (streams, notes) = walked(bytes);
        assert_eq!(names(&streams), ["/x.log.2.gz", "/web01.tar.xz!/a.log", "/web02.zip!/b.log", "/last.log"]);
        assert_eq!(streams[0].1, b"packed\n");
        assert_eq!(notes.troubles.len(), 1);
        assert_eq!(notes.troubles[0].member.as_deref(), Some("/deeper.tar!/inner.tar"));
    }
}

#[test]
fn each_walks_an_archive_once() {
    let tar = Arc::new(place(packed("gz", &tarred(&[("a", b"1\n"), ("b", b"2\n"), ("c", b"3\n")]))));
    let member = |number| Input::new(format!("m{number}"), Place::Member { archive: tar.clone(), number });
    let plain = Input::new("p".into(), place(b"plain\n".to_vec()));
    let inputs = [member(2), plain, member(0), member(9)];
    let mut seen = Vec::new();
    each(&inputs.iter().collect::<Vec<_>>(), &mut |i, opened| {
        let mut text = String::new();
        let done = opened.and_then(|r| r.read_to_string(&mut text)).is_ok();
        seen.push((i, done, text));
        ControlFlow::Continue(())
    });
    let of = |i, done, text: &str| (i, done, text.to_string());
    assert_eq!(seen, [of(2, true, "1\n"), of(0, true, "3\n"), of(3, false, ""), of(1, true, "plain\n")]);
}

#[test]
fn cut_archives_give_what_stood_before_the_cut() {
    let text = lines(3000);
    let tar = tarred(&[("a.log", &text), ("b.log", &text)]);
    let cut = tar[..tar.len() * 3 / 4].to_vec();
    let gz = packed("gz", &tar);
    for bytes in [cut, gz[..gz.len() * 3 / 4].to_vec()] {
        let (streams, notes) = walked(bytes);
        assert_eq!(names(&streams), ["/a.log", "/b.log"]);
        assert_eq!(streams[0].1, text);
        assert!(text.starts_with(&streams[1].1) && streams[1].1.len() > text.len() / 4);
        assert_eq!(notes.troubles.len(), 1, "told once: {:?}", notes.troubles);
        assert_eq!(notes.troubles[0].member, None);
    }
    let zip = zipped(&[("a.log", &text), ("b.log", &text)]);
    let (streams, notes) = walked(zip[..zip.len() * 3 / 4].to_vec());
    assert_eq!(streams[0], ("/a.log".to_string(), text.clone()));
    assert!(!notes.troubles.is_empty());
    // A member that is damaged harms no other.
    let mut files = BTreeMap::from([("a.gz", packed("gz", &text)), ("b.log", text.clone())]);
    files.entry("a.gz").and_modify(|b| b.truncate(b.len() / 2));
    let files: Vec<(&str, &[u8])> = files.iter().map(|(n, b)| (*n, b.as_slice())).collect();
    let (streams, notes) = walked(tarred(&files));
    assert_eq!(streams[1].1, text);
    assert_eq!(notes.troubles.iter().map(|t| t.member.as_deref()).collect::<Vec<_>>(), [Some("/a.gz")]);
}

#[test]
fn names_are_only_names() {
    let files: Vec<(&str, &[u8])> =
        vec![("../../etc/passwd", b"1\n"), ("/etc/shadow", b"2\n"), ("a/../../x", b"3\n"), ("a\nb\x1b[2J", b"4\n")];
    let (streams, _) = walked(tarred(&files));
    assert_eq!(names(&streams), ["/../../etc/passwd", "/etc/shadow", "/a/../../x", "/a\nb\x1b[2J"]);
    let (streams, _) = walked(zipped(&[("logs\\web01\\x.log", b"1\n")]));
    assert_eq!(names(&streams), ["/logs/web01/x.log"]);
}

#[test]
fn links_and_devices() {
    let mut builder = tar::Builder::new(Vec::new());
    let mut add = |kind, name: &str, target: &str| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(0);
        header.set_path(name).unwrap();
        if !target.is_empty() {
            header.set_link_name_literal(target).unwrap();
        }
        header.set_cksum();
        builder.append(&header, io::empty()).unwrap();
    };
    add(tar::EntryType::Directory, "var/", "");
    add(tar::EntryType::Regular, "var/log/a.log", "");
    add(tar::EntryType::Link, "hard.log", "var/log/a.log");
    add(tar::EntryType::Symlink, "var/log/current", "../log/./a.log");
    add(tar::EntryType::Symlink, "var/out", "../../etc");
    add(tar::EntryType::Symlink, "var/abs", "/etc/passwd");
    add(tar::EntryType::Fifo, "pipe", "");
    add(tar::EntryType::Char, "dev/null", "");
    let (streams, notes) = walked(builder.into_inner().unwrap());
    assert_eq!(names(&streams), ["/var/log/a.log"]);
    let link = |name: &str, target: &str| (name.to_string(), target.to_string());
    assert_eq!(
        notes.links,
        [link("/hard.log", "/var/log/a.log"), link("/var/log/current", "/var/log/a.log"), link("/var/out", ""), link("/var/abs", "")]
    );
    assert_eq!(notes.others, 2);
}

/// A sparse file of old GNU archives: two pieces and a hole between them.
#[test]
fn sparse_files_have_their_holes() {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::GNUSparse);
    header.set_path("sparse.log").unwrap();
    let gnu = header.as_gnu_mut().unwrap();
    gnu.sparse[0].set_offset(0);
    gnu.sparse[0].set_length(4);
    gnu.sparse[1].set_offset(10_000);
    gnu.sparse[1].set_length(6);
    gnu.set_real_size(10_008);
    header.set_size(10);
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend(b"one\nafter\n");
    bytes.resize(1024, 0);
    bytes.extend(tarred(&[("next.log", b"next\n")]));
    let (streams, notes) = walked(bytes);
    assert!(notes.troubles.is_empty(), "{:?}", notes.troubles);
    assert_eq!(names(&streams), ["/sparse.log", "/next.log"]);
    let want = [b"one\n".to_vec(), vec![0; 9_996], b"after\n".to_vec(), vec![0; 2]].concat();
    assert_eq!(streams[0].1, want);
    // A hole that is said to be larger than any disk ends with a message.
    header.as_gnu_mut().unwrap().set_real_size(1 << 60);
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend(b"one\nafter\n");
    bytes.resize(2048, 0);
    let mut read = 0u64;
    let notes = archive::walk(&place(bytes), &mut |_, reader| {
        read += io::copy(reader, &mut io::sink()).unwrap_or(0);
        ControlFlow::Continue(())
    });
    assert!(notes.unwrap().unwrap().troubles[0].error.to_string().contains("unpacks to more than"));
}

#[test]
fn programs_and_documents_are_no_bundles() {
    let (streams, notes) = walked(zipped(&[("META-INF/MANIFEST.MF", b"Manifest-Version: 1.0\n"), ("a/B.class", b"\xca\xfe\xba\xbe")]));
    assert!(streams.is_empty());
    assert_eq!(notes.programs.len(), 1);
    let jar = zipped(&[("META-INF/MANIFEST.MF", b"Manifest-Version: 1.0\n")]);
    let (streams, notes) = walked(tarred(&[("app.jar", &jar), ("x.log", b"1\n")]));
    assert_eq!((names(&streams), notes.programs), (vec!["/x.log"], vec!["/app.jar".to_string()]));
}

#[test]
fn more_members_than_anybody_has_end_with_a_message() {
    let mut header = tar::Header::new_gnu();
    header.set_path("x").unwrap();
    header.set_size(0);
    header.set_cksum();
    let bytes = header.as_bytes().repeat(MOST_MEMBERS + 5);
    let (streams, notes) = walked(bytes);
    assert_eq!(streams.len(), MOST_MEMBERS);
    assert!(notes.troubles[0].error.to_string().contains("more than"));
}

#[test]
fn long_extended_headers_are_refused() {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::GNULongName);
    header.set_path("././@LongLink").unwrap();
    header.set_size(8 << 30);
    header.set_cksum();
    let (streams, notes) = walked([header.as_bytes().to_vec(), vec![b'x'; 4096]].concat());
    assert!(streams.is_empty() && notes.troubles[0].error.to_string().contains("longer than 1 MB"));
}

/// Reads whatever is there; only the time it takes and a panic could be wrong.
fn survives(bytes: Vec<u8>) {
    let place = place(bytes);
    let mut total = 0u64;
    let _ = archive::walk(&place, &mut |_, reader| {
        let mut buffer = [0; 4096];
        while total < (8 << 20) {
            match reader.read(&mut buffer) {
                Ok(n) if n > 0 => total += n as u64,
                _ => break,
            }
        }
        if total < (8 << 20) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    let input = Input::new("x".into(), place);
    each(&[&input], &mut |_, opened| {
        if let Ok(reader) = opened {
            let _ = io::copy(&mut reader.take(8 << 20), &mut io::sink());
        }
        ControlFlow::Continue(())
    });
}

/// Archives and packed streams to be damaged.
fn samples() -> Vec<Vec<u8>> {
    let text = lines(40);
    let tar = tarred(&[("a.log", &text), ("b.log.gz", &packed("gz", &text)), (&"n".repeat(150), b"x\n")]);
    let zip = zipped(&[("a.log", &text), ("b/c.log", b"stored\n")]);
    let mut all: Vec<Vec<u8>> = PACKINGS.iter().map(|p| packed(p, &text)).collect();
    all.extend([packed("gz", &tar), packed("xz", &zip), tar, zip]);
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_break_nothing(kind in 0usize..10, bytes in proptest::collection::vec(any::<u8>(), 0..3000)) {
        let magic: &[u8] = match kind {
            0 => b"\x1f\x8b\x08\x00",
            1 => b"\x28\xb5\x2f\xfd",
            2 => b"BZh9\x31\x41\x59\x26\x53\x59",
            3 => b"\xfd7zXZ\x00",
            4 => b"\x04\x22\x4d\x18",
            5 => b"PK\x03\x04",
            6 => b"\xff\xfe",
            _ => b"",
        };
        let mut all = [magic, &bytes].concat();
        if kind == 7 && all.len() > 512 {
            // A right checksum opens the door to the rest of a header.
            let sum: u32 = all[..512].iter().enumerate().map(|(i, b)| if (148..156).contains(&i) { 32 } else { u32::from(*b) }).sum();
            all[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
        survives(all);
    }

    #[test]
    fn random_text_is_decoded_whatever_it_is(bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(0u8), Just(b'\n'), Just(b'\r'), Just(b'a')], 0..2000), mark in 0usize..4) {
        let marks: [&[u8]; 4] = [b"", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf"];
        let bytes = [marks[mark], &bytes].concat();
        let charset = super::encoding::charset("x", &bytes, &[]);
        let mut text = Vec::new();
        super::encoding::decode(bytes.as_slice(), &charset).read_to_end(&mut text).unwrap();
        prop_assert!(text.len() <= 3 * bytes.len() + 3);
    }

    #[test]
    fn holes_leave_the_books_balanced(parts in proptest::collection::vec(prop_oneof![
        Just(vec![0u8; 20]), Just(vec![0u8; 3]), Just(b"\n".to_vec()), Just(b" ".to_vec()), Just(b"\r\n".to_vec()),
        Just(b"2026-11-20T10:00:00Z INFO up".to_vec()), Just(b"  at x".to_vec()), Just(b"{".to_vec()), Just(b"}".to_vec()),
    ], 0..60)) {
        let bytes = parts.concat();
        let plan = crate::detect::detect(&bytes, &[], &crate::formats::all());
        let block = super::Block { bytes: bytes.clone(), offset: 0, line: 1, ..Default::default() };
        let mut records = 0;
        let counts = crate::cut::cut(&block, whyline_event::SourceId(0), &plan, None, &mut crate::Facts::default(), &mut |record| {
            records += 1;
            let (from, to) = (record.origin.offset as usize, (record.origin.offset + record.origin.length) as usize);
            assert!(from <= to && to <= bytes.len());
        });
        prop_assert_eq!(counts.records, records);
        prop_assert_eq!(counts.lines, counts.in_events + counts.blank);
        let physical = bytes.iter().filter(|b| **b == b'\n').count() + usize::from(bytes.last().is_some_and(|b| *b != b'\n'));
        prop_assert_eq!(counts.lines, physical as u64);
    }

    #[test]
    fn damaged_archives_break_nothing(which in 0usize..9, at in any::<prop::sample::Index>(), cut in any::<prop::sample::Index>(), byte in any::<u8>(), run in 1usize..40) {
        let mut bytes = samples().swap_remove(which);
        let at = at.index(bytes.len());
        let end = (at + run).min(bytes.len());
        bytes[at..end].fill(byte);
        let keep = bytes.len() - cut.index(bytes.len()) / 3;
        bytes.truncate(keep);
        survives(bytes);
    }
}

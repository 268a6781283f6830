//! Inputs that are no text: what they are, and what would make text of them.
//!
//! In a folder or an archive they are left out. What somebody named by itself is read like everything else, line by line, since a guess may
//! be wrong. The reader is told.

use crate::problem::{Gravity, Problem};
use std::borrow::Cow;

/// Bytes of a head that are looked at.
const LOOK: usize = 4096;

/// What is packed or laid out in a way that is not read here: first bytes, name, what helps.
const KINDS: &[(&[u8], &str, &str)] = &[
    (b"7z\xbc\xaf\x27\x1c", "is a 7z archive, which is not read here", "unpack it first and name the folder"),
    (b"Rar!\x1a\x07", "is a rar archive, which is not read here", "unpack it first and name the folder"),
    (b"LZIP", "is packed with lzip, which is not read here", "unpack it first: `lzip -dk FILE`"),
    (b"\x1f\x9d", "is packed with compress, which is not read here", "unpack it first: `uncompress -k FILE`"),
    (b"LPKSHHRH", "is a binary journal of systemd", "write it out first: `journalctl -o json --file FILE > journal.json`"),
];

/// First bytes of what is no text, however much text is in it: programs, core dumps, packets, images, documents, dumps of databases.
const MAGIC: &[&[u8]] = &[
    b"\x7fELF",
    b"\xd4\xc3\xb2\xa1",
    b"\xa1\xb2\xc3\xd4",
    b"\x4d\x3c\xb2\xa1",
    b"\xa1\xb2\x3c\x4d",
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"GIF87a",
    b"GIF89a",
    b"%PDF-",
    b"SQLite format 3\0",
    b"REDIS00",
    b"JAVA PROFILE 1.0.",
    b"\xca\xfe\xba\xbe",
    b"\0asm",
    b"PAR1",
    b"Obj\x01",
];

/// Whether the first bytes, as they lie in the file, are those of something that is no text.
pub fn is_known(start: &[u8]) -> bool {
    // The order of bytes stands behind the length of the first block.
    let pcapng = || start.starts_with(b"\n\r\r\n") && matches!(start.get(8..12), Some(b"\x1a\x2b\x3c\x4d" | b"\x4d\x3c\x2b\x1a"));
    MAGIC.iter().any(|magic| start.starts_with(magic)) || pcapng()
}

/// What is to be said of an input that begins with `head`; `suspected` when its format could not be told for its looks.
pub fn problem(place: &str, head: &[u8], suspected: bool) -> Option<Problem> {
    let unread =
        |what: &str, help: &str| Some(Problem { gravity: Gravity::Unreadable, place: place.into(), what: what.into(), help: help.into() });
    let text = !suspected && !controls(&without_runs(head));
    match KINDS.iter().find(|(magic, _, _)| head.starts_with(magic)) {
        // A log may well begin with two letters that mean something elsewhere.
        Some((_, what, help)) if !text => unread(what, help),
        _ if text => None,
        _ => Some(Problem::remark(place, "looks like no text; its lines were kept as they are")),
    }
}

/// Whether a head looks like no text for its zeros. A long run of them is what a crash or a rotation leaves in a log.
pub fn suspected(head: &[u8]) -> bool {
    let head = without_runs(&head[..head.len().min(4 * LOOK)]);
    let head = &head[..head.len().min(LOOK)];
    memchr::memchr_iter(0, head).count() * 20 > head.len()
}

/// Zeros in a row that are taken for a hole.
const RUN: usize = 32;

/// The bytes without long runs of zeros.
pub fn without_runs(bytes: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memmem::find(bytes, &[0; RUN]).is_none() {
        return Cow::Borrowed(bytes);
    }
    let mut kept = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = memchr::memmem::find(rest, &[0; RUN]) {
        kept.extend_from_slice(&rest[..at]);
        let end = rest[at..].iter().position(|b| *b != 0).map_or(rest.len(), |n| at + n);
        rest = &rest[end..];
    }
    kept.extend_from_slice(rest);
    Cow::Owned(kept)
}

/// Whether more than one byte in twenty is a control character that no log has.
pub fn controls(head: &[u8]) -> bool {
    let head = &head[..head.len().min(LOOK)];
    let odd = head.iter().filter(|b| matches!(b, 0..=8 | 14..=26 | 28..=31 | 127)).count();
    odd * 20 > head.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(head: &[u8]) -> Option<(Gravity, String)> {
        problem("x", head, false).map(|p| (p.gravity, p.what))
    }

    #[test]
    fn what_is_no_text_is_told() {
        assert_eq!(said(b"2026-11-21 10:00:00 INFO all is well \x1b[0m\n"), None);
        assert_eq!(said(b""), None);
        assert_eq!(said("2026-11-21 10:00:00 INFO caf\u{e9} \u{65e5}\u{672c}\n".as_bytes()), None);
        assert_eq!(said(b"BZh is how this line begins, which is no reason\n"), None);
        let random: Vec<u8> = (0..4096u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        assert_eq!(said(&random).map(|s| s.0), Some(Gravity::Remark));
        let packed = [b"7z\xbc\xaf\x27\x1c".as_slice(), &random].concat();
        assert_eq!(said(&packed).map(|s| s.0), Some(Gravity::Unreadable));
        let mut torn = b"2026-11-21 10:00:00 INFO all is well\n".to_vec();
        torn.extend([0; 4096]);
        torn.extend(b"2026-11-21 10:00:09 INFO up again\n");
        assert_eq!(said(&torn), None);
        assert!(is_known(b"\x7fELF\x02\x01") && is_known(b"\n\r\r\n\x1c\0\0\0\x4d\x3c\x2b\x1a"));
        assert!(!is_known(b"") && !is_known(b"\n\r\r\n2026-11-21 10:00:00 INFO up") && !is_known(&torn));
        assert!(!suspected(&torn));
        assert!(suspected(&[b'a', 0, 0, 0].repeat(100)));
        assert_eq!(without_runs(&torn).len(), torn.len() - 4096);
    }
}

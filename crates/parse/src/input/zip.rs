//! Zip archives, read from their table of contents, which stands at the end: stored and deflated members, zip64, data
//! descriptors. The table is walked entry by entry and never held whole.

use super::open::Bytes;
use super::tar::{Entry, Member};
use std::io::{self, Read, Seek};
use std::ops::ControlFlow;
use zip::read::{Config, ZipReadOptions};
use zip::result::ZipError;
use zip::unstable::read::ZipIterable;

/// Whether a stream that begins with these bytes is a zip archive: a member, or the end of an empty table.
pub fn is_zip(head: &[u8]) -> bool {
    head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06")
}

/// First members by which programs and documents are known that are laid out as zip archives.
const NO_BUNDLES: &[&str] = &["META-INF/", "[Content_Types].xml", "mimetype", "AndroidManifest.xml", "_rels/.rels"];

/// Why an archive was left alone.
pub enum Kind {
    /// It was walked.
    Bundle,
    /// It is a program or a document that is packed as zip.
    Program,
}

/// Walks the members of an archive in the order of its table. `visit` gets each with its bytes. Folders are left out. The
/// archive is read through two readers of the same bytes: one for the table, one for the members.
pub fn walk<R: Read + Seek>(table: R, mut members: R, visit: &mut dyn FnMut(Entry, Bytes<'_>) -> ControlFlow<()>) -> io::Result<Kind> {
    let mut archive = match ZipIterable::try_new(table, Config::default()) {
        Ok(archive) => archive,
        Err(error) => {
            // Cut off: what can be found from the front is read before that is told.
            members.rewind()?;
            from_the_front(&mut members, visit);
            return Err(plain(error));
        }
    };
    for (at, entry) in archive.files().map_err(plain)?.enumerate() {
        let entry = entry.map_err(plain)?;
        let name = entry.name().map_or_else(|_| String::from_utf8_lossy(entry.name_raw()).into_owned(), |n| n.into_owned());
        if at == 0 && NO_BUNDLES.iter().any(|first| name.starts_with(first)) {
            return Ok(Kind::Program);
        }
        if entry.is_dir() {
            continue;
        }
        let name = slashes(name);
        let modified = entry.last_modified().and_then(seconds);
        let (symbolic, locked) = (entry.is_symlink(), entry.encrypted());
        let mut found = Entry { name, member: Member::File, modified };
        if locked {
            let error = io::Error::new(io::ErrorKind::Unsupported, "is locked with a password");
            if visit(found, Err(error)).is_break() {
                break;
            }
            continue;
        }
        let flow = match entry.with_reader(&mut members, ZipReadOptions::new()) {
            Ok(mut reader) if symbolic => {
                let mut target = String::new();
                // A link that cannot be read leads nowhere.
                let _ = reader.by_ref().take(4096).read_to_string(&mut target);
                found.member = Member::Symbolic(target);
                visit(found, Ok(&mut reader))
            }
            Ok(mut reader) => visit(found, Ok(&mut reader)),
            Err(error) => visit(found, Err(plain(error))),
        };
        if flow.is_break() {
            break;
        }
    }
    Ok(Kind::Bundle)
}

/// Programs of Windows write `\` between folders.
fn slashes(name: String) -> String {
    if name.contains('/') { name } else { name.replace('\\', "/") }
}

/// Walks the members by their own headers, as far as these go and say how long the members are.
fn from_the_front(reader: &mut impl Read, visit: &mut dyn FnMut(Entry, Bytes<'_>) -> ControlFlow<()>) {
    while let Ok(Some(mut file)) = zip::read::read_zipfile_from_stream(reader) {
        let name = file.name().map_or_else(|_| String::from_utf8_lossy(file.name_raw()).into_owned(), |n| n.into_owned());
        let modified = file.last_modified().and_then(seconds);
        let entry = Entry { name: slashes(name), member: Member::File, modified };
        if !file.is_dir() && visit(entry, Ok(&mut file)).is_break() {
            return;
        }
    }
}

fn plain(error: ZipError) -> io::Error {
    match error {
        ZipError::Io(error) => error,
        ZipError::CompressionMethodNotSupported(method) => {
            io::Error::new(io::ErrorKind::Unsupported, format!("is packed by zip's method {method}, which is not read here"))
        }
        error => io::Error::new(io::ErrorKind::InvalidData, error.to_string()),
    }
}

/// Times in zip archives are local to who packed it, and even; they are good for a year, and are taken for UTC.
fn seconds(when: zip::DateTime) -> Option<i64> {
    let part = |n: u8| i8::try_from(n).ok();
    let civil = jiff::civil::DateTime::new(
        i16::try_from(when.year()).ok()?,
        part(when.month())?,
        part(when.day())?,
        part(when.hour())?,
        part(when.minute())?,
        part(when.second())?,
        0,
    );
    civil.ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|z| z.timestamp().as_second()).filter(|s| *s > 315_532_800)
}

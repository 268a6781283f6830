//! Walking an archive: its streams one after another, as they come, packed members unpacked, archives in it opened once.
//!
//! Nothing is written to disk and nothing is held whole, whatever the size; only a zip archive that does not lie in a file of
//! its own is held in memory, up to a limit. Names of members are names and nothing else: no path is made of them.

use super::Place;
use super::limit::{Guard, HELD_ZIP, MOST_MEMBERS, Meter, Yield};
use super::open::{Base, Shape, open_place};
use super::tar::{self, Entry, Member, is_tar};
use super::unpack::{Packing, look, unpack};
use super::zip::{self, Kind, is_zip};
use crate::progress::Progress;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::sync::Arc;

/// One stream in an archive.
pub struct Leaf<'a> {
    /// Its place among the streams of the archive.
    pub number: usize,
    /// Its name behind the archive's: `/var/log/x`, `/inner.tar!/x`.
    pub name: &'a str,
    /// When it was changed (seconds since 1970).
    pub modified: Option<i64>,
}

/// What could not be read of an archive, and why.
#[derive(Debug)]
pub struct Trouble {
    /// The member, as [`Leaf::name`]; the archive itself where there is none.
    pub member: Option<String>,
    /// Why.
    pub error: io::Error,
    at: usize,
}

/// What a walk met besides streams.
#[derive(Debug, Default)]
pub struct Notes {
    /// What could not be read.
    pub troubles: Vec<Trouble>,
    /// Links: name and, from the top of the archive, where they lead to.
    pub links: Vec<(String, String)>,
    /// Devices, pipes and the like.
    pub others: u64,
    /// Members that are programs or documents packed as zip.
    pub programs: Vec<String>,
}

/// Links that are kept to be looked at, and troubles that are told of one archive; more of them say nothing new.
const MOST_LINKS: usize = 20_000;
const MOST_TROUBLES: usize = 100;

/// What is done with each stream.
pub type Visit<'v> = &'v mut dyn FnMut(&Leaf<'_>, &mut dyn Read) -> ControlFlow<()>;

struct Walker<'v> {
    visit: Visit<'v>,
    next: usize,
    meter: Meter,
    /// What members yield, unpacked.
    inner: Yield,
    notes: Notes,
    /// Names end in this before the member's: empty, or `/inner.tar!`.
    prefix: String,
}

/// Walks the streams of an archive in their order; `None` when the place holds one stream and no archive. Streams that `visit`
/// leaves unread are skipped.
pub fn walk(place: &Place, visit: Visit<'_>) -> io::Result<Option<Notes>> {
    walk_watched(place, None, visit)
}

/// [`walk`], and what is read counts as progress.
pub fn walk_watched(place: &Place, progress: Option<&Progress>, visit: Visit<'_>) -> io::Result<Option<Notes>> {
    let opened = open_place(place, progress)?;
    let mut walker =
        Walker { visit, next: 0, meter: opened.meter.clone(), inner: Yield::default(), notes: Notes::default(), prefix: String::new() };
    // The flow only says that enough was read.
    let done = match opened.shape {
        Shape::Stream(_) => return Ok(None),
        Shape::Tar(mut stream) => walker.tar(&mut stream),
        Shape::Zip => walker.zip(Base::open(place, &opened.meter)?, Base::open(place, &opened.meter)?),
        Shape::PackedZip(mut stream) => walker.held(&mut stream),
    };
    if let Err(error) = done {
        walker.failed(error);
    }
    Ok(Some(walker.notes))
}

impl Walker<'_> {
    fn tar(&mut self, stream: &mut dyn Read) -> io::Result<ControlFlow<()>> {
        let mut last = ControlFlow::Continue(());
        tar::walk(stream, &mut |entry, bytes| {
            last = self.entry(entry, bytes);
            last
        })?;
        Ok(last)
    }

    fn zip<R: Read + io::Seek>(&mut self, table: R, members: R) -> io::Result<ControlFlow<()>> {
        let mut last = ControlFlow::Continue(());
        let kind = zip::walk(table, members, &mut |entry, bytes| {
            last = match bytes {
                Ok(bytes) => self.entry(entry, bytes),
                Err(error) => {
                    let name = self.named(&entry.name);
                    self.trouble(Some(name), error);
                    ControlFlow::Continue(())
                }
            };
            last
        })?;
        if let Kind::Program = kind {
            self.notes.programs.push(self.prefix.trim_end_matches('!').to_string());
        }
        Ok(last)
    }

    /// A zip archive that can be read from front to back only.
    fn held(&mut self, stream: &mut dyn Read) -> io::Result<ControlFlow<()>> {
        let mut bytes = Vec::new();
        stream.take(HELD_ZIP + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > HELD_ZIP {
            let what =
                format!("is a zip archive of more than {} MB inside of something else, which cannot be held in memory", HELD_ZIP >> 20);
            return Err(io::Error::new(io::ErrorKind::QuotaExceeded, what));
        }
        let bytes: Arc<[u8]> = bytes.into();
        self.zip(io::Cursor::new(bytes.clone()), io::Cursor::new(bytes))
    }

    fn entry(&mut self, entry: Entry, bytes: &mut dyn Read) -> ControlFlow<()> {
        let name = self.named(&entry.name);
        match entry.member {
            Member::File => self.file(name, entry.modified, bytes),
            Member::Other => {
                self.notes.others += 1;
                ControlFlow::Continue(())
            }
            Member::Hard(target) => self.link(name, self.named(&target)),
            Member::Symbolic(target) => {
                let folder = entry.name.rsplit_once('/').map_or("", |(folder, _)| folder);
                let target = resolve(folder, &target).map_or_else(String::new, |t| self.named(&t));
                self.link(name, target)
            }
        }
    }

    fn link(&mut self, name: String, target: String) -> ControlFlow<()> {
        if self.notes.links.len() < MOST_LINKS {
            self.notes.links.push((name, target));
        }
        ControlFlow::Continue(())
    }

    fn file(&mut self, name: String, modified: Option<i64>, bytes: &mut dyn Read) -> ControlFlow<()> {
        if self.next >= MOST_MEMBERS {
            let what = format!("has more than {MOST_MEMBERS} members; those behind were not read");
            self.trouble(None, io::Error::new(io::ErrorKind::QuotaExceeded, what));
            return ControlFlow::Break(());
        }
        let looked = look(bytes);
        match Packing::of(&looked.head) {
            None => self.stream(name, modified, looked),
            Some(packing) => match unpack(packing, looked, &self.meter, &self.inner) {
                Ok(unpacked) => self.stream(name, modified, look(unpacked)),
                Err(error) => {
                    self.trouble(Some(name), error);
                    ControlFlow::Continue(())
                }
            },
        }
    }

    fn stream<R: Read>(&mut self, name: String, modified: Option<i64>, mut stream: super::unpack::Looked<R>) -> ControlFlow<()> {
        let (is_tar, is_zip) = (is_tar(&stream.head), is_zip(&stream.head));
        if !is_tar && !is_zip {
            return self.leaf(name, modified, stream);
        }
        if !self.prefix.is_empty() {
            let what = "is an archive in an archive in an archive; only two of them are opened";
            self.trouble(Some(name), io::Error::new(io::ErrorKind::Unsupported, what));
            return ControlFlow::Continue(());
        }
        self.prefix = format!("{name}!");
        let done = if is_tar { self.tar(&mut stream) } else { self.held(&mut stream) };
        let flow = done.unwrap_or_else(|error| {
            self.failed(error);
            ControlFlow::Continue(())
        });
        self.prefix.clear();
        flow
    }

    fn leaf(&mut self, name: String, modified: Option<i64>, stream: impl Read) -> ControlFlow<()> {
        let number = self.next;
        self.next += 1;
        let guarded = Guard::new(stream, self.meter.clone(), self.inner.clone());
        let mut failing = Failing { reader: guarded, error: None };
        let flow = (self.visit)(&Leaf { number, name: &name, modified }, &mut failing);
        if let Some(error) = failing.error {
            self.trouble(Some(name), error);
        }
        flow
    }

    fn trouble(&mut self, member: Option<String>, error: io::Error) {
        if self.notes.troubles.len() < MOST_TROUBLES {
            self.notes.troubles.push(Trouble { member, error, at: self.next });
        }
    }

    /// The archive that is being walked broke. Where it did so in the middle of a member, that one has said it already.
    fn failed(&mut self, error: io::Error) {
        if self.notes.troubles.last().is_some_and(|t| t.at == self.next && t.member.is_some()) {
            self.notes.troubles.pop();
        }
        let place = self.prefix.trim_end_matches('!');
        self.trouble((!place.is_empty()).then(|| place.to_string()), error);
    }

    /// The name of a member behind the archive's.
    fn named(&self, name: &str) -> String {
        let mut name = name;
        while let Some(rest) = name.strip_prefix("./").or_else(|| name.strip_prefix('/')) {
            name = rest;
        }
        format!("{}/{name}", self.prefix)
    }
}

/// Where a symbolic link in a folder leads to, from the top; `None` when it leads out.
fn resolve(folder: &str, target: &str) -> Option<String> {
    if target.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(target.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Keeps the error that reading ended with.
struct Failing<R> {
    reader: R,
    error: Option<io::Error>,
}

impl<R: Read> Read for Failing<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.reader.read(into) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                let kind = error.kind();
                self.error.get_or_insert(error);
                Err(kind.into())
            }
            done => done,
        }
    }
}

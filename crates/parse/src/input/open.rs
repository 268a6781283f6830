//! Opening inputs: the bytes of files, unpacked and decoded to UTF-8; and reading several inputs, each archive walked once.

use super::archive;
use super::encoding::decode;
use super::limit::{Meter, Yield};
use super::once::{FlowReader, SpoolReader};
use super::tar::is_tar;
use super::unpack::{Packing, look, unpack};
use super::zip::is_zip;
use super::{Input, Place};
use crate::progress::Progress;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::sync::Arc;

/// The bytes of a place as they lie there.
pub(super) struct Base {
    bytes: Raw,
    meter: Meter,
}

enum Raw {
    File(File),
    Memory(Cursor<Shared>),
    Stdin(io::Stdin),
    Spool(SpoolReader),
    Flow(FlowReader),
}

struct Shared(Arc<Vec<u8>>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Base {
    /// Opens a place; what is read of it counts on `meter`.
    pub(super) fn open(place: &Place, meter: &Meter) -> io::Result<Base> {
        let bytes = match place {
            Place::File(path) | Place::Stream(path) => Raw::File(File::open(path)?),
            Place::Memory(bytes) => Raw::Memory(Cursor::new(Shared(bytes.clone()))),
            Place::Stdin => Raw::Stdin(io::stdin()),
            Place::Spool(spool) => Raw::Spool(spool.reader()),
            Place::Flow(flow) => Raw::Flow(flow.reader()),
            Place::Member { .. } => return Err(io::Error::new(io::ErrorKind::Unsupported, "a member is read with its archive")),
        };
        Ok(Base { bytes, meter: meter.clone() })
    }

    fn size(place: &Place) -> Option<u64> {
        match place {
            Place::File(path) => std::fs::metadata(path).ok().map(|m| m.len()),
            Place::Memory(bytes) => Some(bytes.len() as u64),
            Place::Spool(spool) => Some(spool.length()),
            _ => None,
        }
    }
}

impl Read for Base {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = match &mut self.bytes {
            Raw::File(file) => file.read(into),
            Raw::Memory(bytes) => bytes.read(into),
            Raw::Stdin(stdin) => stdin.read(into),
            Raw::Spool(spool) => spool.read(into),
            Raw::Flow(flow) => flow.read(into),
        }?;
        self.meter.read(n);
        Ok(n)
    }
}

impl Seek for Base {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match &mut self.bytes {
            Raw::File(file) => file.seek(to),
            Raw::Memory(bytes) => bytes.seek(to),
            Raw::Spool(spool) => spool.seek(to),
            Raw::Stdin(_) | Raw::Flow(_) => Err(io::ErrorKind::NotSeekable.into()),
        }
    }
}

/// A place that was opened.
pub(super) struct Opened {
    /// What it holds.
    pub shape: Shape,
    /// Counts what is read of it.
    pub meter: Meter,
}

/// What a place holds, as its first bytes say.
pub(super) enum Shape {
    /// One stream, unpacked.
    Stream(Box<dyn Read>),
    /// A tar archive, unpacked.
    Tar(Box<dyn Read>),
    /// A zip archive that can be read anywhere.
    Zip,
    /// A zip archive that was packed once more.
    PackedZip(Box<dyn Read>),
}

/// Opens a place and says what it holds; what is read of it counts as progress.
pub(super) fn open_place(place: &Place, progress: Option<&Progress>) -> io::Result<Opened> {
    let meter = Meter::new(Base::size(place)).watched(progress);
    let looked = look(Base::open(place, &meter)?);
    let shape = match Packing::of(&looked.head) {
        Some(packing) => {
            let unpacked = look(unpack(packing, looked, &meter, &Yield::default())?);
            match &unpacked.head {
                head if is_tar(head) => Shape::Tar(Box::new(unpacked)),
                head if is_zip(head) => Shape::PackedZip(Box::new(unpacked)),
                _ => Shape::Stream(Box::new(unpacked)),
            }
        }
        None if is_zip(&looked.head) => Shape::Zip,
        None if is_tar(&looked.head) => Shape::Tar(Box::new(looked)),
        None => Shape::Stream(Box::new(looked)),
    };
    Ok(Opened { shape, meter })
}

/// Opens a place that holds one stream, without decoding its text.
pub(crate) fn open_raw(place: &Place) -> io::Result<Box<dyn Read>> {
    open_stream(place, None)
}

fn open_stream(place: &Place, progress: Option<&Progress>) -> io::Result<Box<dyn Read>> {
    match open_place(place, progress)?.shape {
        Shape::Stream(stream) => Ok(stream),
        _ => Err(io::Error::new(io::ErrorKind::Unsupported, "an archive is read by its members")),
    }
}

/// Bytes that inputs take where they lie (packed), each archive counted once; `None` when one of them is a stream whose end nobody knows.
pub fn size_of(inputs: &[&Input]) -> Option<u64> {
    let mut archives = BTreeSet::new();
    let places = inputs.iter().filter_map(|input| match &input.place {
        Place::Member { archive, .. } => archives.insert(Arc::as_ptr(archive)).then_some(&**archive),
        place => Some(place),
    });
    // What is gone cannot be read, and is told of when it is to be.
    places.map(|place| if let Place::File(_) = place { Some(Base::size(place).unwrap_or(0)) } else { Base::size(place) }).sum()
}

/// The bytes of a stream, or why it cannot be opened.
pub type Bytes<'a> = io::Result<&'a mut dyn Read>;
/// What is done with each of several streams, by their places in a list.
pub type VisitEach<'v> = &'v mut dyn FnMut(usize, Bytes<'_>) -> ControlFlow<()>;

/// Reads inputs: hands each of them, by its place in the list, to `visit`, as UTF-8 text. The members of an archive are read
/// in one walk, in the order in which they lie there, when the first of them has its turn. What cannot be opened is
/// handed over as the error. Ends early when `visit` says so.
pub fn each(inputs: &[&Input], visit: VisitEach<'_>) {
    each_watched(inputs, None, visit);
}

/// [`each`], and what is read counts as progress.
pub fn each_watched(inputs: &[&Input], progress: Option<&Progress>, visit: VisitEach<'_>) {
    let mut archives: FxHashMap<*const Place, BTreeMap<usize, usize>> = FxHashMap::default();
    for (i, input) in inputs.iter().enumerate() {
        if let Place::Member { archive, number } = &input.place {
            archives.entry(Arc::as_ptr(archive)).or_default().insert(*number, i);
        }
    }
    for (i, input) in inputs.iter().enumerate() {
        let flow = match &input.place {
            Place::Member { archive, .. } => match archives.remove(&Arc::as_ptr(archive)) {
                Some(wanted) => members(inputs, archive, wanted, progress, visit),
                None => ControlFlow::Continue(()),
            },
            place => match open_stream(place, progress) {
                Ok(stream) => visit(i, Ok(&mut decode(stream, &input.charset))),
                Err(error) => visit(i, Err(error)),
            },
        };
        if flow.is_break() {
            return;
        }
    }
}

fn members(
    inputs: &[&Input],
    archive: &Place,
    mut wanted: BTreeMap<usize, usize>,
    progress: Option<&Progress>,
    visit: VisitEach<'_>,
) -> ControlFlow<()> {
    let mut flow = ControlFlow::Continue(());
    let walked = archive::walk_watched(archive, progress, &mut |leaf, bytes| {
        let Some(i) = wanted.remove(&leaf.number) else { return ControlFlow::Continue(()) };
        flow = visit(i, Ok(&mut decode(bytes, &inputs[i].charset)));
        if wanted.is_empty() { ControlFlow::Break(()) } else { flow }
    });
    let kind = walked.err().map_or(io::ErrorKind::UnexpectedEof, |e| e.kind());
    for i in wanted.into_values() {
        if flow.is_continue() {
            flow = visit(i, Err(kind.into()));
        }
    }
    flow
}

/// Whether a place holds an archive.
pub fn is_archive(place: &Place) -> bool {
    open_place(place, None).is_ok_and(|o| !matches!(o.shape, Shape::Stream(_)))
}

/// Opens one input that is no member of an archive, as UTF-8 text.
pub fn open(input: &Input) -> io::Result<Box<dyn Read>> {
    Ok(Box::new(decode(open_raw(&input.place)?, &input.charset)))
}

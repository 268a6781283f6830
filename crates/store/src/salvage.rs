//! Giving up what is damaged, so that the rest can be kept: asked for in so many words, never done by itself.

use crate::error::StoreError;
use crate::pack::chunk::Chunk;
use crate::pack::read::Pack;
use crate::table::PackEntry;
use crate::verify;
use crate::writer::{Writer, open_pack};
use std::collections::BTreeSet;
use std::rc::Rc;

/// What was given up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Files that were damaged.
    pub files: Vec<String>,
    /// Events that could not be read.
    pub events: u64,
    /// Sources that lack events now, and are stored anew when they are ingested again.
    pub sources: Vec<String>,
}

/// A pack that is not as it was written.
struct Damage {
    /// Its chunks that can be read, and those that cannot.
    good: Vec<usize>,
    bad: Vec<usize>,
    /// The sources of the bad ones; `None` where not even that can be read.
    sources: Option<BTreeSet<u32>>,
}

impl Writer {
    /// Gives up the chunks that cannot be read, and writes anew what is left of their packs. Their sources are listed as
    /// unfinished, so that ingesting them again brings back what was lost.
    pub fn drop_damaged(&mut self) -> Result<Dropped, StoreError> {
        let mut dropped = Dropped::default();
        let mut sources = BTreeSet::new();
        let packs = self.shared().table.packs.clone();
        self.make_sure(std::iter::empty())?;
        for (place, entry) in packs.iter().enumerate() {
            if verify::is_whole(&self.folder, entry)? {
                self.shared().whole.insert(entry.number);
                continue;
            }
            let damage = self.look_into(entry);
            dropped.files.push(format!("pack.{}", entry.number));
            dropped.events += damage.bad.iter().filter_map(|n| entry.events.get(*n)).map(|n| u64::from(*n)).sum::<u64>();
            self.drop_chunks(&damage.bad.iter().map(|n| (place, *n)).collect::<Vec<_>>());
            match damage.sources {
                Some(found) => sources.extend(found),
                // All that have had more than is left may be meant.
                None => sources.extend(self.lacking()?),
            }
            self.list_unfinished(&sources);
            let good: Vec<_> = damage.good.iter().map(|n| (place, *n)).collect();
            self.rewrite(&good, &|_, _| true)?;
        }
        dropped.sources = sources.iter().filter_map(|n| self.sources().get(*n as usize)).map(|s| s.path.clone()).collect();
        Ok(dropped)
    }

    fn look_into(&self, entry: &PackEntry) -> Damage {
        let pack = open_pack(&self.folder, entry).ok().filter(|pack| pack.footer.chunks.len() == entry.events.len());
        let Some(pack) = pack.map(Rc::new) else {
            return Damage { good: Vec::new(), bad: entry.chunks().collect(), sources: None };
        };
        let (good, bad): (Vec<usize>, Vec<usize>) = entry.chunks().partition(|number| can_be_read(&pack, *number));
        let sources = bad.iter().filter_map(|number| pack.footer.chunks.get(*number)).map(|meta| meta.source).collect();
        Damage { good, bad, sources: Some(sources) }
    }

    /// The sources of which fewer events are there than were stored.
    fn lacking(&self) -> Result<BTreeSet<u32>, StoreError> {
        let mut left = vec![0u64; self.sources().len()];
        let packs = self.shared().table.packs.clone();
        for entry in &packs {
            let Ok(pack) = open_pack(&self.folder, entry) else { continue };
            for meta in entry.chunks().filter_map(|n| pack.footer.chunks.get(n)) {
                if let Some(sum) = left.get_mut(meta.source as usize) {
                    *sum += u64::from(meta.rows);
                }
            }
        }
        let all = (0u32..).zip(self.sources()).zip(left);
        let lack = all.filter(|((_, s), left)| !s.gone && s.own() > *left);
        Ok(lack.map(|((number, _), _)| number).collect())
    }

    fn list_unfinished(&mut self, numbers: &BTreeSet<u32>) {
        for number in numbers {
            if let Some(source) = self.sources_mut().get_mut(*number as usize) {
                source.unfinished = true;
                // From its beginning, not only what was appended.
                source.last_record = None;
            }
        }
        let sources = self.sources().to_vec();
        self.shared().table.sources = sources;
    }
}

fn can_be_read(pack: &Rc<Pack>, number: usize) -> bool {
    let Ok(chunk) = Chunk::open(pack, number) else { return false };
    (0..chunk.len() as u32).all(|row| chunk.record(row, 0, &mut |_| ()).is_ok())
}

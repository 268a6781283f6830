//! What was gathered, and how the parts that threads gathered become one.

use super::gauges::Gauge;
use super::hits::{HitKey, Hits};
use crate::names::{NONE, NameId, Names};
use crate::requests::Rows;
use crate::snapshot::Snapshots;
use rustc_hash::FxHashMap;
use whyline_event::Form;

/// Who speaks of whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pair {
    /// Host of the speaker.
    pub host: NameId,
    /// Service of the speaker.
    pub service: NameId,
    /// The address or name it speaks of.
    pub peer: NameId,
}

/// What was gathered.
#[derive(Default)]
pub struct Gathered {
    /// Texts.
    pub names: Names,
    /// Requests.
    pub rows: Rows,
    /// Hits of signals.
    pub hits: FxHashMap<HitKey, Hits>,
    /// Records per second of each source, as written; a second may stand there several times.
    pub ticks: FxHashMap<(u32, Form), Vec<(i64, u32)>>,
    /// Who speaks of whom, and how often.
    pub pairs: FxHashMap<Pair, u32>,
    /// Which programs (formats) write on which host.
    pub programs: FxHashMap<(NameId, NameId), u32>,
    /// Numbers in lines of statistics.
    pub gauges: Vec<Gauge>,
    /// Which paths a proxy's error log names beside an upstream: upstream and masked path.
    pub asked: FxHashMap<(NameId, NameId), u32>,
    /// What output of commands shows.
    pub snapshots: Snapshots,
}

impl Gathered {
    /// Adds what another tally gathered.
    pub fn merge(&mut self, other: Gathered) {
        let Gathered { names, rows, hits, ticks, pairs, programs, gauges, asked, snapshots } = other;
        let map: Vec<NameId> = (0..names.len() as NameId).map(|i| self.names.id(names.text(i))).collect();
        drop(names);
        let name = |id: NameId| map.get(id as usize).copied().unwrap_or(NONE);
        self.rows.merge(rows, &name);
        self.gauges.extend(gauges.into_iter().map(|g| Gauge { host: name(g.host), service: name(g.service), ..g }));
        for (key, hits) in hits {
            let key = HitKey { entity: name(key.entity), host: name(key.host), service: name(key.service), ..key };
            self.hits.entry(key).or_default().merge(hits);
        }
        self.snapshots.merge(snapshots, name);
        for (key, bins) in ticks {
            self.ticks.entry(key).or_default().extend(bins);
        }
        for (pair, count) in pairs {
            *self.pairs.entry(Pair { host: name(pair.host), service: name(pair.service), peer: name(pair.peer) }).or_default() += count;
        }
        for ((upstream, path), count) in asked {
            *self.asked.entry((name(upstream), name(path))).or_default() += count;
        }
        for ((host, program), count) in programs {
            *self.programs.entry((name(host), name(program))).or_default() += count;
        }
    }
}

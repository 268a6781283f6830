//! What was gathered, and how the parts that threads gathered become one.

use super::gauges::Gauge;
use super::hits::{HitKey, Hits};
use super::lookups::Lookups;
use super::resolved::Resolved;
use super::services::Services;
use crate::containers::{self, Containers};
use crate::names::{NONE, NameId, Names};
use crate::requests::{Rows, Spill};
use crate::snapshot::Snapshots;
use rustc_hash::{FxHashMap, FxHashSet};
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
    /// Which programs the manager of a host's services speaks of.
    pub units: FxHashSet<(NameId, NameId)>,
    /// Of which servers a host's balancer speaks where it tells of no request.
    pub servers: FxHashSet<(NameId, NameId)>,
    /// At which addresses programs say that they listen: host and address.
    pub listens: FxHashSet<(NameId, NameId)>,
    /// Numbers in lines of statistics.
    pub gauges: Vec<Gauge>,
    /// Look-ups in caches, by logs of requests.
    pub lookups: Lookups,
    /// What services say of themselves and of those they call.
    pub services: Services,
    /// Which paths a proxy's error log names beside an upstream: upstream and masked path.
    pub asked: FxHashMap<(NameId, NameId), u32>,
    /// What output of commands shows.
    pub snapshots: Snapshots,
    /// For which hosts clients asked, by names or by private addresses with their ports, and how often.
    pub asked_hosts: FxHashMap<NameId, u32>,
    /// Which addresses names stood for.
    pub resolved: Resolved,
    /// Names of containers by their ids.
    pub containers: Containers,
}

impl Gathered {
    /// Nothing yet; its requests will lie where the spill says.
    pub(super) fn on(spill: Spill) -> Gathered {
        Gathered { rows: Rows::on(&spill), ..Gathered::default() }
    }

    /// What several tallies gathered, as one. Names and kinds of requests are numbered in their order, so that nothing depends on which
    /// tally met what.
    pub fn together(mut parts: Vec<Gathered>) -> Gathered {
        parts.iter_mut().flat_map(|part| part.hits.values_mut()).for_each(Hits::close);
        let mut all = Gathered::on(parts.first().map(|part| part.rows.spill().clone()).unwrap_or_default());
        let mut texts: Vec<&str> = parts.iter().flat_map(|part| part.names.iter()).collect();
        texts.sort_unstable();
        texts.dedup();
        all.names.reserve(texts.len(), texts.iter().map(|text| text.len()).sum());
        for text in texts {
            all.names.id(text);
        }
        let maps: Vec<Vec<NameId>> =
            parts.iter().map(|part| part.names.iter().map(|text| all.names.find(text).unwrap_or(NONE)).collect()).collect();
        let name = |map: &[NameId], id: NameId| map.get(id as usize).copied().unwrap_or(NONE);
        let kinds = parts.iter().zip(&maps).flat_map(|(part, map)| part.rows.kinds.iter().map(|kind| kind.named(&|id| name(map, id))));
        all.rows.expect(kinds.collect());
        for (part, map) in parts.into_iter().zip(maps) {
            all.merge(part, &|id| name(&map, id));
        }
        all
    }

    /// Adds what another tally gathered; `name` translates its names.
    fn merge(&mut self, other: Gathered, name: &impl Fn(NameId) -> NameId) {
        let Gathered {
            names,
            rows,
            hits,
            ticks,
            pairs,
            programs,
            units,
            servers,
            listens,
            gauges,
            lookups,
            services,
            asked,
            snapshots,
            asked_hosts,
            resolved,
            containers,
        } = other;
        drop(names);
        self.rows.merge(rows, name);
        self.gauges.extend(gauges.into_iter().map(|g| Gauge { host: name(g.host), service: name(g.service), of: name(g.of), ..g }));
        self.lookups.merge(lookups, name);
        self.services.merge(services, name);
        self.resolved.merge(resolved, name);
        self.hits.reserve(hits.len());
        for (key, hits) in hits {
            let key = HitKey { entity: name(key.entity), host: name(key.host), service: name(key.service), ..key };
            self.hits.entry(key).or_default().merge(hits);
        }
        self.snapshots.merge(snapshots, name);
        for (host, count) in asked_hosts {
            *self.asked_hosts.entry(name(host)).or_default() += count;
        }
        for (id, container) in containers {
            containers::add(&mut self.containers, name(id), name(container), &self.names);
        }
        for (key, bins) in ticks {
            self.ticks.entry(key).or_default().extend(bins);
        }
        for (pair, count) in pairs {
            *self.pairs.entry(Pair { host: name(pair.host), service: name(pair.service), peer: name(pair.peer) }).or_default() += count;
        }
        for ((upstream, path), count) in asked {
            *self.asked.entry((name(upstream), name(path))).or_default() += count;
        }
        self.listens.extend(listens.into_iter().map(|(host, address)| (name(host), name(address))));
        self.servers.extend(servers.into_iter().map(|(host, server)| (name(host), name(server))));
        self.units.extend(units.into_iter().map(|(host, program)| (name(host), name(program))));
        for ((host, program), count) in programs {
            *self.programs.entry((name(host), name(program))).or_default() += count;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::requests::Kind;

    /// A part that met these hosts, in this order.
    fn part(hosts: &[&str]) -> Gathered {
        let mut part = Gathered::default();
        for host in hosts {
            let host = part.names.id(host);
            part.rows.expect(vec![Kind { host, ..Kind::NONE }]);
            *part.programs.entry((host, NONE)).or_default() += 1;
        }
        part
    }

    /// Names, kinds and counts, by their numbers.
    #[derive(Debug, PartialEq)]
    struct Seen {
        names: Vec<String>,
        kinds: Vec<NameId>,
        programs: Vec<((NameId, NameId), u32)>,
    }

    fn seen(all: &Gathered) -> Seen {
        let mut programs: Vec<_> = all.programs.iter().map(|(key, n)| (*key, *n)).collect();
        programs.sort_unstable();
        let kinds = all.rows.kinds.iter().map(|kind| kind.host).collect();
        Seen { names: all.names.iter().map(String::from).collect(), kinds, programs }
    }

    #[test]
    fn numbers_do_not_depend_on_who_met_what() {
        let one = seen(&Gathered::together(vec![part(&["web", "app", "db", "app"])]));
        assert_eq!(one.names, ["", "app", "db", "web"]);
        assert_eq!(one.kinds, [1, 2, 3]);
        assert_eq!(one.programs, [((1, 0), 2), ((2, 0), 1), ((3, 0), 1)]);
        assert_eq!(seen(&Gathered::together(vec![part(&["app", "db"]), part(&["app", "web"])])), one);
        assert_eq!(seen(&Gathered::together(vec![part(&["web", "app"]), part(&["db"]), part(&["app"])])), one);
    }
}

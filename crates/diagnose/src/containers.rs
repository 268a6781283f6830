//! Containers that one log knows by their id and another by their name: a kernel that kills for memory writes the id, the engine both.

use crate::names::{NameId, Names};
use crate::tally::{HitKey, Hits};
use rustc_hash::FxHashMap;

/// Names of containers by the beginning of their ids, as short as `docker ps` shows it.
pub type Containers = FxHashMap<NameId, NameId>;

/// So many hexadecimal digits of an id are shown, and are enough.
const SHORT: usize = 12;

/// Takes note that a container of this id has this name.
pub(crate) fn note(containers: &mut Containers, id: &str, name: &str, names: &mut Names) {
    if let Some(id) = short(id).filter(|_| !name.is_empty()) {
        let (id, name) = (names.id(id), names.id(name));
        add(containers, id, name, names);
    }
}

/// Of several names (a container can be renamed) the first in their order, whoever was met first.
pub(crate) fn add(containers: &mut Containers, id: NameId, name: NameId, names: &Names) {
    let known = containers.entry(id).or_insert(name);
    if names.text(name) < names.text(*known) {
        *known = name;
    }
}

fn short(id: &str) -> Option<&str> {
    id.get(..SHORT).filter(|_| id.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Accuses by its name whatever was accused by the id of a container that has one.
pub(crate) fn rename(hits: &mut FxHashMap<HitKey, Hits>, containers: &Containers, names: &mut Names) {
    if containers.is_empty() {
        return;
    }
    let named = |key: &HitKey, names: &Names| {
        let id = names.find(short(names.text(key.entity).strip_prefix("name:")?)?)?;
        containers.get(&id).copied()
    };
    let found: Vec<(HitKey, NameId)> = hits.keys().filter_map(|key| Some((*key, named(key, names)?))).collect();
    for (key, name) in found {
        let entity = names.id(&format!("name:{}", names.text(name)));
        if let Some(of_id) = hits.remove(&key) {
            hits.entry(HitKey { entity, ..key }).or_default().merge(of_id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::NONE;

    #[test]
    fn the_id_that_a_kernel_writes_is_the_name_that_the_engine_knows() {
        let (mut names, mut containers) = (Names::default(), Containers::default());
        let id = "5d0c3b9e7fa1426eb8d94c1f0a37e62b88c1d4f59a0e7b3362fd15ac904be871";
        note(&mut containers, &id[..12], "shop-web-1", &mut names);
        note(&mut containers, "no-id", "x", &mut names);
        let key = |names: &mut Names, entity: &str| {
            let telling = crate::snapshot::Telling::Logged;
            let form = whyline_event::Form::Explicit;
            HitKey { signal: 0, source: 0, form, entity: names.id(entity), host: NONE, service: NONE, telling }
        };
        let (by_id, other) = (key(&mut names, &format!("name:{id}")), key(&mut names, "name:deadbeefdead"));
        let mut hits = FxHashMap::from_iter([(by_id, Hits::default()), (other, Hits::default())]);
        rename(&mut hits, &containers, &mut names);
        let mut accused: Vec<&str> = hits.keys().map(|key| names.text(key.entity)).collect();
        accused.sort_unstable();
        assert_eq!(accused, ["name:deadbeefdead", "name:shop-web-1"]);
    }
}

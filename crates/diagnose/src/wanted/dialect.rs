//! Commands for one database out of those that a rule gives for several: `PostgreSQL: ...; MySQL, MariaDB: ...`.

use crate::belief::Hypothesis;
use crate::entity::parts;
use crate::evidence::Evidence;
use std::collections::BTreeSet;

/// A database in rules, and its programs.
const DIALECTS: [(&str, &[&str]); 2] = [("PostgreSQL: ", &["postgresql", "postgres"]), ("MySQL, MariaDB: ", &["mysql", "mariadb"])];

/// The part of a text that is for the database in question, as far as that is known; `None` where it has a part for another one only.
pub(crate) fn of_database(evidence: &Evidence, h: &Hypothesis, text: &str) -> Option<String> {
    if !DIALECTS.iter().any(|(dialect, _)| text.contains(dialect)) {
        return Some(text.to_string());
    }
    match database(evidence, h) {
        Some(dialect) => part(text, dialect),
        None => Some(text.to_string()),
    }
}

/// The database that runs on the machine of the accused, else the only one whose logs are here.
fn database(evidence: &Evidence, h: &Hypothesis) -> Option<&'static str> {
    let running = |is_there: &dyn Fn(&str) -> bool| -> BTreeSet<&'static str> {
        let programs = evidence.programs.iter().filter(|((host, _), _)| is_there(evidence.text(*host)));
        let named = h.entities.iter().map(|entity| parts(entity).1).filter(|_| is_there(h.machine()));
        let names: BTreeSet<&str> = programs.map(|((_, program), _)| evidence.text(*program)).chain(named).collect();
        DIALECTS.iter().filter(|(_, programs)| programs.iter().any(|program| names.contains(program))).map(|(d, _)| *d).collect()
    };
    let here = running(&|host| host == h.machine());
    let known = if here.is_empty() { running(&|_| true) } else { here };
    if known.len() == 1 { known.first().copied() } else { None }
}

/// What stands before all parts, and the part for one database without its name.
fn part(text: &str, dialect: &str) -> Option<String> {
    let mut places: Vec<(usize, &str)> = DIALECTS.iter().filter_map(|(name, _)| Some((text.find(name)?, *name))).collect();
    places.sort_unstable();
    let before = text.get(..places.first()?.0)?;
    let at = places.iter().position(|(_, name)| *name == dialect)?;
    let (from, name) = places.get(at)?;
    let to = places.get(at + 1).map_or(text.len(), |(next, _)| *next);
    let part = text.get(from + name.len()..to)?.trim_end().trim_end_matches(';');
    Some(format!("{before}{part}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_for_one_database() {
        let text = "on db01: PostgreSQL: select 1; select 2; MySQL, MariaDB: show processlist";
        assert_eq!(part(text, "PostgreSQL: ").as_deref(), Some("on db01: select 1; select 2"));
        assert_eq!(part(text, "MySQL, MariaDB: ").as_deref(), Some("on db01: show processlist"));
        assert_eq!(part("PostgreSQL: a replication slot", "MySQL, MariaDB: "), None);
    }
}

//! Names that were perhaps meant.

use whyline_diagnose::rules::written::near::distance;

/// More suggestions than this are no help.
const MOST: usize = 6;

/// The names that are near to what was written, or belong to the same family (`nginx.` for `nginx.acess`), the nearest first.
pub fn near<'n>(wrong: &str, names: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    let wrong = wrong.to_lowercase();
    let family = |name: &str| name.split('.').next() == wrong.split('.').next();
    let mut near: Vec<(usize, &str)> =
        names.map(|n| (distance(&wrong, &n.to_lowercase()), n)).filter(|(d, n)| *d <= 1 + wrong.chars().count() / 5 || family(n)).collect();
    near.sort_unstable();
    near.into_iter().map(|(_, n)| n).take(MOST).collect()
}

/// The name that was probably meant: nearer than a word of its own would be, but not the same.
pub fn misspelt<'n>(wrong: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let letters = wrong.chars().count();
    let (d, name) = names.map(|n| (distance(wrong, n), n)).min()?;
    (letters >= 4 && d <= 1 + letters / 8).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant() {
        let names = ["app", "nginx.access", "nginx.error", "redis", "syslog.rfc3164"];
        assert_eq!(near("nginx.acess", names.into_iter()), ["nginx.access", "nginx.error"]);
        assert_eq!(near("Rediss", names.into_iter()), ["redis"]);
        assert_eq!(near("windows", names.into_iter()), [""; 0]);
        assert_eq!(misspelt("usr.name", ["user.name", "host.name"].into_iter()), Some("user.name"));
        assert_eq!(misspelt("order_id", ["pid", "rid", "db"].into_iter()), None);
        assert_eq!((distance("", "abc"), distance("abc", "abc"), distance("acb", "abc")), (3, 0, 2));
    }
}

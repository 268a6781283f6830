//! `--baseline`: the logs of a good day beside those of the bundle. A log of the good day is used where the bundle has the same log.

use std::collections::BTreeMap;
use std::path::PathBuf;
use whyline_parse::rotation::log_name;
use whyline_parse::{Bundle, Options, Problem, prepare};

/// What the sources of a good day are named by.
const FOLDER: &str = "baseline";

/// Adds the logs of a good day to a bundle. For each input of the whole: the log of the bundle whose good day it is.
pub fn add(bundle: &mut Bundle, paths: &[PathBuf], options: &Options) -> Vec<Option<usize>> {
    let own = bundle.inputs.len();
    let mut of: Vec<Option<usize>> = vec![None; own];
    let mut good = prepare(paths, options);
    bundle.problems.append(&mut good.problems);
    bundle.left_out += good.left_out;
    let names: Vec<&str> = bundle.inputs.iter().map(|i| i.source.path.as_str()).collect();
    let others: Vec<&str> = good.inputs.iter().map(|i| i.source.path.as_str()).collect();
    let pairs = pairs(&names, &others);
    let mut places: Vec<Option<usize>> = vec![None; good.inputs.len()];
    for (at, (mut input, plan)) in good.inputs.into_iter().zip(good.plans).enumerate() {
        let path = format!("{FOLDER}/{}", input.source.path);
        let Some(log) = pairs[at] else {
            bundle.problems.push(Problem::remark(&path, "the bundle has no such log; it is left out"));
            continue;
        };
        places[at] = Some(bundle.inputs.len());
        input.source.path.clone_from(&path);
        if let Some((own, other)) =
            bundle.inputs[log].source.host.as_ref().zip(input.source.host.as_ref()).filter(|(own, other)| own != other)
        {
            let what = format!("is of {other}, but stands for {}, which is of {own}", bundle.inputs[log].source.path);
            let help = "a good day tells what is usual only of the same machines".to_string();
            bundle.problems.push(Problem { help, ..Problem::remark(&path, what) });
        }
        input.source.host = bundle.inputs[log].source.host.clone().or(input.source.host);
        bundle.inputs.push(input);
        bundle.plans.push(plan);
        bundle.same_as.push(good.same_as[at].and_then(|first| places[first]));
        of.push(Some(log));
    }
    of
}

/// For each log of the good day the one of the bundle with the same path, or the only one with the same name; two single logs
/// are the same, however they are named.
fn pairs(own: &[&str], good: &[&str]) -> Vec<Option<usize>> {
    if own.len() == 1 && good.len() == 1 {
        return vec![Some(0)];
    }
    // The newest piece of a rotated log stands for it.
    let mut paths: BTreeMap<(&str, String), usize> = BTreeMap::new();
    let mut names: BTreeMap<String, Vec<(&str, usize)>> = BTreeMap::new();
    for (at, path) in own.iter().enumerate() {
        let (folder, name) = log_name(path);
        paths.entry((folder, name.clone())).or_insert(at);
        let with_name = names.entry(name).or_default();
        if with_name.iter().all(|(other, _)| *other != folder) {
            with_name.push((folder, at));
        }
    }
    let find = |path: &&str| {
        let (folder, name) = log_name(path);
        let only = |list: &Vec<(&str, usize)>| if let [(_, at)] = list.as_slice() { Some(*at) } else { None };
        paths.get(&(folder, name.clone())).copied().or_else(|| names.get(&name).and_then(only))
    };
    good.iter().map(find).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_log() {
        let own = ["web01/nginx/access.log", "web01/nginx/access.log.1", "web01/nginx/error.log", "web02/nginx/access.log", "db.log"];
        let good = ["web01/nginx/access.log-20261120.gz", "nginx/error.log", "nginx/access.log", "mail.log", "web02/nginx/access.log.3"];
        assert_eq!(pairs(&own, &good), [Some(0), Some(2), None, None, Some(3)]);
        assert_eq!(pairs(&["monday.txt"], &["sunday.txt"]), [Some(0)]);
    }
}

//! What only a pass over a bundle shows, and whoever gave the logs should know: options that fit nothing, lines that only say how long a machine had run.

use crate::facts::Facts;
use crate::problem::Problem;
use crate::reading::{Bundle, Options, glob, host_of};
use std::collections::BTreeSet;

/// So many names are listed.
const LISTED: usize = 6;

/// The remarks on a bundle that was read by these options.
pub fn remarks(bundle: &Bundle, facts: &[Facts], options: &Options) -> Vec<Problem> {
    let named = facts.iter().flat_map(|facts| facts.hosts.keys().map(String::as_str));
    let hosts: BTreeSet<&str> = bundle.inputs.iter().zip(facts).filter_map(|(input, facts)| host_of(input, facts)).collect();
    let mut remarks = strange_zones(options, &hosts, named.collect());
    remarks.extend(strange_paths(bundle, options));
    remarks.extend(bundle.inputs.iter().zip(facts).filter_map(|(input, facts)| timeless(&input.source.path, facts)));
    remarks
}

/// Records that tell how long their machine had run, where nothing tells when it was booted.
fn timeless(path: &str, facts: &Facts) -> Option<Problem> {
    let boots = &facts.boots;
    let lines = match boots.timeless {
        0 => return None,
        1 => "1 line has".to_string(),
        n => format!("{n} lines have"),
    };
    let among = boots.grave.as_ref().map(|(number, text)| format!("; among them, in line {number}: {text}")).unwrap_or_default();
    let why = if boots.is_of_one() { "no log of the same machine tells when that was" } else { "they are of several boots" };
    let what = format!("{lines} only the seconds since boot, and {why}, so they have no time{among}");
    let help = match facts.formats.contains_key("dmesg") {
        true => "give the output of `dmesg -T` or of `journalctl -k`".to_string(),
        false => "give the output of `journalctl -o short-iso`".to_string(),
    };
    Some(Problem { help, ..Problem::remark(path, what) })
}

/// `--tz HOST=ZONE` for hosts of which no source is.
fn strange_zones(options: &Options, hosts: &BTreeSet<&str>, named: BTreeSet<&str>) -> Vec<Problem> {
    let strange = options.told.zones.iter().map(|(host, _)| host.as_str()).filter(|host| !hosts.contains(host));
    strange
        .map(|host| {
            let what = match named.contains(host) {
                true => format!("no source is of {host}, which only some of the lines name: this zone was given to none"),
                false => format!("no source is of {host}: this zone was given to none"),
            };
            Problem { help: listed("the hosts are", hosts), ..Problem::remark(&format!("--tz {host}=..."), what) }
        })
        .collect()
}

/// `--host NAME=GLOB` and `--encoding NAME=GLOB` that fit no path.
fn strange_paths(bundle: &Bundle, options: &Options) -> Vec<Problem> {
    let paths: BTreeSet<&str> = bundle.inputs.iter().map(|input| input.source.path.as_str()).collect();
    let hosts = options.hosts.iter().map(|(name, pattern)| (format!("--host {name}={pattern}"), pattern.as_str()));
    let encodings = options.encodings.iter().filter_map(|told| {
        let pattern = told.pattern()?;
        Some((format!("--encoding {}={pattern}", told.name()), pattern))
    });
    hosts
        .chain(encodings)
        .filter(|(_, pattern)| !paths.iter().any(|path| glob(pattern, path)))
        .map(|(option, _)| Problem {
            help: listed("the sources are", &paths),
            ..Problem::remark(&option, "fits no source, so it changed nothing")
        })
        .collect()
}

/// The first names of a set, and how many more there are.
fn listed(what: &str, names: &BTreeSet<&str>) -> String {
    let first: Vec<&str> = names.iter().take(LISTED).copied().collect();
    match names.len() {
        0 => String::new(),
        n if n > LISTED => format!("{what} {} and {} more", first.join(", "), n - LISTED),
        _ => format!("{what} {}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::encoding::Told as Encoded;
    use crate::reading::{Sink, pass};
    use crate::{Told, prepare};
    use whyline_event::{Record, SourceId, Zone};

    struct Nothing;

    impl Sink for Nothing {
        fn begin(&mut self, _source: SourceId, _number: u64) {}
        fn record(&mut self, _record: &Record<'_>) {}
        fn end(&mut self) {}
    }

    fn said(files: &[(&str, &str)], options: Options) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let bundle = prepare(&[folder.path().to_path_buf()], &options);
        let facts = pass(&bundle, 1, || Nothing).facts;
        remarks(&bundle, &facts, &options).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn seconds_since_boot_are_told_where_they_are_of_no_boot() {
        let dmesg = "[    1.000000] Linux version 6.1.0\n[    2.000000] EXT4-fs (vda1): mounted\n[    3.000000] eth0: Link is Up\n\
                     [  900.000000] java invoked oom-killer: order=0\n[  900.500000] Out of memory: Killed process 42 (java)\n";
        let told = said(&[("app1/dmesg.txt", dmesg)], Options { threads: 1, ..Options::default() });
        assert_eq!(
            told,
            [
                "app1/dmesg.txt: 5 lines have only the seconds since boot, and no log of the same machine tells when that was, so they have no time; among them, in line 5: Out of memory: Killed process 42 (java); give the output of `dmesg -T` or of `journalctl -k`"
            ]
        );
        let monotonic = "[    1.000000] app1 kernel: eth0: Link is Up\n[    2.000000] app1 x[7]: up\n".repeat(2);
        let told = said(&[("app1/journal.txt", &monotonic)], Options { threads: 1, ..Options::default() });
        assert!(told.len() == 1 && told[0].ends_with("give the output of `journalctl -o short-iso`"), "{told:?}");
    }

    #[test]
    fn options_that_fit_nothing_are_told() {
        let zone = || Zone::Offset(3600);
        let line = "2026-11-21 10:00:00,000 INFO [main] com.example.Shop - up\n".repeat(3);
        let options = Options {
            told: Told { zones: vec![("web1".into(), zone()), ("web01".into(), zone())], ..Told::default() },
            hosts: vec![("web01".into(), "web/*.log".into()), ("foo".into(), "nothing/*".into())],
            encodings: vec![Encoded::new("latin1", Some("*.txt")).unwrap(), Encoded::new("latin1", Some("*.log")).unwrap()],
            threads: 1,
            ..Options::default()
        };
        assert_eq!(
            said(&[("web/shop.log", &line), ("db01/db.log", &line.replace("Shop", "Db"))], options.clone()),
            [
                "--tz web1=...: no source is of web1: this zone was given to none; the hosts are db01, web01",
                "--host foo=nothing/*: fits no source, so it changed nothing; the sources are db01/db.log, web/shop.log",
                "--encoding windows-1252=*.txt: fits no source, so it changed nothing; the sources are db01/db.log, web/shop.log",
            ]
        );
        let fitting = Options { told: Told::default(), hosts: Vec::new(), encodings: Vec::new(), ..options };
        assert_eq!(said(&[("web/shop.log", &line)], fitting), [] as [String; 0]);
    }
}

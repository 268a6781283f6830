//! What only a pass over a bundle shows, and whoever gave the logs should know: lines that only say how long a machine had run.

use crate::facts::Facts;
use crate::problem::Problem;
use crate::reading::{Bundle, Options};

/// The remarks on a bundle that was read by these options.
pub fn remarks(bundle: &Bundle, facts: &[Facts], _options: &Options) -> Vec<Problem> {
    bundle.inputs.iter().zip(facts).filter_map(|(input, facts)| timeless(&input.source.path, facts)).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::{Sink, pass};
    use crate::prepare;
    use whyline_event::{Record, SourceId};

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
}

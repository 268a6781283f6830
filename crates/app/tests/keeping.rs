//! `whyline store`: saying what is kept, and keeping it small.
#![allow(clippy::unwrap_used, reason = "a test says plainly what it expects, in its helpers as well")]

mod common;

use common::{Ran, finish, program};
use std::fs;
use std::path::Path;

fn run(store: &Path, arguments: &[&str]) -> Ran {
    finish(program().arg("--store").arg(store).args(arguments))
}

/// Two services over two hours, and a plain text without any time.
fn logs(folder: &Path) -> String {
    fs::create_dir_all(folder).unwrap();
    for (name, offset) in [("shop.log", 0), ("pay.log", 30)] {
        let line = |n: u32| {
            let second = n * 2 + offset;
            format!(
                "2026-11-20T{:02}:{:02}:{:02}Z WARN {name} request {n:05} of user u{} was slow\n",
                10 + second / 3600,
                second / 60 % 60,
                second % 60,
                n % 90
            )
        };
        fs::write(folder.join(name), (0..3600).map(line).collect::<String>()).unwrap();
    }
    fs::write(folder.join("notes.txt"), "what we did\nrestarted the shop\n").unwrap();
    folder.to_str().unwrap().to_string()
}

fn count(store: &Path, arguments: &[&str]) -> u64 {
    run(store, &[&["query", "--count"], arguments].concat()).out.trim().parse().unwrap()
}

#[test]
fn told_checked_and_made_small() {
    let place = tempfile::tempdir().unwrap();
    let (store, folder) = (place.path().join("store"), place.path().join("logs"));
    let logs = logs(&folder);
    run(&store, &["ingest", &logs]).expect(0);
    let info = run(&store, &["store", "info", "--format", "json"]).expect(0).json();
    assert_eq!((info["events"].as_u64(), info["unfinished"].as_u64(), info["form"].as_u64()), (Some(7202), Some(0), Some(4)));
    assert_eq!((info["first"].as_str(), info["last"].as_str()), (Some("2026-11-20T10:00:00Z"), Some("2026-11-20T12:00:28Z")));
    assert_eq!(info["sources"].as_array().unwrap().len(), 3);
    assert!(info["ratio"].as_f64().unwrap() < 0.4, "{info}");
    let text = run(&store, &["store", "info"]).expect(0).out;
    assert!(text.contains("7,202 events of 3 sources") && text.contains("shop.log: 3,600 records"), "{text}");
    assert!(run(&store, &["store", "verify"]).expect(0).out.contains("as they were written"));

    // Old events go, the later ones and those without a time stay.
    let tried = run(&store, &["store", "rm", "--before", "2026-11-20T11:30:00Z", "--dry-run", "--format", "json"]).expect(0).json();
    assert_eq!(tried["removed"].as_u64().unwrap(), count(&store, &["*", "--until", "2026-11-20T11:29:59Z"]));
    assert_eq!(tried["sources"].as_array().unwrap().len(), 2);
    assert_eq!(count(&store, &["*"]), 7202);
    let later = count(&store, &["*", "--since", "2026-11-20T11:30:00Z"]);
    let shown = run(&store, &["query", "*", "--since", "2026-11-20T11:30:00Z"]).out;
    run(&store, &["store", "rm", "--before", "2026-11-20T11:30:00Z"]).expect(0);
    let timeless = count(&store, &["source:notes.txt"]);
    assert_eq!(count(&store, &["*"]), later + timeless);
    assert_eq!(run(&store, &["query", "*", "--since", "2026-11-20T11:30:00Z"]).out, shown);
    run(&store, &["store", "rm", "--before", "2026-11-20T11:30:00Z"]).expect(1);
    // What was removed is not stored again: the source is known.
    let gone = 7202 - later - timeless;
    let again = run(&store, &["ingest", &logs]).expect(0).says("of which 0 are new");
    assert!(
        again.err.contains(&format!("0 stored + {} duplicate + {gone} removed before + 0 refused; balanced", 7202 - gone)),
        "{}",
        again.err
    );
    assert!(again.err.contains("stay away") && again.err.contains("store rm --source"), "{}", again.err);
    assert_eq!(count(&store, &["*"]), later + timeless);
    let text = run(&store, &["store", "info"]).expect(0).out;
    assert!(text.contains("of 3,600 records left") && text.contains("2026-11-20T11:30:00Z to"), "{text}");
    let diagnosed = run(&store, &["diagnose"]).expect(0).out.replace("\n       ", " ");
    assert!(diagnosed.contains(&format!("{gone} removed before")), "{diagnosed}");

    let pay = count(&store, &["source:pay.log"]);
    assert!(pay > 0);
    // What will go can be tried: with a query, and without doing it.
    assert_eq!(count(&store, &["source:PAY.*"]), pay);
    let tried = run(&store, &["store", "rm", "--source", "PAY.*", "--dry-run"]).expect(0).out;
    assert!(tried.starts_with(&format!("{pay} events would be removed, ")) && tried.contains("pay.log: "), "{tried}");
    run(&store, &["store", "rm", "--source", "pay"]).expect(1).says("no source fits");
    run(&store, &["store", "rm", "--source", "pay.* OR shop"]).expect(2).says("more than sources");
    assert_eq!(count(&store, &["*"]), later + timeless);
    run(&store, &["store", "rm", "--source", "PAY.*"]).expect(0);
    assert_eq!(count(&store, &["*"]), later + timeless - pay);
    let info = run(&store, &["store", "info", "--format", "json"]).expect(0).json();
    assert_eq!(info["sources"].as_array().unwrap().len(), 2);
    run(&store, &["diagnose"]).expect(0);
    // A source that was removed as a whole can come again.
    run(&store, &["ingest", &logs]).expect(0);
    assert_eq!(count(&store, &["source:pay.log"]), 3600);
    run(&store, &["store", "compact"]).expect(0);
    assert_eq!(count(&store, &["source:pay.log"]), 3600);
    run(&store, &["store", "verify"]).expect(0);
    run(&store, &["store", "rm"]).expect(2);
}

#[test]
fn no_larger_than_told() {
    let place = tempfile::tempdir().unwrap();
    let (store, folder) = (place.path().join("store"), place.path().join("logs"));
    let logs = logs(&folder);
    run(&store, &["ingest", &logs]).expect(0);
    let whole = run(&store, &["store", "info", "--format", "json"]).json()["bytes"].as_u64().unwrap();
    fs::remove_dir_all(&store).unwrap();
    let most = format!("{}", whole * 7 / 10);
    run(&store, &["ingest", "--max-store", &most, &logs]).expect(0).says("oldest events were removed");
    assert!(count(&store, &["*"]) < 7202);
    run(&store, &["store", "verify"]).expect(0);
    run(&store, &["ingest", "--max-store", "a lot", &logs]).expect(2).says("is no size");
}

#[test]
fn many_names_and_long_lines_stay_small() {
    let place = tempfile::tempdir().unwrap();
    let store = place.path().join("store");
    let file = place.path().join("app.json");
    let mut text = String::new();
    for n in 0..5000 {
        text.push_str(&format!(
            "{{\"ts\":\"2026-11-20T10:{:02}:{:02}Z\",\"msg\":\"order {n}\",\"attribute_{n}\":{n},\"other_{}\":\"x{n}\"}}\n",
            n / 60 % 60,
            n % 60,
            n % 700
        ));
    }
    for n in 0..6 {
        text.push_str(&format!("{{\"ts\":\"2026-11-20T12:00:{n:02}Z\",\"msg\":\"{}\"}}\n", format!("long{n} ").repeat(150_000)));
    }
    fs::write(&file, &text).unwrap();
    let path = file.to_str().unwrap();
    run(&store, &["ingest", "--memory", "200MB", path]).expect(0);
    for query in ["attribute_77:77", "other_5:x5", "order", "long3", "attribute_4999:*", "msg:/long[45] long/"] {
        let stored = run(&store, &["query", "--count", query]);
        assert_eq!(stored.out, run(&store, &["query", "--count", query, path]).out, "{query}");
        assert_eq!(stored.code, 0, "{query}");
    }
}

/// Changes a byte of a pack, well before its footer.
fn bend(pack: &Path) {
    let mut bytes = fs::read(pack).unwrap();
    bytes[2000] ^= 0x11;
    fs::write(pack, bytes).unwrap();
}

#[test]
fn damage_costs_only_what_is_in_it_and_is_never_taken_for_right() {
    let place = tempfile::tempdir().unwrap();
    let (store, folder) = (place.path().join("store"), place.path().join("logs"));
    let logs = logs(&folder);
    // Two packs: the files come one after the other.
    let pay = folder.join("pay.log");
    let aside = place.path().join("pay.log");
    fs::rename(&pay, &aside).unwrap();
    run(&store, &["ingest", &logs]).expect(0);
    fs::rename(&aside, &pay).unwrap();
    run(&store, &["ingest", &logs]).expect(0);
    let whole = run(&store, &["query", "*", "--raw"]).expect(0).out;
    let rest = run(&store, &["query", "source:pay.log", "--raw"]).expect(0).out;
    bend(&store.join("pack.0"));
    for arguments in
        [&["query", "*", "--raw"][..], &["query", "* | fields line"], &["query", "* | count by source"], &["query", "* | sum line"]]
    {
        let ran = run(&store, arguments).expect(3).says("pack.0: damaged").says("events are missing").says("store verify");
        assert!(ran.err.contains("only copy") && !ran.err.contains("remove the folder"), "{}", ran.err);
        assert!(!arguments.contains(&"--raw") || rest.lines().all(|line| ran.out.contains(line)));
        assert!(ran.out.lines().all(|line| !arguments.contains(&"--raw") || whole.contains(line)));
    }
    run(&store, &["diagnose"]).expect(3).says("pack.0: damaged");
    run(&store, &["store", "verify"]).expect(1);
    for arguments in [&["store", "compact"][..], &["store", "rm", "--source", "shop.log"]] {
        run(&store, arguments).expect(3).says("pack.0 in the store at").says("nothing was rewritten");
    }
    run(&store, &["ingest", &logs]).expect(0);
    assert!(run(&store, &["store", "verify"]).expect(1).out.contains("pack.0 has changed"));
    // Given up, and brought back from the logs.
    let told = run(&store, &["store", "compact", "--drop-damaged"]).expect(0).out;
    assert!(told.contains("given up, from pack.0") && told.contains("shop.log: ingest it again"), "{told}");
    run(&store, &["store", "verify"]).expect(0);
    run(&store, &["query", "*", "--count"]).expect(0).says("not everything is stored");
    run(&store, &["ingest", &logs]).expect(0);
    assert_eq!(run(&store, &["query", "*", "--raw"]).expect(0).out, whole);
    run(&store, &["store", "verify"]).expect(0);
}

#[cfg(unix)]
#[test]
fn others_may_read_what_the_umask_lets_them() {
    use std::os::unix::fs::PermissionsExt;
    let place = tempfile::tempdir().unwrap();
    let (store, folder) = (place.path().join("store"), place.path().join("logs"));
    let logs = logs(&folder);
    run(&store, &["ingest", &logs]).expect(0);
    run(&store, &["store", "rm", "--source", "pay.log"]).expect(0);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let plain = place.path().join("plain");
    fs::write(&plain, "").unwrap();
    for folder in [store.clone(), store.join("index")] {
        for path in fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_file()) {
            assert_eq!(mode(&path), mode(&plain), "{}", path.display());
        }
    }
    // Not being allowed to read is no damage. (The superuser is allowed everything.)
    for file in ["index/meta.json", "pack.0", "pack.1", "checksums"] {
        let path = store.join(file);
        if !path.exists() {
            continue;
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
        if fs::read(&path).is_err() {
            for arguments in [&["query", "*"][..], &["store", "info"], &["store", "verify"]] {
                if file == "checksums" && arguments[1] != "verify" {
                    continue;
                }
                let ran = run(&store, arguments).expect(3).says("permission denied").says(file);
                assert!(!format!("{}{}", ran.out, ran.err).contains("damaged") && !ran.err.contains("IoError"), "{}", ran.err);
            }
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    }
}

#[test]
fn figures_of_a_file_that_grows() {
    let place = tempfile::tempdir().unwrap();
    let (store, file) = (place.path().join("store"), place.path().join("app.log"));
    let line = |n: u32| format!("2026-11-20T10:{:02}:{:02}Z WARN shop request {n:05} was slow\n", n / 60 % 60, n % 60);
    let write = |count: u32| fs::write(&file, (0..count).map(line).collect::<String>()).unwrap();
    let path = file.to_str().unwrap();
    write(500);
    run(&store, &["ingest", path]).expect(0).says("holds 500 events of 1 source, of which 500 are new");
    write(700);
    run(&store, &["ingest", path]).expect(0).says("holds 700 events of 1 source, of which 200 are new");
    write(701);
    run(&store, &["ingest", path]).expect(0).says("holds 701 events of 1 source, of which 1 is new");
    run(&store, &["ingest", path]).expect(0).says("of which 0 are new");
    assert_eq!(count(&store, &["*"]), 701);
}

//! Checking a store finds every bit that is not as it was written, and nothing where all is.

// Helpers of tests may say plainly what they expect, as tests do.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use whyline_event::{Form, Key, Origin, Record, SourceId, Stamp, Value};
use whyline_store::{Store, StoredSource, Writer, verify};

fn record(text: &str, n: u64) -> Record<'_> {
    let mut record = Record::new(text, Origin { source: SourceId(0), line: n + 1, lines: 1, offset: n * 100, length: text.len() as u64 });
    record.stamp = Some(Stamp { nanos: n as i64 * 1_000_000_000, form: Form::Explicit, offset: Some(0), digits: 0 });
    record.put(Key::Status, Value::Int(200 + n as i64 % 3));
    record.put_str(Key::Path, &text[4..12]);
    record
}

fn store(folder: &Path) {
    for part in 0..2u64 {
        let mut writer = Writer::open(folder, 1, 100 << 20).unwrap();
        writer.sources_mut().push(StoredSource { path: format!("{part}.log"), ..StoredSource::default() });
        writer.begin(&[(part as u32, 0)]).unwrap();
        let mut adder = writer.adder().unwrap();
        for n in 0..200u64 {
            adder.add(part as u32, &record(&format!("GET /orders/{:08x} from 192.0.2.{}", n * 7919, n % 200), n)).unwrap();
        }
        adder.finish().unwrap();
        writer.commit(&[(part as usize, b"{\"facts\":true}".repeat(30))]).unwrap();
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let list = |folder: &Path| fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_file()).collect::<Vec<_>>();
    let mut all = [list(folder), list(&folder.join("index"))].concat();
    all.retain(|path| fs::metadata(path).unwrap().len() > 0);
    all.sort();
    all
}

/// How many records are handed over, and how many events some queries ask for.
fn answers(store: &Store) -> Vec<u64> {
    let mut found = vec![0];
    for number in 0..2 {
        let each = &mut |record: &Record<'_>| {
            let n = record.origin.offset / 100;
            assert_eq!(record.text, format!("GET /orders/{:08x} from 192.0.2.{}", n * 7919, n % 200));
            found[0] += 1;
        };
        store.records_of(number, 0, each).unwrap();
    }
    for text in ["status:201", "orders from", "path:/7/", "001eefba OR from"] {
        let query = text.parse().unwrap();
        found.push(store.count(&query, &Default::default()).unwrap());
        let mut shown = 0;
        let each = &mut |_: whyline_store::Hit<'_>| {
            shown += 1;
            ControlFlow::Continue(())
        };
        store.search(&query, &Default::default(), each).unwrap();
        found.push(shown);
    }
    found
}

/// Changes a byte in the middle of a pack's first chunk, and gives what the pack held.
fn bend(folder: &Path, pack: &str) -> Vec<u8> {
    let path = folder.join(pack);
    let bytes = fs::read(&path).unwrap();
    let mut bent = bytes.clone();
    bent[300] ^= 0x55;
    fs::write(path, bent).unwrap();
    bytes
}

#[test]
fn what_is_damaged_is_not_written_anew() {
    let place = tempfile::tempdir().unwrap();
    store(place.path());
    bend(place.path(), "pack.0");
    let state = || files(place.path()).into_iter().filter(|p| !p.ends_with("lock")).map(|p| (p.clone(), fs::read(p).unwrap()));
    let before: Vec<_> = state().collect();
    let open = || Writer::open(place.path(), 1, 100 << 20).unwrap();
    let compact = || open().compact();
    let sources = || open().remove_sources(&[0]).map(drop);
    let before_some = || open().remove_before(5_000_000_000, &[]).map(drop);
    for outcome in [compact(), sources(), before_some()] {
        let error = outcome.unwrap_err().to_string();
        assert!(error.contains("pack.0") && error.contains("nothing was rewritten") && error.contains("--drop-damaged"), "{error}");
        assert!(state().eq(before.iter().cloned()));
    }
    // Storing something else does not make it right.
    open().leave().unwrap();
    let mut writer = open();
    writer.sources_mut().push(StoredSource { path: "2.log".into(), ..StoredSource::default() });
    writer.commit(&[]).unwrap();
    assert_eq!(verify(place.path()).unwrap().faults, ["pack.0 has changed since it was written"]);
}

#[test]
fn the_rest_answers_and_what_is_damaged_can_be_given_up() {
    let place = tempfile::tempdir().unwrap();
    store(place.path());
    bend(place.path(), "pack.0");
    let opened = Store::open(place.path()).unwrap();
    let found = answers(&opened);
    assert!(found[0] >= 200 && found[0] < 400, "{found:?}");
    let lost = opened.lost();
    assert_eq!((lost.len(), lost[0].file.as_str(), lost[0].events), (1, "pack.0", 200));
    let mut writer = Writer::open(place.path(), 1, 100 << 20).unwrap();
    let dropped = writer.drop_damaged().unwrap();
    assert_eq!(
        (dropped.events, dropped.files.clone(), dropped.sources.clone()),
        (200, vec!["pack.0".to_string()], vec!["0.log".to_string()])
    );
    writer.compact().unwrap();
    writer.commit(&[]).unwrap();
    assert!(verify(place.path()).unwrap().faults.is_empty());
    let opened = Store::open(place.path()).unwrap();
    assert_eq!((opened.len(), answers(&opened)[0], opened.lost().len()), (200, 200, 0));
    assert!(opened.sources()[0].unfinished && !opened.sources()[1].unfinished);
    // A pack that is not there costs only itself, too.
    fs::remove_file(place.path().join("pack.1")).unwrap();
    let opened = Store::open(place.path()).unwrap();
    assert_eq!(opened.count(&"*".parse().unwrap(), &Default::default()).unwrap(), 0);
    assert_eq!(opened.lost()[0].why, "it is not there");
}

#[test]
fn every_flipped_bit_is_found() {
    let place = tempfile::tempdir().unwrap();
    store(place.path());
    let healthy = verify(place.path()).unwrap();
    assert_eq!((healthy.faults.clone(), healthy.interrupted), (vec![], false));
    let right = answers(&Store::open(place.path()).unwrap());
    assert_eq!(right[0], 400);
    let files: Vec<(PathBuf, Vec<u8>)> = files(place.path()).into_iter().map(|p| (p.clone(), fs::read(&p).unwrap())).collect();
    assert!(files.len() >= 10 && healthy.files as usize == files.len(), "{files:?}");
    let total: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
    let mut seed = 0x2545_f491_4f6c_dd1du64;
    for n in 0..1000 {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        // Every file in turn, then any bit of all of them.
        let mut at = seed as usize % total;
        let (path, bytes) = match files.get(n) {
            Some(file) => {
                at %= file.1.len();
                file
            }
            None => {
                let holds = |(_, bytes): &&(PathBuf, Vec<u8>)| {
                    let here = at < bytes.len();
                    if !here {
                        at -= bytes.len();
                    }
                    here
                };
                files.iter().find(holds).unwrap()
            }
        };
        let mut bent = bytes.clone();
        bent[at] ^= 1 << (seed >> 40 & 7);
        fs::write(path, &bent).unwrap();
        assert!(!verify(place.path()).unwrap().faults.is_empty(), "a bit of byte {at} of {}", path.display());
        // What is read of it is right, or said to be missing.
        if n % 5 == 0
            && let Ok(store) = Store::open(place.path())
        {
            let answers = answers(&store);
            assert!(answers == right || !store.lost().is_empty(), "a bit of byte {at} of {}", path.display());
            assert!(answers.iter().zip(&right).all(|(got, right)| got <= right));
        }
        fs::write(path, bytes).unwrap();
    }
    assert_eq!(verify(place.path()).unwrap(), healthy);
}

#[test]
fn an_interrupted_store_is_no_damaged_one() {
    let place = tempfile::tempdir().unwrap();
    store(place.path());
    let mut writer = Writer::open(place.path(), 1, 100 << 20).unwrap();
    writer.begin(&[(0, 0)]).unwrap();
    // Nothing has changed yet.
    let found = verify(place.path()).unwrap();
    assert_eq!((found.faults, found.interrupted), (vec![], false));
    let mut adder = writer.adder().unwrap();
    adder.add(0, &record("GET /orders/new from 192.0.2.1", 0)).unwrap();
    adder.finish().unwrap();
    let found = verify(place.path()).unwrap();
    assert_eq!((found.faults, found.interrupted), (vec![], true));
    drop(writer);
    assert!(verify(place.path()).unwrap().faults.is_empty());
    Writer::open(place.path(), 1, 100 << 20).unwrap().leave().unwrap();
    let found = verify(place.path()).unwrap();
    assert_eq!((found.faults, found.interrupted), (vec![], false));
    // The record that was added before is kept beside the others.
    assert_eq!(Store::open(place.path()).unwrap().len(), 401);
}

//! Checking a store finds every bit that is not as it was written, and nothing where all is.

// Helpers of tests may say plainly what they expect, as tests do.
#![allow(clippy::unwrap_used)]

use std::fs;
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

#[test]
fn every_flipped_bit_is_found() {
    let place = tempfile::tempdir().unwrap();
    store(place.path());
    let healthy = verify(place.path()).unwrap();
    assert_eq!((healthy.faults.clone(), healthy.interrupted), (vec![], false));
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
        // Nothing that is read of it may panic; what it answers is not said.
        if n % 5 == 0
            && let Ok(store) = Store::open(place.path())
        {
            for number in 0..2 {
                let _ = store.records_of(number, 0, &mut |_| ());
            }
            for text in ["status:201", "orders from", "path:/7/"] {
                let _ = store.count(&text.parse().unwrap(), &Default::default());
            }
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
    let found = verify(place.path()).unwrap();
    assert_eq!((found.faults, found.interrupted), (vec![], true));
    drop(writer);
    assert!(verify(place.path()).unwrap().faults.is_empty());
    Writer::open(place.path(), 1, 100 << 20).unwrap().leave().unwrap();
    let found = verify(place.path()).unwrap();
    assert_eq!((found.faults, found.interrupted), (vec![], false));
    assert_eq!(Store::open(place.path()).unwrap().len(), 400);
}

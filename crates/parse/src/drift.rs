//! Sources that change their way of writing further on: another program took over the file, or its configuration was changed.
//!
//! The head of a source decides how it is read. Each later block is looked at through a few of its lines; where what fitted the
//! head fits them no more, the block is looked at as a head of its own. Blocks are the same whatever the number of threads, and
//! so is what is found.

use crate::cut::read;
use crate::detect::{Plan, detect};
use whyline_event::{Bump, Origin};

/// So many lines of a block are looked at.
const LOOKS: usize = 24;
/// So many formats at the front of the plan are those that the head showed.
const FRONT: usize = 6;
/// So much of a block is its head.
const HEAD_BYTES: usize = 256 * 1024;
/// A fit below this is found in any text with a time.
const FITS: u8 = 30;

/// Another plan for a block behind the head, where the source's own has ceased to fit.
pub fn plan_for(plan: &Plan, block: &[u8]) -> Option<Plan> {
    if plan.share < 0.5 || plan.format == "generic" || plan.wrap.is_some() {
        // The head did not say how the source is written; so does nothing behind it. Broken lines fit nothing by themselves.
        return None;
    }
    let before = share(plan, block);
    if before >= 0.4 {
        return None;
    }
    let head = block.get(..HEAD_BYTES).unwrap_or(block);
    let mut found = detect(head, &[], &plan.order);
    found.expected = plan.expected;
    found.commands = plan.commands.clone();
    (found.format != plan.format && found.format != "generic" && share(&found, block) > before + 0.2).then_some(found)
}

/// The share of a block's lines that the formats at the front of a plan read, of those that may begin a record.
fn share(plan: &Plan, block: &[u8]) -> f64 {
    let arena = Bump::new();
    let front = plan.order.get(..FRONT).unwrap_or(&plan.order);
    let (mut looked, mut fitted) = (0usize, 0usize);
    for n in 0..LOOKS {
        let Some(line) = line_at(block, block.len() / LOOKS * n) else { continue };
        let text = crate::plain::plain(&arena, line);
        if text.is_empty() || text.starts_with([' ', '\t']) {
            continue;
        }
        looked += 1;
        fitted += usize::from(read(&arena, front, text, Origin::default()).1 >= FITS);
    }
    // Nothing but continuation lines says nothing.
    if looked == 0 { 1.0 } else { fitted as f64 / looked as f64 }
}

/// The first whole line behind a place.
fn line_at(block: &[u8], at: usize) -> Option<&str> {
    let rest = block.get(at..)?;
    let start = if at == 0 { 0 } else { memchr::memchr(b'\n', rest)? + 1 };
    let rest = rest.get(start..)?;
    let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
    let line = rest.get(..end)?;
    std::str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats;

    fn access(i: usize) -> String {
        format!("203.0.113.{} - - [20/Nov/2026:10:00:{:02} +0000] \"GET /{i} HTTP/1.1\" 200 {i} \"-\" \"x/1\"\n", i % 250, i % 60)
    }

    fn json(i: usize) -> String {
        format!("{{\"time\":\"2026-11-20T10:00:{:02}Z\",\"level\":\"info\",\"msg\":\"step {i}\"}}\n", i % 60)
    }

    #[test]
    fn a_source_that_goes_on_in_another_way_is_looked_at_anew() {
        let head: String = (0..200).map(access).collect();
        let plan = detect(head.as_bytes(), &[], &formats::all());
        let (same, other): (String, String) = ((0..500).map(access).collect(), (0..500).map(json).collect());
        assert!(plan_for(&plan, same.as_bytes()).is_none());
        assert_eq!(plan_for(&plan, other.as_bytes()).map(|p| p.format), Some("json".to_string()));
    }

    #[test]
    fn traces_are_no_change() {
        let head: String = (0..200).map(json).collect();
        let plan = detect(head.as_bytes(), &[], &formats::all());
        let trace = "Traceback (most recent call last):\n".to_string() + &"  File \"x.py\", line 1, in f\n    f()\n".repeat(400);
        assert!(plan_for(&plan, trace.as_bytes()).is_none());
    }
}

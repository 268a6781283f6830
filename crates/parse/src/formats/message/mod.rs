//! Fields inside the message of an application's record, whatever program wrote it.
//!
//! Six things are found: an HTTP exchange (`GET /x 200 12ms`), pairs whose key everybody uses alike (`rid=`,
//! `trace_id=`, `status=`), the target of a connection that failed, the client that failed to log in, the address at which the
//! program listens, and what the known sentences of programs name.

mod client;
mod exchange;
mod listens;
mod pairs;
mod said;
pub mod sentence;
mod target;

pub use target::{asked_name, asked_server};

use crate::format::Cx;
use crate::formats::cursor::beginning;
use whyline_event::Record;

/// Only so much of a message is searched.
const MOST: usize = 4096;

/// Adds the fields that a message holds. Fields that the record has already stay as they are.
pub fn fields<'a>(cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) {
    let head = beginning(text, MOST);
    if head.starts_with("Started ") || head.starts_with("Completed ") {
        said::read("ruby", head, record);
    }
    exchange::read(head, record);
    pairs::read(cx, head, record);
    target::read(cx, head, record);
    if client::may_name_an_address(head) {
        client::read(head, record);
        listens::read(head, record);
    }
}

/// Adds what the sentences of a known program name.
pub fn sentences<'a>(program: &str, text: &'a str, record: &mut Record<'a>) {
    said::read(program, beginning(text, MOST), record);
}

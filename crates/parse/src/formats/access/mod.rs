//! Access logs of web servers and proxies.
//!
//! Lines of a known layout are read by it (`layout`); others by their shape, with what the lines of a source teach about
//! columns that nobody named (`shape`, `infer`).

mod anchors;
mod apache;
mod apart;
mod compile;
pub mod conf;
mod infer;
mod json;
mod labelled;
mod layout;
mod meaning;
mod names;
mod pairs;
mod quick;
pub(in crate::formats) mod request;
mod shape;
mod squid;
mod steps;
#[cfg(test)]
pub(crate) mod testing;
mod token;
mod w3c;
mod walk;

use crate::format::Format;
use std::sync::Arc;

pub(crate) use compile::{apache_layout, nginx_layout};
pub use compile::{from_apache, from_log_format};
pub(crate) use layout::Layout;
pub use meaning::{Unit, duration, put_client, put_server, put_upstream, upstream_address};
pub use request::{put as put_request, unescape};

/// The access formats that are built in.
pub fn formats() -> Vec<Arc<dyn Format>> {
    let mut list: Vec<Arc<dyn Format>> = vec![Arc::new(json::JsonAccess), Arc::new(labelled::Labelled)];
    list.extend(compile::built_in().into_iter().map(|layout| Arc::new(layout) as Arc<dyn Format>));
    list.push(Arc::new(w3c::W3c::default()));
    list.push(Arc::new(squid::Squid));
    list.push(Arc::new(shape::Shaped::new("nginx.access")));
    list.push(Arc::new(shape::Shaped::new("apache.access")));
    list.push(Arc::new(apart::Apart::default()));
    list
}

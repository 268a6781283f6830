//! The formats of web servers, proxies and their access logs.

use super::{access, apache_error, haproxy, nginx_error};
use crate::format::Format;
use std::sync::Arc;

/// Every format of this family, the specific ones before the general ones.
pub fn web() -> Vec<Arc<dyn Format>> {
    let mut list: Vec<Arc<dyn Format>> =
        vec![Arc::new(nginx_error::NginxError), Arc::new(apache_error::ApacheError), Arc::new(haproxy::HaProxy)];
    list.extend(access::formats());
    list
}

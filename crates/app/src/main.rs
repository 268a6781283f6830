//! The program whyline.
fn main() {}

//! Archives that are built here and read.

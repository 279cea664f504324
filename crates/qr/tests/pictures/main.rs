//! Codes drawn by another library, put on pages, harmed, and read back through the crate's public door.

mod fuzz;
mod grid;
mod hostile;
mod pages;

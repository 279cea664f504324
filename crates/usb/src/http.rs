//! HTTP over USB: a pool of interfaces, each of which carries one exchange at a time, to its end.

mod body;
mod cable;
mod exchange;
mod head;
mod pair;
mod pieces;
mod pool;
mod request;
mod response;
mod sending;
mod stream;

pub use pool::HttpPool;
pub use stream::{Evidence, HttpStream};

#[cfg(test)]
mod tests;

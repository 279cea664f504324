//! Pure state machines: what may happen, decided from what has happened.
//!
//! No clock, randomness, file, socket, thread or await stands here: the present moment, ids and everything seen
//! of the outside are arguments. Each machine has the same four functions ([`core::Core`]): `decide` turns a
//! command into events or a refusal, `apply` folds an event, `effects` says what the shell must do next, and
//! `wake_at` when it must ask again although nothing happened. The same functions serve running and recovery.

pub mod account;
pub mod core;
pub mod dispatch;
pub mod exercise;
pub mod health;
pub mod print;
pub mod roam;
pub mod supply;
pub mod verification;

//! The units of the daemon: each turns outside events into commands, and effects into calls.

pub mod control;
pub(crate) mod days;
pub mod exercise;
pub mod health;
pub mod heartbeat;
pub mod hotplug;
pub mod link;
pub mod media;
pub mod pages;
pub mod print;
pub(crate) mod printers;
pub(crate) mod records;
pub mod tickets;
pub mod trust;
pub mod verify;

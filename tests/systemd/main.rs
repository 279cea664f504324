//! What stands in `systemd/`, judged by systemd's own programs, and the programs as they run below it.
//!
//! No service manager is needed: units are read on a staged root, a folder that holds what an installed computer
//! would, and the programs are started there with the users, folders, keys and sockets that systemd would give them.
//! What only a running systemd can prove (the sandbox itself) is not proved here; `systemd/README.md` says so.

mod accounts;
mod door;
mod exposure;
mod lint;
mod ready;
mod running;
mod settings;
mod stage;
mod udev;
mod unit;
mod verify;

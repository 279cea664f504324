//! The inspector's half: gives up what the work does not need.

use std::io;

use rustix::process::{DumpableBehavior, Resource, Rlimit};

use crate::question::Limits;

/// Gives up everything but `limits`, for good: no file is opened or written, no process or thread started, no dump
/// made, no right gained. Files that are open stay so.
///
/// prlimit(2) and not setrlimit(2), which the filter of our systemd units refuses.
///
/// # Errors
/// What the system said; nothing may be worked on then.
pub fn give_up(limits: Limits) -> io::Result<()> {
    rustix::thread::set_no_new_privs(true)?;
    // No debugger of this account reads what is worked on, and no dump holds it.
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    for (resource, most) in [
        (Resource::As, limits.memory_bytes),
        (Resource::Cpu, limits.cpu_s),
        (Resource::Core, 0),
        (Resource::Fsize, 0),
        (Resource::Nofile, 0),
        (Resource::Nproc, 0),
    ] {
        let most = Rlimit {
            current: Some(most),
            maximum: Some(most),
        };
        rustix::process::prlimit(None, resource, most)?;
    }
    Ok(())
}

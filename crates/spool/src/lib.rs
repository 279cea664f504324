//! The spool of one machine: sealed documents on disk until their job's end.
//!
//! *Shape:* one folder (mode 0700) with at most four files (mode 0600) a job, named by the job's
//! id:
//!
//! ```text
//! <job>.key    the order, still sealed to the machine: without it the blob is noise
//! <job>.blob   the sealed document, whole, its digest checked
//! <job>.part   as much of the sealed document as a fetch has brought so far
//! <job>.tmp    a key or blob that is being written; never read, gone at the next sweep
//! ```
//!
//! A key or blob appears whole or not at all: it is written beside its name, flushed, renamed,
//! and the folder is flushed. A part is neither flushed nor trusted until [`Spool::admit`] has
//! compared its digest: after a power cut it may hold zeros, then the digest refuses it and the
//! fetch begins again.
//!
//! [`Spool::shred`] overwrites before it unlinks. On flash, and on file systems that copy on
//! write, the old bytes may live on in places that no program reaches; what then keeps them
//! closed is that they are sealed, to a machine key that is rotated and destroyed.
//!
//! Everything here blocks on the disk. Clones share one lock, so that a read never meets a
//! half-done shred; a second process must not use the folder.

mod error;
mod fetch;
mod files;
mod shred;
mod spool;

pub use error::SpoolError;
pub use spool::{Claim, MAX_BLOB_BYTES, MAX_KEY_BYTES, Spool, SpoolStats};

//! The words that machines and central exchange: identifiers, time, topics, versioned messages and sealed envelopes.
//!
//! Nothing here waits, opens a file or reads a clock; randomness is an argument.
//! Message shapes are versioned (`v`), unknown fields are ignored, and each version has fixtures under `fixtures/`.

pub mod digest;
pub mod ids;
pub mod time;

pub use digest::Sha256Digest;
pub use ids::{Epoch, IdError, JobId, KeyId, MachineId, OfficeId, Reference};
pub use time::Timestamp;

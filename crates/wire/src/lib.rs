//! The words that machines and central exchange: identifiers, time, topics, versioned messages and sealed envelopes.
//!
//! Nothing here waits, opens a file or reads a clock; randomness is an argument ([`random::Randomness`]).
//! Message shapes are versioned (`v`), unknown fields are ignored, unknown kinds are told apart from broken
//! bytes, and each version has fixtures under `fixtures/`.
//!
//! Layers of a payload on the broker, outside in:
//! topic ([`topic`]) → signed frame `{v, body, sig}` ([`frame`]) → message ([`command`], [`event`], [`presence`])
//! → for a print order the sealed envelope ([`sealed`]), which only the named machine opens.

pub mod command;
pub mod device_reason;
pub mod digest;
pub mod enrolment;
pub mod event;
pub mod form;
pub mod frame;
pub mod hosts;
pub mod ids;
pub mod job;
pub mod order;
pub mod presence;
pub mod random;
pub mod raster;
pub mod record;
pub mod sealed;
pub mod sign;
pub mod stock;
pub mod time;
pub mod topic;
pub mod trust;
pub mod zone;

pub use command::{Blob, Cancel, Command, PrintOrder, TrustNotice};
pub use digest::Sha256Digest;
pub use event::{DeviceReport, Event, JobReport, LocalJob, LocalRevision, Report};
pub use hosts::{HostRules, HostsError, OfficialHost};
pub use ids::{Epoch, Hello, IdError, JobId, KeyId, MachineId, OfficeId, Reference};
pub use job::{JobState, Party, Reason};
pub use order::{Class, Order, Release, Service};
pub use presence::{
    Ack, Answers, Beat, CentralState, Heartbeat, Judged, MachineState, OpenJob, Sync,
};
pub use random::Randomness;
pub use raster::{RasterColours, RasterFormat, RasterSetup};
pub use record::{MatchRecord, RecordPage};
pub use stock::Stock;
pub use time::Timestamp;
pub use trust::TrustBundle;
pub use zone::{Day, Zone};

/// The version of every message and of the frame around it.
pub const VERSION: u16 = 1;

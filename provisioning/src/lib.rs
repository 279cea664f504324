//! The authority of a regency: it enrols machines, names broker and central, and tells the broker whom to admit.
//!
//! State is one folder of small files ([`Authority`] says which), written durably one after the other, so that a
//! power cut between two of them is healed by giving the same command again. A machine's private keys never come
//! here: it sends a request (`loketd identity request`) and gets an [`InstallBundle`](loket_wire::enrolment::InstallBundle).
//!
//! What this crate deliberately does not know: MQTT beyond one CONNECT packet ([`probe()`]), SQL, documents.

mod authority;
mod bookkeeping;
mod broker;
mod canary;
mod certificate;
pub mod cli;
mod crl;
mod durable;
mod enrol;
mod error;
mod probe;
mod request;
mod revoke;
mod server;
mod settings;

pub use authority::{Authority, InitOptions};
pub use broker::{BrokerFiles, BrokerOptions, broker_config, forget_broker};
pub use enrol::Replaced;
pub use error::{ProvisionError, Refusal};
pub use probe::{Probe, probe};
pub use revoke::{Revoked, hang_up};
pub use server::{ServerKind, ServerRequest, server_request};
pub use settings::Settings;

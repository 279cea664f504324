//! Revocation, in the order that closes the door first: access rules, then revocation list, then the record.

use std::fs;
use std::path::PathBuf;

use loket_wire::{MachineId, Timestamp};
use rustix::process::{Pid, Signal, kill_process};

use crate::authority::Authority;
use crate::bookkeeping::{Book, Cause, Issued, Revocation};
use crate::certificate::check_clock;
use crate::durable::{self, Readers};
use crate::error::{ProvisionError, Refusal};

/// What a revocation did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revoked {
    /// The serials that are on the list, hexadecimal.
    pub serials: Vec<String>,
    /// The folders of the brokers' files that were written again; none where `broker-config` was never run.
    pub broker_folders: Vec<PathBuf>,
}

impl Authority {
    /// Revokes a machine and its name for good; giving it again does it again. Each broker must read its files again
    /// afterwards ([`Authority::revoke_and`] lets that happen in between).
    ///
    /// # Errors
    /// [`Refusal::UnknownMachine`]; what writing files can meet. A failure to write a broker's files does not keep
    /// the certificate off the list nor the record in place, and is reported at the end.
    pub fn revoke(&self, machine: &MachineId, now: Timestamp) -> Result<Revoked, ProvisionError> {
        self.revoke_and(machine, now, &mut || Ok(()))
    }

    /// Like [`Authority::revoke`]; `reload` makes the brokers read their files and is called after each of the two.
    ///
    /// # Errors
    /// Those of [`Authority::revoke`] and of `reload`.
    pub fn revoke_and(
        &self,
        machine: &MachineId,
        now: Timestamp,
        reload: &mut dyn FnMut() -> Result<(), ProvisionError>,
    ) -> Result<Revoked, ProvisionError> {
        check_clock(now)?;
        let _lock = self.lock()?;
        let book = self.book();
        let certificates = book.of(machine.as_str())?;
        if certificates.is_empty() {
            return Err(Refusal::UnknownMachine {
                machine: machine.clone(),
            }
            .into());
        }

        // At once, open sessions too.
        self.deny(machine, now)?;
        let denied = self.put_acl().and_then(|acl| {
            reload()?;
            Ok(acl)
        });

        // New connections, also at a broker that lost its access rules.
        let serials = certificates.iter().map(|one| one.serial.clone()).collect();
        for issued in certificates {
            revoke_one(&book, issued, now)?;
        }
        let listed = self.put_crl(now).and_then(|()| reload());

        // Central reads the records and withdraws what it would still send.
        self.withdraw_record(machine)?;
        let acl = denied?;
        listed?;
        Ok(Revoked {
            serials,
            broker_folders: acl,
        })
    }

    /// Revokes one certificate, for instance of a broker or of central whose key was stolen. The name stays good, so
    /// its open connections live until the broker restarts. `reload` is called once the list is written.
    ///
    /// # Errors
    /// [`Refusal::UnknownSerial`]; what writing files can meet; those of `reload`.
    pub fn revoke_serial(
        &self,
        serial: &str,
        now: Timestamp,
        reload: &mut dyn FnMut() -> Result<(), ProvisionError>,
    ) -> Result<Revoked, ProvisionError> {
        check_clock(now)?;
        let _lock = self.lock()?;
        let book = self.book();
        let found = book.all()?.into_iter().find(|one| one.serial == serial);
        revoke_one(&book, found.ok_or(Refusal::UnknownSerial)?, now)?;
        self.put_crl(now)?;
        reload()?;
        Ok(Revoked {
            serials: vec![serial.to_owned()],
            broker_folders: self.broker_folders()?,
        })
    }

    fn withdraw_record(&self, machine: &MachineId) -> Result<(), ProvisionError> {
        let file = format!("{machine}.json");
        let from = self.path("machines").join(&file);
        if durable::read_if_there(&from)?.is_none() {
            return Ok(());
        }
        let folder = self.path("revoked");
        durable::create_folder(&folder, Readers::Owner)?;
        durable::move_file(&from, &folder.join(file))
    }
}

/// The first revocation stands, with its date.
fn revoke_one(book: &Book, mut issued: Issued, at: Timestamp) -> Result<(), ProvisionError> {
    if issued.revoked.is_some() {
        return Ok(());
    }
    let cause = Cause::Revoked;
    issued.revoked = Some(Revocation { at, cause });
    book.put(&issued)
}

/// Makes a mosquitto read its access rules and revocation list again (SIGHUP).
///
/// # Errors
/// [`Refusal::NotABroker`] when the process is another program, which SIGHUP would end; [`ProvisionError::Signal`].
pub fn hang_up(pid: i32) -> Result<(), ProvisionError> {
    let process = broker_process(pid)?;
    kill_process(process, Signal::HUP).map_err(|errno| ProvisionError::Signal {
        pid,
        source: errno.into(),
    })
}

/// The process, if it is a mosquitto.
pub(crate) fn broker_process(pid: i32) -> Result<Pid, Refusal> {
    let is_broker = pid > 0
        && fs::read_to_string(format!("/proc/{pid}/comm"))
            .is_ok_and(|name| name.trim_end() == "mosquitto");
    match Pid::from_raw(pid) {
        Some(process) if is_broker => Ok(process),
        Some(_) | None => Err(Refusal::NotABroker { pid }),
    }
}

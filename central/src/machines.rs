//! The machines that the authority enrolled: one signed record a file, read again when the file changes.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use loket_wire::enrolment::{MachineRecord, RECORD_CONTEXT};
use loket_wire::frame::{self, FrameError};
use loket_wire::sealed::SealingPublic;
use loket_wire::sign::VerifyingKey;
use loket_wire::{MachineId, presence};
use thiserror::Error;

use crate::files;

/// A record is about 1 kB; the frame's own bound is 32 KiB.
const MAX_RECORD_BYTES: u64 = 32_768;

/// Records kept in memory; a regency has at most a few hundred sites.
const MAX_RECORD_COUNT: usize = 20_000;

/// Why a machine's record cannot be used.
#[derive(Debug, Error)]
pub(crate) enum RecordError {
    /// The authority has enrolled no machine of that name.
    #[error("find the record of machine {machine}")]
    NotFound {
        /// The machine.
        machine: MachineId,
    },
    /// The file is there and could not be read.
    #[error("read the record of machine {machine}")]
    Unreadable {
        /// The machine.
        machine: MachineId,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The authority did not sign it.
    #[error("trust the record of machine {machine}")]
    Frame {
        /// The machine.
        machine: MachineId,
        /// Why.
        #[source]
        source: FrameError,
    },
    /// Signed, but for another machine or in another shape.
    #[error("understand the record of machine {machine}")]
    Shape {
        /// The machine.
        machine: MachineId,
    },
}

/// What tells one state of a file from another.
type Mark = (SystemTime, u64);

/// The folder of records.
#[derive(Debug)]
pub(crate) struct Machines {
    folder: PathBuf,
    authority: VerifyingKey,
    read: Mutex<BTreeMap<MachineId, (Mark, MachineRecord)>>,
    stored: Mutex<BTreeMap<MachineId, MachineRecord>>,
}

impl Machines {
    pub(crate) const fn new(folder: PathBuf, authority: VerifyingKey) -> Self {
        Self {
            folder,
            authority,
            read: Mutex::new(BTreeMap::new()),
            stored: Mutex::new(BTreeMap::new()),
        }
    }

    /// The record of `machine`. It asks the file system each time, so a removed record is gone at once.
    pub(crate) fn find(&self, machine: &MachineId) -> Result<MachineRecord, RecordError> {
        let path = self.folder.join(format!("{machine}.json"));
        let failed = |source: io::Error| {
            let machine = machine.clone();
            if source.kind() == io::ErrorKind::NotFound {
                RecordError::NotFound { machine }
            } else {
                RecordError::Unreadable { machine, source }
            }
        };
        let meta = std::fs::metadata(&path).map_err(failed)?;
        let mark = (meta.modified().map_err(failed)?, meta.len());
        {
            let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((known, record)) = read.get(machine)
                && *known == mark
            {
                return Ok(record.clone());
            }
        }
        let record = self.read_record(machine, &path)?;
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if read.len() < MAX_RECORD_COUNT {
            read.insert(machine.clone(), (mark, record.clone()));
        }
        Ok(record)
    }

    fn read_record(&self, machine: &MachineId, path: &Path) -> Result<MachineRecord, RecordError> {
        let payload = files::read_bounded(path, MAX_RECORD_BYTES).map_err(|source| {
            RecordError::Unreadable {
                machine: machine.clone(),
                source,
            }
        })?;
        let body = frame::open(RECORD_CONTEXT, payload.trim_ascii(), &self.authority).map_err(
            |source| RecordError::Frame {
                machine: machine.clone(),
                source,
            },
        )?;
        let shape = || RecordError::Shape {
            machine: machine.clone(),
        };
        let record: MachineRecord = presence::decode(&body).map_err(|_ignored| shape())?;
        let key = SealingPublic::parse(&record.sealing_public_key).map_err(|_ignored| shape())?;
        if record.version != 1 || record.machine != *machine || key.key_id() != record.key_id {
            return Err(shape());
        }
        Ok(record)
    }

    /// Whether the store has had this record from this process.
    pub(crate) fn is_stored(&self, record: &MachineRecord) -> bool {
        let stored = self.stored.lock().unwrap_or_else(PoisonError::into_inner);
        stored.get(&record.machine) == Some(record)
    }

    /// Notes that the store has it.
    pub(crate) fn set_stored(&self, record: &MachineRecord) {
        let mut stored = self.stored.lock().unwrap_or_else(PoisonError::into_inner);
        if stored.len() < MAX_RECORD_COUNT {
            stored.insert(record.machine.clone(), record.clone());
        }
    }

    /// Every machine that has a file; whether its record is good, [`Self::find`] says.
    pub(crate) fn names(&self) -> io::Result<Vec<MachineId>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.folder)? {
            let name = entry?.file_name();
            let stem = name.to_str().and_then(|name| name.strip_suffix(".json"));
            if let Some(machine) = stem.and_then(|stem| stem.parse().ok()) {
                names.push(machine);
            }
            if names.len() >= MAX_RECORD_COUNT {
                break;
            }
        }
        names.sort();
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use loket_wire::sealed::SealingKey;
    use loket_wire::sign::SigningKey;
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};

    fn authority() -> SigningKey {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        SigningKey::p256_from_pkcs8(pkcs8.as_ref(), random).unwrap()
    }

    fn record(machine: &str, office: &str) -> Vec<u8> {
        let sealing = SealingKey::generate(&mut crate::random::SystemRandomness::new());
        let public = sealing.public().unwrap();
        presence::encode(&MachineRecord {
            version: 1,
            machine: machine.parse().unwrap(),
            office: office.parse().unwrap(),
            certificate_serial: "01".to_owned(),
            report_key: authority().verifying_key(),
            sealing_public_key: public.to_string(),
            key_id: public.key_id(),
            enrolled_at: loket_wire::Timestamp::UNIX_EPOCH,
        })
        .unwrap()
    }

    #[test]
    fn records_are_trusted_when_the_authority_signed_them_and_read_again_when_changed() {
        let folder = tempfile::tempdir().unwrap();
        let key = authority();
        let machines = Machines::new(folder.path().to_owned(), key.verifying_key());
        let desa: MachineId = "desa-1".parse().unwrap();
        let path = folder.path().join("desa-1.json");
        assert!(matches!(
            machines.find(&desa),
            Err(RecordError::NotFound { .. })
        ));

        let signed = frame::seal(RECORD_CONTEXT, &record("desa-1", "kec-1"), &key).unwrap();
        std::fs::write(&path, signed).unwrap();
        assert_eq!(machines.find(&desa).unwrap().office.as_str(), "kec-1");
        assert_eq!(machines.names().unwrap(), vec![desa.clone()]);

        let signed = frame::seal(RECORD_CONTEXT, &record("desa-1", "kec-contoh-2"), &key).unwrap();
        std::fs::write(&path, signed).unwrap();
        assert_eq!(
            machines.find(&desa).unwrap().office.as_str(),
            "kec-contoh-2"
        );

        let foreign =
            frame::seal(RECORD_CONTEXT, &record("desa-1", "kec-34"), &authority()).unwrap();
        std::fs::write(&path, foreign).unwrap();
        assert!(matches!(
            machines.find(&desa),
            Err(RecordError::Frame { .. })
        ));

        let other = frame::seal(RECORD_CONTEXT, &record("desa-22", "kec-1"), &key).unwrap();
        std::fs::write(&path, other).unwrap();
        assert!(matches!(
            machines.find(&desa),
            Err(RecordError::Shape { .. })
        ));
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(
            machines.find(&desa),
            Err(RecordError::NotFound { .. })
        ));
    }
}

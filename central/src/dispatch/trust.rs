//! Tells machines that take trust bundles of the newest one.
//!
//! A machine says in its sync which one it holds; where that is an earlier one it is told, and again at each sync and
//! whole heartbeat until it says the newest. Nothing of this outlives the dispatcher: after its start machines sync.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use loket_link::PublishError;
use loket_wire::topic::Channel;
use loket_wire::{Command, MachineId, TrustNotice};

use super::{DispatchError, Dispatcher};
use crate::clock::now;

/// An announcement is said again at the machine's next sync; the broker need not keep it longer than a day.
const NOTICE_EXPIRY: Duration = Duration::from_secs(24 * 3_600);

/// Who takes trust bundles, and who is to be told.
#[derive(Debug, Default)]
pub(super) struct TrustTelling {
    /// The serial that each machine said last; known ones alone, so the authority bounds it.
    held: BTreeMap<MachineId, u64>,
    owed: BTreeSet<MachineId>,
}

impl Dispatcher {
    /// A machine said which bundle it holds.
    pub(super) fn trust_heard(&mut self, machine: &MachineId, serial: u64) {
        self.office.trust_desk.heard(serial, now());
        self.trust.held.insert(machine.clone(), serial);
        let newest = self.office.trust_desk.newest();
        if newest.is_some_and(|newest| serial < newest.serial) {
            self.trust.owed.insert(machine.clone());
        } else {
            self.trust.owed.remove(machine);
        }
    }

    /// Another bundle is the newest.
    pub(super) fn trust_made(&mut self) {
        let Some(newest) = self.office.trust_desk.newest() else {
            return;
        };
        let held = self.trust.held.iter();
        let behind = held.filter(|(_machine, serial)| **serial < newest.serial);
        self.trust
            .owed
            .extend(behind.map(|(machine, _serial)| machine.clone()));
    }

    /// Says what is owed; what finds no room stays for the next time.
    pub(super) fn send_trust_notices(&mut self) -> Result<(), DispatchError> {
        let Some(newest) = self.office.trust_desk.newest() else {
            return Ok(());
        };
        while let Some(machine) = self.trust.owed.pop_first() {
            let command = Command::Trust(TrustNotice {
                machine: machine.clone(),
                serial: newest.serial,
                bundle: newest.blob,
            });
            let topic = Channel::Command(command.kind().to_owned()).topic(&machine);
            let body = command.encode().map_err(DispatchError::Encode)?;
            let way = self.way_to(&machine, 0);
            match self.publish(way, &topic, &body, NOTICE_EXPIRY)? {
                Err(PublishError::Full) => {
                    self.trust.owed.insert(machine);
                    break;
                }
                // Where the link is down, the machine says its sync again once it stands.
                Ok(())
                | Err(
                    PublishError::Down | PublishError::TooLarge { .. } | PublishError::InvalidTopic,
                ) => {}
            }
        }
        Ok(())
    }
}

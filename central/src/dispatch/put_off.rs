//! What cannot be offered for the time being, so that it does not stand before what can.

use std::collections::BTreeMap;
use std::time::Duration;

use loket_wire::{JobId, MachineId};
use tokio::time::Instant;

/// A machine without a usable record: looked at again after this, so that an enrolment is followed within a minute.
const MACHINE_PAUSE: Duration = Duration::from_secs(60);

/// A job whose files or row are broken: they rarely mend, and each try is a line in the log.
const JOB_PAUSE: Duration = Duration::from_secs(600);

/// Broken jobs kept apart one by one; past that many the trouble is not theirs, and their machines are put off.
const MAX_JOBS: usize = 256;

/// Machines and jobs that are left out of the next rounds. It lives as long as the dispatcher.
#[derive(Debug, Default)]
pub(super) struct PutOff {
    machines: BTreeMap<MachineId, Instant>,
    jobs: BTreeMap<JobId, Instant>,
}

impl PutOff {
    /// Leaves a machine out for a while.
    pub(super) fn machine(&mut self, machine: MachineId, now: Instant) {
        self.machines.insert(machine, now + MACHINE_PAUSE);
    }

    /// Leaves a job of `machine` out for a while.
    pub(super) fn job(&mut self, job: JobId, machine: MachineId, now: Instant) {
        if self.jobs.len() < MAX_JOBS {
            self.jobs.insert(job, now + JOB_PAUSE);
        } else {
            self.machine(machine, now);
        }
    }

    /// What is left out at `now`; what has waited long enough is forgotten.
    pub(super) fn at(&mut self, now: Instant) -> (Vec<MachineId>, Vec<JobId>) {
        self.machines.retain(|_machine, until| now < *until);
        self.jobs.retain(|_job, until| now < *until);
        let machines = self.machines.keys().cloned().collect();
        (machines, self.jobs.keys().copied().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(number: u8) -> JobId {
        JobId::from_parts(1_790_000_000_000, [number; 10])
    }

    #[test]
    fn what_is_put_off_comes_back_after_its_pause() {
        let (mut put_off, start) = (PutOff::default(), Instant::now());
        let desa: MachineId = "desa-1".parse().unwrap();
        put_off.machine(desa.clone(), start);
        put_off.job(job(1), desa.clone(), start);
        assert_eq!(put_off.at(start), (vec![desa], vec![job(1)]));
        assert_eq!(put_off.at(start + MACHINE_PAUSE), (vec![], vec![job(1)]));
        assert_eq!(put_off.at(start + JOB_PAUSE), (vec![], vec![]));
    }

    #[test]
    fn more_broken_jobs_than_are_kept_put_their_machine_off() {
        let (mut put_off, start) = (PutOff::default(), Instant::now());
        let desa: MachineId = "desa-1".parse().unwrap();
        for number in 0..=u8::MAX {
            put_off.job(job(number), desa.clone(), start);
        }
        assert_eq!(put_off.at(start).0, vec![]);
        let one_more = JobId::from_parts(1_790_000_000_001, [0; 10]);
        put_off.job(one_more, desa.clone(), start);
        let (machines, jobs) = put_off.at(start);
        assert_eq!((machines, jobs.len()), (vec![desa], MAX_JOBS));
    }
}

//! What a station accounts for, and what central accounts for of it, once all that was said has arrived.

use std::collections::{BTreeMap, BTreeSet};

use loket_domain::account::{Facts, Known, Of, day, known_by_events, known_by_history};
use loket_domain::dispatch::{Change, LocalDay};
use loket_domain::print::Event;
use loket_wire::{Class, JobId, Service, Zone};

use super::World;
use crate::central::{Kept, machine_id};
use crate::machine::{Machine, revision_of};

/// The office's zone.
const ZONE: Zone = Zone::Wit;

impl World {
    /// Whoever is asked gives the same account of each day, and each document counts on one of them. But for a job of
    /// which central concluded that it was lost: what its machine says of it then is about a copy (docs/adr/0017), and
    /// central's account asks for the sheet until a person answers.
    pub(crate) fn check_accounts(&self) {
        for (no, machine) in self.machines.iter().enumerate() {
            let kept = self.central.jobs.values();
            let (lost, there): (Vec<&Kept>, Vec<&Kept>) = kept
                .filter(|kept| kept.machine_no == no)
                .partition(|kept| was_lost(kept));
            let lost: BTreeSet<JobId> = lost.iter().map(|kept| kept.job.id).collect();
            let there: Vec<Known> = there.into_iter().map(of_central).collect();
            let mut here = of_station(machine);
            here.retain(|known| !lost.contains(&known.job_id));
            let mut settled = 0;
            for on in days(here.iter().chain(&there)) {
                let of = Of {
                    machine: machine_id(no),
                    day: on,
                    zone: ZONE,
                };
                let station = day(&of, &here).unwrap();
                let central = day(&of, &there).unwrap();
                assert_eq!(station, central, "two accounts of {on}");
                settled += station.totals.settled;
            }
            let ended = here.iter().filter(|known| {
                let last = known.steps.last();
                last.is_some_and(|step| step.state.is_end())
            });
            assert_eq!(usize::try_from(settled).unwrap(), ended.count());
        }
    }
}

/// Each day on which something was reported.
fn days<'a>(known: impl Iterator<Item = &'a Known>) -> BTreeSet<LocalDay> {
    let steps = known.flat_map(|known| &known.steps);
    steps
        .map(|step| LocalDay::of(step.at, ZONE.utc_offset_minutes()))
        .collect()
}

fn was_lost(kept: &Kept) -> bool {
    let mut said = kept.history.iter();
    said.any(|said| said.change == Change::Lost)
}

fn of_station(machine: &Machine) -> Vec<Known> {
    let mut streams: BTreeMap<JobId, Vec<Event>> = BTreeMap::new();
    for event in &machine.disk.events {
        streams.entry(event.job_id).or_default().push(event.clone());
    }
    let known = streams.values().map(|events| known_by_events(events));
    known.map(|known| known.unwrap().unwrap()).collect()
}

fn of_central(kept: &Kept) -> Known {
    let job = &kept.job;
    let local = job.local.clone();
    let facts = Facts {
        job_id: job.id,
        machine: job.machine.clone(),
        reference: local
            .as_ref()
            .map_or_else(|| "KK-1".parse().unwrap(), |it| it.reference.clone()),
        service: Service::new("kk").unwrap(),
        class: Class::Controlled,
        reprint_of: None,
        page_count: local.is_none().then(|| revision_of(job.id).page_count),
        local,
    };
    known_by_history(&facts, &kept.history)
}

//! What a page's address asks for: a view, what narrows it, and where in the list it begins.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use loket_store::{JobCursor, JobFilter, JobPage, Search, Store, StoreError};
use loket_wire::{JobState, MachineId, OfficeId, Zone};
use serde::Deserialize;

use super::view::{Times, View};
use crate::problem::{Code, Problem};
use crate::web::job_query::{by_id, by_reference, cursor, cursor_text, day, state};

/// Pages of machines that an address may name: a regency has a few hundred machines.
const MAX_MACHINE_PAGE: u32 = 1_000;

/// The address's query. A form sends every field, so an empty one is none.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct Words {
    #[serde(default)]
    lihat: View,
    /// What somebody looks for: a reference's beginning, a job's number or its id.
    #[serde(default)]
    cari: String,
    #[serde(default)]
    mesin: String,
    #[serde(default)]
    kantor: String,
    #[serde(default)]
    keadaan: String,
    #[serde(default)]
    hari: String,
    #[serde(default)]
    sebelum: String,
    #[serde(default)]
    halaman: u32,
}

/// A query that is understood. It may hold somebody's own text, so it has no `Debug`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::web) struct Asked {
    pub(super) view: View,
    pub(super) text: String,
    pub(super) machine: Option<MachineId>,
    pub(super) office: Option<OfficeId>,
    pub(super) state: Option<JobState>,
    /// `YYYY-MM-DD` in central's zone.
    pub(super) day: String,
    /// The place in the list where the page begins, as the address has it.
    before: Option<String>,
    /// Which page of the machines; the first is 0.
    pub(super) machine_page: u32,
}

impl Asked {
    pub(super) fn read(query: Result<Query<Words>, QueryRejection>) -> Result<Self, Problem> {
        let malformed = || Problem::new(Code::QueryMalformed);
        let Query(words) = query.map_err(|_ignored| malformed())?;
        let filled = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let machine = filled(&words.mesin).map(|text| text.parse()).transpose();
        let office = filled(&words.kantor).map(|text| text.parse()).transpose();
        let before = filled(&words.sebelum);
        if before.as_deref().is_some_and(|text| cursor(text).is_none()) {
            return Err(malformed());
        }
        let state = match filled(&words.keadaan) {
            None => None,
            Some(word) => Some(state(&word).ok_or_else(malformed)?),
        };
        let asked = Self {
            view: words.lihat,
            text: filled(&words.cari).unwrap_or_default(),
            machine: machine.map_err(|_ignored| malformed())?,
            office: office.map_err(|_ignored| malformed())?,
            state,
            day: filled(&words.hari).unwrap_or_default(),
            before,
            machine_page: words.halaman.min(MAX_MACHINE_PAGE),
        };
        asked.searches()?;
        if !asked.day.is_empty() {
            day(&asked.day, Zone::Wib)?;
        }
        Ok(asked)
    }

    pub(super) fn before(&self) -> Option<JobCursor> {
        self.before.as_deref().and_then(cursor)
    }

    /// Whether something is looked for, or the list narrowed beyond a machine.
    pub(super) const fn is_search(&self) -> bool {
        !self.text.is_empty()
            || !self.day.is_empty()
            || self.office.is_some()
            || self.state.is_some()
    }

    /// Whether it is the front page, with what needs a person first. Its list's later pages are lists alone: what
    /// needs a person is not looked up for them, so nothing may be said of it.
    pub(super) const fn is_front(&self) -> bool {
        matches!(self.view, View::Depan)
            && self.machine.is_none()
            && self.before.is_none()
            && !self.is_search()
    }

    /// What the text may mean, likeliest first: an id or a number is hardly ever a reference.
    fn searches(&self) -> Result<Vec<Option<Search>>, Problem> {
        if self.text.is_empty() {
            return Ok(vec![None]);
        }
        let id = by_id(&self.text);
        let start = format!("{}*", self.text.trim_end_matches('*'));
        match (id, by_reference(&start)) {
            (Some(Search::Id(id)), _any) => Ok(vec![Some(Search::Id(id))]),
            (id, Ok(reference)) => Ok(id.into_iter().chain([reference]).map(Some).collect()),
            (Some(id), Err(_no_reference)) => Ok(vec![Some(id)]),
            (None, Err(problem)) => Err(problem),
        }
    }

    /// The jobs asked for, at most `limit`; days begin at midnight of `zone`.
    pub(super) fn jobs(
        &self,
        store: &dyn Store,
        times: Times,
        zone: Zone,
        limit: u32,
    ) -> Result<JobPage, StoreError> {
        let viewed = self.view.filter(times);
        let taken = Some(&self.day).filter(|day| !day.is_empty());
        let mut filter = JobFilter {
            machine: self.machine.clone(),
            office: self.office.clone(),
            taken: taken.and_then(|text| day(text, zone).ok()),
            before: self.before(),
            limit,
            ..viewed
        };
        if let Some(state) = self.state {
            filter.states = vec![state];
        }
        let mut page = JobPage {
            jobs: Vec::new(),
            next: None,
        };
        for search in self.searches().unwrap_or_default() {
            filter.search = search;
            page = store.jobs(&filter)?;
            if !page.jobs.is_empty() {
                break;
            }
        }
        Ok(page)
    }

    /// The same view as an address, from `next` on. Nothing in it needs escaping: every text is of a kind that has
    /// letters, digits, dots and dashes alone.
    pub(super) fn address(&self, next: Option<&JobCursor>) -> String {
        let mut address = format!("/?lihat={}", self.view.word());
        let mut add = |name: &str, value: &str| {
            if !value.is_empty() {
                address.push_str(&format!("&{name}={value}"));
            }
        };
        add("cari", self.text.trim_end_matches('*'));
        add("mesin", self.machine.as_ref().map_or("", MachineId::as_str));
        add("kantor", self.office.as_ref().map_or("", OfficeId::as_str));
        add("keadaan", self.state.map_or("", JobState::as_str));
        add("hari", &self.day);
        add("sebelum", &next.map(cursor_text).unwrap_or_default());
        address
    }

    /// The same view at a page of the machines.
    pub(super) fn machine_address(&self, page: u32) -> String {
        format!("/?lihat={}&halaman={page}", self.view.word())
    }

    /// Where its live part is fetched.
    pub(super) fn live_address(&self) -> String {
        let mut address = self.address(self.before().as_ref());
        if self.machine_page > 0 {
            address = self.machine_address(self.machine_page);
        }
        address.replacen("/?", "/console/live?", 1)
    }
}

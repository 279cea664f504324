//! The fields that jobs are searched by, filled with what is searched for.

use loket_wire::JobState;

use super::asked::Asked;
use crate::clock::now;
use crate::office::Office;
use crate::words;

/// Machines and offices offered for choice; more are typed.
const MAX_CHOICES: usize = 1_000;

/// The form above the list of jobs.
pub(super) struct SearchForm {
    pub(super) text: String,
    pub(super) machine: String,
    pub(super) machines: Vec<String>,
    pub(super) offices: Vec<Choice>,
    pub(super) states: Vec<Choice>,
    pub(super) day: String,
    /// Whether something is filled in.
    pub(super) is_filled: bool,
}

/// One of several.
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) word: String,
    pub(super) is_chosen: bool,
}

impl SearchForm {
    /// The form for what is asked. Blocks.
    pub(super) fn new(office: &Office, asked: &Asked) -> Self {
        let offices = office.offices.current();
        let offices = offices
            .present(now())
            .take(MAX_CHOICES)
            .map(|place| Choice {
                value: place.id.to_string(),
                word: place.name.clone(),
                is_chosen: asked.office.as_ref() == Some(&place.id),
            });
        let mut offices: Vec<_> = offices.collect();
        offices.sort_by(|one, two| one.word.cmp(&two.word));
        let states = JobState::ALL.into_iter().map(|state| Choice {
            value: state.as_str().to_owned(),
            word: words::job_state(state).0.to_owned(),
            is_chosen: asked.state == Some(state),
        });
        let machines = office.machines.names().unwrap_or_else(|error| {
            tracing::warn!(%error, "machines not listed for the search");
            Vec::new()
        });
        let machines = machines.iter().take(MAX_CHOICES);
        Self {
            text: asked.text.clone(),
            machine: asked
                .machine
                .as_ref()
                .map_or_else(String::new, ToString::to_string),
            machines: machines.map(ToString::to_string).collect(),
            offices,
            states: states.collect(),
            day: asked.day.clone(),
            is_filled: asked.is_search() || asked.machine.is_some(),
        }
    }
}

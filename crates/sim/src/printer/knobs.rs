//! The faults of a simulated printer, settable at start and while it runs.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::config::SimError;
use super::format::Format;
use super::stock::{Dialect, SimSupply, SimTray};

/// What a printer remembers of its jobs when its power fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Memory {
    /// Everything; an interrupted job goes on at the sheet it was at.
    #[default]
    Keep,
    /// Nothing, and numbers its jobs from 1 again (measured: ippeveprinter).
    ForgetRestartIds,
    /// Nothing, but goes on numbering (measured: PAPPL).
    ForgetKeepIds,
}

/// What a printer says in `job-impressions-completed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Impressions {
    /// What came out.
    #[default]
    Honest,
    /// Nothing: the attribute is not there.
    Absent,
    /// 0, whatever came out.
    Zero,
    /// One more than came out.
    OneMore,
}

/// Names replies by what they answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Replies {
    /// Replies to Create-Job.
    CreateJob,
    /// Replies to Send-Document and Print-Job.
    SendDocument,
    /// Replies to Cancel-Job.
    CancelJob,
    /// Replies to Get-Job-Attributes and Get-Jobs.
    GetJobs,
    /// Replies to Get-Printer-Attributes.
    GetPrinterAttributes,
    /// All replies.
    All,
}

/// One reply for all operations of a kind, as long as the knob stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FixedReply {
    /// What gets it.
    pub to: Replies,
    /// What it says.
    #[serde(flatten)]
    pub says: Says,
    /// The printer acts first, and says this all the same.
    #[serde(default)]
    pub acts: bool,
}

/// What a fixed reply says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Says {
    /// This IPP status, for instance 1280 for 0x0500.
    IppStatus(u16),
    /// This HTTP status, without a body.
    HttpStatus(u16),
}

/// A `job-state` that a printer tells of every job, whatever is true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClaimedState {
    /// 3.
    Pending,
    /// 5.
    Processing,
    /// 7.
    Canceled,
    /// 8.
    Aborted,
    /// 9.
    Completed,
}

impl ClaimedState {
    pub(crate) fn code(self) -> i32 {
        match self {
            Self::Pending => 3,
            Self::Processing => 5,
            Self::Canceled => 7,
            Self::Aborted => 8,
            Self::Completed => 9,
        }
    }
}

/// The knobs; the defaults are a printer without faults.
///
/// `POST /control` takes any of them as JSON and leaves the others as they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Knobs {
    /// Milliseconds that each sheet takes.
    pub delay_ms: u32,
    /// Sheets left in the tray, counted down; none for a tray that never empties.
    pub paper: Option<u32>,
    /// Sheets until the next jam, counted down; at 0 the printer is jammed until it is set anew.
    pub jam_after: Option<u32>,
    /// The door stands open: nothing prints.
    pub door_open: bool,
    /// Closes the connection after so many bytes of a document; what came is thrown away.
    pub stop_after_bytes: Option<u64>,
    /// Takes no new jobs.
    pub refuse: bool,
    /// Takes no new job while another has not ended (measured: ippeveprinter).
    pub busy: bool,
    /// Closes each IPP connection without an answer.
    pub offline: bool,
    /// Acts, but loses its answer.
    pub lose_reply: Option<Replies>,
    /// Says the same to each request of a kind.
    pub reply: Option<FixedReply>,
    /// Leaves these job template attributes out of account, and says so.
    pub ignores: Vec<String>,
    /// What it remembers when its power fails.
    pub memory: Memory,
    /// Says completed, though nothing came out.
    pub completes_without_paper: bool,
    /// Says this of every job it is asked about.
    pub claims: Option<ClaimedState>,
    /// Says that it is idle and has no trouble, whatever is true.
    pub hides_faults: bool,
    /// What it says of the sides that came out.
    pub impressions: Impressions,
    /// Takes a second document for the same job, and prints it.
    pub multiple_document_jobs: bool,
    /// Has Print-Job alone: no Create-Job, Send-Document and Close-Job (older printers).
    pub print_job_only: bool,
    /// The formats it takes, the first where a client names none; other bytes are refused, not guessed at.
    pub formats: Vec<Format>,
    /// Bears this `printer-uuid` in place of its own, as another device at the same address does.
    pub uuid: Option<Uuid>,
    /// Its trays, from which it takes sheets in this order; without any it has one that `paper` counts.
    pub trays: Vec<SimTray>,
    /// Its supplies, which go down with what comes out.
    pub supplies: Vec<SimSupply>,
    /// How it tells of both.
    pub dialect: Dialect,
}

/// Fast enough for demo and tests, slow enough that a job is seen at work.
const DELAY_MS: u32 = 20;

impl Default for Knobs {
    fn default() -> Self {
        Self {
            delay_ms: DELAY_MS,
            paper: None,
            jam_after: None,
            door_open: false,
            stop_after_bytes: None,
            refuse: false,
            busy: false,
            offline: false,
            lose_reply: None,
            reply: None,
            ignores: Vec::new(),
            memory: Memory::default(),
            completes_without_paper: false,
            claims: None,
            hides_faults: false,
            impressions: Impressions::default(),
            multiple_document_jobs: false,
            print_job_only: false,
            formats: Format::USUAL.to_vec(),
            uuid: None,
            trays: Vec::new(),
            supplies: vec![SimSupply::default()],
            dialect: Dialect::default(),
        }
    }
}

impl Knobs {
    /// The knobs after a change, given as a JSON object of those that change.
    ///
    /// # Errors
    /// [`SimError::Knob`] where one is unknown or has a value it cannot have.
    pub fn turned(&self, change: &[u8]) -> Result<Self, SimError> {
        let change: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(change)?;
        let mut all = serde_json::to_value(self)?;
        if let Some(all) = all.as_object_mut() {
            all.extend(change);
        }
        Ok(serde_json::from_value(all)?)
    }

    /// Why the printer cannot pull a sheet, as keywords of `printer-state-reasons`.
    pub(crate) fn faults(&self) -> Vec<&'static str> {
        let faults = [
            (self.door_open, "door-open"),
            (self.jam_after == Some(0), "media-jam"),
            (!self.has_paper(), "media-empty"),
            (self.is_dry(), "toner-empty"),
        ];
        faults
            .into_iter()
            .filter_map(|(there, keyword)| there.then_some(keyword))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_leaves_the_other_knobs_as_they_are() {
        let knobs = Knobs {
            door_open: true,
            paper: Some(0),
            ..Knobs::default()
        };
        let turned = knobs
            .turned(br#"{"paper": 5, "memory": "forget-restart-ids"}"#)
            .unwrap();
        let memory = Memory::ForgetRestartIds;
        assert_eq!(
            turned,
            Knobs {
                paper: Some(5),
                memory,
                ..knobs
            }
        );
        assert_eq!(turned.turned(br#"{"paper": null}"#).unwrap().paper, None);
    }

    #[test]
    fn an_unknown_knob_is_refused() {
        assert!(Knobs::default().turned(br#"{"papers": 5}"#).is_err());
        assert!(Knobs::default().turned(b"[]").is_err());
        let reply = br#"{"reply": {"to": "create-job"}}"#;
        assert!(Knobs::default().turned(reply).is_err());
    }
}

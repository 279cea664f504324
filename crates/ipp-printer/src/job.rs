//! What is asked of a job, and what the printer says about it.

use ipp::attribute::IppAttributeGroup;
use ipp::value::{IppKeyword, IppName, IppValue};

use crate::attributes::{count, integer, text, texts};
use crate::error::{Garbage, IppError};
use crate::message::Request;

/// The self-describing name of A4 (PWG 5101.1).
const A4: &str = "iso_a4_210x297mm";

/// A4 in hundredths of a millimetre, as `media-size` counts (PWG 5100.7 section 6.3.17).
const A4_X_DIMENSION: i32 = 21_000;
const A4_Y_DIMENSION: i32 = 29_700;

/// Plain office paper (PWG 5100.7 section 6.3.18).
const STATIONERY: &str = "stationery";

/// Says how the paper is asked for; a request may hold only one of the two forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Media {
    /// `media-col` with size and type: A4 stationery. For printers that list `media-col` in
    /// `media-col-supported` or `job-creation-attributes-supported`.
    #[default]
    Collection,
    /// `media` by its keyword: A4, of whatever type the tray holds. For the older ones.
    Keyword,
}

/// Describes a job to create: one copy, one side, A4 stationery, nothing scaled.
///
/// Unless [`is_binding`](Self::is_binding), a printer which knows one of them not ignores it and
/// says so in [`CreatedJob::unsupported`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewJob<'a> {
    /// The `job-name`, by which a job can be found again; at most 255 bytes, no personal data.
    pub name: &'a str,
    /// How the paper is asked for.
    pub media: Media,
    /// Whether a printer that cannot honour it all shall refuse the job, `ipp-attribute-fidelity` (RFC 8011 section
    /// 4.2.1.1). One side is not asked for then: a printer that has one side alone need not know the word.
    pub is_binding: bool,
}

impl<'a> NewJob<'a> {
    /// A job of this name.
    #[must_use]
    pub fn new(name: &'a str) -> Self {
        Self {
            name,
            media: Media::default(),
            is_binding: false,
        }
    }

    pub(crate) fn write(&self, request: &mut Request) -> Result<(), IppError> {
        request
            .operation(
                "job-name",
                IppValue::new_name_without_language(self.name).ok(),
            )?
            .operation(
                "ipp-attribute-fidelity",
                Some(IppValue::Boolean(self.is_binding)),
            )?
            .job("copies", Some(IppValue::Integer(1)))?
            .job("print-scaling", IppValue::new_keyword("none").ok())?;
        if !self.is_binding {
            request.job("sides", IppValue::new_keyword("one-sided").ok())?;
        }
        match self.media {
            Media::Collection => request.job("media-col", a4_stationery())?,
            Media::Keyword => request.job("media", IppValue::new_keyword(A4).ok())?,
        };
        Ok(())
    }
}

fn a4_stationery() -> Option<IppValue> {
    let member = |name: &str, value: IppValue| Some((IppName::new(name).ok()?, value));
    let size = [
        member("x-dimension", IppValue::Integer(A4_X_DIMENSION))?,
        member("y-dimension", IppValue::Integer(A4_Y_DIMENSION))?,
    ];
    let media = [
        member("media-size", IppValue::Collection(size.into()))?,
        member(
            "media-type",
            IppValue::Keyword(IppKeyword::new(STATIONERY).ok()?),
        )?,
    ];
    Some(IppValue::Collection(media.into()))
}

/// Chooses among the jobs a printer remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhichJobs {
    /// Pending, held, processing and stopped ones.
    NotCompleted,
    /// Completed, canceled and aborted ones.
    Completed,
}

impl WhichJobs {
    pub(crate) fn keyword(self) -> &'static str {
        match self {
            Self::NotCompleted => "not-completed",
            Self::Completed => "completed",
        }
    }
}

/// The state of a job.
///
/// # Source
/// RFC 8011 section 5.3.7.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// 3: waiting for its turn.
    Pending,
    /// 4: waiting for something else, for instance its document.
    PendingHeld,
    /// 5: being processed.
    Processing,
    /// 6: halted in the middle, for instance without paper.
    ProcessingStopped,
    /// 7: canceled by somebody.
    Canceled,
    /// 8: given up by the printer.
    Aborted,
    /// 9: done, as the printer says.
    Completed,
    /// A value that RFC 8011 does not know.
    Other(i32),
}

impl JobState {
    /// The state of this enum value.
    #[must_use]
    pub fn from_code(code: i32) -> Self {
        match code {
            3 => Self::Pending,
            4 => Self::PendingHeld,
            5 => Self::Processing,
            6 => Self::ProcessingStopped,
            7 => Self::Canceled,
            8 => Self::Aborted,
            9 => Self::Completed,
            other => Self::Other(other),
        }
    }

    /// True where the state never changes again.
    #[must_use]
    pub fn is_final(self) -> bool {
        match self {
            Self::Canceled | Self::Aborted | Self::Completed => true,
            Self::Pending
            | Self::PendingHeld
            | Self::Processing
            | Self::ProcessingStopped
            | Self::Other(_) => false,
        }
    }
}

/// What the printer answered to Create-Job or Print-Job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedJob {
    /// The printer's number of the job; printers that forget begin at 1 again.
    pub id: i32,
    /// `urn:uuid:…`, where the printer has one: what tells two jobs of one number apart.
    pub uuid: Option<String>,
    /// The job's own address, where the printer says one.
    pub uri: Option<String>,
    /// The job's state.
    pub state: JobState,
    /// Why it is in this state, as keywords.
    pub state_reasons: Vec<String>,
    /// Names of the attributes that the printer ignored or replaced; see
    /// [`ignored`](Self::ignored).
    pub unsupported: Vec<String>,
}

/// What a job asks for that shows on the sheet, or in how many sheets there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// One copy: `copies`.
    Copies,
    /// One side: `sides`.
    Sides,
    /// Nothing scaled: `print-scaling`.
    Scaling,
    /// A4 stationery: `media`, `media-col` or a member of it.
    Media,
}

impl Asked {
    /// What the attribute of this name asks for; none for names that no job of this crate uses.
    fn of(name: &str) -> Option<Self> {
        match name {
            "copies" => Some(Self::Copies),
            "sides" => Some(Self::Sides),
            "print-scaling" => Some(Self::Scaling),
            "media" | "media-col" | "media-size" | "media-size-name" | "media-type" => {
                Some(Self::Media)
            }
            _ => None,
        }
    }
}

impl CreatedJob {
    /// What of the job the printer ignored or replaced, in the order in which it said so.
    #[must_use]
    pub fn ignored(&self) -> Vec<Asked> {
        self.unsupported
            .iter()
            .filter_map(|name| Asked::of(name))
            .collect()
    }
}

/// What the printer says about a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobAttributes {
    /// The printer's number of the job.
    pub id: i32,
    /// `urn:uuid:…`, where the printer has one.
    pub uuid: Option<String>,
    /// The `job-name`, where the answer holds it.
    pub name: Option<String>,
    /// The job's own address.
    pub uri: Option<String>,
    /// The job's state.
    pub state: JobState,
    /// Why it is in this state, as keywords.
    pub state_reasons: Vec<String>,
    /// Sides of pages that the job has, where the printer counts them.
    pub impressions: Option<u32>,
    /// Sides of pages that came out, where the printer counts them.
    pub impressions_completed: Option<u32>,
    /// Sheets that came out, where the printer counts them.
    pub media_sheets_completed: Option<u32>,
    /// Seconds since the printer started, where the answer holds `job-printer-up-time`.
    pub printer_up_time_s: Option<u32>,
    /// `time-at-creation`: when the job was made, on the clock of `printer-up-time`; 0 or less where the printer started
    /// since.
    pub created_at_s: Option<i32>,
    /// The name under which the job was made: tells it from a neighbour's where a printer lists everybody's.
    pub originating_user_name: Option<String>,
}

/// The attributes asked for of each job.
pub(crate) const REQUESTED: &[&str] = &[
    "job-id",
    "job-uuid",
    "job-uri",
    "job-name",
    "job-state",
    "job-state-reasons",
    "job-impressions",
    "job-impressions-completed",
    "job-media-sheets-completed",
    "job-printer-up-time",
    "time-at-creation",
    "job-originating-user-name",
];

impl JobAttributes {
    pub(crate) fn read(group: &IppAttributeGroup) -> Result<Self, Garbage> {
        let id = integer(group, "job-id").ok_or(Garbage::Attribute("job-id"))?;
        let state = integer(group, "job-state").ok_or(Garbage::Attribute("job-state"))?;
        Ok(Self {
            id,
            uuid: text(group, "job-uuid"),
            name: text(group, "job-name"),
            uri: text(group, "job-uri"),
            state: JobState::from_code(state),
            state_reasons: texts(group, "job-state-reasons"),
            impressions: count(group, "job-impressions"),
            impressions_completed: count(group, "job-impressions-completed"),
            media_sheets_completed: count(group, "job-media-sheets-completed"),
            printer_up_time_s: count(group, "job-printer-up-time"),
            created_at_s: integer(group, "time-at-creation"),
            originating_user_name: text(group, "job-originating-user-name"),
        })
    }

    pub(crate) fn into_created(self, unsupported: Vec<String>) -> CreatedJob {
        CreatedJob {
            id: self.id,
            uuid: self.uuid,
            uri: self.uri,
            state: self.state,
            state_reasons: self.state_reasons,
            unsupported,
        }
    }
}

//! What the printer says about itself.

use std::collections::BTreeSet;

use ipp::attribute::IppAttributeGroup;

use crate::attributes::{boolean, count, integer, integers, text, texts};
use crate::error::{Garbage, Operation};
use crate::job::Media;
use crate::raster::Rasters;
use crate::supply::{self, Supplies};

/// The state of the printer.
///
/// # Source
/// RFC 8011 section 5.4.11.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrinterState {
    /// 3: ready, nothing to do.
    Idle,
    /// 4: at work.
    Processing,
    /// 5: cannot go on without help.
    Stopped,
    /// A value that RFC 8011 does not know.
    Other(i32),
}

impl PrinterState {
    fn from_code(code: i32) -> Self {
        match code {
            3 => Self::Idle,
            4 => Self::Processing,
            5 => Self::Stopped,
            other => Self::Other(other),
        }
    }
}

/// How grave the printer holds a reason to be. Many derive it from their state, so that the same
/// fault reads `report` when idle and `error` when stopped: never alarm on it alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// `-report`: worth knowing.
    Report,
    /// `-warning`: needs a look soon.
    Warning,
    /// `-error`, or no suffix, which means the same: printing stops.
    Error,
}

/// One reason for the printer's state: the keyword without its suffix, and the suffix.
///
/// # Source
/// RFC 8011 section 5.4.12.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateReason {
    /// The keyword, for instance `media-empty`; unknown ones pass through as they are.
    pub keyword: String,
    /// How grave the printer holds it to be.
    pub severity: Severity,
}

impl StateReason {
    /// Splits a value of `printer-state-reasons`; `none` is no reason.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        if value == "none" || value.is_empty() {
            return None;
        }
        let suffixes = [
            ("-report", Severity::Report),
            ("-warning", Severity::Warning),
            ("-error", Severity::Error),
        ];
        let split = suffixes.into_iter().find_map(|(suffix, severity)| {
            let keyword = value
                .strip_suffix(suffix)
                .filter(|keyword| !keyword.is_empty())?;
            Some((keyword, severity))
        });
        let (keyword, severity) = split.unwrap_or((value, Severity::Error));
        Some(Self {
            keyword: keyword.to_owned(),
            severity,
        })
    }
}

/// The operations a printer says it supports.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Operations(BTreeSet<u16>);

impl Operations {
    /// True where the printer supports this one.
    #[must_use]
    pub fn supports(&self, operation: Operation) -> bool {
        self.0.contains(&operation.code())
    }

    /// True where a job can be created first and given its document afterwards.
    #[must_use]
    pub fn create_job(&self) -> bool {
        self.supports(Operation::CreateJob) && self.supports(Operation::SendDocument)
    }

    /// The codes, ascending.
    pub fn codes(&self) -> impl Iterator<Item = u16> {
        self.0.iter().copied()
    }
}

/// What the printer says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrinterAttributes {
    /// `printer-name`.
    pub name: Option<String>,
    /// `printer-make-and-model`.
    pub make_and_model: Option<String>,
    /// `printer-uuid`: `urn:uuid:…`, the same for ever.
    pub uuid: Option<String>,
    /// The printer's state.
    pub state: PrinterState,
    /// Why it is in this state; empty where all is well.
    pub state_reasons: Vec<StateReason>,
    /// Seconds since the printer started: when it goes down, the printer may have forgotten.
    pub up_time_s: Option<u32>,
    /// `printer-up-time` when the state last changed.
    pub state_change_time_s: Option<u32>,
    /// False where the printer refuses new jobs, or does not say.
    pub is_accepting_jobs: bool,
    /// Jobs that are neither completed, canceled nor aborted.
    pub queued_job_count: Option<u32>,
    /// `document-format-supported`, as media types.
    pub formats: Vec<String>,
    /// What it says about rasters, for where there is no format that it draws itself.
    pub rasters: Rasters,
    /// True where a job takes several documents: then a second Send-Document prints again.
    pub multiple_document_jobs_supported: Option<bool>,
    /// Seconds that a job without a document is kept, as the printer says; not all keep to it.
    pub multiple_operation_time_out_s: Option<u32>,
    /// The operations it supports.
    pub operations: Operations,
    /// How it wants its paper asked for.
    pub media: Media,
    /// `media-ready`, as keywords.
    pub media_ready: Vec<String>,
    /// Sides of pages printed since the printer was made (PWG 5100.22); rare.
    pub impressions_completed: Option<u32>,
    /// Toner, ink, paper and the like.
    pub supplies: Supplies,
}

/// `printer-uuid`, where the printer has one.
pub(crate) fn uuid(group: &IppAttributeGroup) -> Option<String> {
    text(group, "printer-uuid")
}

/// The attributes asked for: those read below, and nothing that makes a slow printer slower.
pub(crate) const REQUESTED: &[&str] = &[
    "printer-name",
    "printer-make-and-model",
    "printer-uuid",
    "printer-state",
    "printer-state-reasons",
    "printer-up-time",
    "printer-state-change-time",
    "printer-is-accepting-jobs",
    "queued-job-count",
    "document-format-supported",
    "color-supported",
    "pwg-raster-document-resolution-supported",
    "pwg-raster-document-type-supported",
    "pwg-raster-document-sheet-back",
    "urf-supported",
    "multiple-document-jobs-supported",
    "multiple-operation-time-out",
    "operations-supported",
    "media-col-supported",
    "media-ready",
    "printer-impressions-completed",
    "printer-supply",
    "printer-supply-description",
    "marker-names",
    "marker-types",
    "marker-colors",
    "marker-levels",
    "marker-low-levels",
    "printer-input-tray",
];

impl PrinterAttributes {
    pub(crate) fn read(group: &IppAttributeGroup) -> Result<Self, Garbage> {
        let state = integer(group, "printer-state").ok_or(Garbage::Attribute("printer-state"))?;
        let reasons = texts(group, "printer-state-reasons");
        let codes = integers(group, "operations-supported");
        let media_col = texts(group, "media-col-supported");
        let has_media_col = media_col.iter().any(|member| member == "media-size");
        Ok(Self {
            name: text(group, "printer-name"),
            make_and_model: text(group, "printer-make-and-model"),
            uuid: uuid(group),
            state: PrinterState::from_code(state),
            state_reasons: reasons
                .iter()
                .filter_map(|value| StateReason::parse(value))
                .collect(),
            up_time_s: count(group, "printer-up-time"),
            state_change_time_s: count(group, "printer-state-change-time"),
            is_accepting_jobs: boolean(group, "printer-is-accepting-jobs").unwrap_or(false),
            queued_job_count: count(group, "queued-job-count"),
            formats: texts(group, "document-format-supported"),
            rasters: Rasters::read(group),
            multiple_document_jobs_supported: boolean(group, "multiple-document-jobs-supported"),
            multiple_operation_time_out_s: count(group, "multiple-operation-time-out"),
            operations: Operations(codes.into_iter().flat_map(u16::try_from).collect()),
            media: if has_media_col {
                Media::Collection
            } else {
                Media::Keyword
            },
            media_ready: texts(group, "media-ready"),
            impressions_completed: count(group, "printer-impressions-completed"),
            supplies: supply::read(group),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(keyword: &str, severity: Severity) -> Option<StateReason> {
        Some(StateReason {
            keyword: keyword.to_owned(),
            severity,
        })
    }

    #[test]
    fn a_reason_is_its_keyword_without_the_suffix() {
        assert_eq!(
            StateReason::parse("media-empty-warning"),
            reason("media-empty", Severity::Warning)
        );
        assert_eq!(
            StateReason::parse("media-jam"),
            reason("media-jam", Severity::Error)
        );
        assert_eq!(
            StateReason::parse("com.maker-odd-report"),
            reason("com.maker-odd", Severity::Report)
        );
        assert_eq!(
            StateReason::parse("-error"),
            reason("-error", Severity::Error)
        );
        assert_eq!(StateReason::parse("none"), None);
    }
}

//! What officers ask a page about a day.

use loket_domain::dispatch::LocalDay;
use loket_kiosk_ui::ports::{Answer, DayAnswer, DayDesk, DayQuestion};
use loket_kiosk_ui::words::Trouble;

use super::control::officer_name;
use super::print::{ReportDesk, ReportError};
use crate::telemetry::chain;

/// Accounts for this station's days.
#[derive(Debug)]
pub(crate) struct OfficeDays {
    pub(crate) desk: ReportDesk,
    /// The office's name, where the settings have it.
    pub(crate) office: Option<String>,
}

impl DayDesk for OfficeDays {
    fn today(&self) -> Answer<'_, LocalDay> {
        let offset_minutes = self.desk.zone.utc_offset_minutes();
        let today = LocalDay::of(self.desk.clock.now().wall, offset_minutes);
        Box::pin(std::future::ready(today))
    }

    fn day(&self, question: DayQuestion) -> Answer<'_, Result<DayAnswer, Trouble>> {
        Box::pin(async move {
            officer_name(&question.by).ok_or(Trouble::PaperName)?;
            let report = self.desk.day(question.day).await;
            let report = report.map_err(|error| match error {
                ReportError::Day(_too_many) => Trouble::ReportTooLong,
                ReportError::Journal(_) => {
                    tracing::error!(error = %chain(&error), "a day could not be accounted for");
                    Trouble::ReportNotMade
                }
            })?;
            let machine = || self.desk.machine.to_string();
            Ok(DayAnswer {
                office: self.office.clone().unwrap_or_else(machine),
                made_at: report.made_at,
                clock_trusted: report.clock_trusted,
                day: report.day,
            })
        })
    }
}

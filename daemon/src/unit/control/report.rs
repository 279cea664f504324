//! What officers ask at the door about a day.

use loket_domain::account::DayError;
use loket_domain::dispatch::LocalDay;

use super::{Door, Response, troubled};
use crate::telemetry::chain;
use crate::trouble::Trouble;
use crate::unit::print::ReportError;

impl Door {
    /// Accounts for a day of the office.
    pub(super) async fn account_for(&self, day: LocalDay) -> Response {
        match self.report.day(day).await {
            Ok(report) => Response::Report(Box::new(report)),
            Err(error) => troubled(of_report(&error)),
        }
    }
}

/// Why there is no account, for a person; what someone must mend is in the log.
pub(crate) fn of_report(error: &ReportError) -> Trouble {
    match error {
        ReportError::Day(DayError::TooMany { .. }) => Trouble::ReportTooLong,
        ReportError::Journal(_) => {
            tracing::error!(error = %chain(error), "a day could not be accounted for");
            Trouble::ReportNotMade
        }
    }
}

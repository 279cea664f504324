//! What officers ask at the door about sheets of paper: doubted ones, and the records of those that were printed.

use loket_domain::print::Actor;
use loket_kiosk_ui::ports::PaperQuestion;
use loket_spool::SpoolError;
use loket_wire::JobId;
use zeroize::Zeroizing;

use super::{Door, RecordCount, Response, officer_name, troubled};
use crate::blocking::blocking;
use crate::telemetry::chain;
use crate::trouble::Trouble;

impl Door {
    /// Holds a sheet against its record, in the name of `by`.
    pub(super) async fn paper(
        &self,
        scan: Zeroizing<Vec<u8>>,
        job: Option<JobId>,
        by: Actor,
    ) -> Response {
        let Some(desk) = &self.paper else {
            return troubled(Trouble::PaperAlone);
        };
        let Actor::Officer(by) = by else {
            return troubled(Trouble::OfficerName);
        };
        match desk.ask(PaperQuestion { scan, job, by }, false).await {
            Ok(answer) => Response::Paper(Box::new(answer.report)),
            Err(fault) => {
                fault.tell();
                let (code, message) = fault.at_door();
                Response::Error {
                    code: code.to_owned(),
                    message: message.to_owned(),
                }
            }
        }
    }

    /// Counts records, once those that central cannot open are forgotten, if somebody says so.
    pub(super) async fn count_records(&self, forget_by: Option<String>) -> Response {
        let Some(records) = self.records.clone() else {
            return Response::Records(RecordCount {
                waiting: 0,
                refused: 0,
            });
        };
        let by = match forget_by.map(|name| officer_name(&name)) {
            None => None,
            Some(Some(by)) => Some(by),
            Some(None) => return troubled(Trouble::OfficerName),
        };
        let counted = blocking(move || {
            if let Some(by) = by {
                let count = records.forget_refused()?;
                tracing::warn!(
                    actor = by,
                    count,
                    "records that central cannot open are erased, as an officer said"
                );
            }
            let waiting = records.waiting()?.len();
            Ok::<_, SpoolError>(RecordCount {
                waiting,
                refused: records.refused_count(),
            })
        });
        match counted.await {
            Some(Ok(count)) => Response::Records(count),
            Some(Err(error)) => {
                tracing::error!(error = %chain(&error), "records of printed sheets could not be counted or erased");
                troubled(Trouble::NotKept)
            }
            None => troubled(Trouble::NotKept),
        }
    }
}

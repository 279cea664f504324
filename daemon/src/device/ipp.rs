//! A printer over IPP, as the print unit needs it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use loket_device_profile::Profiles;
use loket_domain::print::{
    Asked, PrinterMark, PrinterSurvey, RemoteJob, RemoteState, RemoteView, Sighting,
};
use loket_ipp_printer::{
    CreatedJob, IppError, IppPrinter, JobAttributes, JobState, Media, NewJob, Operation,
    Operations, Options, PrinterAttributes, PrinterState, WhichJobs,
};
use loket_wire::{Class, MachineId};

use super::reason::cut;
use super::{DeviceFault, DeviceFuture, Made, Printer, PrinterStatus, format, stock, usb};
use crate::config::PrinterConfig;
use crate::profiles::of_printer;

/// Jobs looked through for one by its name: one controlled job is in flight a printer, the rest is other people's.
const LOCATE_LIMIT: u16 = 100;

/// What an attempt and its recovery ask of a printer (field notes of printing, 3.2); one without any of them is refused
/// before anything is made there.
const NEEDED: [Operation; 3] = [
    Operation::GetJobs,
    Operation::GetJobAttributes,
    Operation::CancelJob,
];

/// What is told of a printer that takes a job only with its document: the guarantee is smaller there (docs/adr/0059).
const TAKES_WHOLE: &str = "no-create-job";

/// The longest keyword (RFC 8011 section 5.1.4): a printer that says more must not make a report too large to send.
const MAX_KEYWORD_CHARS: usize = 255;

/// The longest make and model (RFC 8011 section 5.4.9: text of 127).
const MAX_MODEL_CHARS: usize = 127;

/// A printer over IPP.
#[derive(Debug)]
pub struct IppDevice {
    printer: IppPrinter,
    /// The name under which this machine makes its jobs: two stations may share a printer.
    user: String,
    /// As the settings say; where they do not, its profile does.
    trusts_impressions: Option<bool>,
    profiles: Arc<Profiles>,
    /// How the last survey found that paper is asked for. Create-Job follows a survey of the same process: after a
    /// start an attempt is looked for first.
    asks_by_keyword: AtomicBool,
    /// Whether it was told that this printer takes jobs only with their documents.
    is_told: AtomicBool,
}

impl IppDevice {
    /// Takes a printer of the settings; nothing is dialled yet.
    ///
    /// # Errors
    /// The address or pin cannot be used.
    pub fn new(
        config: &PrinterConfig,
        machine: &MachineId,
        profiles: Arc<Profiles>,
    ) -> Result<Self, IppError> {
        let user = format!("loket-{machine}");
        let options = Options {
            requesting_user_name: user.clone(),
            pinned_spki_sha256: config.pinned_spki_sha256.map(|digest| *digest.as_bytes()),
            ..Options::default()
        };
        let printer = match config.usb() {
            Ok(Some(address)) => usb::printer(address, &profiles, options)?,
            // What is wrong with it was told when the settings were read.
            Ok(None) | Err(_) => IppPrinter::new(&config.uri, options)?,
        };
        Ok(Self {
            trusts_impressions: config.trusts_impressions,
            ..Self::over(printer, user, profiles)
        })
    }

    pub(super) fn over(printer: IppPrinter, user: String, profiles: Arc<Profiles>) -> Self {
        Self {
            printer,
            user,
            trusts_impressions: None,
            profiles,
            asks_by_keyword: AtomicBool::new(false),
            is_told: AtomicBool::new(false),
        }
    }

    fn media(&self) -> Media {
        if self.asks_by_keyword.load(Ordering::Acquire) {
            Media::Keyword
        } else {
            Media::Collection
        }
    }

    /// Says once that the guarantee is smaller at this printer.
    fn tell_takes_whole(&self) {
        if !self.is_told.swap(true, Ordering::AcqRel) {
            tracing::warn!(
                printer = %self.printer.uri(),
                "this printer has no Create-Job and takes a job only with its document: after a crash or a lost answer \
                 while it is sent an officer is asked whether it came out, unless the printer remembers it"
            );
        }
    }

    fn trusts_impressions(&self, seen: &PrinterAttributes) -> bool {
        let model = seen.make_and_model.as_deref();
        let said = || of_printer(&self.profiles, model).trusts_impressions;
        self.trusts_impressions.or_else(said).unwrap_or(true)
    }

    /// This machine's jobs there, also where the printer lists everybody's.
    async fn own_jobs(&self, which: WhichJobs) -> Result<Vec<JobAttributes>, DeviceFault> {
        let mut jobs = self.printer.jobs(which, LOCATE_LIMIT).await.map_err(sort)?;
        jobs.retain(|job| job.originating_user_name.as_deref() == Some(self.user.as_str()));
        Ok(jobs)
    }
}

impl IppDevice {
    /// The view with the device that answered. It is asked for only where a document may be sent, or sent again, for
    /// what the job says of itself; while a job is at work and once it is printed that would be a request for nothing.
    async fn identified(&self, mut view: RemoteView) -> Result<RemoteView, DeviceFault> {
        let rests_on_device = match view.state {
            RemoteState::AwaitingDocument | RemoteState::Canceled | RemoteState::Aborted => true,
            RemoteState::Pending
            | RemoteState::Held
            | RemoteState::Processing
            | RemoteState::Stopped
            | RemoteState::Completed => false,
        };
        if rests_on_device {
            view.printer_uuid = self.printer.printer_uuid().await.map_err(sort)?;
        }
        Ok(view)
    }
}

impl Printer for IppDevice {
    fn survey(&self) -> DeviceFuture<'_, PrinterSurvey> {
        Box::pin(async {
            let seen = self.printer.printer_attributes().await.map_err(sort)?;
            if !seen.is_accepting_jobs {
                let refused = IppError::Refused {
                    operation: SURVEY,
                    status: NOT_ACCEPTING_JOBS,
                };
                return Err(DeviceFault::Wait(refused));
            }
            let by_keyword = seen.media == Media::Keyword;
            self.asks_by_keyword.store(by_keyword, Ordering::Release);
            let mut survey = survey_of(&seen, self.trusts_impressions(&seen));
            if let PrinterSurvey::Ready { jobs, mark } = &mut survey {
                for which in [WhichJobs::NotCompleted, WhichJobs::Completed] {
                    let own = self.own_jobs(which).await?.into_iter();
                    jobs.extend(own.map(|job| RemoteView {
                        printer_uuid: seen.uuid.clone(),
                        ..view_of(job)
                    }));
                }
                if mark.takes_whole {
                    self.tell_takes_whole();
                    if is_at_work_for_others(&seen, jobs) {
                        let refused = IppError::Refused {
                            operation: SURVEY,
                            status: BUSY,
                        };
                        return Err(DeviceFault::Wait(refused));
                    }
                }
            }
            Ok(survey)
        })
    }

    fn status(&self) -> DeviceFuture<'_, PrinterStatus> {
        Box::pin(async {
            let seen = self.printer.printer_attributes().await.map_err(sort)?;
            let state = match seen.state {
                PrinterState::Idle => "idle",
                PrinterState::Processing => "processing",
                PrinterState::Stopped => "stopped",
                PrinterState::Other(_) => "other",
            };
            // The suffix follows the printer's state: the keyword alone is the fault (field notes of printing).
            let takes_whole = takes_whole(&seen.operations).then(|| TAKES_WHOLE.to_owned());
            let reasons = seen
                .state_reasons
                .into_iter()
                .map(|reason| cut(&reason.keyword, MAX_KEYWORD_CHARS))
                .chain(takes_whole)
                .collect::<Vec<_>>();
            Ok(PrinterStatus {
                state,
                stock: stock::stock_of(seen.supplies, &reasons),
                impressions: seen.impressions_completed,
                reasons,
                model: seen
                    .make_and_model
                    .map(|model| cut(&model, MAX_MODEL_CHARS)),
            })
        })
    }

    fn create<'a>(&'a self, name: &'a str) -> DeviceFuture<'a, Made> {
        Box::pin(async move {
            let job = NewJob {
                media: self.media(),
                ..NewJob::new(name)
            };
            let made = self.printer.create_job(&job).await.map_err(sort)?;
            Ok(made_of(made))
        })
    }

    fn print<'a>(
        &'a self,
        name: &'a str,
        class: Class,
        format: &'a str,
        document: Bytes,
    ) -> DeviceFuture<'a, Made> {
        Box::pin(async move {
            let job = NewJob {
                media: self.media(),
                is_binding: class == Class::Controlled,
                ..NewJob::new(name)
            };
            let printed = self.printer.print_job(&job, format, document).await;
            Ok(made_of(printed.map_err(sort)?))
        })
    }

    fn locate<'a>(&'a self, name: &'a str) -> DeviceFuture<'a, Sighting> {
        Box::pin(async move {
            for which in [WhichJobs::NotCompleted, WhichJobs::Completed] {
                let jobs = self.printer.jobs(which, LOCATE_LIMIT).await.map_err(sort)?;
                let found = jobs
                    .into_iter()
                    .find(|job| job.name.as_deref() == Some(name));
                if let Some(job) = found {
                    return Ok(Sighting::Seen(self.identified(view_of(job)).await?));
                }
            }
            Ok(Sighting::Absent)
        })
    }

    fn send<'a>(
        &'a self,
        job: &'a RemoteJob,
        format: &'a str,
        document: Bytes,
    ) -> DeviceFuture<'a, ()> {
        Box::pin(async move {
            self.printer
                .send_document(job.id, format, document)
                .await
                .map(drop)
                .map_err(sort)
        })
    }

    fn look<'a>(&'a self, job: &'a RemoteJob) -> DeviceFuture<'a, Sighting> {
        Box::pin(async move {
            match self.printer.job_attributes(job.id).await {
                Ok(seen) => Ok(Sighting::Seen(self.identified(view_of(seen)).await?)),
                Err(error) if error.is_not_found() => Ok(Sighting::Absent),
                Err(error) => Err(sort(error)),
            }
        })
    }

    fn cancel<'a>(&'a self, job: &'a RemoteJob) -> DeviceFuture<'a, ()> {
        Box::pin(async move { self.printer.cancel_job(job.id).await.map_err(sort) })
    }
}

fn made_of(made: CreatedJob) -> Made {
    if !made.unsupported.is_empty() {
        tracing::warn!(attributes = ?made.unsupported, "the printer will not honour all that was asked");
    }
    let unsupported = made.ignored().into_iter().map(|asked| match asked {
        loket_ipp_printer::Asked::Copies => Asked::Copies,
        loket_ipp_printer::Asked::Sides => Asked::Sides,
        loket_ipp_printer::Asked::Scaling => Asked::Scaling,
        loket_ipp_printer::Asked::Media => Asked::Media,
    });
    Made {
        unsupported: unsupported.collect(),
        remote: RemoteJob {
            id: made.id,
            uuid: made.uuid,
        },
    }
}

const SURVEY: Operation = Operation::GetPrinterAttributes;
const NOT_ACCEPTING_JOBS: u16 = 0x0506;
const BUSY: u16 = 0x0507;

/// Whether a job can be made only together with its document.
fn takes_whole(operations: &Operations) -> bool {
    operations.supports(Operation::PrintJob) && !operations.create_job()
}

/// Whether it has something to do that is not ours. A document that is sent with its job to a printer that would refuse
/// it now has gone over the line for nothing, and is one more moment of which nothing is known after a crash.
fn is_at_work_for_others(seen: &PrinterAttributes, own: &[RemoteView]) -> bool {
    let is_open = |view: &&RemoteView| {
        !matches!(
            view.state,
            RemoteState::Canceled | RemoteState::Aborted | RemoteState::Completed
        )
    };
    let own = u32::try_from(own.iter().filter(is_open).count()).unwrap_or(u32::MAX);
    let others = seen.queued_job_count.unwrap_or(0).saturating_sub(own);
    others > 0 || (own == 0 && seen.state == PrinterState::Processing)
}

fn sort(error: IppError) -> DeviceFault {
    if error.outcome_unknown() {
        DeviceFault::Unclear(error)
    } else if error.nothing_left() || error.is_temporary() {
        DeviceFault::Wait(error)
    } else {
        DeviceFault::Refused(error)
    }
}

fn survey_of(seen: &PrinterAttributes, trusts_impressions: bool) -> PrinterSurvey {
    let takes_whole = takes_whole(&seen.operations);
    let lacks = |needed: &&Operation| !seen.operations.supports(**needed);
    let makes_none = !takes_whole && !seen.operations.create_job();
    let missing = NEEDED.iter().find(lacks);
    if let Some(missing) = missing.or(makes_none.then_some(&Operation::CreateJob)) {
        tracing::error!(
            operation = %missing,
            "this printer cannot print controlled documents once: it lacks {missing}"
        );
        return PrinterSurvey::OperationsMissing;
    }
    let Some(format) = format::choose(seen) else {
        tracing::error!(
            formats = ?seen.formats,
            "this printer takes no format that documents can be given in: neither PDF nor a known raster"
        );
        return PrinterSurvey::FormatUnsupported;
    };
    let mark = PrinterMark {
        uuid: seen.uuid.clone(),
        up_time_s: seen.up_time_s,
        format: format.media_type.to_owned(),
        raster: format.raster,
        is_single_document: seen.multiple_document_jobs_supported == Some(false),
        trusts_impressions,
        takes_whole,
    };
    PrinterSurvey::Ready {
        mark,
        jobs: Vec::new(),
    }
}

/// The reasons of RFC 8011 section 5.3.8 by which a printer says that a person called a job off.
const CANCELED_BY_PERSON: [&str; 3] = [
    "job-canceled-by-user",
    "job-canceled-by-operator",
    "job-canceled-at-device",
];

fn view_of(job: JobAttributes) -> RemoteView {
    let awaits = |reason: &String| reason == "job-data-insufficient" || reason == "job-incoming";
    let state = match job.state {
        JobState::Pending => RemoteState::Pending,
        JobState::PendingHeld if job.state_reasons.iter().any(awaits) => {
            RemoteState::AwaitingDocument
        }
        // A state that RFC 8011 does not have says nothing: the job is waited for.
        JobState::PendingHeld | JobState::Other(_) => RemoteState::Held,
        JobState::Processing => RemoteState::Processing,
        JobState::ProcessingStopped => RemoteState::Stopped,
        JobState::Canceled => RemoteState::Canceled,
        JobState::Aborted => RemoteState::Aborted,
        JobState::Completed => RemoteState::Completed,
    };
    let by_person = |reason: &String| CANCELED_BY_PERSON.contains(&reason.as_str());
    RemoteView {
        is_canceled_by_person: job.state_reasons.iter().any(by_person),
        id: job.id,
        uuid: job.uuid,
        name: job.name,
        state,
        impressions: job.impressions_completed,
        up_time_s: job.printer_up_time_s,
        created_at_s: job.created_at_s,
        printer_uuid: None,
    }
}

#[cfg(test)]
mod tests {
    use loket_ipp_printer::{Rasters, Supplies};

    use super::*;

    #[test]
    fn what_the_printer_ignores_is_told_by_what_it_is_whatever_its_attribute_is_called() {
        let made = |name: &str| {
            made_of(CreatedJob {
                id: 7,
                uuid: None,
                uri: None,
                state: JobState::PendingHeld,
                state_reasons: Vec::new(),
                unsupported: vec!["job-sheets".to_owned(), name.to_owned()],
            })
        };
        for (name, asked) in [
            ("copies", Asked::Copies),
            ("sides", Asked::Sides),
            ("print-scaling", Asked::Scaling),
            ("media", Asked::Media),
            ("media-col", Asked::Media),
            ("media-size", Asked::Media),
            ("media-size-name", Asked::Media),
            ("media-type", Asked::Media),
        ] {
            assert_eq!(made(name).unsupported, [asked], "{name}");
        }
    }

    #[test]
    fn a_printer_without_the_needed_operations_is_refused_before_anything_is_made_there() {
        let seen = PrinterAttributes {
            name: None,
            make_and_model: None,
            uuid: None,
            state: PrinterState::Idle,
            state_reasons: Vec::new(),
            up_time_s: None,
            state_change_time_s: None,
            is_accepting_jobs: true,
            queued_job_count: None,
            formats: vec!["application/pdf".to_owned()],
            rasters: Rasters::default(),
            multiple_document_jobs_supported: Some(false),
            multiple_operation_time_out_s: None,
            operations: Operations::default(),
            media: Media::Keyword,
            media_ready: Vec::new(),
            impressions_completed: None,
            supplies: Supplies::default(),
        };
        assert_eq!(survey_of(&seen, true), PrinterSurvey::OperationsMissing);
    }

    #[test]
    fn a_printer_that_says_not_yet_is_waited_for_unless_it_may_have_the_document() {
        let refused = |operation, status| sort(IppError::Refused { operation, status });
        for status in [0x0502, 0x0505, 0x0506, 0x0507] {
            let created = refused(Operation::CreateJob, status);
            assert!(matches!(created, DeviceFault::Wait(_)), "0x{status:04x}");
        }
        for operation in [Operation::SendDocument, Operation::PrintJob] {
            for status in [0x0502, 0x0505] {
                let sent = refused(operation, status);
                assert!(matches!(sent, DeviceFault::Unclear(_)), "0x{status:04x}");
            }
            for status in [0x0506, 0x0507] {
                let sent = refused(operation, status);
                assert!(matches!(sent, DeviceFault::Wait(_)), "0x{status:04x}");
                assert!(sent.left_no_byte(), "0x{status:04x}");
            }
        }
        let never = refused(Operation::CreateJob, 0x040b);
        assert!(matches!(never, DeviceFault::Refused(_)));
    }
}

//! What effects do at a printer, once each; what came of it is told to the desk.

use std::sync::Arc;

use loket_domain::print::{Action, Command, Effect, EffectStep, RemoteJob, Revision, Sighting};
use loket_wire::{Class, RasterSetup};

use super::effects::{Hands, Outcome};
use super::payload::payload;
use crate::device::{DeviceFault, Made, Printer};
use crate::stops::{Stop, pass};
use crate::telemetry::chain;

pub(super) async fn at_printer(
    hands: &Arc<Hands>,
    device: &dyn Printer,
    effect: &Effect,
) -> Outcome {
    let (job, attempt) = (effect.id.job, effect.id.attempt);
    match &effect.action {
        Action::Survey { printer } => match device.survey().await {
            Ok(survey) => {
                pass(Stop::Surveyed);
                Outcome::Tell(Command::Surveyed {
                    job,
                    printer: printer.clone(),
                    survey,
                })
            }
            Err(fault) => waited(effect, &fault),
        },
        Action::Create { name, .. } => create(device, effect, name).await,
        Action::Locate { name, .. } => seen(effect, device.locate(name).await),
        Action::Look { remote, .. } => seen(effect, device.look(remote).await),
        Action::Cancel { remote, .. } => {
            // Refused where the job has ended already; what counts is what is seen afterwards.
            if let Err(fault) = device.cancel(remote).await {
                tracing::debug!(job.id = %job, error = %chain(&fault), "job not called off at the printer");
            }
            Outcome::Tell(Command::CancelTried { job, attempt })
        }
        Action::Send {
            remote,
            revision,
            format,
            raster,
            ..
        } => {
            let what = (*revision, *raster, format.as_str());
            send(hands, device, effect, To::Job(remote), what).await
        }
        Action::Print {
            name,
            class,
            revision,
            format,
            raster,
            ..
        } => {
            let what = (*revision, *raster, format.as_str());
            send(hands, device, effect, To::New(name, *class), what).await
        }
        Action::Fetch { .. }
        | Action::Verify { .. }
        | Action::Prepare { .. }
        | Action::Shred { .. } => Outcome::Wait,
    }
}

/// Makes an empty job.
async fn create(device: &dyn Printer, effect: &Effect, name: &str) -> Outcome {
    let (job, attempt) = (effect.id.job, effect.id.attempt);
    pass(Stop::BeforeCreate);
    let created = device.create(name).await;
    pass(Stop::AfterCreate);
    match created {
        Ok(Made {
            remote,
            unsupported,
        }) => Outcome::Tell(Command::Created {
            job,
            attempt,
            remote,
            unsupported,
        }),
        Err(fault @ DeviceFault::Wait(_)) => waited(effect, &fault),
        Err(fault @ DeviceFault::Unclear(_)) => {
            // The desk says once that the printer fails; here is how.
            tracing::debug!(job.id = %job, error = %chain(&fault), "job not known to be made");
            Outcome::Tell(Command::CreateUnclear { job, attempt })
        }
        Err(fault @ DeviceFault::Refused(_)) => {
            tracing::warn!(job.id = %job, error = %chain(&fault), "printer refused the job");
            Outcome::Tell(Command::CreateRefused { job, attempt })
        }
    }
}

/// Where a document goes.
enum To<'a> {
    /// To the job that is there.
    Job(&'a RemoteJob),
    /// Together with a job of this name.
    New(&'a str, Class),
}

/// Sends the document once.
async fn send(
    hands: &Arc<Hands>,
    device: &dyn Printer,
    effect: &Effect,
    to: To<'_>,
    (revision, raster, format): (Revision, Option<RasterSetup>, &str),
) -> Outcome {
    let (job, attempt) = (effect.id.job, effect.id.attempt);
    let bytes = match payload(hands, effect, (revision, raster)).await {
        Ok(bytes) => bytes,
        Err(outcome) => return outcome,
    };
    pass(Stop::BeforeSend);
    let sent = match to {
        To::Job(remote) => {
            let sent = device.send(remote, format, bytes).await;
            sent.map(|()| Command::Sent { job, attempt })
        }
        To::New(name, class) => {
            let printed = device.print(name, class, format, bytes).await;
            printed.map(|made| Command::JobTaken {
                job,
                attempt,
                remote: made.remote,
                unsupported: made.unsupported,
            })
        }
    };
    pass(Stop::AfterSend);
    match sent {
        Ok(command) => Outcome::Tell(command),
        Err(fault) => not_sent(effect, &fault, matches!(to, To::New(..))),
    }
}

/// A document that was sent once, and did not arrive as far as is known.
fn not_sent(effect: &Effect, fault: &DeviceFault, is_with_job: bool) -> Outcome {
    let (job, attempt) = (effect.id.job, effect.id.attempt);
    if let Some(is_for_good) = fault.is_final_refusal().filter(|_said| is_with_job) {
        // Looked for by its name all the same.
        tracing::warn!(job.id = %job, error = %chain(fault), "printer refused the job");
        return Outcome::Tell(Command::JobRefused {
            job,
            attempt,
            is_for_good,
        });
    }
    if fault.left_no_byte() {
        tracing::warn!(job.id = %job, error = %chain(fault), "document not taken");
        return Outcome::Tell(Command::SendNotTaken { job, attempt });
    }
    tracing::warn!(job.id = %job, error = %chain(fault), "document may not have arrived; looking");
    Outcome::Tell(Command::SendUnclear { job, attempt })
}

fn seen(effect: &Effect, looked: Result<Sighting, DeviceFault>) -> Outcome {
    let (job, attempt) = (effect.id.job, effect.id.attempt);
    match looked {
        Ok(sighting) => {
            if effect.id.step != EffectStep::Survey {
                pass(Stop::Sighted);
            }
            Outcome::Tell(Command::Sighted {
                job,
                attempt,
                sighting,
            })
        }
        Err(fault) => waited(effect, &fault),
    }
}

fn waited(effect: &Effect, fault: &DeviceFault) -> Outcome {
    let job = effect.id.job;
    tracing::debug!(job.id = %job, step = ?effect.id.step, error = %chain(fault), "printer not ready; waiting");
    Outcome::WaitFor(fault.waits_for())
}

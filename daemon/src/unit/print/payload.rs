//! What goes to a printer: the document as it is, or drawn for one that takes no PDF.

use std::sync::Arc;

use bytes::Bytes;
use loket_domain::print::{Command, Effect, Revision};
use loket_wire::RasterSetup;

use super::effects::{Hands, Outcome};
use crate::blocking::blocking;
use crate::raster::{is_for_good, is_too_large};
use crate::telemetry::chain;

/// The bytes of the revision, or their raster; else why nothing goes.
pub(super) async fn payload(
    hands: &Arc<Hands>,
    effect: &Effect,
    (revision, raster): (Revision, Option<RasterSetup>),
) -> Result<Bytes, Outcome> {
    let (job, attempt) = (effect.id.job, effect.id.attempt);
    let documents = Arc::clone(&hands.documents);
    // Opened again rather than held since `Prepare`: plain bytes stay in memory while they stream, no longer.
    let turn = hands.documents.turn().await;
    let opened = blocking(move || documents.revision(job, &revision)).await;
    drop(turn);
    let not_sent = Outcome::Tell(Command::SendNotTaken { job, attempt });
    let bytes = match opened {
        Some(Ok(Some(bytes))) => bytes,
        Some(Ok(None)) | None => {
            tracing::error!(job.id = %job, "document not sent: it is not the one that was compared");
            return Err(not_sent);
        }
        Some(Err(error)) => {
            tracing::error!(job.id = %job, error = %chain(&error), "document not sent");
            return Err(not_sent);
        }
    };
    let Some(setup) = raster else {
        return Ok(bytes);
    };
    let mut drawn = hands.rasters.draw(&bytes, revision.page_count, setup).await;
    if let (Err(fault), Some(coarser)) = (&drawn, setup.coarser())
        && is_too_large(fault)
    {
        tracing::info!(job.id = %job, dpi = coarser.resolution_dpi, "the raster is too large: it is drawn coarser");
        drawn = hands
            .rasters
            .draw(&bytes, revision.page_count, coarser)
            .await;
    }
    drawn.map_err(|fault| {
        let error = chain(&fault);
        if is_for_good(&fault) {
            tracing::error!(job.id = %job, error, "document not sent: it cannot be drawn for this printer");
            return Outcome::Tell(Command::SendNotDrawn { job, attempt });
        }
        tracing::warn!(job.id = %job, error, "document not sent: it was not drawn for this printer");
        not_sent
    })
}

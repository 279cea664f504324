//! The way of a form: shown with a token, sent once, its file taken in a bounded place, and an answer under a handle.
//!
//! ```text
//! open ─> page ─> from_upload | from_medium ─> Taken ─> (a desk) ─> lead ─> redirect ─> look, once
//! ```
//! Every page that takes something from a person stands on it, whoever that person is.

use axum::Form;
use axum::extract::Multipart;
use axum::extract::multipart::MultipartRejection;
use axum::extract::rejection::FormRejection;
use axum::response::Redirect;
use serde::Deserialize;
use tokio::sync::SemaphorePermit;

use crate::handles::Handles;
use crate::ports::{Brought, MediaFile};
use crate::problem::Problem;
use crate::site::{Face, Shared};
use crate::upload;
use crate::words::Trouble;

/// What the buttons of a medium's files send.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MediumForm {
    token: String,
    /// The listing that the page showed.
    daftar: String,
    /// Which of its files.
    berkas: usize,
}

impl std::fmt::Debug for MediumForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MediumForm").finish_non_exhaustive()
    }
}

/// What a page shows of a form that is open.
pub(crate) struct Opened {
    /// Good for one sending.
    pub(crate) token: String,
    /// Which listing the buttons count.
    pub(crate) listing: String,
    /// What lies on what is plugged in.
    pub(crate) files: Vec<MediaFile>,
    /// Whether there is more than was looked at.
    pub(crate) has_more: bool,
}

/// A file that somebody brought.
pub(crate) struct Taken<'a> {
    /// Its bytes.
    pub(crate) document: Brought,
    /// Held for as long as somebody works at it.
    pub(crate) place: SemaphorePermit<'a>,
}

/// A form as an upload brings it.
pub(crate) type Upload = Result<Multipart, MultipartRejection>;

/// A form as a button of a medium's file sends it.
pub(crate) type Medium = Result<Form<MediumForm>, FormRejection>;

/// Opens a form, with what is plugged in at this moment.
pub(crate) async fn open(shared: &Shared) -> Opened {
    let listing = shared.site.media.list().await;
    Opened {
        token: shared.forms.put(()),
        listing: shared.listings.put(listing.files.clone()),
        files: listing.files,
        has_more: listing.has_more,
    }
}

/// Takes the file of a form.
///
/// # Errors
/// What the person is told in place of an answer.
pub(crate) async fn from_upload(shared: &Shared, form: Upload) -> Result<Taken<'_>, Trouble> {
    let place = place(shared)?;
    let form = form.map_err(|_none| Trouble::Cut)?;
    let upload = upload::read(form).await?;
    shared.forms.take(&upload.token).ok_or(Trouble::FormStale)?;
    Ok(Taken {
        document: upload.document?,
        place,
    })
}

/// Takes a file of a medium.
///
/// # Errors
/// As [`from_upload`].
pub(crate) async fn from_medium(shared: &Shared, form: Medium) -> Result<Taken<'_>, Trouble> {
    let place = place(shared)?;
    let Form(form) = form.map_err(|_none| Trouble::Cut)?;
    shared.forms.take(&form.token).ok_or(Trouble::FormStale)?;
    let listed = shared.listings.take(&form.daftar);
    let mut listed = listed.ok_or(Trouble::FormStale)?.into_iter();
    let file = listed.nth(form.berkas).ok_or(Trouble::MediumGone)?;
    Ok(Taken {
        document: shared.site.media.read(file).await?,
        place,
    })
}

/// Taken before a byte is kept: more at a time would be more memory than the machine has to spare.
fn place(shared: &Shared) -> Result<SemaphorePermit<'_>, Trouble> {
    shared.uploads.try_acquire().map_err(|_full| Trouble::Busy)
}

/// Keeps what came of a form under a handle, and leads the browser to the page below `path` that shows it.
///
/// # Errors
/// The page that says why nothing came of it.
pub(crate) fn lead<T>(
    face: Face,
    (path, kept): (&str, &Handles<T>),
    came: Result<T, Trouble>,
) -> Result<Redirect, Problem> {
    let came = came.map_err(|trouble| Problem::new(face, trouble))?;
    let handle = kept.put(came);
    Ok(Redirect::to(&format!("{path}/{handle}")))
}

/// What a handle stands for, once.
///
/// # Errors
/// The page that says that it is closed.
pub(crate) fn look<T>(face: Face, kept: &Handles<T>, handle: &str) -> Result<T, Problem> {
    let gone = Problem::new(face, Trouble::ResultGone);
    kept.take(handle).ok_or(gone)
}

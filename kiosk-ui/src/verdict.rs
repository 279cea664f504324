//! From a form to a judgement: the same way for residents and officers, from a file or from a medium.

use axum::Form;
use axum::extract::Multipart;
use axum::extract::multipart::MultipartRejection;
use axum::extract::rejection::FormRejection;
use loket_verify::{Code, Weight};
use serde::Deserialize;

use crate::ports::{Brought, Document, Found, Judgement, Reader};
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

/// Judges the file of a form.
///
/// # Errors
/// What the person is told in place of a judgement.
pub(crate) async fn of_upload(
    shared: &Shared,
    face: Face,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Judgement, Trouble> {
    // Taken before a byte is kept: more at a time would be more memory than the machine has to spare.
    let _place = shared
        .uploads
        .try_acquire()
        .map_err(|_full| Trouble::Busy)?;
    let form = form.map_err(|_none| Trouble::Cut)?;
    let upload = upload::read(form).await?;
    shared.forms.take(&upload.token).ok_or(Trouble::FormStale)?;
    judge(shared, face, upload.document?).await
}

/// Judges a file of a medium.
///
/// # Errors
/// As [`of_upload`].
pub(crate) async fn of_medium(
    shared: &Shared,
    face: Face,
    form: Result<Form<MediumForm>, FormRejection>,
) -> Result<Judgement, Trouble> {
    let _place = shared
        .uploads
        .try_acquire()
        .map_err(|_full| Trouble::Busy)?;
    let Form(form) = form.map_err(|_none| Trouble::Cut)?;
    shared.forms.take(&form.token).ok_or(Trouble::FormStale)?;
    let listed = shared.listings.take(&form.daftar);
    let mut listed = listed.ok_or(Trouble::FormStale)?.into_iter();
    let file = listed.nth(form.berkas).ok_or(Trouble::MediumGone)?;
    let document = shared.site.media.read(file).await?;
    judge(shared, face, document).await
}

async fn judge(shared: &Shared, face: Face, document: Brought) -> Result<Judgement, Trouble> {
    let reader = match face {
        Face::Kiosk => Reader::Resident,
        Face::Station => Reader::Officer,
    };
    shared.site.verify.verify(document, reader).await
}

/// The finding that decided the verdict: the heaviest, and of those the first.
pub(crate) fn decisive(document: &Document) -> Option<Code> {
    let signatures = document.signatures.iter();
    let all = signatures.flat_map(|it| {
        let revisions = it.revisions.iter().flat_map(|revision| &revision.findings);
        it.findings.iter().chain(revisions)
    });
    let mut all: Vec<Code> = all
        .chain(&document.findings)
        .map(|Found(code)| *code)
        .collect();
    all.retain(|code| code.weight() > Weight::Note);
    all.sort_by_key(|code| (std::cmp::Reverse(code.weight()), *code));
    all.first().copied()
}

/// The first value of an attribute in a name of a certificate (RFC 4514), for instance `CN`.
pub(crate) fn attribute(name: &str, kind: &str) -> Option<String> {
    let mut value = String::new();
    let mut is_escaped = false;
    let mut parts = Vec::new();
    for c in name.chars() {
        if is_escaped {
            value.push(c);
            is_escaped = false;
        } else if c == '\\' {
            is_escaped = true;
        } else if c == ',' || c == '+' {
            parts.push(std::mem::take(&mut value));
        } else {
            value.push(c);
        }
    }
    parts.push(value);
    parts.into_iter().find_map(|part| {
        let (found, value) = part.split_once('=')?;
        (found.trim() == kind).then(|| value.trim().to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_by_its_parts() {
        let name = r"CN=Kepala Dinas\, M.Si. (CONTOH),O=Dinas\+Contoh,C=ID";
        assert_eq!(
            attribute(name, "CN").as_deref(),
            Some("Kepala Dinas, M.Si. (CONTOH)")
        );
        assert_eq!(attribute(name, "O").as_deref(), Some("Dinas+Contoh"));
        assert_eq!(attribute(name, "OU"), None);
        assert_eq!(attribute("", "CN"), None);
    }
}

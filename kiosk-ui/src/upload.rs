//! A form with a document in it: read in parts, counted, and answered in words when it is too much.

use axum::extract::Multipart;
use axum::extract::multipart::Field;
use zeroize::Zeroizing;

use crate::ports::{Brought, MAX_DOCUMENT_BYTES};
use crate::words::Trouble;

/// What is too large is read on and dropped up to here, since a browser shows an answer only once it has sent all.
const MAX_DROPPED_BYTES: usize = 64 * 1024 * 1024;

/// A form's token is 32 digits.
const MAX_TOKEN_BYTES: usize = 64;

/// What the form held.
pub(crate) struct Upload {
    pub(crate) token: String,
    pub(crate) document: Result<Brought, Trouble>,
}

/// Reads the form.
///
/// # Errors
/// [`Trouble::Cut`]: it does not end as it should.
///
/// # Cancel safety
/// Not cancel-safe: what was read is dropped.
pub(crate) async fn read(mut form: Multipart) -> Result<Upload, Trouble> {
    let mut token = String::new();
    let mut document = Err(Trouble::NoFile);
    while let Some(field) = form.next_field().await.map_err(|_cut| Trouble::Cut)? {
        match field.name() {
            Some("token") => token = read_token(field).await?,
            Some("berkas") => document = read_document(field, MAX_DOCUMENT_BYTES).await?,
            Some(_) | None => return Err(Trouble::Cut),
        }
    }
    Ok(Upload { token, document })
}

/// Reads a form's token.
///
/// # Errors
/// [`Trouble::Cut`], [`Trouble::FormStale`] for what is no token.
pub(crate) async fn read_token(field: Field<'_>) -> Result<String, Trouble> {
    let token = read_text(field, MAX_TOKEN_BYTES).await?;
    token.ok_or(Trouble::FormStale)
}

/// Reads a line of text of up to `most` bytes; nothing where it is longer or no text.
///
/// # Errors
/// [`Trouble::Cut`]
pub(crate) async fn read_text(
    mut field: Field<'_>,
    most: usize,
) -> Result<Option<String>, Trouble> {
    let mut text = Vec::new();
    while let Some(part) = field.chunk().await.map_err(|_cut| Trouble::Cut)? {
        if text.len().saturating_add(part.len()) > most {
            return Ok(None);
        }
        text.extend_from_slice(&part);
    }
    Ok(String::from_utf8(text).ok())
}

/// Reads a file of up to `most` bytes.
///
/// # Errors
/// [`Trouble::Cut`]; inside, what is wrong with the file of a form that came whole.
pub(crate) async fn read_document(
    mut field: Field<'_>,
    most: usize,
) -> Result<Result<Brought, Trouble>, Trouble> {
    let mut document: Brought = Zeroizing::new(Vec::new());
    let mut size = 0_usize;
    while let Some(part) = field.chunk().await.map_err(|_cut| Trouble::Cut)? {
        size = size.saturating_add(part.len());
        if size > MAX_DROPPED_BYTES {
            break;
        }
        if size <= most {
            grow(&mut document, part.len(), most);
            document.extend_from_slice(&part);
        }
    }
    Ok(if size > most {
        Err(Trouble::TooLarge)
    } else if document.is_empty() {
        Err(Trouble::NoFile)
    } else {
        Ok(document)
    })
}

/// Makes room for `more`: a vector that grows by itself leaves its old bytes behind unwiped.
fn grow(document: &mut Brought, more: usize, most: usize) {
    let needed = document.len().saturating_add(more);
    if needed <= document.capacity() {
        return;
    }
    let room = needed.saturating_mul(2).min(most);
    let mut larger: Brought = Zeroizing::new(Vec::with_capacity(room));
    larger.extend_from_slice(document);
    *document = larger;
}

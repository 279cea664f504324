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
            Some("berkas") => document = read_document(field).await?,
            Some(_) | None => return Err(Trouble::Cut),
        }
    }
    Ok(Upload { token, document })
}

async fn read_token(mut field: Field<'_>) -> Result<String, Trouble> {
    let mut token = Vec::new();
    while let Some(part) = field.chunk().await.map_err(|_cut| Trouble::Cut)? {
        if token.len().saturating_add(part.len()) > MAX_TOKEN_BYTES {
            return Err(Trouble::FormStale);
        }
        token.extend_from_slice(&part);
    }
    String::from_utf8(token).map_err(|_no_text| Trouble::FormStale)
}

async fn read_document(mut field: Field<'_>) -> Result<Result<Brought, Trouble>, Trouble> {
    let mut document: Brought = Zeroizing::new(Vec::new());
    let mut size = 0_usize;
    while let Some(part) = field.chunk().await.map_err(|_cut| Trouble::Cut)? {
        size = size.saturating_add(part.len());
        if size > MAX_DROPPED_BYTES {
            break;
        }
        if size <= MAX_DOCUMENT_BYTES {
            grow(&mut document, part.len());
            document.extend_from_slice(&part);
        }
    }
    Ok(if size > MAX_DOCUMENT_BYTES {
        Err(Trouble::TooLarge)
    } else if document.is_empty() {
        Err(Trouble::NoFile)
    } else {
        Ok(document)
    })
}

/// Makes room for `more`: a vector that grows by itself leaves its old bytes behind unwiped.
fn grow(document: &mut Brought, more: usize) {
    let needed = document.len().saturating_add(more);
    if needed <= document.capacity() {
        return;
    }
    let room = needed.saturating_mul(2).min(MAX_DOCUMENT_BYTES);
    let mut larger: Brought = Zeroizing::new(Vec::with_capacity(room));
    larger.extend_from_slice(document);
    *document = larger;
}

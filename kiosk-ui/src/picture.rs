//! A page of a document as a picture: in memory, under a handle that answers once.

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use zeroize::Zeroizing;

use crate::problem::Problem;
use crate::site::{Face, Shared};
use crate::way;

/// A page as PNG or JPEG.
pub(crate) type Picture = Zeroizing<Vec<u8>>;

/// `GET /station/gambar/{handle}`
pub(crate) async fn show(
    State(shared): State<Shared>,
    Path(handle): Path<String>,
) -> Result<Response, Problem> {
    let kept = &shared.pictures;
    let picture = std::future::ready(way::look(Face::Station, kept, &handle)).await?;
    let kind = [(header::CONTENT_TYPE, kind(&picture))];
    Ok((kind, picture.to_vec()).into_response())
}

/// No browser guesses it: pages forbid that.
fn kind(picture: &[u8]) -> &'static str {
    const JPEG: &[u8] = b"\xff\xd8\xff";
    if picture.starts_with(JPEG) {
        "image/jpeg"
    } else {
        "image/png"
    }
}

//! A page of a document as a picture: in memory, under a handle that answers once.

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use zeroize::Zeroizing;

use crate::problem::Problem;
use crate::site::{Face, Shared};
use crate::words::Trouble;

/// A page as PNG.
pub(crate) type Picture = Zeroizing<Vec<u8>>;

/// `GET /station/gambar/{handle}`
pub(crate) async fn show(
    State(shared): State<Shared>,
    Path(handle): Path<String>,
) -> Result<Response, Problem> {
    let picture = std::future::ready(shared.pictures.take(&handle)).await;
    let picture = picture.ok_or_else(|| Problem::new(Face::Station, Trouble::ResultGone))?;
    let kind = [(header::CONTENT_TYPE, "image/png")];
    Ok((kind, picture.to_vec()).into_response())
}

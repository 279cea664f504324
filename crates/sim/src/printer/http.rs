//! The HTTP side: IPP at its path, the knobs at `/control`.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use ipp::model::StatusCode as IppStatus;

use super::control;
use super::intake::{Cut, Intake};
use super::knobs::Says;
use super::operations::{self, Begun};
use super::reply::Reply;
use super::request;
use super::server::Shared;

/// Answers one HTTP request; an error closes the connection without an answer.
pub(crate) async fn serve(
    shared: Arc<Shared>,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Cut> {
    let path = request.uri().path().to_owned();
    if path == "/control" || path.starts_with("/control/") {
        if !peer.ip().is_loopback() {
            return Ok(plain(StatusCode::FORBIDDEN));
        }
        return Ok(control::serve(&shared, request).await);
    }
    if !path.starts_with(request::PATH) {
        return Ok(plain(StatusCode::NOT_FOUND));
    }
    if request.method() != Method::POST {
        return Ok(plain(StatusCode::METHOD_NOT_ALLOWED));
    }
    let power = shared.power();
    let answered = tokio::select! {
        answered = ipp(&shared, request.into_body()) => answered,
        () = power.cancelled() => Err(Cut::Closed),
    };
    match answered {
        Ok(answer) => Ok(answer),
        Err(Cut::TooLarge) => Ok(plain(StatusCode::PAYLOAD_TOO_LARGE)),
        Err(Cut::Encoding) => Ok(plain(StatusCode::BAD_REQUEST)),
        Err(cut @ (Cut::ClientGone | Cut::Closed)) => Err(cut),
    }
}

async fn ipp(shared: &Arc<Shared>, body: Incoming) -> Result<Response<Full<Bytes>>, Cut> {
    if shared.read(|state| state.knobs.offline) {
        return Err(Cut::Closed);
    }
    let mut intake = Intake::new(body);
    let message = intake.attributes().await?;
    let request = request::Request::read(message).ok_or(Cut::Encoding)?;
    let fixed = shared.read(|state| state.knobs.reply);
    let fixed = fixed.filter(|fixed| fixed.to.has(&request));
    let begun = match fixed {
        Some(fixed) if !fixed.acts => Ok(Begun::Done(Reply::new(IppStatus::SuccessfulOk))),
        Some(_) | None => operations::begin(shared, &request),
    };
    let reply = match begun {
        Ok(Begun::Takes(taking)) => {
            let stop = shared.read(|state| state.knobs.stop_after_bytes);
            let document = intake.document(stop).await?;
            taking.finish(document).await
        }
        // The rest is heard out: an answer before the end of a request gets lost with some clients.
        Ok(Begun::Done(reply)) | Err(reply) => {
            intake.document(None).await?;
            reply
        }
    };
    let lost = shared.read(|state| state.knobs.lose_reply);
    if lost.is_some_and(|lost| lost.has(&request)) {
        return Err(Cut::Closed);
    }
    if fixed.is_some() {
        shared.change(|state| state.fixed_replies = state.fixed_replies.saturating_add(1));
    }
    let reply = match fixed.map(|fixed| fixed.says) {
        None => reply,
        Some(Says::IppStatus(status)) => reply.saying(status),
        Some(Says::HttpStatus(status)) => {
            let status = StatusCode::from_u16(status);
            return Ok(plain(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)));
        }
    };
    Ok(with_type("application/ipp", answer(&reply, &request)))
}

fn answer(reply: &Reply, request: &request::Request) -> Bytes {
    // A request of a version that is not supported is answered in one that is.
    let is_known = matches!(request.version.0 >> 8, 1 | 2);
    let version = if is_known {
        request.version
    } else {
        ipp::model::IppVersion::v2_0()
    };
    reply.to_bytes(version, request.id)
}

/// An answer of this media type.
pub(crate) fn with_type(media_type: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// An answer without a body.
pub(crate) fn plain(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::new()));
    *response.status_mut() = status;
    response
}

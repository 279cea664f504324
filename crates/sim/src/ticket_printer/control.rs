//! The door for tests and demo: knobs, power, and what came out.
//!
//! ```text
//! GET  /control/state             Report
//! POST /control                   {"paper_dots": 0, …}: the knobs that change; answers all knobs
//! POST /control/power-cycle       cuts the power and brings it back; answers Report
//! GET  /control/slips/<n>.svg     the n-th slip that is remembered, from 0, as a picture
//! ```

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};
use serde::{Deserialize, Serialize};

use super::device::Device;
use super::knobs::Knobs;
use super::picture::picture;
use super::server::Shared;
use super::slip::Slip;
use crate::printer::http::{plain, with_type};

/// All knobs at once take under 600 bytes.
const MAX_CHANGE_LEN: usize = 16 * 1024;

/// What the printer did so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Where it is written to, `127.0.0.1:PORT`.
    pub address: String,
    /// The slips that are remembered, the oldest first; the last may be still in the printer.
    pub slips: Vec<SlipReport>,
    /// Slips that were cut off, ever.
    pub cuts: u64,
    /// Pulses to a drawer, ever.
    pub drawer_kicks: u64,
    /// Commands that it did not know, ever.
    pub unknown_commands: u64,
    /// Bytes that it was sent, ever.
    pub received_bytes: u64,
    /// Bytes that it worked through, ever.
    pub worked_bytes: u64,
    /// How often its power failed.
    pub power_cycles: u32,
    /// Its knobs.
    pub knobs: Knobs,
}

/// What a person reads on a slip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlipReport {
    /// Its lines, without blanks at their ends.
    pub text: Vec<String>,
    /// What a telephone reads on it.
    pub codes: Vec<String>,
    /// True once it was cut off.
    pub is_cut: bool,
    /// Rows of dots, eight a millimetre.
    pub height_dots: u32,
}

impl SlipReport {
    fn of(slip: &Slip) -> Self {
        Self {
            text: slip.text().into_iter().map(str::to_owned).collect(),
            codes: slip.codes(),
            is_cut: slip.is_cut,
            height_dots: slip.height_dots(),
        }
    }
}

impl Report {
    pub(crate) fn of(device: &Device, address: &str) -> Self {
        let seen = device.slips().filter(|slip| !slip.is_blank());
        Self {
            address: address.to_owned(),
            slips: seen.map(SlipReport::of).collect(),
            cuts: device.cuts(),
            drawer_kicks: device.drawer_kicks(),
            unknown_commands: device.unknown_commands(),
            received_bytes: device.received_bytes(),
            worked_bytes: device.worked_bytes(),
            power_cycles: device.power_cycles(),
            knobs: device.knobs().clone(),
        }
    }
}

pub(crate) async fn serve(shared: &Shared, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let path = request.uri().path().to_owned();
    match (request.method(), path.as_str()) {
        (&Method::GET, "/control/state") => json(&shared.report()),
        (&Method::POST, "/control") => {
            let body = Limited::new(request.into_body(), MAX_CHANGE_LEN)
                .collect()
                .await;
            let Ok(change) = body.map(|body| body.to_bytes()) else {
                return plain(StatusCode::PAYLOAD_TOO_LARGE);
            };
            match shared.turn(|knobs| knobs.turned(&change)) {
                Ok(knobs) => json(&knobs),
                Err(_) => plain(StatusCode::UNPROCESSABLE_ENTITY),
            }
        }
        (&Method::POST, "/control/power-cycle") => {
            shared.power_cycle();
            json(&shared.report())
        }
        (&Method::GET, path) => {
            let name = path
                .strip_prefix("/control/slips/")
                .and_then(|it| it.strip_suffix(".svg"));
            let number = name.and_then(|number| number.parse::<usize>().ok());
            match number.and_then(|number| shared.slip(number)) {
                Some(slip) => with_type("image/svg+xml", picture(&slip, shared.dots()).into()),
                None => plain(StatusCode::NOT_FOUND),
            }
        }
        _ => plain(StatusCode::NOT_FOUND),
    }
}

fn json<T: Serialize>(answer: &T) -> Response<Full<Bytes>> {
    match serde_json::to_vec(answer) {
        Ok(body) => with_type("application/json", body.into()),
        Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

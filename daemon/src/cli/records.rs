//! `loketd records`: how many records of printed sheets lie on this machine, and the end of those that central cannot open.

use std::path::Path;

use super::face::{note, say, tell};
use super::{read_config, runtime, talk};
use crate::exit::Exit;
use crate::trouble::Trouble;
use crate::unit::control::{Request, Response, socket_path};

/// Counts them, once those that central cannot open are forgotten in the name of `forget_by`.
pub(super) fn records(config: &Path, forget_by: Option<String>, json: bool) -> Result<Exit, Exit> {
    let config = read_config(config)?;
    let request = Request::Records { forget_by };
    let answer = runtime()?.block_on(async {
        let stream = talk::connect(&socket_path(&config.runtime_dir)).await?;
        talk::exchange_any(stream, &request, &[]).await
    });
    let count = match answer.map_err(|error| error.tell())? {
        Response::Records(count) => count,
        Response::Error { code, message } => {
            note(format_args!("{code}: {message}"));
            return Err(Exit::Negative);
        }
        Response::Ok(_)
        | Response::Paper(_)
        | Response::Report(_)
        | Response::TicketState(_)
        | Response::TicketTest(_) => {
            return Err(tell(Trouble::DaemonGarbled, "no count in the answer"));
        }
    };
    if json {
        let text = serde_json::to_string(&count).map_err(|error| tell(Trouble::Fault, error))?;
        say(text)?;
    } else {
        say(format_args!("menunggu diambil pusat: {}", count.waiting))?;
        say(format_args!("tidak dapat dibuka pusat: {}", count.refused))?;
    }
    Ok(Exit::Done)
}

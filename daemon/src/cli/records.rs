//! `loketd records`: how many records of printed sheets lie on this machine, and the end of those that central cannot open.

use std::path::Path;

use super::face::{say, tell};
use super::{read_config, runtime, talk};
use crate::exit::Exit;
use crate::trouble::Trouble;
use crate::unit::control::{Request, Response, socket_path};

/// Counts them, once those that central cannot open are forgotten in the name of `forget_by`.
pub(super) fn records(config: &Path, forget_by: Option<String>, json: bool) -> Result<Exit, Exit> {
    let config = read_config(config)?;
    let request = Request::Records { forget_by };
    let socket = socket_path(&config.runtime_dir);
    let asked = talk::ask(&socket, &request, |answer| {
        if let Response::Records(count) = answer {
            return Some(count);
        }
        None
    });
    let count = runtime()?.block_on(asked).map_err(|error| error.tell())?;
    if json {
        let text = serde_json::to_string(&count).map_err(|error| tell(Trouble::Fault, error))?;
        say(text)?;
    } else {
        say(format_args!("menunggu diambil pusat: {}", count.waiting))?;
        say(format_args!("tidak dapat dibuka pusat: {}", count.refused))?;
    }
    Ok(Exit::Done)
}

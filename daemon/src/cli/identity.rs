//! `loketd identity …`: keys are made here and stay; what travels is public.

use std::path::PathBuf;

use clap::Subcommand;

use super::{DEFAULT_CONFIG, read_config};
use crate::config::Config;
use crate::exit::Exit;
use crate::identity::{IdentityDir, IdentityError};
use crate::key_seal::KeySeal;
use crate::telemetry::chain;

#[derive(Debug, Subcommand)]
pub(super) enum IdentityCommand {
    /// Make this machine's keys, if it has none, and write its request for the authority.
    Request {
        /// The settings file.
        #[arg(long, default_value = DEFAULT_CONFIG)]
        config: PathBuf,
        /// Where the request goes.
        #[arg(long)]
        out: PathBuf,
    },
    /// Take what the authority gave.
    Install {
        /// The settings file.
        #[arg(long, default_value = DEFAULT_CONFIG)]
        config: PathBuf,
        /// The authority's file.
        file: PathBuf,
    },
}

pub(super) fn identity(what: &IdentityCommand) -> Exit {
    match what {
        IdentityCommand::Request { config, out } => {
            let config = match read_config(config) {
                Ok(config) => config,
                Err(exit) => return exit,
            };
            let request = match dir(&config).and_then(|dir| dir.request(&config.machine)) {
                Ok(request) => request,
                Err(error) => return failed(&error),
            };
            let json = serde_json::to_vec_pretty(&request).unwrap_or_default();
            match std::fs::write(out, json) {
                Ok(()) => Exit::Done,
                Err(error) => {
                    eprintln!("failed to write {}: {error}", out.display());
                    Exit::State
                }
            }
        }
        IdentityCommand::Install { config, file } => {
            let config = match read_config(config) {
                Ok(config) => config,
                Err(exit) => return exit,
            };
            let json = match std::fs::read(file) {
                Ok(json) => json,
                Err(error) => {
                    eprintln!("failed to read {}: {error}", file.display());
                    return Exit::Unreadable;
                }
            };
            match dir(&config).and_then(|dir| dir.install(&config.machine, &json)) {
                Ok(bundle) => {
                    println!(
                        "installed: machine {} of office {}",
                        bundle.machine, bundle.office
                    );
                    Exit::Done
                }
                Err(error) => failed(&error),
            }
        }
    }
}

/// The folder; keys are sealed where `CREDENTIALS_DIRECTORY` holds a credential, as under systemd.
fn dir(config: &Config) -> Result<IdentityDir, IdentityError> {
    Ok(IdentityDir::under(
        &config.state_dir,
        KeySeal::from_credentials()?,
    ))
}

fn failed(error: &IdentityError) -> Exit {
    eprintln!("failed to {}", chain(error));
    Exit::State
}

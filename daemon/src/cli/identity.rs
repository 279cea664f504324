//! `loketd identity …`: keys are made here and stay; what travels is public.

use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::face::{note, say, tell};
use super::{DEFAULT_CONFIG, own_state, read_config};
use crate::clock::Clock;
use crate::config::Config;
use crate::exit::Exit;
use crate::identity::{IdentityDir, IdentityError};
use crate::key_seal::KeySeal;
use crate::telemetry::chain;
use crate::trouble::Trouble;

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

pub(super) fn identity(what: &IdentityCommand) -> Result<Exit, Exit> {
    match what {
        IdentityCommand::Request { config, out } => request(&read_config(config)?, out),
        IdentityCommand::Install { config, file } => install(&read_config(config)?, file),
    }
}

fn request(config: &Config, out: &Path) -> Result<Exit, Exit> {
    own_state(config)?;
    let request = dir(config).and_then(|dir| dir.request(&config.machine));
    let request = request.map_err(|error| tell(trouble(&error), chain(&error)))?;
    let json = serde_json::to_vec_pretty(&request).map_err(|error| tell(Trouble::Fault, error))?;
    std::fs::write(out, json).map_err(|error| {
        tell(
            Trouble::FileUnwritable,
            format_args!("{}: {error}", out.display()),
        )
    })?;
    Ok(Exit::Done)
}

fn install(config: &Config, file: &Path) -> Result<Exit, Exit> {
    own_state(config)?;
    let json = std::fs::read(file).map_err(|error| {
        tell(
            Trouble::FileUnreadable,
            format_args!("{}: {error}", file.display()),
        )
    })?;
    let installed = dir(config).and_then(|dir| {
        let clock = Clock::new(None);
        dir.install(&config.machine, &json, &clock)
    });
    let bundle = installed.map_err(|error| {
        let trouble = trouble(&error);
        // What is refused is the file that was given; nothing of this machine is at fault.
        if trouble == Trouble::BundleRefused {
            tell(
                trouble,
                format_args!("{}: {}", file.display(), chain(&error)),
            )
        } else {
            tell(trouble, chain(&error))
        }
    })?;
    say(format_args!(
        "identitas terpasang: mesin {}, kantor {}",
        bundle.machine, bundle.office
    ))?;
    note("Nyalakan ulang layanan agar berlaku: systemctl restart loketd");
    Ok(Exit::Done)
}

/// The folder; keys are sealed where `CREDENTIALS_DIRECTORY` holds a credential, as under systemd.
fn dir(config: &Config) -> Result<IdentityDir, IdentityError> {
    Ok(IdentityDir::under(
        &config.state_dir,
        KeySeal::from_credentials()?,
    ))
}

const fn trouble(error: &IdentityError) -> Trouble {
    match error {
        IdentityError::File { .. } => Trouble::StateUnusable,
        IdentityError::NotEnrolled(_)
        | IdentityError::Content(_)
        | IdentityError::KeySeal(_)
        | IdentityError::Tls(_)
        | IdentityError::Seal(_)
        | IdentityError::Sign(_) => Trouble::IdentityBroken,
        IdentityError::Bundle { .. } | IdentityError::OtherMachine | IdentityError::OtherKey => {
            Trouble::BundleRefused
        }
        IdentityError::KeyMaking(_) => Trouble::Fault,
    }
}

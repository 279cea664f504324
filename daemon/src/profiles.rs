//! Device profiles as this program reads them: the shipped ones, and those of the folder that the settings name.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use loket_device_profile::{
    Effective, MAX_PROFILES, MAX_TEXT_BYTES, ProfileError, Profiles, SectionError, Seen,
};
use loket_usb::Quirks;
use serde::Deserialize;
use thiserror::Error;

use crate::config::TicketProfile;

/// What a profile may say of any printer of documents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PrintQuirks {
    /// Whether its count of printed impressions may be believed; it may where nothing is said.
    pub trusts_impressions: Option<bool>,
    /// Whether its ink dries where it rests, so that it wants exercise; where nothing is said, it does if it says that it
    /// prints with ink.
    pub dries_out: Option<bool>,
    /// Whether it speaks IPP over USB where its descriptors say so; it does where nothing is said.
    pub speaks_ipp_over_usb: Option<bool>,
}

/// Why device profiles cannot be used.
#[derive(Debug, Error)]
pub enum ProfilesError {
    /// A folder or file cannot be read.
    #[error("read device profiles in {}", path.display())]
    Read {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// There are more files than profiles may be.
    #[error("read device profiles in {}: there are more than {MAX_PROFILES}", path.display())]
    TooMany {
        /// The folder.
        path: PathBuf,
    },
    /// A profile is not as profiles are.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// A profile says what this program does not know.
    #[error(transparent)]
    Section(#[from] SectionError),
}

/// The shipped profiles and those of a folder, each read by all who use it: what one of them does not know is an error
/// here, and not when a device is plugged in.
///
/// # Errors
/// [`ProfilesError`]
pub fn load(folder: Option<&Path>) -> Result<Profiles, ProfilesError> {
    let mut profiles = Profiles::shipped()?;
    let Some(folder) = folder else {
        return Ok(profiles);
    };
    for path in files(folder)? {
        let name = path
            .file_stem()
            .map_or_else(String::new, |it| it.to_string_lossy().into_owned());
        profiles.add(&name, &text(&path)?)?;
    }
    for name in profiles.names() {
        check(&profiles.only(name))?;
    }
    Ok(profiles)
}

/// Whether all that is said in these values is known to those who read them.
fn check(said: &Effective) -> Result<(), SectionError> {
    said.section::<PrintQuirks>("print")?;
    said.section::<Quirks>("usb")?;
    said.section::<TicketProfile>("ticket")?;
    said.holds_only(&["print", "usb", "ticket"])
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, ProfilesError> {
    let unreadable = |source| ProfilesError::Read {
        path: folder.to_owned(),
        source,
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|it| it == "toml") {
            files.push(path);
        }
        if files.len() > MAX_PROFILES {
            return Err(ProfilesError::TooMany {
                path: folder.to_owned(),
            });
        }
    }
    // Of two that mean a device as exactly, the later one counts: by name, not by the order of a folder.
    files.sort_unstable();
    Ok(files)
}

/// Reads one byte more than a profile may have, so that a longer one is refused and not cut.
fn text(path: &Path) -> Result<String, ProfilesError> {
    let limit = u64::try_from(MAX_TEXT_BYTES)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    let mut text = String::new();
    let read =
        std::fs::File::open(path).and_then(|file| file.take(limit).read_to_string(&mut text));
    read.map_err(|source| ProfilesError::Read {
        path: path.to_owned(),
        source,
    })?;
    Ok(text)
}

/// What holds for a printer of this make and model; one whose profile cannot be read is as any other, and said so when
/// the profiles were loaded.
#[must_use]
pub fn of_printer(profiles: &Profiles, model: Option<&str>) -> PrintQuirks {
    let seen = Seen { usb: None, model };
    profiles
        .for_device(seen)
        .section("print")
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HONEST: &str = "[match]\nmodel = [\"Acme 1*\"]\n[[quirk]]\nset.print.trusts_impressions = false\n\
        reason = \"counts jams as sheets\"\nsource = \"this test\"\n";

    #[test]
    fn what_is_shipped_is_known_to_those_who_read_it() {
        let profiles = load(None).unwrap();
        for name in profiles.names() {
            check(&profiles.only(name)).unwrap();
        }
    }

    #[test]
    fn an_office_adds_profiles_and_mends_shipped_ones() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("acme.toml"), HONEST).unwrap();
        std::fs::write(folder.path().join("notes.txt"), "no profile").unwrap();
        let profiles = load(Some(folder.path())).unwrap();
        let trusts = |model| of_printer(&profiles, model).trusts_impressions;
        assert_eq!(trusts(Some("Acme 100")), Some(false));
        assert_eq!(trusts(Some("Other 100")), None);
        assert_eq!(trusts(None), None);
    }

    #[test]
    fn a_profile_that_cannot_be_used_is_told_with_its_name_before_anything_starts() {
        let folder = tempfile::tempdir().unwrap();
        let told = |text: &str| {
            std::fs::write(folder.path().join("odd.toml"), text).unwrap();
            crate::telemetry::chain(&load(Some(folder.path())).unwrap_err())
        };
        for text in [
            "no toml",
            &HONEST.replace("trusts_impressions", "trusts_nobody"),
            &HONEST.replace(
                "set.print.trusts_impressions",
                "set.prints.trusts_impressions",
            ),
            &HONEST.replace("= false", "= \"no\""),
            &format!("{HONEST}#{}", "x".repeat(MAX_TEXT_BYTES)),
        ] {
            assert!(told(text).contains("odd"), "{}", told(text));
        }
        let absent = folder.path().join("absent");
        let error = load(Some(&absent)).unwrap_err();
        assert!(error.to_string().contains("absent"), "{error}");
    }
}

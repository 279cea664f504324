//! Whom this machine trusts, for `loketd devices`: which bundle, how old, and whether it counts or why not.

use loket_kiosk_ui::words::age;
use loket_trust_folder::TrustFolder;
use loket_wire::Timestamp;
use serde::Serialize;

use super::face::say;
use crate::config::{Config, TrustSource};
use crate::exit::Exit;
use crate::identity::central_key;
use crate::telemetry::chain;
use crate::trust::TrustStore;

/// Why no bundle counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Unused {
    /// The settings say that the folder alone counts.
    SourceFolder,
    /// The machine has no key of central, or this account may not read it.
    NoCentral,
    /// Central has sent none.
    NoneYet,
    /// What lies there does not open; `fault` says why.
    Unreadable,
    /// The trust folder itself cannot be read, so nothing counts for a start of the daemon.
    FolderBroken,
}

impl Unused {
    const fn in_words(self) -> &'static str {
        match self {
            Self::SourceFolder => {
                "paket dari pusat tidak dipakai: pengaturan [trust] source = \"folder\""
            }
            Self::NoCentral => {
                "tidak ada paket yang dapat dipakai: mesin ini belum terdaftar, atau akun ini tidak boleh membaca identitasnya; jalankan dengan akun layanan loketd"
            }
            Self::NoneYet => {
                "belum ada paket dari pusat; map kepercayaan mesin ini yang dipakai. Periksa sambungan ke pusat"
            }
            Self::Unreadable => {
                "paket dari pusat tidak dapat dipakai; map kepercayaan mesin ini yang dipakai. Hubungi petugas TI"
            }
            Self::FolderBroken => {
                "map kepercayaan rusak; perbaiki berkas yang disebut, lalu ulangi. Hubungi petugas TI"
            }
        }
    }
}

/// What is trusted, in the shape of `loketd devices --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct TrustSeen {
    source: TrustSource,
    /// Serial of the bundle that counts.
    serial: Option<u64>,
    /// When central made it, RFC 3339.
    made_at: Option<String>,
    /// Seconds since then, by this machine's clock.
    age_s: Option<u64>,
    in_use: bool,
    /// Whether it is older than the settings allow.
    is_old: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    why_not: Option<Unused>,
    /// From when on the official hosts count that codes are judged by, RFC 3339.
    hosts_valid_from: Option<String>,
    /// Why something is not used, for the one who mends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
}

/// Looks at what a daemon of these settings would judge by.
pub(super) fn look(config: &Config, now: Timestamp) -> TrustSeen {
    let source = config.trust.source;
    let mut seen = TrustSeen {
        source,
        serial: None,
        made_at: None,
        age_s: None,
        in_use: false,
        is_old: false,
        why_not: None,
        hosts_valid_from: None,
        fault: None,
    };
    let folder = match TrustFolder::open(config.trust_dir.clone()) {
        Ok(folder) => folder,
        Err(error) => {
            seen.why_not = Some(Unused::FolderBroken);
            seen.fault = Some(chain(&error));
            return seen;
        }
    };
    let central = central_key(&config.state_dir);
    let has_central = central.is_some();
    let store = TrustStore::open(folder, source, &config.state_dir, central);
    seen.hosts_valid_from = store.hosts(now).map(|hosts| hosts.valid_from.to_string());
    seen.fault = store.bundle_fault();
    if let Some(standing) = store.standing() {
        let age = now.since(standing.made_at);
        let max_age_s = u64::from(config.trust.max_age_days) * 86_400;
        seen.serial = Some(standing.serial);
        seen.made_at = Some(standing.made_at.to_string());
        seen.age_s = Some(age.as_secs());
        seen.is_old = age.as_secs() > max_age_s;
        seen.in_use = true;
        return seen;
    }
    seen.why_not = Some(match (source, has_central, &seen.fault) {
        (TrustSource::Folder, ..) => Unused::SourceFolder,
        (_, false, _) => Unused::NoCentral,
        (_, true, Some(_)) => Unused::Unreadable,
        (_, true, None) => Unused::NoneYet,
    });
    seen
}

impl TrustSeen {
    /// What an officer reads.
    pub(super) fn line(&self) -> String {
        let used = match (self.serial, &self.made_at, self.age_s) {
            (Some(serial), Some(made_at), Some(age_s)) => {
                let old = if self.is_old {
                    "; sudah terlalu lama, periksa sambungan ke pusat"
                } else {
                    ""
                };
                let age = age(age_s);
                format!("paket {serial} dari pusat dipakai, dibuat {made_at}, umur {age}{old}")
            }
            _ => self.why_not.map_or("", Unused::in_words).to_owned(),
        };
        format!("kepercayaan: {used}")
    }

    pub(super) fn say(&self) -> Result<(), Exit> {
        say(self.line())?;
        if let Some(from) = &self.hosts_valid_from {
            say(format_args!(
                "alamat QR resmi: daftar yang berlaku sejak {from}"
            ))?;
        }
        match &self.fault {
            Some(fault) => say(format_args!("  rincian: {fault}")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(dir: &std::path::Path, source: &str) -> Config {
        let path = dir.join("loket.toml");
        let text = format!(
            "machine = \"desa-contoh-1\"\nstate_dir = \"state\"\nruntime_dir = \"run\"\n\
             trust_dir = \"trust\"\n[trust]\nsource = \"{source}\"\n"
        );
        std::fs::write(&path, text).unwrap();
        Config::read(&path).unwrap()
    }

    #[test]
    fn why_no_bundle_counts_is_told_in_words() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("trust")).unwrap();
        let now = Timestamp::from_unix_ms(1_795_651_200_000);
        let check = |source: &str, expect: Unused| {
            let seen = look(&config(dir.path(), source), now);
            assert_eq!(seen.why_not, Some(expect), "{source}");
            assert!(!seen.in_use && seen.line().contains(expect.in_words()));
            seen
        };
        let seen = check("folder", Unused::SourceFolder);
        assert_eq!(
            seen.hosts_valid_from.as_deref(),
            Some("2025-12-31T17:00:00Z")
        );
        check("bundle", Unused::NoCentral);
        std::fs::write(dir.path().join("trust/half.crl"), "half a list").unwrap();
        let seen = check("bundle", Unused::FolderBroken);
        assert!(seen.fault.unwrap().contains("revocation list"));
    }

    #[test]
    fn a_bundle_is_told_with_its_number_and_age() {
        let seen = TrustSeen {
            source: TrustSource::Bundle,
            serial: Some(7),
            made_at: Some("2026-11-26T00:00:00Z".to_owned()),
            age_s: Some(3 * 86_400),
            in_use: true,
            is_old: false,
            why_not: None,
            hosts_valid_from: None,
            fault: None,
        };
        assert_eq!(
            seen.line(),
            "kepercayaan: paket 7 dari pusat dipakai, dibuat 2026-11-26T00:00:00Z, umur 3 hari"
        );
        let old = TrustSeen {
            is_old: true,
            ..seen
        };
        assert!(old.line().ends_with("periksa sambungan ke pusat"));
    }
}

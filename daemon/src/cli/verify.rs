//! `loketd verify`: bytes in, verdict out, at a terminal.

use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use loket_trust_folder::TrustFolder;
use loket_verify::{Finding, Policy, Report, SignatureReport, Verdict};
use loket_wire::Timestamp;

use super::face::{say, tell};
use super::{DEFAULT_CONFIG, read_config};
use crate::clock::Clock;
use crate::config::{Config, TrustSource};
use crate::document::policy_of;
use crate::exit::Exit;
use crate::identity::central_key;
use crate::telemetry::chain;
use crate::trouble::Trouble;
use crate::trust::TrustStore;

pub(super) fn verify(
    file: &Path,
    trust: Option<&Path>,
    at: Option<Timestamp>,
    json: bool,
) -> Result<Exit, Exit> {
    let open = |dir: &Path| {
        TrustFolder::open(dir.to_owned()).map_err(|error| {
            tell(Trouble::TrustUnreadable, chain(&error));
            Exit::Unreadable
        })
    };
    let (trust, policy) = match trust {
        Some(dir) => (TrustStore::of_folder(open(dir)?), Policy::default()),
        None => {
            let config = read_config(Path::new(DEFAULT_CONFIG))?;
            let trust = with_bundle(&config, open(&config.trust_dir)?);
            (trust, policy_of(&config))
        }
    };
    let document = read_bounded(file).map_err(|error| {
        tell(
            Trouble::FileUnreadable,
            format_args!("{}: {error}", file.display()),
        )
    })?;
    let at = at.unwrap_or_else(|| Clock::new(None).now().wall);
    let report = loket_verify::check(&document, &trust.current(), &policy, at);
    if json {
        let text = serde_json::to_string(&report).map_err(|error| tell(Trouble::Fault, error))?;
        say(text)?;
    } else {
        say_text(&report)?;
    }
    Ok(match report.verdict {
        Verdict::Valid => Exit::Done,
        Verdict::Invalid => Exit::Negative,
        Verdict::Indeterminate => Exit::Unsure,
    })
}

/// What the daemon of these settings judges by. Where its bundle cannot be read, that is told.
pub(super) fn with_bundle(config: &Config, folder: TrustFolder) -> Arc<TrustStore> {
    let central = central_key(&config.state_dir);
    let store = TrustStore::open(folder, config.trust.source, &config.state_dir, central);
    if config.trust.source != TrustSource::Folder && store.standing().is_none() {
        tell(Trouble::TrustBundleUnread, config.state_dir.display());
    }
    store
}

/// Reads one byte more than the verifier takes, so that it is the one to refuse what is too large.
fn read_bounded(file: &Path) -> std::io::Result<Vec<u8>> {
    let limit = u64::try_from(loket_verify::MAX_DOCUMENT_BYTES)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    let mut bytes = Vec::new();
    std::fs::File::open(file)?
        .take(limit)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn say_text(report: &Report) -> Result<(), Exit> {
    say(match report.verdict {
        Verdict::Valid => "ASLI (valid)",
        Verdict::Invalid => "TIDAK SAH (invalid)",
        Verdict::Indeterminate => "BELUM DAPAT DIPASTIKAN (indeterminate)",
    })?;
    for signature in &report.signatures {
        let (signer, issuer) = (signature.signer.as_deref(), signature.issuer.as_deref());
        say(format_args!("  penanda tangan: {}", signer.unwrap_or("-")))?;
        say(format_args!("  penerbit: {}", issuer.unwrap_or("-")))?;
        if let Some(at) = signature.signed_at {
            say(format_args!("  {}: {at}", whose_time(signature)))?;
        }
        say_findings(&signature.findings)?;
    }
    say_findings(&report.findings)
}

/// Whose word the time of signing is.
const fn whose_time(signature: &SignatureReport) -> &'static str {
    if signature.is_stamped {
        "waktu (menurut stempel waktu yang sah)"
    } else {
        "waktu (menurut penanda tangan)"
    }
}

fn say_findings(findings: &[Finding]) -> Result<(), Exit> {
    for finding in findings {
        let (id, sentence) = (finding.code.id(), finding.code.sentence());
        say(format_args!("  {id} {sentence}"))?;
    }
    Ok(())
}

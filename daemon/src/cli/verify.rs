//! `loketd verify`: bytes in, verdict out, at a terminal.

use std::io::Read as _;
use std::path::Path;

use loket_verify::{Policy, Report, Verdict};
use loket_wire::Timestamp;

use super::DEFAULT_CONFIG;
use crate::clock::Clock;
use crate::config::Config;
use crate::document::{policy_of, read_trust};
use crate::exit::Exit;
use crate::telemetry::chain;

pub(super) fn verify(file: &Path, trust: Option<&Path>, at: Option<Timestamp>, json: bool) -> Exit {
    let (dir, policy) = match trust {
        Some(dir) => (dir.to_owned(), Policy::default()),
        None => match Config::read(Path::new(DEFAULT_CONFIG)) {
            Ok(config) => (config.trust_dir.clone(), policy_of(&config)),
            Err(error) => {
                eprintln!("failed to {}; give --trust DIR", chain(&error));
                return Exit::Config;
            }
        },
    };
    let trust = match read_trust(&dir) {
        Ok(trust) => trust,
        Err(error) => {
            eprintln!("failed to {}", chain(&error));
            return Exit::Unreadable;
        }
    };
    let document = match read_bounded(file) {
        Ok(document) => document,
        Err(error) => {
            eprintln!("failed to read {}: {error}", file.display());
            return Exit::Unreadable;
        }
    };
    let at = at.unwrap_or_else(|| Clock::new(None).now().wall);
    let report = loket_verify::check(&document, &trust, &policy, at);
    if json {
        match serde_json::to_string(&report) {
            Ok(text) => println!("{text}"),
            Err(error) => {
                eprintln!("failed to write the report: {error}");
                return Exit::Bug;
            }
        }
    } else {
        print_text(&report);
    }
    match report.verdict {
        Verdict::Valid => Exit::Done,
        Verdict::Invalid => Exit::Negative,
        Verdict::Indeterminate => Exit::Unsure,
    }
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

fn print_text(report: &Report) {
    println!(
        "{}",
        match report.verdict {
            Verdict::Valid => "ASLI (valid)",
            Verdict::Invalid => "TIDAK SAH (invalid)",
            Verdict::Indeterminate => "BELUM DAPAT DIPASTIKAN (indeterminate)",
        }
    );
    for signature in &report.signatures {
        println!(
            "  penanda tangan: {}",
            signature.signer.as_deref().unwrap_or("-")
        );
        println!("  penerbit: {}", signature.issuer.as_deref().unwrap_or("-"));
        if let Some(at) = signature.signed_at {
            println!("  waktu (menurut penanda tangan): {at}");
        }
        for finding in &signature.findings {
            println!("  {} {}", finding.code.id(), finding.code.text());
        }
    }
    for finding in &report.findings {
        println!("  {} {}", finding.code.id(), finding.code.text());
    }
}

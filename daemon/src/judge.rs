//! The judging process: loketd started again with a hidden command, which limits itself before it reads a byte of what
//! somebody brought.
//!
//! Shape: a [`Brief`] as JSON on standard input, behind it whom to trust ([`Trust::carried`]) and the document to its end; a
//! [`Judgement`] as JSON on standard output, and how it went in the exit code: 0 judged, 65 no kind of document that is
//! known, 78 whom to trust cannot be read. Anything else, a signal above all, means that it was not judged. It opens no
//! file: what is trusted here is what the daemon judges orders by, in the same moment.

pub(crate) mod look;

use std::io::{Read as _, Write as _};

use loket_confine::Limits;
use loket_kiosk_ui::ports::{Document, Judgement, MAX_DOCUMENT_BYTES, Paper};
use loket_paper::raster;
use loket_verify::{Policy, Trust};
use loket_wire::{HostRules, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::exit::Exit;

/// Address space of the process: the program itself takes 40 MiB of it, a document of 8 MiB and what is made of it 64.
pub const MEMORY_BYTES: u64 = 256 * 1024 * 1024;

/// Processor time: a large honest document takes some hundredths of a second on the slowest PC.
pub const CPU_S: u64 = 10;

/// The largest brief: a policy of 512 signers has some 150 kB, host rules have 64.
const MAX_BRIEF_BYTES: u64 = 1024 * 1024;

/// The largest store of trust, an eighth of the memory: it is kept beside what is made of it.
const MAX_TRUST_BYTES: u64 = 32 * 1024 * 1024;

/// How the hidden command is called.
pub const COMMAND: &str = "judge";

/// What the offices wrote that documents are judged by.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Brief {
    /// The rules of judging.
    pub policy: Policy,
    /// Which hosts are official; without them no QR code is read.
    #[serde(default)]
    pub hosts: Option<HostRules>,
}

/// What is judged, and by what.
#[derive(Debug, clap::Args)]
pub struct Task {
    /// Bytes of the brief, which come first.
    #[arg(long)]
    pub brief_bytes: u64,
    /// Bytes of whom to trust, which come next; 0 for nobody.
    #[arg(long)]
    pub trust_bytes: u64,
    /// The moment of judgement, in milliseconds since 1970 UTC.
    #[arg(long)]
    pub at_ms: i64,
    /// Whether an officer reads the answer.
    #[arg(long)]
    pub officer: bool,
    /// Whether pages are drawn and looked at as well.
    #[arg(long)]
    pub look: bool,
    /// Bytes of address space.
    #[arg(long, default_value_t = MEMORY_BYTES)]
    pub memory_bytes: u64,
    /// Seconds of processor time.
    #[arg(long, default_value_t = CPU_S)]
    pub cpu_s: u64,
}

impl Task {
    /// The words of the command line that say the same.
    #[must_use]
    pub fn words(&self) -> Vec<std::ffi::OsString> {
        let mut words: Vec<std::ffi::OsString> = vec![
            COMMAND.into(),
            "--brief-bytes".into(),
            self.brief_bytes.to_string().into(),
            "--trust-bytes".into(),
            self.trust_bytes.to_string().into(),
            "--at-ms".into(),
            self.at_ms.to_string().into(),
            "--memory-bytes".into(),
            self.memory_bytes.to_string().into(),
            "--cpu-s".into(),
            self.cpu_s.to_string().into(),
        ];
        for (is_set, word) in [(self.officer, "--officer"), (self.look, "--look")] {
            if is_set {
                words.push(word.into());
            }
        }
        words
    }
}

/// Does it.
///
/// # Errors
/// The exit code that says why nothing was judged.
pub fn judge(task: &Task) -> Result<Exit, Exit> {
    // Before the limits: what the offices themselves wrote.
    let brief = read(task.brief_bytes.min(MAX_BRIEF_BYTES)).map_err(|_cut| Exit::Unreadable)?;
    let brief: Brief = serde_json::from_slice(&brief).map_err(|_bad| Exit::Usage)?;
    let trust = trust(task)?;
    limit(task.memory_bytes, task.cpu_s).map_err(|_refused| Exit::Bug)?;
    // One byte more than is judged, so that it is the verifier that says what is too large.
    let most = u64::try_from(MAX_DOCUMENT_BYTES).unwrap_or(u64::MAX);
    let document = read(most.saturating_add(1)).map_err(|_cut| Exit::Unreadable)?;
    let judgement = match kind(&document) {
        Some(Kind::Pdf) => {
            let at = Timestamp::from_unix_ms(task.at_ms);
            let report = loket_verify::check(&document, &trust, &brief.policy, at);
            let mut judged = Document::of(&report, at);
            if task.look {
                judged.qr = look::of_pages(&document, brief.hosts.as_ref());
            }
            if task.look && task.officer {
                judged.compared = look::compare(&document, &report);
            }
            Judgement::Document(judged)
        }
        Some(Kind::Picture) if task.look => {
            Judgement::Paper(look::of_picture(&document, brief.hosts.as_ref()))
        }
        Some(Kind::Picture) => Judgement::Paper(Paper::default()),
        None => return Err(Exit::Refused),
    };
    let answer = serde_json::to_vec(&judgement).map_err(|_bug| Exit::Bug)?;
    let mut out = std::io::stdout().lock();
    out.write_all(&answer)
        .and_then(|()| out.flush())
        .map_err(|_closed| Exit::Output)?;
    Ok(Exit::Done)
}

/// Whom the daemon trusts at this moment.
fn trust(task: &Task) -> Result<Trust, Exit> {
    if task.trust_bytes == 0 {
        return Ok(Trust::default());
    }
    let bytes = read(task.trust_bytes.min(MAX_TRUST_BYTES)).map_err(|_cut| Exit::Unreadable)?;
    Trust::carried(&bytes).map_err(|_bent| Exit::Config)
}

/// Gives up everything that reading does not need.
pub(crate) fn limit(memory_bytes: u64, cpu_s: u64) -> std::io::Result<()> {
    loket_confine::give_up(Limits {
        memory_bytes,
        cpu_s,
    })
}

/// Up to so many bytes of standard input.
fn read(most: u64) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    std::io::stdin().lock().take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Pdf,
    /// PNG or JPEG.
    Picture,
}

/// What it is by its first bytes. A PDF that begins late is the verifier's to refuse: it says what is wrong.
fn kind(document: &[u8]) -> Option<Kind> {
    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
    const JPEG: &[u8] = b"\xff\xd8\xff";
    if document.starts_with(PNG) || document.starts_with(JPEG) {
        return Some(Kind::Picture);
    }
    raster::is_pdf(document).then_some(Kind::Pdf)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_told_by_its_first_bytes() {
        assert_eq!(kind(b"%PDF-1.7\n"), Some(Kind::Pdf));
        assert_eq!(kind(b"junk %PDF-1.7\n"), Some(Kind::Pdf));
        assert_eq!(kind(b"\x89PNG\r\n\x1a\n..."), Some(Kind::Picture));
        assert_eq!(kind(b"\xff\xd8\xff\xe0"), Some(Kind::Picture));
        assert_eq!(kind(b"PK\x03\x04"), None);
        assert_eq!(kind(b""), None);
        let late = [vec![b' '; 1024], b"%PDF-1.7".to_vec()].concat();
        assert_eq!(kind(&late), None);
    }
}

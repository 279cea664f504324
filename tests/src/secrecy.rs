//! Looks for what must stand nowhere in clear: plainly, and as base64, hexadecimal or UTF-16 in whatever bytes lie
//! around it, wrapped again and again.
//!
//! It reads bytes, not formats: a database, its log, a broker's snapshot and a line of text are all the same to it.
//! What compresses or encrypts is not undone.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use aho_corasick::AhoCorasick;
use anyhow::Context as _;

/// Frame, envelope and a text inside: three wrappings, and one to spare.
const MAX_DEPTH: u32 = 4;

/// A name in an address or a file name has one of these for its spaces.
const SPACES: [&str; 5] = [" ", "%20", "+", "_", "-"];

/// The canaries: every NIK, KK number and name of the fixtures.
///
/// # Errors
/// When the list cannot be read or is empty.
pub fn canaries() -> anyhow::Result<Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/canaries.txt");
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let lines: Vec<String> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect();
    anyhow::ensure!(
        lines.len() > 5,
        "the list of canaries is too short to prove anything"
    );
    Ok(lines)
}

/// Which of `canaries` stand in `bytes`, however wrapped; capitals and small letters are the same.
///
/// # Errors
/// When there are more canaries than a search can hold.
pub fn found_in<'a>(bytes: &[u8], canaries: &'a [String]) -> anyhow::Result<Vec<&'a str>> {
    let found = Needles::of(canaries)?.those_in(bytes);
    let stands =
        |(number, canary): (usize, &'a String)| found.contains(&number).then_some(canary.as_str());
    Ok(canaries.iter().enumerate().filter_map(stands).collect())
}

/// What is looked for, ready for many files.
#[derive(Debug)]
pub(crate) struct Needles {
    search: AhoCorasick,
    /// The number of each word's canary.
    canary_of: Vec<usize>,
    /// The shortest word: a shorter run of characters hides none.
    least_bytes: usize,
}

impl Needles {
    pub(crate) fn of(canaries: &[String]) -> anyhow::Result<Self> {
        let mut words = Vec::new();
        let mut canary_of = Vec::new();
        for (number, canary) in canaries.iter().enumerate() {
            let spelt: BTreeSet<_> = SPACES.iter().map(|to| canary.replace(' ', to)).collect();
            canary_of.extend(spelt.iter().map(|_word| number));
            words.extend(spelt);
        }
        let search = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(&words)
            .context("make a search for canaries")?;
        Ok(Self {
            search,
            canary_of,
            least_bytes: words.iter().map(String::len).min().unwrap_or(usize::MAX),
        })
    }

    /// Whether any of the canaries stands in `bytes`, however wrapped.
    pub(crate) fn stand_in(&self, bytes: &[u8]) -> bool {
        !self.those_in(bytes).is_empty()
    }

    /// Their numbers.
    fn those_in(&self, bytes: &[u8]) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        self.look(bytes, MAX_DEPTH, &mut found);
        found
    }

    fn look(&self, bytes: &[u8], depth: u32, found: &mut BTreeSet<usize>) {
        // One word may begin within another.
        for word in self.search.find_overlapping_iter(bytes) {
            found.extend(self.canary_of.get(word.pattern().as_usize()));
        }
        if let Some(depth) = depth.checked_sub(1) {
            for inner in self.unwrapped(bytes) {
                self.look(&inner, depth, found);
            }
        }
    }

    /// Everything that `bytes` may hold in another writing, one wrapping taken off.
    fn unwrapped(&self, bytes: &[u8]) -> Vec<Vec<u8>> {
        let least = self.least_bytes;
        let mut all = Vec::new();
        for run in runs(bytes, sextet, least) {
            // What stands before a text may belong to its alphabet by chance: only each beginning in turn is sure.
            all.extend((0..4).filter_map(|skip| run.get(skip..).map(from_sextets)));
        }
        for run in runs(bytes, nibble, least) {
            all.extend((0..2).filter_map(|skip| run.get(skip..).map(from_nibbles)));
        }
        all.extend(from_utf16(bytes, least));
        all.retain(|inner| inner.len() >= least);
        all
    }
}

/// Runs of at least so many characters that have a value, as their values; a line break inside is passed over, as PEM
/// and mail break their lines.
fn runs(bytes: &[u8], value: fn(u8) -> Option<u8>, least: usize) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    let mut run = Vec::new();
    for byte in bytes {
        if let Some(value) = value(*byte) {
            run.push(value);
        } else if !matches!(byte, b'\r' | b'\n') {
            if run.len() > least {
                all.push(std::mem::take(&mut run));
            }
            run.clear();
        }
    }
    all.push(run);
    all
}

/// The value of a base64 character, of both alphabets.
///
/// # Source
/// RFC 4648, sections 4 and 5.
fn sextet(character: u8) -> Option<u8> {
    match character {
        b'A'..=b'Z' => Some(character - b'A'),
        b'a'..=b'z' => Some(character - b'a' + 26),
        b'0'..=b'9' => Some(character - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _other => None,
    }
}

fn nibble(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        b'A'..=b'F' => Some(character - b'A' + 10),
        _other => None,
    }
}

fn from_sextets(run: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(run.len());
    for pair in run.windows(2).enumerate() {
        let (at, [one, two]) = pair else { continue };
        // Three of four neighbours share a byte; the fourth pair begins the next group.
        match at % 4 {
            0 => bytes.push((one << 2) | (two >> 4)),
            1 => bytes.push((one << 4) | (two >> 2)),
            2 => bytes.push((one << 6) | two),
            _between => {}
        }
    }
    bytes
}

fn from_nibbles(run: &[u8]) -> Vec<u8> {
    let pair = |pair: &[u8]| pair.iter().fold(0, |byte: u8, value| (byte << 4) | value);
    run.chunks_exact(2).map(pair).collect()
}

/// Each run of ASCII characters with a zero byte between, whichever comes first.
fn from_utf16(bytes: &[u8], least: usize) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for skip in 0..2 {
        let mut run = Vec::new();
        for pair in bytes.get(skip..).unwrap_or_default().chunks_exact(2) {
            match pair {
                [character @ 0x20..=0x7e, 0] => run.push(*character),
                _other if run.len() >= least => all.push(std::mem::take(&mut run)),
                _other => run.clear(),
            }
        }
        all.push(run);
    }
    all
}

/// Every file under `dir` in which or in whose name a canary stands, but not under a path that has one of `outside` in
/// it.
///
/// # Errors
/// When a folder cannot be read; a file that vanishes meanwhile is none.
pub fn files_with(
    dir: &Path,
    outside: &[&str],
    canaries: &[String],
) -> anyhow::Result<Vec<PathBuf>> {
    let needles = Needles::of(canaries)?;
    let mut caught = Vec::new();
    for (name, bytes) in files(dir, outside)? {
        if needles.stand_in(name.as_bytes()) || needles.stand_in(&bytes) {
            caught.push(dir.join(name));
        }
    }
    Ok(caught)
}

/// Every file under `dir` by its path from there, with its bytes, but not under a path that has one of `outside` in it.
///
/// # Errors
/// When a folder cannot be read; a file that vanishes meanwhile is none.
pub fn files(dir: &Path, outside: &[&str]) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let mut all = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder);
        for entry in entries.with_context(|| format!("read {}", folder.display()))? {
            let path = entry?.path();
            let name = path.strip_prefix(dir).unwrap_or(&path);
            let name = name.display().to_string();
            if outside.iter().any(|part| name.contains(part)) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(bytes) = std::fs::read(&path) {
                all.push((name, bytes));
            }
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use data_encoding::{BASE64, BASE64_MIME, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
    use loket_journal::{Batch, Journal, NewEvent, NewReport};

    use super::*;

    const CANARY: &str = "SITI CONTOH";

    fn catches(bytes: &[u8]) -> bool {
        let canaries = ["NOBODY AT ALL".to_owned(), CANARY.to_owned()];
        found_in(bytes, &canaries).unwrap() == [CANARY]
    }

    /// Bytes as they lie around a value in a file: of every kind, those of the alphabets too.
    fn amid(text: &[u8], before: usize) -> Vec<u8> {
        let mut bytes = vec![0, 0xff, 0x81, b'"', 0];
        bytes.extend(b"Ab9+_-/".iter().cycle().take(before));
        bytes.extend(text);
        bytes.extend([0, 0xfe, b'=', b'\n', 7]);
        bytes
    }

    type Writing = fn(&[u8]) -> Vec<u8>;

    #[test]
    fn a_canary_is_found_in_every_writing_at_every_alignment() {
        let writings: [Writing; 7] = [
            |text| text.to_vec(),
            |text| BASE64.encode(text).into_bytes(),
            |text| BASE64URL_NOPAD.encode(text).into_bytes(),
            |text| HEXLOWER.encode(text).into_bytes(),
            |text| HEXUPPER.encode(text).into_bytes(),
            |text| text.iter().flat_map(|byte| [*byte, 0]).collect(),
            |text| text.iter().flat_map(|byte| [0, *byte]).collect(),
        ];
        for (number, write) in writings.iter().enumerate() {
            for (second, again) in writings.iter().enumerate() {
                // Nothing writes characters of two bytes in characters of two bytes.
                if number.min(second) >= 5 {
                    continue;
                }
                for offset in 0..8 {
                    let label = format!("{:offset$}KK {CANARY} 1", "");
                    let once = amid(&write(label.as_bytes()), offset);
                    assert!(catches(&once), "writing {number} at {offset}");
                    let twice = amid(&again(&once), offset);
                    assert!(catches(&twice), "{second} of {number} at {offset}");
                }
            }
        }
    }

    #[test]
    fn a_canary_broken_over_lines_of_base64_is_found() {
        for offset in 0..80 {
            let text = format!("{:offset$}{CANARY}{:40}", "", "");
            assert!(catches(BASE64_MIME.encode(text.as_bytes()).as_bytes()));
        }
    }

    #[test]
    fn a_canary_in_a_file_name_or_an_address_is_found() {
        for text in [
            "siti contoh",
            "siti_contoh.pdf",
            "/t?of=SITI%20CONTOH",
            "Siti-Contoh.json",
        ] {
            assert!(catches(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn a_canary_is_found_however_deep() {
        let inner = serde_json::json!({ "label": CANARY }).to_string();
        let envelope = serde_json::json!({ "ct": BASE64.encode(inner.as_bytes()) }).to_string();
        let frame = serde_json::json!({ "v": 1, "body": BASE64.encode(envelope.as_bytes()) });
        assert!(catches(format!("topic\n{frame}\n").as_bytes()));
    }

    #[test]
    fn nothing_is_found_where_nothing_stands() {
        let canaries = [CANARY.to_owned()];
        let like = BASE64.encode(b"SITI CONTO and more of it");
        for text in [&b""[..], b"nothing", b"SITI CONTO", like.as_bytes()] {
            assert!(found_in(text, &canaries).unwrap().is_empty(), "{text:?}");
        }
    }

    /// A label inside base64 inside JSON inside a database's page, and in its log while the page is not written.
    #[tokio::test]
    async fn a_canary_is_found_in_a_journal_and_in_its_log() -> anyhow::Result<()> {
        let label = BASE64.encode(CANARY.as_bytes());
        let bytes = serde_json::json!({ "v": 1, "label": label }).to_string();
        let event = NewEvent {
            stream: "job-1".to_owned(),
            kind: "received".to_owned(),
            version: 1,
            bytes: bytes.clone().into_bytes(),
        };
        let report = NewReport {
            kind: "job".to_owned(),
            bytes: bytes.into_bytes(),
        };
        let (events, reports) = (
            Batch {
                events: vec![event],
                ..Batch::default()
            },
            Batch {
                reports: vec![report],
                ..Batch::default()
            },
        );
        for batch in [events, reports] {
            let folder = tempfile::tempdir()?;
            let (file, log) = (
                folder.path().join("journal.db"),
                folder.path().join("journal.db-wal"),
            );
            let (journal, _opened) = Journal::open(&file, [7; 16])?;
            journal.append(Batch::default()).await?;
            assert!(!catches(&std::fs::read(&log)?), "before it was written");
            journal.append(batch).await?;
            assert!(catches(&std::fs::read(&log)?), "in the log");
            journal.close().await?;
            assert!(catches(&std::fs::read(&file)?), "in the database");
        }
        Ok(())
    }
}

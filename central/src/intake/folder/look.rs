//! What lies in the folder, since when it lies still, and what is to be done with it next.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::Metadata;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use loket_wire::{Sha256Digest, Timestamp};
use tokio::time::Instant;

use crate::config;
use crate::files;
use crate::intake::order_text::Notation;
use crate::problem::{Code, Problem};

/// Files remembered at once: 25,000 pairs are more than a regency orders in a month, and stay below 16 MiB.
const MAX_ENTRY_COUNT: usize = 50_000;

/// The folder itself is for its owner alone.
const FOLDER_MODE: u32 = 0o700;

/// The first and the longest pause before a pair is tried again that central's own trouble kept out.
const RETRY_MIN: Duration = Duration::from_secs(2);
const RETRY_MAX: Duration = Duration::from_secs(60);

/// Hexadecimal digits of a file name's digest in logs and shortened names: enough to find one of thousands.
const NAME_DIGITS: usize = 12;

/// Which file a name stands for, and how it looks: the same look is the same file with the same content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    device: u64,
    inode: u64,
    size_bytes: u64,
    modified: (i64, i64),
    /// A move renews the change time and keeps the modification time.
    changed: (i64, i64),
}

impl Look {
    pub(super) fn of(meta: &Metadata) -> Self {
        Self {
            device: meta.dev(),
            inode: meta.ino(),
            size_bytes: meta.len(),
            modified: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
        }
    }

    pub(super) const fn changed(&self) -> (i64, i64) {
        self.changed
    }

    pub(super) fn is_older_than(&self, keep: Duration, now: Timestamp) -> bool {
        let changed = Timestamp::from_unix_ms(self.changed.0.saturating_mul(1000));
        now.since(changed) > keep
    }
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    look: Look,
    /// Since when this process sees it so.
    since: Instant,
}

/// One file of a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) path: PathBuf,
    pub(super) look: Look,
}

impl Member {
    /// Whether the name still stands for the same file with the same content.
    pub(super) fn is_unchanged(&self) -> bool {
        std::fs::symlink_metadata(&self.path).is_ok_and(|meta| Look::of(&meta) == self.look)
    }
}

/// A document and its order, both whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(super) stem: OsString,
    pub(super) document: Member,
    pub(super) order: Member,
    pub(super) notation: Notation,
}

/// What came of the last time a pair was brought.
#[derive(Debug)]
struct Tried {
    pair: Pair,
    problem: Problem,
    /// For central's own trouble: when to try again, and how long the pause after that is.
    again_at: Instant,
    pause: Duration,
}

/// The folder as it was last seen.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(super) path: PathBuf,
    pub(super) rejected: PathBuf,
    settle: Duration,
    reject_after: Duration,
    poll: Duration,
    pub(super) keep: Duration,
    seen: BTreeMap<OsString, Seen>,
    tried: BTreeMap<OsString, Tried>,
}

/// The files of one stem.
#[derive(Debug, Default)]
struct Group {
    documents: Vec<(OsString, Seen)>,
    orders: Vec<(OsString, Seen, Notation)>,
    others: Vec<(OsString, Seen)>,
}

impl Group {
    fn members(&self) -> impl Iterator<Item = (&OsString, &Seen)> {
        let orders = self.orders.iter().map(|(name, seen, _)| (name, seen));
        let documents = self.documents.iter().chain(&self.others);
        documents.map(|(name, seen)| (name, seen)).chain(orders)
    }

    fn is_still(&self, for_at_least: Duration, at: Instant) -> bool {
        self.members()
            .all(|(_name, seen)| at.saturating_duration_since(seen.since) >= for_at_least)
    }
}

impl Folder {
    /// Makes the folder and `rejected/` ready, for their owner alone.
    pub(crate) fn open(config: &config::Intake) -> io::Result<Self> {
        let rejected = config.folder.join("rejected");
        files::make_dir(&rejected)?;
        for folder in [&config.folder, &rejected] {
            std::fs::set_permissions(folder, std::fs::Permissions::from_mode(FOLDER_MODE))?;
        }
        let settle = Duration::from_millis(config.settle_ms);
        Ok(Self {
            path: config.folder.clone(),
            rejected,
            settle,
            reject_after: Duration::from_millis(config.reject_after_ms).max(settle),
            poll: Duration::from_millis(config.poll_ms),
            keep: Duration::from_secs(config.keep_s),
            seen: BTreeMap::new(),
            tried: BTreeMap::new(),
        })
    }

    pub(super) const fn poll(&self) -> Duration {
        self.poll
    }

    /// Looks at every file once, rejects what is to be rejected, and gives the pairs to bring.
    pub(super) fn round(&mut self, at: Instant, now: Timestamp) -> io::Result<Vec<Pair>> {
        let is_full = self.look(at)?;
        let mut pairs = Vec::new();
        for (stem, group) in self.groups() {
            match (group.documents.as_slice(), group.orders.as_slice()) {
                ([document], [(order, seen, notation)]) => {
                    let pair = Pair {
                        document: self.member(&document.0, &document.1),
                        order: self.member(order, seen),
                        notation: *notation,
                        stem,
                    };
                    self.pair(pair, &group, at, &mut pairs);
                }
                ([], _) | (_, []) => self.half(&stem, &group, at, now, is_full),
                (_several, _or_several) => {
                    if group.is_still(self.reject_after, at) {
                        self.reject_group(&stem, &group, &Code::FolderNameTwice.into());
                    }
                }
            }
        }
        self.tried.retain(|_stem, tried| tried.pair.is_unchanged());
        self.empty_rejected(now);
        Ok(pairs)
    }

    /// A whole pair: brought when still, rejected when what refused it stood still long enough.
    fn pair(&mut self, pair: Pair, group: &Group, at: Instant, pairs: &mut Vec<Pair>) {
        let tried = self
            .tried
            .get(&pair.stem)
            .filter(|tried| tried.pair == pair);
        match tried {
            None => {
                if group.is_still(self.settle, at) {
                    pairs.push(pair);
                }
            }
            // Central's own trouble is not the pair's: it stays and is tried again.
            Some(tried) if tried.problem.code.status().is_server_error() => {
                if at >= tried.again_at {
                    pairs.push(pair);
                }
            }
            // A copy over a slow line may pause for longer than it takes to settle: what a rule refuses may be
            // half a file.
            Some(tried) if group.is_still(self.reject_after, at) => {
                self.reject_group(&pair.stem, group, &tried.problem);
                self.tried.remove(&pair.stem);
            }
            Some(_not_yet) => {}
        }
    }

    /// One without the other. When the folder holds more than is looked at, it makes room at once.
    fn half(&self, stem: &OsStr, group: &Group, at: Instant, now: Timestamp, is_full: bool) {
        if !group.is_still(self.reject_after, at) {
            return;
        }
        if self.is_leftover(stem, group.members().map(|(_name, seen)| &seen.look)) {
            // A crash came between the reason and the last file of an earlier rejection, whose reason stands.
            let names = group.members().map(|(name, _seen)| name.as_os_str());
            self.tell(self.move_away(names), stem);
            return;
        }
        let mut members = group.members();
        let is_old = members.all(|(_name, seen)| seen.look.is_older_than(self.keep, now));
        if is_old || is_full {
            self.reject_group(stem, group, &Code::FolderPairMissing.into());
        }
    }

    fn reject_group(&self, stem: &OsStr, group: &Group, problem: &Problem) {
        let names = group.members().map(|(name, _seen)| name.as_os_str());
        self.tell(self.reject(stem, names, problem), stem);
    }

    /// One file's trouble is told and keeps no other from its turn.
    fn tell(&self, outcome: io::Result<()>, stem: &OsStr) {
        if let Err(error) = outcome {
            let digest = name_digest(stem);
            tracing::error!(file.digest = digest, %error, "a file of the intake folder was not moved");
        }
    }

    /// Notes why a pair did not become a job.
    pub(super) fn refused(&mut self, pair: Pair, problem: Problem, at: Instant) {
        let pause = self
            .tried
            .get(&pair.stem)
            .map_or(RETRY_MIN, |tried| (tried.pause * 2).min(RETRY_MAX));
        let tried = Tried {
            problem,
            again_at: at + pause,
            pause,
            pair,
        };
        self.tried.insert(tried.pair.stem.clone(), tried);
    }

    /// Removes the files of a job that is committed, if they are still the ones that were read.
    pub(super) fn take_away(&self, pair: &Pair) -> io::Result<()> {
        for member in [&pair.document, &pair.order] {
            if member.is_unchanged() {
                std::fs::remove_file(&member.path)?;
            }
        }
        files::sync_dir(&self.path)
    }

    /// Looks at every file once; says whether there are more than it looks at.
    fn look(&mut self, at: Instant) -> io::Result<bool> {
        let mut seen = BTreeMap::new();
        let mut is_full = false;
        for entry in std::fs::read_dir(&self.path)? {
            let entry = entry?;
            let Some(look) = regular(&entry.path())? else {
                continue;
            };
            if seen.len() >= MAX_ENTRY_COUNT {
                tracing::error!(
                    limit = MAX_ENTRY_COUNT,
                    "intake folder holds too many files"
                );
                is_full = true;
                break;
            }
            let name = entry.file_name();
            let since = match self.seen.get(&name) {
                Some(before) if before.look == look => before.since,
                Some(_) | None => at,
            };
            seen.insert(name, Seen { look, since });
        }
        self.seen = seen;
        Ok(is_full)
    }

    fn groups(&self) -> BTreeMap<OsString, Group> {
        let mut groups: BTreeMap<OsString, Group> = BTreeMap::new();
        for (name, seen) in &self.seen {
            let stem = Path::new(name).file_stem().unwrap_or(name).to_owned();
            let group = groups.entry(stem).or_default();
            match kind(name) {
                Some(Kind::Document) => group.documents.push((name.clone(), *seen)),
                Some(Kind::Order(notation)) => group.orders.push((name.clone(), *seen, notation)),
                None => group.others.push((name.clone(), *seen)),
            }
        }
        // What is neither document nor order belongs to no pair, whatever its name begins with.
        let mut others = BTreeMap::new();
        for group in groups.values_mut() {
            for (name, seen) in std::mem::take(&mut group.others) {
                let other = Group {
                    others: vec![(name.clone(), seen)],
                    ..Group::default()
                };
                others.insert(name, other);
            }
        }
        groups.retain(|_stem, group| group.members().next().is_some());
        groups.append(&mut others);
        groups
    }

    fn member(&self, name: &OsStr, seen: &Seen) -> Member {
        Member {
            path: self.path.join(name),
            look: seen.look,
        }
    }
}

impl Pair {
    fn is_unchanged(&self) -> bool {
        self.document.is_unchanged() && self.order.is_unchanged()
    }
}

/// How a regular file looks; links and folders are not looked at, and what is gone by now neither.
pub(super) fn regular(path: &Path) -> io::Result<Option<Look>> {
    match std::fs::symlink_metadata(path) {
        Ok(meta) => Ok(meta.is_file().then(|| Look::of(&meta))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A name as a log may show it: operators name files after people.
pub(super) fn name_digest(name: &OsStr) -> String {
    let mut digest = Sha256Digest::of(name.as_bytes()).to_string();
    digest.truncate(NAME_DIGITS);
    digest
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Document,
    Order(Notation),
}

fn kind(name: &OsStr) -> Option<Kind> {
    if name.as_bytes().starts_with(b".") {
        return None;
    }
    let suffix = Path::new(name).extension()?;
    [
        ("pdf", Kind::Document),
        ("json", Kind::Order(Notation::Json)),
        ("toml", Kind::Order(Notation::Toml)),
    ]
    .into_iter()
    .find_map(|(known, kind)| suffix.eq_ignore_ascii_case(known).then_some(kind))
}

#[cfg(test)]
mod tests;

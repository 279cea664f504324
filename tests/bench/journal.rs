//! Commits of the machine's journal, one after the other and with 64 waiting; beside them bare writes, each brought
//! to the same disk before the next.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use loket_journal::{Batch, CloseStream, Journal, NewEvent, NewReport};
use tokio::task::JoinSet;

use crate::figures::{Figures, ms, per_second, ratio};
use crate::section::{Row, Section};

/// Callers that wait at once: as many as the journal's queue takes.
const CALLERS: u32 = 64;

/// An event and the report it makes, each about as long as those of a print job.
const ROW_BYTES: usize = 400;

/// Commits of one job, after which its stream closes.
const COMMITS_PER_STREAM: u32 = 12;

/// A page of the database, the least that a commit writes.
const PAGE_BYTES: usize = 4096;
const PAGE_BYTES_U64: u64 = 4096;

/// Pages of the file of bare writes, written over in turn: it does not grow, as the journal's write-ahead log does not
/// after its first round, which is as long.
const BARE_PAGES: u32 = 1000;

/// Runs it with `commits` one after the other, and as many again in groups.
pub(crate) async fn run(commits: u32) -> anyhow::Result<Section> {
    let folder = tempfile::tempdir().context("make a folder")?;
    let bare = bare_writes(&folder.path().join("bare"), commits)?;
    let (journal, _) =
        Journal::open(&folder.path().join("journal.db"), [7; 16]).context("open a journal")?;
    let alone = alone(&journal, commits).await?;
    let groups = groups(&journal, commits).await?;
    journal.close().await.context("close the journal")?;
    let mut section = Section::default();
    for (name, run) in [
        ("one after the other", &alone),
        ("64 callers waiting", &groups),
    ] {
        let rate = format!("{:.0} a second", run.rate());
        let bare_rate = format!("{:.0} a second", bare.rate());
        let row = Row::new(format!("commits, {name}"), rate);
        section.row(row.beside(bare_rate, run.rate() / bare.rate()));
        for percent in [50, 99] {
            let (ours, peer) = (run.each.percentile(percent), bare.each.percentile(percent));
            let row = Row::new(format!("one commit, {name}, p{percent}"), ms(ours));
            section.row(row.beside(ms(peer), ratio(ours, peer)));
        }
    }
    section.note(format!(
        "Peer: a bare write of 4 KiB and fdatasync over a file that does not grow, in the same folder: the least that \
         a promise of durability costs. n = {} each; a commit holds an event and a report of {ROW_BYTES} bytes each.",
        bare.count
    ));
    section.note(format!(
        "With 64 waiting, {:.1} times as many commits a second as alone.",
        groups.rate() / alone.rate()
    ));
    Ok(section)
}

/// Some commits or writes, and how long each and all took.
struct Run {
    count: u32,
    elapsed: Duration,
    each: Figures,
}

impl Run {
    /// So many a second.
    fn rate(&self) -> f64 {
        per_second(self.count, self.elapsed)
    }
}

fn bare_writes(path: &Path, count: u32) -> anyhow::Result<Run> {
    let file = File::create(path).context("make a file")?;
    let page = [7; PAGE_BYTES];
    let mut each = Vec::new();
    for place in 0..BARE_PAGES {
        let at = u64::from(place) * PAGE_BYTES_U64;
        file.write_all_at(&page, at).context("write a page")?;
    }
    file.sync_all().context("bring a file to the disk")?;
    let all = Instant::now();
    for number in 0..count {
        let at = u64::from(number % BARE_PAGES) * PAGE_BYTES_U64;
        let since = Instant::now();
        file.write_all_at(&page, at).context("write a page")?;
        file.sync_data().context("bring a page to the disk")?;
        each.push(since.elapsed());
    }
    Ok(Run {
        count,
        elapsed: all.elapsed(),
        each: Figures::of(each),
    })
}

async fn alone(journal: &Journal, count: u32) -> anyhow::Result<Run> {
    let all = Instant::now();
    let each = append(journal.clone(), 0, count).await?;
    Ok(Run {
        count,
        elapsed: all.elapsed(),
        each: Figures::of(each),
    })
}

async fn groups(journal: &Journal, count: u32) -> anyhow::Result<Run> {
    let share = count / CALLERS;
    let mut callers = JoinSet::new();
    let all = Instant::now();
    for caller in 1..=CALLERS {
        callers.spawn(append(journal.clone(), caller, share));
    }
    let mut each = Vec::new();
    while let Some(done) = callers.join_next().await {
        each.extend(done.context("wait for a caller")??);
    }
    Ok(Run {
        count: share * CALLERS,
        elapsed: all.elapsed(),
        each: Figures::of(each),
    })
}

/// One caller's commits, each after the answer to the one before.
async fn append(journal: Journal, caller: u32, count: u32) -> anyhow::Result<Vec<Duration>> {
    let mut each = Vec::new();
    for number in 0..count {
        let batch = batch(caller, number);
        let since = Instant::now();
        journal.append(batch).await.context("append a batch")?;
        each.push(since.elapsed());
    }
    Ok(each)
}

fn batch(caller: u32, number: u32) -> Batch {
    let stream = format!("job-{caller}-{}", number / COMMITS_PER_STREAM);
    let ends = number % COMMITS_PER_STREAM == COMMITS_PER_STREAM - 1;
    let close = ends.then(|| CloseStream {
        name: stream.clone(),
        at_ms: i64::from(number),
    });
    Batch {
        events: vec![NewEvent {
            stream,
            kind: "bench".to_owned(),
            version: 1,
            bytes: vec![b'e'; ROW_BYTES],
        }],
        reports: vec![NewReport {
            kind: "bench".to_owned(),
            bytes: vec![b'r'; ROW_BYTES],
        }],
        close_streams: close.into_iter().collect(),
        meta: Vec::new(),
    }
}

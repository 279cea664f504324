//! A process that appends is killed at many moments: what it was told is on disk, is there.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use loket_journal::{
    Batch, Integrity, Journal, NewEvent, NewReport, OutboxRow, StoredEvent, check_integrity,
};

/// Names the journal file for the child; a run without it is not the child.
const CHILD_FILE: &str = "LOKET_TEST_JOURNAL";
const CHILD_ROUND: &str = "LOKET_TEST_ROUND";
/// Tasks of the child that append at once, so that groups form.
const TASK_COUNT: u32 = 4;
/// Where the child ends by itself, should nobody kill it.
const MAX_APPENDS: u32 = 50_000;

/// The child: appends without end and prints a line for each answer.
#[tokio::test]
async fn child_appends_until_it_is_killed() {
    let (Ok(file), Ok(round)) = (std::env::var(CHILD_FILE), std::env::var(CHILD_ROUND)) else {
        return;
    };
    let (journal, _) = Journal::open(Path::new(&file), [1; 16]).unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..TASK_COUNT {
        let (journal, round) = (journal.clone(), round.clone());
        tasks.spawn(async move {
            for number in 0..MAX_APPENDS {
                let text = format!("{round}/{task}/{number}");
                let event = NewEvent {
                    stream: format!("job-{task}"),
                    kind: "k".into(),
                    version: 1,
                    bytes: text.clone().into_bytes(),
                };
                let report = NewReport {
                    kind: "r".into(),
                    bytes: text.clone().into_bytes(),
                };
                let batch = Batch {
                    events: vec![event],
                    reports: vec![report],
                    ..Batch::default()
                };
                let appended = journal.append(batch).await.unwrap();
                let seq = appended.last_report_seq.unwrap();
                writeln!(std::io::stdout().lock(), "acked {seq} {text}").unwrap();
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
}

/// Runs the child, kills it after `line_count` answers, returns all answers that it printed.
fn run_and_kill(path: &Path, round: u32, line_count: usize) -> BTreeMap<u64, String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_appends_until_it_is_killed", "--nocapture"])
        .env(CHILD_FILE, path)
        .env(CHILD_ROUND, round.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut acked = BTreeMap::new();
    let mut is_killed = false;
    loop {
        if acked.len() >= line_count && !is_killed {
            child.kill().unwrap();
            is_killed = true;
        }
        let mut line = String::new();
        if lines.read_line(&mut line).unwrap() == 0 {
            break;
        }
        // A line that the kill cut short was never told.
        let Some(answer) = line.strip_suffix('\n') else {
            break;
        };
        if let Some((seq, text)) = answer
            .strip_prefix("acked ")
            .and_then(|rest| rest.split_once(' '))
        {
            acked.insert(seq.parse().unwrap(), text.to_owned());
        }
    }
    assert!(is_killed, "the child ended before it was killed");
    child.wait().unwrap();
    acked
}

async fn whole_outbox(journal: &Journal) -> Vec<OutboxRow> {
    let mut rows: Vec<OutboxRow> = Vec::new();
    loop {
        let after = rows.last().map_or(0, |row| row.seq);
        let page = journal.outbox_after(after, u32::MAX).await.unwrap();
        if page.is_empty() {
            return rows;
        }
        rows.extend(page);
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn every_answered_append_survives_kills_at_many_moments() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let mut told = BTreeMap::new();
    // Some kills while the file is made, some early, some in the midst of grouped commits.
    for (round, line_count) in (0_u32..).zip([0, 0, 1, 2, 3, 5, 8, 13, 40, 97, 151, 211]) {
        told.extend(run_and_kill(&path, round, line_count));
        let (journal, opened) = Journal::open(&path, [1; 16]).unwrap();
        if !told.is_empty() {
            assert!(!opened.made_new, "round {round}");
        }
        assert_eq!(
            check_integrity(&path).unwrap(),
            Integrity::Sound,
            "round {round}"
        );
        let held = whole_outbox(&journal).await;
        let reports: BTreeMap<u64, String> =
            held.iter().map(|row| (row.seq, text(&row.bytes))).collect();
        for (seq, expect) in &told {
            assert_eq!(
                reports.get(seq),
                Some(expect),
                "round {round}: report {seq}"
            );
        }
        let events: Vec<StoredEvent> = journal.open_events().await.unwrap();
        let of_events: Vec<String> = events.iter().map(|event| text(&event.bytes)).collect();
        let of_reports: Vec<String> = held.iter().map(|row| text(&row.bytes)).collect();
        assert_eq!(
            of_events, of_reports,
            "round {round}: a batch is there whole or not at all"
        );
        journal.close().await.unwrap();
    }
    assert!(told.len() > 500, "{} answers seen", told.len());
}

//! Random command sequences against a plain model in memory.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::{BTreeMap, BTreeSet};

use loket_journal::{Batch, CloseStream, Journal, NewEvent, NewReport};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestCaseError, TestRng, TestRunner};

#[derive(Clone, Debug)]
enum Step {
    Append {
        streams: Vec<u8>,
        reports: u8,
        close: Option<u8>,
        meta: Option<u8>,
    },
    Settle(u8),
    Vouch,
    CloseAndReopen,
    DropAndReopen,
}

fn step() -> impl Strategy<Value = Step> {
    let append = (
        vec(0..5_u8, 0..4),
        0..3_u8,
        proptest::option::weighted(0.2, 0..5_u8),
        proptest::option::of(any::<u8>()),
    );
    prop_oneof![
        6 => append.prop_map(|(streams, reports, close, meta)| {
            Step::Append { streams, reports, close, meta }
        }),
        2 => any::<u8>().prop_map(Step::Settle),
        1 => Just(Step::Vouch),
        1 => Just(Step::CloseAndReopen),
        1 => Just(Step::DropAndReopen),
    ]
}

#[derive(Default)]
struct Model {
    events: Vec<(u64, String, Vec<u8>)>,
    known: BTreeSet<String>,
    closed: BTreeSet<String>,
    outbox: BTreeMap<u64, Vec<u8>>,
    last_report_seq: u64,
    last_event_seq: u64,
    meta: Option<Vec<u8>>,
}

impl Model {
    /// Applies a batch as the journal should; false if the batch must be refused.
    fn append(&mut self, batch: &Batch) -> bool {
        let is_refused = batch
            .events
            .iter()
            .any(|event| self.closed.contains(&event.stream));
        let names: BTreeSet<_> = batch
            .events
            .iter()
            .map(|event| event.stream.clone())
            .collect();
        let is_stray = batch
            .close_streams
            .iter()
            .any(|close| !self.known.contains(&close.name) && !names.contains(&close.name));
        if is_refused || is_stray {
            return false;
        }
        for event in &batch.events {
            self.last_event_seq += 1;
            self.known.insert(event.stream.clone());
            self.events.push((
                self.last_event_seq,
                event.stream.clone(),
                event.bytes.clone(),
            ));
        }
        for report in &batch.reports {
            self.last_report_seq += 1;
            self.outbox
                .insert(self.last_report_seq, report.bytes.clone());
        }
        self.closed
            .extend(batch.close_streams.iter().map(|close| close.name.clone()));
        if let Some((_, bytes)) = batch.meta.last() {
            self.meta = Some(bytes.clone());
        }
        true
    }
}

fn batch(streams: &[u8], reports: u8, close: Option<u8>, meta: Option<u8>, mark: u8) -> Batch {
    let event = |stream: &u8| NewEvent {
        stream: format!("s{stream}"),
        kind: "k".into(),
        version: u16::from(mark),
        bytes: vec![mark, *stream],
    };
    Batch {
        events: streams.iter().map(event).collect(),
        reports: (0..reports)
            .map(|number| NewReport {
                kind: "r".into(),
                bytes: vec![mark, number],
            })
            .collect(),
        close_streams: close
            .map(|name| CloseStream {
                name: format!("s{name}"),
                at_ms: 1,
            })
            .into_iter()
            .collect(),
        meta: meta
            .map(|value| ("m".to_owned(), vec![value]))
            .into_iter()
            .collect(),
    }
}

async fn compare(journal: &Journal, model: &Model) -> Result<(), TestCaseError> {
    let open: Vec<_> = journal.open_events().await.unwrap();
    let found: Vec<_> = open
        .into_iter()
        .map(|event| (event.seq, event.stream, event.bytes))
        .collect();
    let expect: Vec<_> = model
        .events
        .iter()
        .filter(|event| !model.closed.contains(&event.1))
        .cloned()
        .collect();
    prop_assert_eq!(found, expect);
    let held: BTreeMap<u64, Vec<u8>> = journal
        .outbox_after(0, u32::MAX)
        .await
        .unwrap()
        .into_iter()
        .map(|row| (row.seq, row.bytes))
        .collect();
    prop_assert_eq!(&held, &model.outbox);
    let span = journal.outbox_span().await.unwrap();
    prop_assert_eq!(span.first, model.outbox.keys().next().copied());
    prop_assert_eq!(span.last, model.last_report_seq);
    prop_assert_eq!(journal.meta("m").await.unwrap(), model.meta.clone());
    let stats = journal.stats().await.unwrap();
    prop_assert_eq!(
        usize::try_from(stats.event_count).unwrap(),
        model.events.len()
    );
    Ok(())
}

async fn play(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let (mut journal, _) = Journal::open(&path, [3; 16]).unwrap();
    let mut model = Model::default();
    let mut is_vouched = true;
    for (mark, step) in (0_u8..).zip(steps) {
        match step {
            Step::Append {
                streams,
                reports,
                close,
                meta,
            } => {
                let batch = batch(&streams, reports, close, meta, mark);
                let verdict = journal.append(batch.clone()).await;
                prop_assert_eq!(verdict.is_ok(), model.append(&batch), "{:?}", verdict);
                if let Ok(appended) = verdict {
                    prop_assert_eq!(appended.last_event_seq, model.last_event_seq);
                    let last = (reports > 0).then_some(model.last_report_seq);
                    prop_assert_eq!(appended.last_report_seq, last);
                }
            }
            Step::Settle(seq) => {
                let seq = u64::from(seq) % (model.last_report_seq + 2);
                let verdict = journal.settle(seq).await;
                prop_assert_eq!(verdict.is_ok(), seq <= model.last_report_seq);
                if verdict.is_ok() {
                    model.outbox.retain(|held, _| *held > seq);
                }
            }
            Step::Vouch => {
                journal.vouch().await.unwrap();
                is_vouched = true;
            }
            Step::CloseAndReopen => {
                journal.close().await.unwrap();
                let (reopened, opened) = Journal::open(&path, [4; 16]).unwrap();
                prop_assert!(!opened.made_new && opened.epoch == [3; 16]);
                prop_assert_eq!(
                    opened.was_clean,
                    is_vouched,
                    "a close vouches for nothing itself"
                );
                journal = reopened;
            }
            Step::DropAndReopen => {
                drop(journal);
                let (reopened, opened) = Journal::open(&path, [4; 16]).unwrap();
                prop_assert!(!opened.was_clean && !opened.made_new && opened.epoch == [3; 16]);
                is_vouched = false;
                journal = reopened;
            }
        }
        compare(&journal, &model).await?;
    }
    Ok(())
}

#[test]
fn the_journal_agrees_with_a_plain_model() {
    let config = ProptestConfig {
        cases: 40,
        failure_persistence: None,
        ..Default::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    TestRunner::new_with_rng(config, rng)
        .run(&vec(step(), 1..30), |steps| runtime.block_on(play(steps)))
        .unwrap();
}

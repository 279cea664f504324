//! A week's reports leave as fast as the link takes them, over a real broker.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use loket_journal::{Batch, NewReport};
use loket_link::{BrokerAddress, Inbound, Inbox, LinkConfig, LinkHandle, open};
use loket_wire::{Event, Report, frame};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Bench;

/// More than the link has on its way at a time.
const BACKLOG: usize = 300;

const DEADLINE: Duration = Duration::from_secs(20);

/// A mosquitto on loopback that ends with the test.
pub(super) struct Broker {
    child: Child,
    port: u16,
    _dir: tempfile::TempDir,
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Broker {
    /// Between finding a free port and using it, another test may take it.
    pub(super) fn start() -> Self {
        let started = (0..10).find_map(|_port| Self::try_start());
        started.expect("mosquitto runs on one of ten ports")
    }

    #[expect(
        clippy::unwrap_in_result,
        reason = "only a port that is taken is another try"
    )]
    fn try_start() -> Option<Self> {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("mosquitto.conf");
        let text = format!("listener {port} 127.0.0.1\nallow_anonymous true\nlog_dest stderr\n");
        std::fs::write(&config, text).unwrap();
        let debian = Path::new("/usr/sbin/mosquitto");
        let program = if debian.exists() {
            debian
        } else {
            Path::new("mosquitto")
        };
        let mut child = Command::new(program)
            .arg("-c")
            .arg(&config)
            .stderr(Stdio::piped())
            .spawn()
            .expect("mosquitto can be started: install the Debian package mosquitto");
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let is_running = lines.any(|line| line.unwrap().contains("running"));
        if !is_running {
            child.wait().unwrap();
            return None;
        }
        // Whoever closed this pipe would end the broker at its next line.
        std::thread::spawn(move || lines.for_each(drop));
        Some(Self {
            child,
            port,
            _dir: dir,
        })
    }

    fn link(&self, id: &str, subscription: &str) -> (LinkHandle, Inbox, loket_link::LinkTask) {
        open(LinkConfig {
            subscriptions: vec![subscription.to_owned()],
            ..LinkConfig::new(id, vec![self.address()])
        })
    }

    pub(super) fn address(&self) -> BrokerAddress {
        BrokerAddress {
            host: "127.0.0.1".to_owned(),
            port: self.port,
        }
    }
}

async fn until_up(inbox: &mut Inbox) {
    while !matches!(inbox.next().await, Some(Inbound::Up { .. })) {}
}

/// Reads reports at central until `last`, and gives their numbers in order.
async fn numbers(bench: &Bench, link: &LinkHandle, inbox: &mut Inbox, last: u64) -> Vec<u64> {
    let key = bench.unit.identity.report_key.verifying_key();
    let mut seen = Vec::new();
    while seen.last() != Some(&last) {
        let Some(Inbound::Message {
            topic,
            payload,
            ack,
            ..
        }) = inbox.next().await
        else {
            continue;
        };
        let body = frame::open(&topic, &payload, &key).unwrap();
        seen.push(Event::decode(&body).unwrap().seq);
        link.ack(ack);
    }
    seen
}

#[tokio::test]
async fn a_backlog_leaves_without_waiting_for_its_republication_and_a_report_too_large_holds_up_none()
 {
    let broker = Broker::start();
    let bench = Bench::new().await;
    let small = serde_json::to_vec(&Report::Quarantine(loket_wire::event::QuarantineReport {
        code: "M-101".to_owned(),
        payload_sha256: loket_wire::Sha256Digest::of(b"x"),
        size_bytes: 1,
    }));
    let small = small.unwrap();
    let large = serde_json::json!({ "kind": "later", "text": "x".repeat(30_000) }).to_string();
    for no in 0..BACKLOG {
        let bytes = if no == 7 {
            large.clone().into_bytes()
        } else {
            small.clone()
        };
        let report = NewReport {
            kind: "quarantine".to_owned(),
            bytes,
        };
        let batch = Batch {
            reports: vec![report],
            ..Batch::default()
        };
        bench.unit.journal.append(batch).await.unwrap();
    }
    let (central, mut inbox, task) = broker.link("central", "loket/v1/+/evt/+");
    let stop = CancellationToken::new();
    let mut running = JoinSet::new();
    running.spawn(task.run(stop.clone()));
    until_up(&mut inbox).await;
    let (machine, heard, task) = broker.link("desa-contoh-1", "loket/v1/desa-contoh-1/cmd/+");
    let machine_stop = CancellationToken::new();
    running.spawn(task.run(stop.clone()));
    let last = u64::try_from(BACKLOG).unwrap();
    let reading = async {
        let seen = numbers(&bench, &central, &mut inbox, last).await;
        machine_stop.cancel();
        seen
    };
    let unit = bench.unit_alike();
    let both = tokio::time::timeout(DEADLINE, async {
        tokio::join!(unit.run(machine, heard, machine_stop.clone()), reading)
    });
    let (ended, seen) = both.await.expect("the backlog leaves");
    ended.unwrap();
    assert_eq!(seen, (1..=last).collect::<Vec<_>>());
    stop.cancel();
    while running.join_next().await.is_some() {}
}

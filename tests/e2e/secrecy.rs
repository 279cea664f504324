//! No NIK, KK number or name stands anywhere in clear outside memory and the printed sheet, whatever becomes of an
//! order; and the search for them can fail at each place that it searches.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write as _;

use anyhow::{Context as _, ensure};
use data_encoding::BASE64;
use loket_demo::once::SAMPLE_KK;
use loket_demo::site::{Machine, text};
use loket_journal::{Batch, Journal, NewEvent, NewReport};
use loket_tests::look::until;
use loket_tests::mosquitto;
use loket_tests::places::{Place, Search};
use loket_tests::secrecy::{canaries, found_in};
use loket_tests::spy::Spy;
use loket_tests::world::{Build, DEADLINE, Station, World, fixture, order, order_again};
use serde_json::Value;

/// Holds an order, releases it.
const HOLDS: &str = "desa-contoh-1";
/// Has a printer whose word is no evidence.
const ASKS: &str = "desa-contoh-2";
/// Dies in the middle.
const DIES: &str = "desa-contoh-3";

/// A site whose broker keeps a database, with a reader of all topics, searched again and again.
struct Run {
    world: World,
    spy: Spy,
    canaries: Vec<String>,
    found: Search,
    /// Where anything was caught at any time.
    caught_at: BTreeSet<Place>,
}

impl Run {
    async fn start(build: Build, unsealed: bool) -> anyhow::Result<Self> {
        let mut world = World::start(build, unsealed).await?;
        world.keep_broker_database().await?;
        let spy = Spy::start(&mut world).await?;
        Ok(Self {
            world,
            spy,
            canaries: canaries()?,
            found: Search::default(),
            caught_at: BTreeSet::new(),
        })
    }

    /// Searches everything, the broker's own view of this moment too.
    async fn search(&mut self) -> anyhow::Result<()> {
        let kept = mosquitto::snapshot(&self.world.site, &self.world.broker).await?;
        ensure!(kept.starts_with(b"\0\xb5\0mosquitto db"), "a database");
        self.found.look(self.world.dir(), &self.canaries)
    }

    /// Where a search of this moment finds something.
    fn caught(&mut self) -> anyhow::Result<Vec<Place>> {
        let mut found = Search::default();
        found.look(self.world.dir(), &self.canaries)?;
        self.caught_at.extend(found.caught.keys());
        Ok(found.caught.into_keys().collect())
    }

    /// One order after another to each end that an order can come to, with a search at each turn.
    async fn through_thick_and_thin(mut self) -> anyhow::Result<Search> {
        let holds = self.world.station(HOLDS, &[]).await?;
        let mut daemon = self.world.site.start_machine(&holds.machine)?;
        let job = self.world.order(HOLDS, "KK-1", "officer").await?;
        self.world.wait(&job, &["held"]).await?;
        self.refused_at_central().await?;
        self.search().await?;
        let asked = self.asked(&job).await?;
        self.search().await?;
        self.killed(&asked).await?;
        self.release(&holds.machine, &job).await?;
        self.world.wait(&job, &["printed"]).await?;
        self.search().await?;
        self.printed_by_hand(&holds).await?;
        daemon.stop().await?;
        self.world.central.stop().await?;
        self.search().await?;
        let passed = self.spy.passed()?;
        for part in ["/cmd/print", "/evt/job", "/evt/quarantine", "/sync", "/ack"] {
            let is_there = passed.iter().any(|passed| passed.topic.ends_with(part));
            ensure!(is_there, "the reader of all topics got no {part}");
        }
        Ok(self.found)
    }

    /// What central does not take: through its API, and from the folder under the name of a person.
    async fn refused_at_central(&self) -> anyhow::Result<()> {
        let order = order(HOLDS, "KK-2", "now", None);
        let altered = fixture("kk-sample-altered.pdf")?;
        let refused = self.world.order_as(&altered, &order).await;
        ensure!(
            refused.is_err_and(|error| error.to_string().contains("SignatureInvalid")),
            "central takes an altered document"
        );
        let name = self.canaries.iter().find(|canary| canary.contains(' '));
        let name = name.context("find a name among the canaries")?;
        let folder = self.world.site.path("intake");
        fs::write(folder.join(format!("{name}.json")), order)?;
        let untrusted = fixture("kk-sample-untrusted.pdf")?;
        fs::write(folder.join(format!("{name}.pdf")), untrusted)?;
        until("the pair rejected", DEADLINE, async || {
            let reason = folder.join(format!("rejected/{name}.reason.txt"));
            Ok(reason.exists().then_some(()))
        })
        .await
    }

    /// An order whose sheet nobody can know of, answered by an officer; and one that was not for this machine.
    async fn asked(&mut self, previous: &str) -> anyhow::Result<String> {
        let asks = self
            .world
            .station(ASKS, &["--impressions", "one-more"])
            .await?;
        let _daemon = self.world.site.start_machine(&asks.machine)?;
        let order = order_again(ASKS, "KK-3", "now", Some(previous));
        let job = self.world.order_as(SAMPLE_KK, &order).await?;
        self.world.wait(&job, &["unknown"]).await?;
        let heard = self
            .spy
            .hear("an order", |passed| {
                passed.topic.ends_with(&format!("{HOLDS}/cmd/print"))
            })
            .await?;
        let wrong = format!("loket/v1/{ASKS}/cmd/print");
        self.spy.say(&wrong, &heard.payload).await?;
        let set_aside = self.world.history_with("the order set aside", |row| {
            row["kind"] == "command-set-aside" && row["machine"] == ASKS
        });
        set_aside.await?;
        self.search().await?;
        let config = text(&asks.machine.config());
        let answer = [
            "job", "answer", &job, "came-out", "--by", "wati", "--config", &config,
        ];
        self.world.site.programs.loketd.run(answer).await?;
        self.world.wait(&job, &["printed"]).await?;
        Ok(job)
    }

    /// A machine that dies when the order arrives, so that the broker keeps it, and again with the document open.
    async fn killed(&mut self, previous: &str) -> anyhow::Result<()> {
        let dies = self.world.station(DIES, &[]).await?;
        let order = order_again(DIES, "KK-4", "now", Some(previous));
        let mut job = None;
        for stop in ["order-arrived", "before-send"] {
            let site = self.world.doomed_at(stop)?;
            let mut doomed = site.start_machine(&dies.machine)?;
            if job.is_none() {
                job = Some(self.world.order_as(SAMPLE_KK, &order).await?);
            }
            let end = tokio::time::timeout(DEADLINE, doomed.wait());
            end.await.with_context(|| format!("reach {stop}"))??;
            self.search().await?;
        }
        let _daemon = self.world.site.start_machine(&dies.machine)?;
        let job = job.context("hand an order in")?;
        self.world.wait(&job, &["printed"]).await?;
        Ok(())
    }

    /// A document that an officer prints from a file that bears a person's name, told to central.
    async fn printed_by_hand(&mut self, holds: &Station) -> anyhow::Result<()> {
        let outside = tempfile::tempdir()?;
        let name = self.canaries.iter().find(|canary| canary.contains(' '));
        let name = name.context("find a name among the canaries")?;
        let file = outside.path().join(format!("{name}.pdf"));
        fs::write(&file, SAMPLE_KK)?;
        let (file, config) = (text(&file), text(&holds.machine.config()));
        let print = [
            "print",
            &file,
            "--printer",
            &holds.uri,
            "--by",
            "wati",
            "--json",
            "--config",
            &config,
        ];
        let said = self.world.site.programs.loketd.run(print).await?;
        let said: Value = serde_json::from_str(&said)?;
        let job = said["job_id"].as_str().context("name the job")?;
        let told = self.world.wait(job, &["printed"]).await?;
        ensure!(told["local"]["by"] == "wati", "{told}");
        self.search().await
    }

    async fn release(&self, machine: &Machine, job: &str) -> anyhow::Result<()> {
        let config = text(&machine.config());
        let release = ["job", "release", job, "--by", "wati", "--config", &config];
        self.world.site.programs.loketd.run(release).await.map(drop)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_readable_stands_on_wire_or_disk_whatever_becomes_of_an_order() -> anyhow::Result<()>
{
    let run = Run::start(Build::Plain, false).await?;
    let found = run.through_thick_and_thin().await?;
    ensure!(found.caught.is_empty(), "{:?}", found.caught);
    for place in Place::ALL {
        let read = found.read.get(&place).copied().unwrap_or_default();
        ensure!(read > 0, "nothing was read at {place:?}");
    }
    Ok(())
}

/// Where orders and documents go.
const WITH_SEALING_OFF: [Place; 4] = [
    Place::Capture,
    Place::BrokerDatabase,
    Place::Spool,
    Place::CentralDocuments,
];

#[tokio::test(flavor = "multi_thread")]
async fn the_same_run_with_sealing_off_is_caught_wherever_orders_and_documents_go()
-> anyhow::Result<()> {
    ensure!(
        !found_in(SAMPLE_KK, &canaries()?)?.is_empty(),
        "the sample itself must hold canaries in clear"
    );
    let run = Run::start(Build::Hooks, true).await?;
    let found = run.through_thick_and_thin().await?;
    for place in WITH_SEALING_OFF {
        ensure!(
            found.caught.contains_key(&place),
            "{place:?} was not caught: {:?}",
            found.caught
        );
    }
    Ok(())
}

/// What never holds a document cannot be caught with sealing off: there a label is put by hand, as a slip would.
#[tokio::test(flavor = "multi_thread")]
async fn a_label_that_slipped_into_log_journal_outbox_broker_or_database_is_caught()
-> anyhow::Result<()> {
    let mut run = Run::start(Build::Plain, false).await?;
    let holds = run.world.station(HOLDS, &[]).await?;
    let mut daemon = run.world.site.start_machine(&holds.machine)?;
    let job = run.world.order(HOLDS, "KK-1", "officer").await?;
    run.world.wait(&job, &["held"]).await?;
    daemon.stop().await?;
    ensure!(run.caught()?.is_empty(), "before anything slipped");
    let name = run.canaries.get(1).context("find a canary")?.clone();
    let slip = serde_json::json!({ "v": 1, "label": BASE64.encode(name.as_bytes()) }).to_string();

    slip_into_journal(&mut run, &holds.machine, &slip).await?;

    let log = daemon.log().to_owned();
    let before = fs::read(&log)?;
    writeln!(File::options().append(true).open(&log)?, "label {slip}")?;
    ensure!(run.caught()? == [Place::Logs], "{:?}", run.caught()?);
    fs::write(&log, before)?;
    ensure!(run.caught()?.is_empty());

    slip_into_broker(&run, &slip).await?;
    let caught = run.caught()?;
    for place in [Place::Capture, Place::BrokerDatabase] {
        ensure!(caught.contains(&place), "{place:?}: {caught:?}");
    }

    // A reason is the operator's own text, and central keeps it as it is.
    let mut again: Value = serde_json::from_str(&order_again(HOLDS, "KK-2", "now", Some(&job)))?;
    again["reprint_of"]["reason"] = name.as_str().into();
    run.world.order_as(SAMPLE_KK, &again.to_string()).await?;
    ensure!(run.caught()?.contains(&Place::CentralLog));
    run.world.central.stop().await?;
    ensure!(run.caught()?.contains(&Place::CentralDatabase));
    for place in Place::ALL {
        ensure!(
            run.caught_at.contains(&place) || WITH_SEALING_OFF.contains(&place),
            "no control was caught at {place:?}"
        );
    }
    Ok(())
}

/// Events and outbox rows, each in the journal's log while it is open and in the database when it is closed.
async fn slip_into_journal(run: &mut Run, machine: &Machine, slip: &str) -> anyhow::Result<()> {
    let file = machine.home.join("state/journal.db");
    let clean = fs::read(&file)?;
    let event = NewEvent {
        stream: "slip".to_owned(),
        kind: "received".to_owned(),
        version: 1,
        bytes: slip.into(),
    };
    let report = NewReport {
        kind: "job".to_owned(),
        bytes: slip.into(),
    };
    for (events, reports) in [(vec![event], vec![]), (vec![], vec![report])] {
        fs::write(&file, &clean)?;
        let (journal, _opened) = Journal::open(&file, [7; 16])?;
        let batch = Batch {
            events,
            reports,
            ..Batch::default()
        };
        journal.append(batch).await?;
        ensure!(run.caught()? == [Place::JournalLog], "{:?}", run.caught()?);
        journal.close().await?;
        ensure!(run.caught()? == [Place::Journal], "{:?}", run.caught()?);
    }
    fs::write(&file, &clean)?;
    ensure!(run.caught()?.is_empty());
    Ok(())
}

/// A message that the broker keeps.
async fn slip_into_broker(run: &Run, slip: &str) -> anyhow::Result<()> {
    let topic = format!("loket/v1/{HOLDS}/state");
    run.spy.leave(&topic, slip).await?;
    run.spy
        .hear("the slip", |passed| passed.payload == slip)
        .await?;
    mosquitto::snapshot(&run.world.site, &run.world.broker).await?;
    Ok(())
}

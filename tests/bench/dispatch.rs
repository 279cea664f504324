//! From the moment a side has accepted a document to the start of the printer's print command: central, broker and
//! loketd against `lp` and cupsd, both to one ippeveprinter.
//!
//! Two rhythms: *in a row*, the next document is handed in as soon as the print command of the one before has started;
//! *rested*, when the side knows that the one before is printed.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use loket_demo::child::Running;
use loket_demo::http;
use loket_demo::once::SAMPLE_KK;
use loket_tests::world::{Build, World, order_again};

use crate::figures::{Figures, ms, ratio};
use crate::peer_printer::PeerPrinter;
use crate::process;
use crate::section::{Row, Section};
use loket_tests::cups::Cups;

const MACHINE: &str = "desa-contoh-1";

/// Documents of one side before the other's turn: long enough for a rhythm, short enough that both sides see the same
/// moods of the machine.
const TURN: usize = 10;

/// The rhythm of an office's morning, for which the target of the median is set.
const IN_A_ROW: &str = "in a row";

/// A tenth of the median of CUPS, or less.
const MEDIAN_TARGET: f64 = 0.1;

/// No document in a hundred waits longer.
const P99_TARGET: Duration = Duration::from_millis(250);

/// Runs it with `jobs` documents a side and rhythm.
pub(crate) async fn run(jobs: usize) -> anyhow::Result<Section> {
    let mut bench = Bench::start().await?;
    // The first document of each side finds nothing warm; it is not counted.
    bench.turn(Side::Loket, 1).await?;
    bench.turn(Side::Cups, 1).await?;
    let mut section = Section::default();
    for (rhythm, turn) in [(IN_A_ROW, TURN), ("rested", 1)] {
        let (mut loket, mut cups) = (Timings::default(), Timings::default());
        let mut left = jobs;
        while left > 0 {
            let count = left.min(turn);
            loket.extend(bench.turn(Side::Loket, count).await?);
            cups.extend(bench.turn(Side::Cups, count).await?);
            left -= count;
        }
        tell(&mut section, rhythm, loket, cups);
    }
    let pid = bench.daemon.pid().context("find loketd")?;
    let (ours, peer) = (process::usage(pid)?, process::usage(bench.cups.pid()?)?);
    section.row(process::rss_row("after these documents", &ours, &peer));
    process::memory_rows(&mut section, "after these documents", &ours, &peer);
    bench.daemon.stop().await?;
    section.note(format!(
        "{jobs} signed A4 documents a side and rhythm, in turns. *In a row*: the next is handed in when the print \
         command of the one before has started; *rested*: when the side knows that the one before is printed."
    ));
    section.note(
        "The target of the median is set for documents in a row, where CUPS waits for its next look at the printer. A \
         document that comes alone is quicker through CUPS, which hands it straight to the printer.",
    );
    section.note(
        "Peer: `lp` through cupsd to the same ippeveprinter, a queue without filters. *Accepted*: `lp` came back, or \
         central answered 201. Loket's way holds two verifications, sealing, a broker over mutual TLS, the fetch and \
         every journal commit.",
    );
    Ok(section)
}

fn tell(section: &mut Section, rhythm: &str, loket: Timings, cups: Timings) {
    let [loket, cups] = [loket, cups]
        .map(|timings| [timings.from_accepted, timings.from_handed_in].map(Figures::of));
    let names = ["accepted → print command", "handed in → print command"];
    for (place, (name, (ours, peer))) in names.iter().zip(loket.iter().zip(&cups)).enumerate() {
        let is_aimed_at = place == 0;
        let median = ratio(ours.median(), peer.median());
        let row = Row::new(format!("{name}, {rhythm}, p50"), ms(ours.median()));
        let row = row.beside(ms(peer.median()), median);
        section.row(if is_aimed_at && rhythm == IN_A_ROW {
            row.target("a tenth or less", median <= MEDIAN_TARGET)
        } else {
            row
        });
        let (late, peer_late) = (ours.percentile(99), peer.percentile(99));
        let row = Row::new(format!("{name}, {rhythm}, p99"), ms(late));
        let row = row.beside(ms(peer_late), ratio(late, peer_late));
        section.row(if is_aimed_at {
            row.target("≤ 250 ms", late <= P99_TARGET)
        } else {
            row
        });
    }
}

#[derive(Debug, Clone, Copy)]
enum Side {
    Loket,
    Cups,
}

/// How long the print command of each document took to start.
#[derive(Debug, Default)]
struct Timings {
    from_accepted: Vec<Duration>,
    from_handed_in: Vec<Duration>,
}

impl Timings {
    fn extend(&mut self, more: Self) {
        self.from_accepted.extend(more.from_accepted);
        self.from_handed_in.extend(more.from_handed_in);
    }
}

struct Bench {
    world: World,
    printer: PeerPrinter,
    daemon: Running,
    cups: Cups,
    sample: PathBuf,
    last_job: Option<String>,
    job_count: usize,
}

impl Bench {
    async fn start() -> anyhow::Result<Self> {
        let world = World::start(Build::Plain, false).await?;
        let printer = PeerPrinter::start(&world.site).await?;
        let machine = world.site.machine(MACHINE, printer.uri()).await?;
        let daemon = world.site.start_machine(&machine)?;
        let cups = Cups::start(&world.site, printer.uri()).await?;
        let sample = world.site.path("sample.pdf");
        std::fs::write(&sample, SAMPLE_KK).context("write the sample")?;
        Ok(Self {
            world,
            printer,
            daemon,
            cups,
            sample,
            last_job: None,
            job_count: 0,
        })
    }

    /// Hands `count` documents to one side, each when the print command of the one before has started; comes back
    /// when that side knows the last one printed.
    async fn turn(&mut self, side: Side, count: usize) -> anyhow::Result<Timings> {
        let mut timings = Timings::default();
        for _ in 0..count {
            let handed_in = now()?;
            match side {
                Side::Loket => self.order().await?,
                Side::Cups => self.cups.lp(&self.sample).await?,
            }
            let accepted = now()?;
            let started = self.printer.next_start().await?;
            // The command may start before the answer has reached the one who handed in.
            timings.from_accepted.push(started.saturating_sub(accepted));
            timings
                .from_handed_in
                .push(started.saturating_sub(handed_in));
        }
        match side {
            Side::Loket => {
                let job = self.last_job.as_deref().context("hand a document in")?;
                self.world.wait(job, &["printed"]).await?;
            }
            Side::Cups => self.cups.wait_done().await?,
        }
        Ok(timings)
    }

    async fn order(&mut self) -> anyhow::Result<()> {
        self.job_count += 1;
        let reference = format!("B-{}", self.job_count);
        let order = order_again(MACHINE, &reference, "now", self.last_job.as_deref());
        let (api, token) = (self.world.site.api(), &self.world.tokens.operator);
        let answer = http::post_document(&api, token, SAMPLE_KK, &order, None).await?;
        let json = answer.json()?;
        let job = json.get("job_id").and_then(serde_json::Value::as_str);
        self.last_job = Some(job.context("read job_id")?.to_owned());
        Ok(())
    }
}

/// Since 1970, by the clock that the print command's notes use.
fn now() -> anyhow::Result<Duration> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.context("read the clock")
}

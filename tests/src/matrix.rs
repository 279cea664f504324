//! The crash matrix: documents of which each goes through several lives of loketd, before printers of several characters,
//! while the printers lose their power, connections are reset and the machine's disk is full.
//!
//! ```text
//! case = one document:  life, life, … (each with its faults, most end by SIGKILL)  then one life that meets nothing
//!        then: printed and one sheet more than before
//!              or a question, where the printer lost its power meanwhile: an officer looks into the tray and answers
//! ```
//! All moments come from a seed: a stop of the walk and the number of its passage, or a number of looks at central.

mod draw;
mod printer;
mod rival;

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use loket_demo::child::Running;
use loket_demo::once::SAMPLE_KK;
use loket_demo::site::{Machine, Site, text};
use serde_json::Value;

pub use self::printer::{Character, Printer};
pub use self::rival::{Fates, Rival};

use self::draw::{Ending, Life, Trouble};
use crate::faketime;
use crate::look::until;
use crate::seed::Seeded;
use crate::small_disk::SmallDisk;
use crate::tally::Crashes;
use crate::world::{self, Build, World, order_again};

/// Lives with faults of one document, at most; a document that is still open then gets one without.
const MAX_LIVES: u64 = 8;

/// Ends a document that hangs; no timing is asserted. Pauses between two attempts at a printer that says no grow.
const DEADLINE: Duration = Duration::from_secs(180);

/// The machine's disk: room for the journal of some thousand kills.
const DISK_MIB: u32 = 64;

/// How a daemon ends that finds no room to open its journal, nor a reserve to give back.
const CANNOT_CREATE: i32 = 73;

/// The lives that documents went through, as they were drawn.
const LIVES: &str = "lives.log";

/// Of each log, what is told where something failed.
const LAST_LINES: usize = 40;

/// How a job ends, and the question that an officer must answer.
const OVER: [&str; 6] = [
    "printed",
    "failed",
    "rejected",
    "expired",
    "cancelled",
    "unknown",
];

/// One machine at one printer, and what became of its documents so far.
#[derive(Debug)]
pub struct Matrix {
    world: World,
    machine: Machine,
    disk: SmallDisk,
    printer: Printer,
    seeded: Seeded,
    stops: Vec<String>,
    tally: Crashes,
    last_job: Option<String>,
    order_count: u64,
    /// Since the present document was ordered.
    has_lost_power: bool,
}

/// What a life came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Came {
    Killed,
    WithoutRoom,
    Done,
}

impl Matrix {
    /// Starts an office with a printer of this character.
    ///
    /// # Errors
    /// When a program does not start.
    pub async fn start(character: Character, seeded: Seeded) -> anyhow::Result<Self> {
        let mut world = World::start(Build::Hooks, false).await?;
        let printer = Printer::start(&world, character).await?;
        let machine = world.site.machine("desa-contoh-1", &printer.uri()).await?;
        let listed = world.site.programs.loketd.run(["stops"]).await?;
        let logs = world.site.path("logs");
        let disk = SmallDisk::mount(&machine.home, "identity", DISK_MIB, &logs).await?;
        world.site.programs.loketd = disk.inside(&world.site.programs.loketd)?;
        Ok(Self {
            world,
            machine,
            disk,
            printer,
            seeded,
            // No order passes the stops of the machine's own pages.
            stops: listed
                .lines()
                .filter(|stop| !stop.starts_with("exercise-"))
                .map(str::to_owned)
                .collect(),
            tally: Crashes::at(character.name()),
            last_job: None,
            order_count: 0,
            has_lost_power: false,
        })
    }

    /// Prints documents until loketd was killed so many times.
    ///
    /// # Errors
    /// At the first document that is lost, comes twice, or is asked about without need; the seed is in the error.
    pub async fn run(&mut self, kills: u64) -> anyhow::Result<()> {
        while self.tally.kills() < kills {
            let name = self.seeded.name();
            let (number, from) = (self.order_count, self.printer.sheets().await?);
            ensure!(from == number, "{from} sheets of {number} documents");
            let case = tokio::time::timeout(DEADLINE, self.document());
            let case = case.await.context("bring a document to its end")?;
            let printer = self.printer.character().name();
            case.with_context(|| {
                let said = self.last_words();
                format!("{name}, document {number} before {printer}{said}")
            })?;
        }
        Ok(())
    }

    /// What came of it so far, in words: `kills=1 printed=1 …`.
    #[must_use]
    pub fn words(&self) -> String {
        self.tally.words()
    }

    /// What everybody wrote last, for whoever reads why a document failed: the folder goes with the test.
    fn last_words(&self) -> String {
        let machine = format!("{}.log", self.machine.id);
        let logs = [LIVES, &machine, "central.log", "mosquitto-broker.log"];
        let told = logs.map(|name| {
            let log = std::fs::read_to_string(self.world.site.path("logs").join(name));
            let log = log.unwrap_or_default();
            let last = log.lines().count().saturating_sub(LAST_LINES);
            let lines: Vec<&str> = log.lines().skip(last).collect();
            format!("\n--- {name}\n{}", lines.join("\n"))
        });
        told.concat()
    }

    /// One document through its lives.
    async fn document(&mut self) -> anyhow::Result<()> {
        let before = self.order_count;
        let job = self.order().await?;
        self.has_lost_power = false;
        for _life in 0..self.seeded.below(MAX_LIVES) + 1 {
            let life = draw::life(&mut self.seeded, &self.stops);
            tracing_line(&self.world.site, &life)?;
            if self
                .live(&job, &life)
                .await
                .with_context(|| format!("{life:?}"))?
                == Came::Done
            {
                break;
            }
            if life.power_goes_between {
                self.cut_power().await?;
            }
        }
        self.printer.mend();
        self.disk.empty()?;
        let heard = self.heard();
        let mut daemon = self.world.site.start_machine(&self.machine)?;
        self.settle(&job, before).await?;
        ready(&mut daemon, heard).await?;
        let ended = daemon.stop().await?;
        ensure!(
            ended.success(),
            "it ended with {ended}; see {}",
            daemon.log().display()
        );
        Ok(())
    }

    async fn cut_power(&mut self) -> anyhow::Result<()> {
        if self.printer.cut_power(&self.world.site).await? {
            self.has_lost_power = true;
            self.tally.cut();
        }
        Ok(())
    }

    /// How much the daemon's log holds.
    fn heard(&self) -> usize {
        let name = format!("{}.log", self.machine.id);
        let log = std::fs::read(self.world.site.path("logs").join(name));
        log.map_or(0, |lines| lines.len())
    }

    async fn order(&mut self) -> anyhow::Result<String> {
        self.order_count += 1;
        let reference = format!("KK-{}", self.order_count);
        let order = order_again(
            &self.machine.id,
            &reference,
            "now",
            self.last_job.as_deref(),
        );
        let job = self.world.order_as(SAMPLE_KK, &order).await?;
        self.last_job = Some(job.clone());
        Ok(job)
    }

    /// One life of the daemon with its faults.
    async fn live(&mut self, job: &str, life: &Life) -> anyhow::Result<Came> {
        let mut site = self.world.site.clone();
        let mut loketd = site.programs.loketd.clone();
        if let Ending::Stop(stop) = &life.ending {
            loketd = loketd.with_env("LOKET_STOP_AT", stop);
        }
        if let Some(clock) = life.clock {
            loketd = faketime::with_clock(loketd, clock)?;
        }
        site.programs.loketd = loketd;
        if let Trouble::FullDisk {
            from_start: true, ..
        } = life.trouble
        {
            self.disk.fill()?;
        }
        let heard = self.heard();
        let mut daemon = site.start_machine(&self.machine)?;
        // Carried through also where the daemon dies meanwhile: no printer is left without its power, no disk full.
        self.trouble(job, life.trouble).await?;
        let ended = tokio::select! {
            ended = daemon.wait() => ended?,
            wish = self.wish(job, &life.ending) => match wish? {
                Wish::Kill => {
                    daemon.kill().await?;
                    daemon.wait().await?
                }
                Wish::Stop => {
                    ready(&mut daemon, heard).await?;
                    daemon.stop().await?
                }
            },
        };
        let came = came(ended, &daemon)?;
        if came == Came::Killed {
            self.tally.kill();
        }
        Ok(came)
    }

    /// What happens to the printer while the daemon lives.
    async fn trouble(&mut self, job: &str, trouble: Trouble) -> anyhow::Result<()> {
        match trouble {
            Trouble::None => {}
            Trouble::PowerCut { after_looks } => {
                self.look(job, after_looks).await?;
                self.cut_power().await?;
            }
            Trouble::FullDisk {
                from_start,
                after_looks,
                for_looks,
            } => {
                if !from_start {
                    self.look(job, after_looks).await?;
                    self.disk.fill()?;
                }
                self.look(job, for_looks).await?;
                self.disk.empty()?;
            }
            Trouble::Reset { direction, bytes } => self.printer.reset_after(direction, bytes),
        }
        Ok(())
    }

    /// Waits for the moment at which the daemon shall end, and says how.
    async fn wish(&self, job: &str, ending: &Ending) -> anyhow::Result<Wish> {
        match ending {
            Ending::Moment(looks) => {
                self.look(job, *looks).await?;
                Ok(Wish::Kill)
            }
            Ending::Stop(_) => {
                self.world.wait(job, &OVER).await?;
                Ok(Wish::Stop)
            }
        }
    }

    /// Lets some time pass: so many round trips to central.
    async fn look(&self, job: &str, count: u64) -> anyhow::Result<()> {
        for _look in 0..count {
            self.state(job).await?;
        }
        Ok(())
    }

    async fn state(&self, job: &str) -> anyhow::Result<Value> {
        self.world.site.job(&self.world.tokens.auditor, job).await
    }

    /// Waits for the end of a document that meets no more faults, and answers where somebody must look.
    async fn settle(&mut self, job: &str, before: u64) -> anyhow::Result<()> {
        let mut seen = self.world.wait(job, &OVER).await?;
        let mut question_count = 0;
        while field(&seen, "state") == "unknown" {
            let is_smaller = self.printer.character().is_asked_about_sendings();
            let is_sending = is_smaller && field(&seen, "reason") == "fate-not-seen";
            let is_excused = self.has_lost_power || is_sending;
            self.tally.asked(is_excused);
            ensure!(is_excused, "asked without need: {seen}");
            question_count += 1;
            // What lies in the printer while the officer looks comes to light after the answer, once (docs/adr/0059).
            let most = if is_smaller { 2 } else { 1 };
            ensure!(question_count <= most, "asked again: {seen}");
            seen = self
                .answer(job, (&seen, question_count > 1), before)
                .await?;
        }
        if question_count == 0 {
            self.tally.job(field(&seen, "state"));
        }
        let sheets = self.printer.sheets().await?;
        self.tally.sheets(sheets.saturating_sub(before), 1);
        ensure!(field(&seen, "state") == "printed", "{seen}");
        ensure!(sheets == before + 1, "{} sheets: {seen}", sheets - before);
        Ok(())
    }

    /// Answers as an officer who looks into the tray now; gives the job once it is over, or asked about again.
    async fn answer(
        &self,
        job: &str,
        (asked, is_again): (&Value, bool),
        before: u64,
    ) -> anyhow::Result<Value> {
        let config = text(&self.machine.config());
        let is_out = self.printer.sheets().await? > before;
        let found = if is_out { "came-out" } else { "did-not" };
        let mut words = vec![
            "job", "answer", job, found, "--by", "wati", "--config", &config,
        ];
        // Who was asked before says which attempt is meant.
        let attempt = asked.get("attempt").map(Value::to_string);
        if let Some(attempt) = attempt.as_ref().filter(|_attempt| is_again) {
            words.extend(["--attempt", attempt]);
        }
        let has_moved = |job: &Value| {
            field(job, "state") != "unknown" || field(job, "state_at") != field(asked, "state_at")
        };
        // The daemon has told central before it listens at its own door.
        until("the answer taken", DEADLINE, async || {
            let answered = self.world.site.programs.loketd.run(&words).await;
            let seen = self.state(job).await?;
            Ok((answered.is_ok() || has_moved(&seen)).then_some(()))
        })
        .await?;
        until("what comes of the answer", world::DEADLINE, async || {
            let seen = self.state(job).await?;
            let is_over = OVER.contains(&field(&seen, "state")) && has_moved(&seen);
            Ok(is_over.then_some(seen))
        })
        .await
    }
}

/// How a life ends that no stop ended.
#[derive(Debug, Clone, Copy)]
enum Wish {
    Kill,
    Stop,
}

fn field<'a>(seen: &'a Value, name: &str) -> &'a str {
    seen.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Asked to stop before it listens, a daemon would end by the signal itself.
async fn ready(daemon: &mut Running, heard: usize) -> anyhow::Result<()> {
    let log = daemon.log().to_owned();
    until("a daemon that is ready", DEADLINE, async || {
        let lines = std::fs::read_to_string(&log).context("read a log")?;
        let new = lines.get(heard..).unwrap_or_default();
        Ok(new.contains(" ready ").then_some(()))
    })
    .await
}

/// For a person who looks into a failure: the daemon's log says which life it is.
fn tracing_line(site: &Site, life: &Life) -> anyhow::Result<()> {
    use std::io::Write as _;
    let log = site.path("logs").join(LIVES);
    let mut file = std::fs::File::options()
        .create(true)
        .append(true)
        .open(log)?;
    writeln!(file, "{life:?}").context("note a life")
}

fn came(ended: ExitStatus, daemon: &Running) -> anyhow::Result<Came> {
    match (ended.code(), ended.signal()) {
        (Some(0), _) => Ok(Came::Done),
        (Some(CANNOT_CREATE), _) => Ok(Came::WithoutRoom),
        (_, Some(9)) => Ok(Came::Killed),
        _other => bail!("it ended with {ended}; see {}", daemon.log().display()),
    }
}

//! The same documents, printers and moments with the rival as the client: `lp` through cupsd.
//!
//! ```text
//! case = one document:  lp accepted it, then cupsd is killed and started again at random moments, with or without what it
//!        started, while the printer loses its power and connections are reset; then everything is left alone
//!        then: its queue is empty, and so many sheets came out
//!              or it still holds the document after a while: stuck
//! ```
//! Nobody is asked: cupsd has no such question. What it does by itself is what counts.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use loket_demo::once::SAMPLE_KK;

use super::draw::{self, Ending, Life, Trouble};
use super::printer::{Character, Printer};
use crate::cups::Cups;
use crate::seed::Seeded;
use crate::world::{Build, World};

/// As many as a document of ours has, at most.
const MAX_LIVES: u64 = super::MAX_LIVES;

/// One question to cupsd is a program of its own and takes about as long as so many looks at central.
const LOOKS_OF_A_QUESTION: u64 = 8;

/// Twice the pause after which cupsd tries a printer again that failed it (JobRetryInterval, 30 s): what it still holds
/// then, it holds for a person.
const STUCK_AFTER: Duration = Duration::from_secs(75);

/// What became of its documents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fates {
    /// Kills of cupsd.
    pub kills: u64,
    /// Documents that `lp` accepted.
    pub accepted: u64,
    /// Of them those of which one sheet came out.
    pub printed: u64,
    /// No sheet, and cupsd holds them no more.
    pub lost: u64,
    /// Sheets beyond the first of a document.
    pub double: u64,
    /// Held by cupsd, which does nothing more about them.
    pub stuck: u64,
}

impl fmt::Display for Fates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kills,
            accepted: _,
            printed,
            lost,
            double,
            stuck,
        } = self;
        write!(
            f,
            "kills={kills} printed={printed} lost={lost} double={double} stuck={stuck}"
        )
    }
}

/// One cupsd at one printer.
#[derive(Debug)]
pub struct Rival {
    world: World,
    printer: Printer,
    cups: Cups,
    sample: PathBuf,
    seeded: Seeded,
    fates: Fates,
}

impl Rival {
    /// Starts it at a printer of this character.
    ///
    /// # Errors
    /// When a program is missing or does not start.
    pub async fn start(character: Character, seeded: Seeded) -> anyhow::Result<Self> {
        let world = World::start(Build::Plain, false).await?;
        let printer = Printer::start(&world, character).await?;
        let cups = Cups::start(&world.site, &printer.uri()).await?;
        let sample = world.site.path("sample.pdf");
        std::fs::write(&sample, SAMPLE_KK).context("write the sample")?;
        Ok(Self {
            world,
            printer,
            cups,
            sample,
            seeded,
            fates: Fates::default(),
        })
    }

    /// Prints documents until cupsd was killed so many times.
    ///
    /// # Errors
    /// When a program does not come back.
    pub async fn run(&mut self, kills: u64) -> anyhow::Result<Fates> {
        while self.fates.kills < kills {
            self.document().await?;
        }
        Ok(self.fates)
    }

    async fn document(&mut self) -> anyhow::Result<()> {
        let before = self.printer.sheets().await?;
        self.cups.lp(&self.sample).await?;
        self.fates.accepted += 1;
        for _life in 0..self.seeded.below(MAX_LIVES) + 1 {
            let life = draw::life(&mut self.seeded, &[]);
            self.live(&life).await?;
            if life.power_goes_between {
                self.printer.cut_power(&self.world.site).await?;
            }
        }
        self.printer.mend();
        let is_done = self.is_done().await?;
        let sheets = self.printer.sheets().await?.saturating_sub(before);
        match (is_done, sheets) {
            (true, 0) => self.fates.lost += 1,
            (false, 0) => self.fates.stuck += 1,
            (_, 1) => self.fates.printed += 1,
            (_, more) => self.fates.double += more - 1,
        }
        if !is_done {
            self.cups.clear().await?;
        }
        Ok(())
    }

    /// One life of cupsd; it has no stops, so each ends at a moment.
    async fn live(&mut self, life: &Life) -> anyhow::Result<()> {
        match life.trouble {
            // A full disk is not asked of it: what it would lose there is no fault of its protocol.
            Trouble::None | Trouble::FullDisk { .. } => {}
            Trouble::PowerCut { after_looks } => {
                self.look(after_looks).await?;
                self.printer.cut_power(&self.world.site).await?;
            }
            Trouble::Reset { direction, bytes } => self.printer.reset_after(direction, bytes),
        }
        let looks = match life.ending {
            Ending::Moment(looks) => looks,
            Ending::Stop(_) => self.seeded.below(draw::MAX_LOOKS),
        };
        self.look(looks).await?;
        let with_backends = self.seeded.below(2) == 0;
        self.cups
            .kill_and_start(&self.world.site, with_backends)
            .await?;
        self.fates.kills += 1;
        Ok(())
    }

    async fn look(&self, looks: u64) -> anyhow::Result<()> {
        for _question in 0..looks / LOOKS_OF_A_QUESTION {
            self.cups.is_empty().await?;
        }
        Ok(())
    }

    /// Waits until the queue is empty; false where it is not after a while.
    async fn is_done(&self) -> anyhow::Result<bool> {
        match tokio::time::timeout(STUCK_AFTER, self.cups.wait_done()).await {
            Ok(done) => done.map(|()| true),
            Err(_late) => Ok(false),
        }
    }
}

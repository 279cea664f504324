//! A job that waits for a printer on a cable in memory, under a clock that stands still but for waits.

use loket_inspection::Inspector;
use loket_spool::Spool;
use loket_trust_folder::TrustFolder;
use loket_verify::Policy;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::super::handle::Ask;
use super::*;
use crate::device::bench::{CableBench, NAME};
use crate::identity::IdentityDir;
use crate::key_seal::KeySeal;
use crate::trust::TrustStore;

/// A device that is opened is listened to for so long, for what it still has to say to whoever had it before.
const OPENING: Duration = Duration::from_millis(100);

/// One effect that runs, and the desk that it tells.
struct Bench {
    asks: mpsc::Receiver<Ask>,
    running: JoinSet<EffectId>,
    _dir: tempfile::TempDir,
}

impl Bench {
    fn surveys(cable: &CableBench) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let identity = IdentityDir::under(dir.path(), KeySeal::default());
        identity.request(&"desa-contoh-1".parse().unwrap()).unwrap();
        let spool = Spool::open(&dir.path().join("spool"), 1024 * 1024).unwrap();
        std::fs::create_dir(dir.path().join("trust")).unwrap();
        let folder = TrustFolder::open(dir.path().join("trust")).unwrap();
        let trust = TrustStore::of_folder(folder);
        let sealing = identity.sealing_key().unwrap();
        let (sender, asks) = mpsc::channel(1);
        let printer: Arc<dyn Printer> = Arc::new(cable.printer());
        let hands = Arc::new(Hands {
            documents: Documents::new(spool, sealing, trust, Policy::default()),
            printers: BTreeMap::from([(NAME.to_owned(), printer)]),
            source: None,
            rasters: Rasters::new(Inspector::beside_this_program()),
            records: None,
            desk: DeskHandle::new(sender, watch::channel(0).1),
            plugs: cable.plugs.clone(),
        });
        let effect = Effect {
            id: EffectId {
                job: JobId::from_parts(1_793_491_200_000, [1; 10]),
                attempt: 0,
                step: EffectStep::Survey,
            },
            action: Action::Survey {
                printer: NAME.to_owned(),
            },
        };
        let mut running = JoinSet::new();
        let fetching = Arc::new(Semaphore::new(1));
        running.spawn(run(hands, fetching, effect, CancellationToken::new()));
        Self {
            asks,
            running,
            _dir: dir,
        }
    }

    /// What the desk is told within a time limit; it changes nothing, so that the effect goes on.
    async fn told(&mut self, limit: Duration) -> Option<Command> {
        match timeout(limit, self.asks.recv()).await.ok()?? {
            Ask::Submit { command, reply } => {
                reply.send(Ok(false)).unwrap();
                Some(*command)
            }
            other @ (Ask::Report { .. }
            | Ask::Jobs { .. }
            | Ask::Resting { .. }
            | Ask::NoteRest { .. }
            | Ask::Held { .. }
            | Ask::Job { .. }) => {
                panic!("{other:?}")
            }
        }
    }

    /// Waits until the pauses are as long as they get, and half of one is over.
    async fn settle(&mut self) {
        while let Some(told) = self.told(LAST_PAUSE * 2).await {
            assert!(matches!(told, Command::Waits { .. }), "{told:?}");
            if self.told(LAST_PAUSE / 2).await.is_none() {
                return;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_that_waits_for_a_printer_goes_on_at_the_moment_it_is_plugged_in() {
    let mut cable = CableBench::new(true);
    let mut bench = Bench::surveys(&cable);
    for _time in 0..3 {
        bench.settle().await;
        let plugged_at = Instant::now();
        cable.plug(true);
        let told = bench.told(LAST_PAUSE).await.unwrap();
        assert!(matches!(told, Command::Surveyed { .. }), "{told:?}");
        // The clock stands still but for waits: the half of a pause that was left is none of them.
        assert_eq!(plugged_at.elapsed(), OPENING);
        let unplugged_at = Instant::now();
        cable.unplug();
        // For longer than the second between two tellings of a cable: the next one is told at once.
        let mut told = None;
        while unplugged_at.elapsed() < LAST_PAUSE * 3 {
            told = bench.told(LAST_PAUSE * 2).await;
        }
        assert!(matches!(told, Some(Command::Waits { .. })), "{told:?}");
    }
    bench.running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn unplugging_wakes_no_job_and_makes_no_pause_longer() {
    let mut cable = CableBench::new(true);
    cable.plug(false);
    let mut bench = Bench::surveys(&cable);
    bench.settle().await;
    let before = Instant::now();
    cable.unplug();
    let mut tries = 0;
    while before.elapsed() < LAST_PAUSE * 10 {
        bench.told(LAST_PAUSE * 2).await.unwrap();
        tries += 1;
    }
    assert!((10..=11).contains(&tries), "{tries}");
    bench.running.shutdown().await;
}

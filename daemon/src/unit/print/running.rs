//! Which effects run: one a job, each stopped when its job has moved on.
//!
//! A job in one state has one effect. The next one of the same job begins when the last has ended, so that a fetch
//! never writes beside the shredding of its job, and nothing is asked of a printer for a job that is over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use loket_domain::print::{Effect, EffectId, EffectStep};
use loket_wire::JobId;
use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::effects::{self, Hands};

/// Documents fetched at a time: on a poor link two already share what one would need, and a thousand orders after a
/// week without link must not dial central a thousand times at once.
const MAX_FETCHES: usize = 2;

/// The effects under way.
pub(super) struct Running {
    hands: Arc<Hands>,
    fetching: Arc<Semaphore>,
    stop: CancellationToken,
    tasks: JoinSet<EffectId>,
    by_job: BTreeMap<JobId, (EffectId, CancellationToken)>,
}

impl Running {
    pub(super) fn new(hands: Arc<Hands>, stop: CancellationToken) -> Self {
        Self {
            hands,
            fetching: Arc::new(Semaphore::new(MAX_FETCHES)),
            stop,
            tasks: JoinSet::new(),
            by_job: BTreeMap::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_job.is_empty()
    }

    /// Whether no effect of this job runs.
    pub(super) fn is_free(&self, job: JobId) -> bool {
        !self.by_job.contains_key(&job)
    }

    /// Whether a document is being judged.
    pub(super) fn is_reading(&self) -> bool {
        let mut ids = self.by_job.values();
        ids.any(|(id, _stop)| id.step == EffectStep::Verify)
    }

    /// Lets every effect end that its job asks for no longer.
    pub(super) fn end_others_than(&self, wanted: &[Effect]) {
        let wanted: BTreeSet<EffectId> = wanted.iter().map(|effect| effect.id).collect();
        for (id, stop) in self.by_job.values() {
            if !wanted.contains(id) {
                stop.cancel();
            }
        }
    }

    pub(super) fn start(&mut self, effect: Effect) {
        let stop = self.stop.child_token();
        self.by_job.insert(effect.id.job, (effect.id, stop.clone()));
        let (hands, fetching) = (Arc::clone(&self.hands), Arc::clone(&self.fetching));
        self.tasks
            .spawn(effects::run(hands, fetching, effect, stop));
    }

    /// Waits for the next effect to end; `None` while none runs.
    ///
    /// # Errors
    /// An effect that panicked.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub(super) async fn ended(&mut self) -> Option<Result<(), JoinError>> {
        let ended = self.tasks.join_next().await?;
        Some(ended.map(|id| {
            self.by_job.remove(&id.job);
        }))
    }
}

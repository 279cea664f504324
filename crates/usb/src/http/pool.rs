//! The interfaces of one device, each given to one exchange at a time and taken back when it is in step again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::cable::{TaskEnd, cable};
use super::exchange::{Ended, Exchange, Step};
use super::pair::Pair;
use super::stream::{Evidence, HttpStream};
use crate::error::UsbError;
use crate::pipe::Device;
use crate::plugged::{Function, FunctionKind, Place};
use crate::quirks::{InitReset, Quirks, Resync};

/// Devices at hand have up to three interfaces; more than eight gain nothing, for there is one print engine behind them.
const MAX_PAIRS: usize = 8;

/// HTTP over USB to one device, for printing and scanning together.
///
/// ```text
///             dial                      answer whole, or drained
///   idle ───────────► carries one exchange ─────────────────────► idle
///    ▲                       │ broke off: soft reset
///    └── hard reset ◄────────┘ and it may still be owed an answer
///        as soon as nothing else runs on the device
/// ```
///
/// Clones share the interfaces. When the last clone is dropped without [`close`](Self::close), what runs is broken off
/// and the interfaces go back to the kernel without a word to anybody.
#[derive(Debug, Clone)]
pub struct HttpPool(Arc<Handle>);

/// Ends the tasks when the last clone goes.
#[derive(Debug)]
struct Handle(Arc<Inner>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.free.close();
        self.0.stop.cancel();
    }
}

#[derive(Debug)]
struct Inner {
    quirks: Quirks,
    places: Vec<Place>,
    /// As many permits as there are idle pairs.
    free: Arc<Semaphore>,
    state: Mutex<State>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

#[derive(Debug)]
struct State {
    device: Arc<dyn Device>,
    idle: Vec<Pair>,
    /// Out of step until the device is reset.
    lost: Vec<Pair>,
    running: usize,
    /// Why nothing is given out any more.
    over: Option<UsbError>,
}

impl HttpPool {
    /// Takes the interfaces of an opened device.
    ///
    /// Each is reset as the quirks say, and listened to: what the device still had to say to a program before this one is
    /// thrown away.
    ///
    /// # Errors
    /// [`UsbError::Busy`] where another program holds one of the interfaces, [`UsbError::Unplugged`],
    /// [`UsbError::OutOfStep`] where the device does not fall silent even after a reset.
    pub async fn open(
        device: Arc<dyn Device>,
        function: &Function,
        quirks: Quirks,
    ) -> Result<Self, UsbError> {
        let max = match usize::from(quirks.max_interfaces) {
            0 => MAX_PAIRS,
            max => max.min(MAX_PAIRS),
        };
        let places: Vec<Place> = function.places.iter().take(max).copied().collect();
        if function.kind != FunctionKind::IppUsb || places.is_empty() {
            return Err(UsbError::NoFunction {
                device: format!("{device:?}"),
                wanted: FunctionKind::IppUsb,
            });
        }
        let device = match quirks.init_reset {
            InitReset::Hard => device.reset().await?,
            InitReset::None | InitReset::Soft => device,
        };
        let (device, idle) = match claim(&device, &places, &quirks).await {
            Err(UsbError::OutOfStep) => {
                let device = device.reset().await?;
                let pairs = claim(&device, &places, &quirks).await?;
                (device, pairs)
            }
            pairs => (device, pairs?),
        };
        Ok(Self(Arc::new(Handle(Arc::new(Inner {
            quirks,
            places,
            free: Arc::new(Semaphore::new(idle.len())),
            state: Mutex::new(State {
                device,
                idle,
                lost: Vec::new(),
                running: 0,
                over: None,
            }),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        })))))
    }

    /// How many exchanges can run at once.
    #[must_use]
    pub fn interfaces(&self) -> usize {
        self.0.0.places.len()
    }

    /// True where both are clones of one another.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Waits for a free interface and gives a stream for one exchange over it; callers are served in their order.
    ///
    /// # Errors
    /// Why the pool gives nothing out any more: [`UsbError::Unplugged`] and what a reset failed with, until the device is
    /// opened anew; [`UsbError::Closed`].
    ///
    /// # Cancel safety
    /// Dropping the future gives up the wait and leaves nothing behind.
    pub async fn dial(&self) -> Result<HttpStream, UsbError> {
        let inner = &self.0.0;
        loop {
            let permit = match inner.free.acquire().await {
                Ok(permit) => permit,
                Err(_closed) => return Err(inner.why_over()),
            };
            permit.forget();
            // Where a reset took the pair of this permit, there is none: the next one is waited for.
            let Some(pair) = inner.take() else {
                continue;
            };
            let (caller, task) = cable();
            let evidence = Evidence::default();
            let stream = HttpStream::new(caller, evidence.clone());
            inner
                .tasks
                .spawn(Arc::clone(inner).carry(pair, task, evidence));
            return Ok(stream);
        }
    }

    /// Gives nothing out any more, lets exchanges that run come to their end for up to `patience`, breaks off the rest,
    /// and gives the interfaces back to the kernel.
    ///
    /// A device that is still owed a part of a request, or owes an answer, is reset: whoever opens it next finds it in
    /// step.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the pool closed for new exchanges; calling it again goes on.
    pub async fn close(&self, patience: Duration) {
        let inner = &self.0.0;
        inner.end(UsbError::Closed);
        inner.tasks.close();
        if timeout(patience, inner.tasks.wait()).await.is_err() {
            inner.stop.cancel();
            inner.tasks.wait().await;
        }
        let (device, pairs, is_lost) = {
            let mut state = inner.lock();
            let mut pairs = std::mem::take(&mut state.idle);
            let is_lost = !state.lost.is_empty();
            pairs.append(&mut state.lost);
            (Arc::clone(&state.device), pairs, is_lost)
        };
        for pair in pairs {
            pair.release().await;
        }
        if is_lost && let Err(error) = device.reset().await {
            tracing::warn!(%error, "the USB device was not reset when it was closed");
        }
    }
}

/// Claims all places, and brings each into step.
async fn claim(
    device: &Arc<dyn Device>,
    places: &[Place],
    quirks: &Quirks,
) -> Result<Vec<Pair>, UsbError> {
    let mut pairs = Vec::with_capacity(places.len());
    for place in places {
        let claimed = device.claim(*place).await?;
        let mut pair = Pair::new(claimed, Instant::now())?;
        if quirks.init_reset == InitReset::Soft {
            pair.reset_softly(quirks).await?;
        }
        pair.ready_at = Instant::now() + quirks.init_delay();
        pairs.push(pair);
    }
    Ok(pairs)
}

/// What is to be done after a pair came back.
enum Next {
    Nothing,
    Reset {
        pairs: Vec<Pair>,
        device: Arc<dyn Device>,
    },
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Option<Pair> {
        let mut state = self.lock();
        let pair = state.idle.pop()?;
        state.running = state.running.saturating_add(1);
        Some(pair)
    }

    fn why_over(&self) -> UsbError {
        self.lock().over.clone().unwrap_or(UsbError::Closed)
    }

    /// Gives nothing out from here on; the first reason stays.
    fn end(&self, why: UsbError) {
        self.lock().over.get_or_insert(why);
        self.free.close();
    }

    /// Carries one exchange and brings its pair home.
    async fn carry(self: Arc<Self>, mut pair: Pair, task: TaskEnd, evidence: Evidence) {
        let exchange = Exchange::new(&mut pair, &task, &self.quirks, evidence);
        let Ended { result, step } = exchange.run(&self.stop).await;
        if let Err(error) = &result {
            tracing::debug!(error.code = error.keyword(), %error, "an exchange over USB ended badly");
        }
        let gone = result
            .as_ref()
            .err()
            .filter(|it| matches!(it, UsbError::Unplugged { .. }));
        let gone = gone.cloned();
        if let Some(error) = &gone {
            // Before the caller hears of it: who asks again at once must not be given another pair of the same device.
            self.end(error.clone());
        }
        task.finish(result);
        drop(task);
        pair.ready_at = Instant::now() + self.quirks.request_delay();
        if gone.is_some() {
            self.put_away(pair);
            return;
        }
        let is_in_step = match self.recover(&mut pair, step).await {
            Ok(is_in_step) => is_in_step,
            Err(error @ UsbError::Unplugged { .. }) => {
                self.end(error);
                false
            }
            Err(error) => {
                tracing::debug!(error.code = error.keyword(), %error, "a soft reset did not help");
                false
            }
        };
        match self.bring_home(pair, is_in_step) {
            Next::Nothing => {}
            Next::Reset { pairs, device } => self.reset(pairs, device).await,
        }
    }

    /// True where the pair may carry the next exchange.
    async fn recover(&self, pair: &mut Pair, step: Step) -> Result<bool, UsbError> {
        match step {
            Step::Kept => Ok(true),
            Step::Doubtful => pair.reset_softly(&self.quirks).await.map(|()| true),
            Step::Lost => {
                // A device that throws its buffers away at once has less to do in the hard reset; and a model that is
                // known to be in step after it needs no other.
                let reset = pair.reset_softly(&self.quirks).await;
                reset.map(|()| self.quirks.resync == Resync::Soft)
            }
        }
    }

    fn put_away(&self, pair: Pair) {
        let mut state = self.lock();
        state.running = state.running.saturating_sub(1);
        state.lost.push(pair);
    }

    fn bring_home(&self, pair: Pair, is_in_step: bool) -> Next {
        let mut state = self.lock();
        state.running = state.running.saturating_sub(1);
        if is_in_step {
            state.idle.push(pair);
        } else {
            state.lost.push(pair);
        }
        // An exchange on another interface is not broken off for the sake of this one.
        let is_reset_due = !state.lost.is_empty() && state.running == 0 && state.over.is_none();
        if !is_reset_due {
            if is_in_step {
                self.free.add_permits(1);
            }
            return Next::Nothing;
        }
        let had = state.idle.len().saturating_sub(usize::from(is_in_step));
        self.free.forget_permits(had);
        let mut pairs = std::mem::take(&mut state.idle);
        pairs.append(&mut state.lost);
        Next::Reset {
            pairs,
            device: Arc::clone(&state.device),
        }
    }

    /// Resets the whole device and claims its interfaces again.
    async fn reset(&self, pairs: Vec<Pair>, device: Arc<dyn Device>) {
        tracing::info!("the USB device is reset: an exchange with it broke off");
        for pair in pairs {
            pair.release().await;
        }
        let renewed = async {
            let device = device.reset().await?;
            let pairs = claim(&device, &self.places, &self.quirks).await?;
            Ok((device, pairs))
        };
        match renewed.await {
            Ok((device, pairs)) => {
                let count = pairs.len();
                let mut state = self.lock();
                state.device = device;
                state.idle = pairs;
                self.free.add_permits(count);
            }
            Err(error) => {
                let error: UsbError = error;
                tracing::warn!(error.code = error.keyword(), %error, "the USB device did not come back from its reset");
                self.end(error);
            }
        }
    }
}

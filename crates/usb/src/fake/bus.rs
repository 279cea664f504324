//! A bus in memory: what is plugged into it, and who is told.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::error::{Doing, UsbError};
use crate::native::Listed;
use crate::plugged::Plugged;
use crate::watch::{Look, Source, Watch};

/// What a bus is at; each part may be turned at any time.
#[derive(Debug, Clone, Default)]
pub struct BusState {
    /// The devices with printer interfaces, in the order of a list.
    pub plugged: Vec<Plugged>,
    /// A device is there that the kernel has not finished with.
    pub is_unready: bool,
    /// It cannot be read.
    pub is_broken: bool,
}

#[derive(Debug, Default)]
struct Shared {
    state: BusState,
    look_count: usize,
    is_hinted: bool,
    wakers: Vec<Waker>,
}

/// A bus in memory; clones are the same bus.
#[derive(Debug, Clone, Default)]
pub struct FakeBus(Arc<Mutex<Shared>>);

impl FakeBus {
    /// Turns what it is at; nobody is told.
    pub fn turn(&self, turn: impl FnOnce(&mut BusState)) {
        turn(&mut self.lock().state);
    }

    /// Says to those who listen to udev that something changed.
    pub fn hint(&self) {
        let wakers = {
            let mut shared = self.lock();
            shared.is_hinted = true;
            std::mem::take(&mut shared.wakers)
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    /// How often it was looked at.
    #[must_use]
    pub fn look_count(&self) -> usize {
        self.lock().look_count
    }

    /// What is plugged in, as [`crate::list`] would say; not counted as a look.
    #[must_use]
    pub fn plugged(&self) -> Vec<Plugged> {
        self.lock().state.plugged.clone()
    }

    /// Watches it as [`crate::watch`] does a computer's, with or without udev; one watch with udev at a time.
    #[must_use]
    pub fn watch(&self, has_udev: bool, period: Duration) -> Watch {
        let bus = self.clone();
        Watch::over(Box::new(Watched { bus, has_udev }), period)
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct Watched {
    bus: FakeBus,
    has_udev: bool,
}

impl Source for Watched {
    fn look(&self) -> Look {
        let bus = self.bus.clone();
        Box::pin(async move {
            let mut shared = bus.lock();
            shared.look_count = shared.look_count.saturating_add(1);
            if shared.state.is_broken {
                let doing = Doing::Listing;
                return Err(UsbError::Denied { doing });
            }
            Ok(Listed {
                plugged: shared.state.plugged.clone(),
                is_unready: shared.state.is_unready,
            })
        })
    }

    fn is_told(&self) -> bool {
        self.has_udev
    }

    fn poll_hint(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.has_udev {
            return Poll::Pending;
        }
        let mut shared = self.bus.lock();
        if std::mem::take(&mut shared.is_hinted) {
            return Poll::Ready(());
        }
        if !shared.wakers.iter().any(|it| it.will_wake(cx.waker())) {
            shared.wakers.push(cx.waker().clone());
        }
        Poll::Pending
    }
}

//! What is plugged in and out: hints of udev where there are some, and a look at the bus at a steady pace anyway.

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::error::UsbError;
use crate::native::{self, Hints, Listed};
use crate::plugged::Plugged;

/// The kernel needs some milliseconds from the announcement of a device to its interfaces.
const UNREADY_PAUSE: Duration = Duration::from_millis(100);

/// A look at the bus reads some twenty small files a device: more often gains nobody anything.
const MIN_PERIOD: Duration = Duration::from_millis(50);

/// Where udev tells of each change at once, the bus is looked at so often all the same: an event is lost where the socket's
/// buffer is full, and an old computer must not be woken for nothing.
const TOLD_PERIOD: Duration = Duration::from_secs(30);

/// Something was plugged in or out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A device is there that was not.
    Plugged(Plugged),
    /// A device is not there any more. One that was plugged out and in again between two looks is told by both events.
    Unplugged(Plugged),
}

/// What changed between two looks: first what left, then what came, each in the order of the sockets.
///
/// A device is the same as long as it hangs at the same socket under the same number and describes itself the same.
#[must_use]
pub fn changes(before: &[Plugged], after: &[Plugged]) -> Vec<Event> {
    let left = before.iter().filter(|it| !after.contains(it));
    let came = after.iter().filter(|it| !before.contains(it));
    let left = left.cloned().map(Event::Unplugged);
    left.chain(came.cloned().map(Event::Plugged)).collect()
}

/// A look at the bus under way.
pub(crate) type Look = Pin<Box<dyn Future<Output = Result<Listed, UsbError>> + Send>>;

/// Where a watch looks, and who tells it to.
pub(crate) trait Source: Send + fmt::Debug {
    fn look(&self) -> Look;

    /// True where somebody tells of changes.
    fn is_told(&self) -> bool;

    /// Ready when something may have changed.
    fn poll_hint(&mut self, cx: &mut Context<'_>) -> Poll<()>;
}

/// Tells what is plugged in and out; see [`watch`].
#[derive(Debug)]
pub struct Watch {
    source: Box<dyn Source>,
    period: Duration,
    known: Vec<Plugged>,
    events: VecDeque<Event>,
    next_look: Instant,
}

/// Watches for devices with printer interfaces; those that are there already are told first.
///
/// `period` is how often the bus is looked at where no udev runs, and bounds there how late an event can be; a look costs
/// less than a millisecond of a processor for ten devices. With udev an event is told at once, and the bus is looked at every
/// 30 s, or every `period` where that is longer, in case one was lost.
///
/// Without udev no thread is started; with it, one of nusb's, which all watches of the program share.
#[must_use]
pub fn watch(period: Duration) -> Watch {
    let hints = Hints::listen().unwrap_or_else(|error| {
        tracing::warn!(%error, "no events of udev: the USB devices are looked at every {period:?}");
        None
    });
    Watch::over(Box::new(Computer { hints }), period)
}

impl Watch {
    pub(crate) fn over(source: Box<dyn Source>, period: Duration) -> Self {
        Self {
            source,
            period: period.max(MIN_PERIOD),
            known: Vec::new(),
            events: VecDeque::new(),
            next_look: Instant::now(),
        }
    }

    /// Waits for the next event.
    ///
    /// # Errors
    /// What the look at the bus failed with; the next call looks again after the period.
    ///
    /// # Cancel safety
    /// No event is lost.
    pub async fn next(&mut self) -> Result<Event, UsbError> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(event);
            }
            tokio::select! {
                () = poll_fn(|cx| self.source.poll_hint(cx)) => self.next_look = Instant::now(),
                () = sleep_until(self.next_look) => {}
            }
            // A look that is dropped half-way is made again by the next call.
            let looked = self.source.look().await;
            self.next_look = Instant::now() + self.period();
            let listed = looked?;
            if listed.is_unready {
                self.next_look = Instant::now() + UNREADY_PAUSE.min(self.period);
            }
            self.events.extend(changes(&self.known, &listed.plugged));
            self.known = listed.plugged;
        }
    }

    fn period(&self) -> Duration {
        if self.source.is_told() {
            self.period.max(TOLD_PERIOD)
        } else {
            self.period
        }
    }

    /// The devices that are there, as of the last look at the bus: events of it may still be untold.
    #[must_use]
    pub fn plugged(&self) -> &[Plugged] {
        &self.known
    }
}

/// This computer's bus.
struct Computer {
    hints: Option<Hints>,
}

impl fmt::Debug for Computer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Computer")
            .field("has_hints", &self.hints.is_some())
            .finish()
    }
}

impl Source for Computer {
    fn look(&self) -> Look {
        Box::pin(native::list())
    }

    fn is_told(&self) -> bool {
        self.hints.is_some()
    }

    fn poll_hint(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(hints) = &mut self.hints else {
            return Poll::Pending;
        };
        match hints.poll(cx) {
            Poll::Ready(Some(())) => Poll::Ready(()),
            Poll::Ready(None) => {
                self.hints = None;
                Poll::Pending
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests;

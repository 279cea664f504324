//! What waits in memory for one request: under a name that cannot be guessed, once, and not for long.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use data_encoding::HEXLOWER;
use tokio::time::Instant;

/// Keeps values of one kind, the oldest of which give way to new ones.
pub(crate) struct Handles<T> {
    kept: Mutex<VecDeque<Kept<T>>>,
    fresh: fn() -> [u8; 16],
    capacity: usize,
    life: Duration,
}

struct Kept<T> {
    handle: String,
    until: Instant,
    value: T,
}

impl<T> Handles<T> {
    /// Keeps up to `capacity` values, each for `life`.
    pub(crate) fn new(fresh: fn() -> [u8; 16], capacity: usize, life: Duration) -> Self {
        Self {
            kept: Mutex::default(),
            fresh,
            capacity,
            life,
        }
    }

    /// Keeps a value; gives its handle, 32 hexadecimal digits.
    pub(crate) fn put(&self, value: T) -> String {
        let handle = HEXLOWER.encode(&(self.fresh)());
        let mut kept = self.swept();
        while kept.len() >= self.capacity {
            kept.pop_front();
        }
        kept.push_back(Kept {
            handle: handle.clone(),
            until: Instant::now() + self.life,
            value,
        });
        handle
    }

    /// Gives the value, which is gone then.
    pub(crate) fn take(&self, handle: &str) -> Option<T> {
        let mut kept = self.swept();
        let at = kept.iter().position(|kept| kept.handle == handle)?;
        kept.remove(at).map(|kept| kept.value)
    }

    /// Drops what is past its time.
    pub(crate) fn sweep(&self) {
        drop(self.swept());
    }

    fn swept(&self) -> std::sync::MutexGuard<'_, VecDeque<Kept<T>>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        kept.retain(|kept| kept.until > now);
        kept
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::*;

    fn fresh() -> [u8; 16] {
        static DRAWN: AtomicU8 = AtomicU8::new(0);
        [DRAWN.fetch_add(1, Ordering::SeqCst); 16]
    }

    #[test]
    fn a_handle_answers_once() {
        let handles = Handles::new(fresh, 2, Duration::from_secs(60));
        let handle = handles.put("a");
        assert_eq!(handle.len(), 32);
        assert_eq!(handles.take(&handle), Some("a"));
        assert_eq!(handles.take(&handle), None);
        assert_eq!(handles.take(""), None);
    }

    #[test]
    fn the_oldest_gives_way() {
        let handles = Handles::new(fresh, 2, Duration::from_secs(60));
        let all = ["a", "b", "c"].map(|value| handles.put(value));
        let taken = all.map(|handle| handles.take(&handle));
        assert_eq!(taken, [None, Some("b"), Some("c")]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_asked_for_dies_by_itself() {
        let handles = Handles::new(fresh, 2, Duration::from_secs(60));
        let handle = handles.put("a");
        tokio::time::advance(Duration::from_secs(60)).await;
        handles.sweep();
        assert!(handles.kept.lock().unwrap().is_empty());
        assert_eq!(handles.take(&handle), None);
    }
}

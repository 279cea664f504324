//! What is told of printers on USB cables, and how it is waited for.

use std::collections::BTreeMap;

use tokio::sync::watch;

/// What is heard of each printer of the settings that is on a USB cable; empty where none is.
#[derive(Debug, Clone, Default)]
pub struct Plugs(BTreeMap<String, watch::Receiver<bool>>);

impl Plugs {
    pub(super) fn add(&mut self, printer: &str, heard: watch::Receiver<bool>) {
        self.0.insert(printer.to_owned(), heard);
    }

    /// What is heard of this printer from here on; of one that is on no cable, nothing ever.
    #[must_use]
    pub fn of(&self, printer: &str) -> Plug {
        let mut heard = self.0.get(printer).cloned();
        if let Some(heard) = &mut heard {
            heard.mark_unchanged();
        }
        Plug(heard)
    }
}

/// What is heard of one printer. What was told before a wait began is not lost: the next wait ends at once.
#[derive(Debug, Clone, Default)]
pub struct Plug(Option<watch::Receiver<bool>>);

impl Plug {
    /// Waits until the printer is plugged in or out; true where it is there then. Several changes since the last wait are
    /// one.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn changed(&mut self) -> bool {
        if let Some(heard) = &mut self.0
            && heard.changed().await.is_ok()
        {
            return *heard.borrow_and_update();
        }
        // On no cable, or who tells has ended: nothing will be told any more.
        std::future::pending().await
    }

    /// Waits until the printer is plugged in.
    ///
    /// # Cancel safety
    /// As [`Self::changed`].
    pub async fn plugged(&mut self) {
        while !self.changed().await {}
    }
}

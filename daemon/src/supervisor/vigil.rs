//! What is watched and kept while the units run: their ends, the journal's soundness, the watchdog, small settings.

use std::convert::Infallible;
use std::time::Duration;

use loket_journal::{Batch, JournalError};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::units::Units;
use super::{DISK_FULL, RunError};
use crate::ground::{Ground, Session, session_meta};
use crate::telemetry::chain;
use crate::unit::link::META_CLOCK;
use crate::unit::print::DeskHandle;

/// The clock's floor is kept this often.
const FLOOR_EVERY: Duration = Duration::from_secs(3_600);

/// What a full disk left undone is tried again this often: somebody makes room by hand.
const ROOM_EVERY: Duration = Duration::from_secs(60);

/// The status is told this often where no watchdog asks for more.
const STATUS_EVERY: Duration = Duration::from_secs(60);

/// Everything that goes on beside the units.
pub(super) struct Vigil<'a> {
    ground: &'a Ground,
    desk: &'a DeskHandle,
    session: Option<Session>,
}

impl<'a> Vigil<'a> {
    pub(super) const fn over(
        ground: &'a Ground,
        desk: &'a DeskHandle,
        session: Option<Session>,
    ) -> Self {
        Self {
            ground,
            desk,
            session,
        }
    }

    /// Watches until `stop`, or until something fails.
    ///
    /// Nothing is awaited inside an arm: a desk or a disk that hangs keeps no stop from being seen.
    pub(super) async fn keep(
        self,
        units: &mut Units,
        stop: &CancellationToken,
    ) -> Result<(), RunError> {
        // However this ends, a check that still runs is not wanted any more.
        let wanted = CancellationToken::new();
        let _ended = wanted.clone().drop_guard();
        let check = self.ground.check(wanted);
        let ground = self.ground;
        let has_room = || ground.reserve.stands() && !ground.documents.spool.is_short();
        let feeding = feed(self.desk, sd_notify::watchdog_enabled(), has_room, notify);
        let (floor, room) = (self.keep_floor(), self.keep_room());
        tokio::pin!(check, feeding, floor, room);
        let mut is_checked = false;
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                () = self.ground.journal.damaged() => return Err(RunError::JournalBroken),
                error = units.failed() => return Err(error),
                checked = &mut check, if !is_checked => {
                    checked?;
                    is_checked = true;
                }
                never = &mut feeding => match never {},
                never = &mut floor => match never {},
                never = &mut room => match never {},
            }
        }
    }

    /// Keeps the clock's floor, for ever.
    async fn keep_floor(&self) -> Infallible {
        let mut due = interval(FLOOR_EVERY);
        loop {
            due.tick().await;
            let batch = Batch {
                meta: vec![(META_CLOCK.to_owned(), self.ground.clock.kept())],
                ..Batch::default()
            };
            // What is wrong with the journal for good, the desk meets at its next question.
            if let Err(error) = self.ground.journal.append(batch).await {
                tracing::warn!(error = %chain(&error), "clock not kept");
            }
        }
    }

    /// Makes up for what a full disk left undone, for ever: the start's number, and the room held for the next one.
    async fn keep_room(&self) -> Infallible {
        let mut due = interval(ROOM_EVERY);
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut owed = self.session.filter(|session| !session.is_kept);
        loop {
            due.tick().await;
            if let Some(session) = owed {
                match self.ground.journal.append(session_meta(session.seq)).await {
                    Ok(_kept) => owed = None,
                    Err(JournalError::Full) => {}
                    Err(error) => {
                        tracing::warn!(error = %chain(&error), "the number of this start is not kept");
                    }
                }
            }
            if !self.ground.reserve.stands() {
                self.ground.hold_reserve().await;
            }
        }
    }
}

/// Tells systemd how things stand and feeds its watchdog, for ever.
///
/// Only a desk that answers does either: one that hangs is a program that must be started again.
async fn feed(
    desk: &DeskHandle,
    watchdog: Option<Duration>,
    has_room: impl Fn() -> bool,
    say: impl Fn(&[sd_notify::NotifyState<'_>]),
) -> Infallible {
    let mut due = interval(watchdog.map_or(STATUS_EVERY, |limit| limit / 3));
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        let Ok(jobs) = desk.jobs().await else {
            continue;
        };
        let mut status = format!("{} pekerjaan terbuka", jobs.len());
        if !has_room() {
            status.push_str(&format!("; disk hampir penuh ({DISK_FULL})"));
        }
        say(&[sd_notify::NotifyState::Status(&status)]);
        if watchdog.is_some() {
            say(&[sd_notify::NotifyState::Watchdog]);
        }
    }
}

pub(super) fn notify(states: &[sd_notify::NotifyState<'_>]) {
    // Not under systemd: nobody listens.
    drop(sd_notify::notify(states));
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use loket_domain::print::Desk;
    use loket_journal::Journal;
    use loket_spool::Spool;
    use loket_trust_folder::TrustFolder;
    use loket_verify::{Policy, Revocation};
    use loket_wire::sealed::SealingKey;

    use super::*;
    use crate::clock::Clock;
    use crate::document::Documents;
    use crate::identity::OsRandom;
    use crate::raster::Rasters;
    use crate::trust::TrustStore;
    use crate::unit::hotplug::Plugs;
    use crate::unit::print::{Hands, PrintUnit};

    const LIMIT: Duration = Duration::from_secs(30);

    /// What is said in the time of three watchdog limits.
    async fn said(desk: &DeskHandle, watchdog: Option<Duration>, has_room: bool) -> Vec<String> {
        let heard = RefCell::new(Vec::new());
        let say = |states: &[sd_notify::NotifyState<'_>]| {
            let texts = states.iter().map(ToString::to_string);
            heard.borrow_mut().extend(texts);
        };
        let feeding = feed(desk, watchdog, || has_room, say);
        let over = tokio::time::timeout(LIMIT * 3, feeding).await;
        assert!(over.is_err(), "it goes on for ever");
        heard.into_inner()
    }

    fn unit() -> (PrintUnit, DeskHandle) {
        let journal = Journal::in_memory([1; 16]).unwrap();
        PrintUnit::new(Desk::new(Vec::new()), journal, Clock::new(None))
    }

    #[tokio::test(start_paused = true)]
    async fn a_desk_that_does_not_answer_feeds_nothing() {
        let (_unit, desk) = unit();
        assert_eq!(said(&desk, Some(LIMIT), true).await, Vec::<String>::new());
    }

    #[tokio::test(start_paused = true)]
    async fn a_desk_that_answers_feeds_the_watchdog_and_a_full_disk_shows_in_the_status() {
        let (unit, desk) = unit();
        let dir = tempfile::tempdir().unwrap();
        let hands = Hands {
            documents: Documents::new(
                Spool::open(&dir.path().join("spool"), 1).unwrap(),
                SealingKey::generate(&mut OsRandom::default()),
                TrustStore::of_folder(TrustFolder::open(dir.path().to_owned()).unwrap()),
                Policy {
                    revocation: Revocation::IfKnown,
                    ..Policy::default()
                },
            ),
            printers: BTreeMap::new(),
            source: None,
            rasters: Rasters::new(loket_inspection::Inspector::beside_this_program()),
            records: None,
            desk: desk.clone(),
            plugs: Plugs::default(),
        };
        let stop = CancellationToken::new();
        let mut running = tokio::task::JoinSet::new();
        running.spawn(unit.run(Arc::new(hands), stop.clone()));
        // What the unit asks of the journal's own thread is behind it then: from here on only time passes.
        assert!(desk.jobs().await.unwrap().is_empty());
        let fed = said(&desk, Some(LIMIT), true).await;
        let count = fed.iter().filter(|line| *line == "WATCHDOG=1").count();
        assert!(count >= 9, "three in the time of each limit: {fed:?}");
        assert!(fed.iter().any(|line| line == "STATUS=0 pekerjaan terbuka"));
        let fed = said(&desk, None, false).await;
        assert!(!fed.iter().any(|line| line == "WATCHDOG=1"), "{fed:?}");
        assert!(fed.iter().any(|line| line.contains(DISK_FULL)), "{fed:?}");
        stop.cancel();
        assert!(running.join_next().await.unwrap().unwrap().is_ok());
    }
}

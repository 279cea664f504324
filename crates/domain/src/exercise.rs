//! When a printer at rest prints a page of its own, so that its ink does not dry.
//!
//! ```text
//! a sheet came out, a page of exercise was taken ──> Rest (journalled with it) ──┐
//! the printer as it was seen last, the hour, the lane ───────────────────────────┴──> judge ──> Due | Note | NotYet
//! ```
//!
//! Invariants:
//! - A rest begins anew with the very entry of the journal that takes the page: one rest has one page at most, whatever
//!   dies when. A page that then does not come out is not made up for.
//! - What is not known is not long ago: a printer seen for the first time, and one whose rest began by a clock that nobody
//!   had confirmed or that was put back since, begins its rest at this moment.
//! - Nothing is due by a clock that nobody has confirmed.
//!
//! It does not know what stands on the page, nor how a printer is asked.

use std::time::Duration;

use loket_wire::device_reason::keeps_from_printing;
use loket_wire::stock::{Band, SupplyKind, Tray};
use loket_wire::{JobState, Reason, Stock, Timestamp};
use serde::{Deserialize, Serialize};

use crate::core::Now;
use crate::health::{Look, OfficeHours};
use crate::print::{Desk, Event, Stage, What};

/// That a printer's own count moved is noted at most this often: it moves with each sheet of a busy printer, and rests are
/// days.
const COUNT_EVERY: Duration = Duration::from_secs(3_600);

/// What an A4 tray says of its paper (PWG 5101.1), or its dimensions alone.
const A4: &str = "210x297mm";

/// How reasons end that keep a sheet from coming out, beside those with names of their own (RFC 8011 section 5.4.12,
/// PWG 5100.9): what is empty, missing, open, jammed, full or worn out.
const FAULTS: [&str; 7] = [
    "-empty", "-missing", "-open", "-jam", "-full", "-failure", "-over",
];

/// A box of waste ink says it for months.
const NOT_YET_FULL: &str = "-almost-full";

/// Since when a printer rests; stands in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rest {
    /// When its last sheet came out, its last page of exercise was taken, or it was first seen.
    #[serde(rename = "since_ms")]
    pub since: Timestamp,
    /// Whether that clock was trusted.
    pub clock_trusted: bool,
    /// Its own count of sheets since then, where it has one: others may print there too. Not known until a look that is
    /// later than the sheet which began the rest: that sheet is counted too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impressions: Option<u32>,
}

/// The office's rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// A rest of so long wants a page.
    pub after: Duration,
    /// When one may be printed.
    pub hours: OfficeHours,
}

/// A printer as it was seen last, a moment ago.
#[derive(Debug, Clone, Copy)]
pub struct Sight<'a> {
    /// State, reasons and stock.
    pub look: &'a Look,
    /// Its own count of sheets, where it has one.
    pub impressions: Option<u32>,
    /// When it was seen so, by the machine's wall clock.
    pub at: Timestamp,
}

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// A page is to be printed now.
    Due,
    /// This is to be journalled as its rest.
    Note(Rest),
    /// Not at this moment.
    NotYet(WhyNot),
}

/// Why no page is printed at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WhyNot {
    /// Nobody has confirmed the clock.
    ClockUntrusted,
    /// It has not rested long enough.
    Rested,
    /// It is not the hour for it.
    OutOfHours,
    /// Something is on its way to the printer, or an officer is asked about a sheet of it.
    LaneTaken,
    /// Nobody has seen the printer of late.
    NotSeen,
    /// It is at work, or has no paper, no ink, or a fault.
    NotReady,
}

/// Whether a printer wants exercise: as the settings say, else its profile, else where it says that it prints with ink.
#[must_use]
pub fn is_wanted(setting: Option<bool>, profile: Option<bool>, stock: Option<&Stock>) -> bool {
    let has_ink = || {
        let mut supplies = stock.iter().flat_map(|stock| &stock.supplies);
        supplies.any(|it| it.kind == SupplyKind::Ink)
    };
    setting.or(profile).unwrap_or_else(has_ink)
}

/// Judges whether a page is due.
#[must_use]
pub fn judge(
    now: Now,
    rule: &Rule,
    rest: Option<Rest>,
    is_lane_taken: bool,
    sight: Option<Sight<'_>>,
) -> Verdict {
    if !now.trusted {
        return Verdict::NotYet(WhyNot::ClockUntrusted);
    }
    let rest = match noted(now, rest, sight) {
        Ok(rest) => rest,
        Err(note) => return Verdict::Note(note),
    };
    let why_not = if now.wall < rest.since.saturating_add(rule.after) {
        WhyNot::Rested
    } else if !rule.hours.is_open(now) {
        WhyNot::OutOfHours
    } else if is_lane_taken {
        WhyNot::LaneTaken
    } else {
        match sight {
            None => WhyNot::NotSeen,
            Some(sight) if is_ready(sight.look) => return Verdict::Due,
            Some(_busy) => WhyNot::NotReady,
        }
    };
    Verdict::NotYet(why_not)
}

/// The rest as it stands, or what must be noted first.
fn noted(now: Now, rest: Option<Rest>, sight: Option<Sight<'_>>) -> Result<Rest, Rest> {
    let is_of_rest = |sight: &Sight<'_>| rest.is_none_or(|rest| sight.at >= rest.since);
    let sight = sight.filter(is_of_rest);
    let seen = sight.and_then(|sight| sight.impressions);
    let from_now = |impressions| Rest {
        since: now.wall,
        clock_trusted: true,
        impressions,
    };
    let Some(rest) = rest.filter(|rest| rest.clock_trusted && rest.since <= now.wall) else {
        let known = rest.and_then(|rest| rest.impressions);
        return Err(from_now(seen.or(known)));
    };
    let (Some(seen), known) = (seen, rest.impressions) else {
        return Ok(rest);
    };
    match known {
        Some(known) if seen == known => Ok(rest),
        Some(known) if seen > known => {
            if now.wall < rest.since.saturating_add(COUNT_EVERY) {
                return Ok(rest);
            }
            Err(from_now(Some(seen)))
        }
        // Known for the first time, or begun anew with the printer's power: no sheet follows from it.
        Some(_) | None => Err(Rest {
            impressions: Some(seen),
            ..rest
        }),
    }
}

/// Whether a page would come out at once.
fn is_ready(look: &Look) -> bool {
    let is_fault = |reason: &String| {
        let has_ending = FAULTS.iter().any(|ending| reason.ends_with(ending));
        keeps_from_printing(reason) || (has_ending && !reason.ends_with(NOT_YET_FULL))
    };
    look.state == "idle" && !look.reasons.iter().any(is_fault) && has_stock(look.stock.as_ref())
}

fn has_stock(stock: Option<&Stock>) -> bool {
    let Some(stock) = stock else {
        return true;
    };
    let prints = |kind| matches!(kind, SupplyKind::Ink | SupplyKind::Toner);
    let is_out = stock
        .supplies
        .iter()
        .any(|it| prints(it.kind) && it.band() == Band::Empty);
    let has_a4 = |tray: &Tray| {
        let is_a4 = tray.media.as_ref().is_none_or(|media| media.ends_with(A4));
        is_a4 && !tray.is_out_of_order && tray.band() != Band::Empty
    };
    !is_out && (stock.trays.is_empty() || stock.trays.iter().any(has_a4))
}

/// Whose rest begins anew with an event, where it is one of paper or takes a page of exercise: the lane, and since when.
/// `before` is the desk to which the event has yet to be applied.
#[must_use]
pub fn rest_after(before: &Desk, event: &Event) -> Option<(String, Rest)> {
    let lane = if let What::Accepted { facts } = &event.what {
        facts.printer.clone().filter(|_lane| facts.is_exercise())?
    } else if is_of_paper(&event.what) {
        let job = before.job(event.job_id)?;
        if let Stage::Attempting(attempt) = &job.stage {
            attempt.printer.clone()
        } else {
            before.lane_of(job)?.to_owned()
        }
    } else {
        return None;
    };
    let rest = Rest {
        since: event.at,
        clock_trusted: event.clock_trusted,
        impressions: None,
    };
    Some((lane, rest))
}

/// Whether a sheet came out.
fn is_of_paper(what: &What) -> bool {
    let What::Ended { state, reason, .. } = what else {
        return false;
    };
    *state == JobState::Printed
        || (*state == JobState::Failed && *reason == Some(Reason::SheetDamaged))
}

#[cfg(test)]
mod tests;

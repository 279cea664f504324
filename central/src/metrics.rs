//! Numbers for Prometheus: of the whole, not of one machine (a fleet would make millions of series). A machine has a
//! series of its own only while it is beyond its quota, which is a matter of one or two.

mod verdicts;

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use loket_store::{AsideCount, Counts, StoreSize};
use loket_wire::{Judged, MachineId, Timestamp};

use crate::room::Disk;

/// What this process has counted since its start.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Documents taken.
    pub(crate) taken: AtomicU64,
    /// Documents refused.
    pub(crate) refused: AtomicU64,
    /// Sign-ins and requests with a token that is none, or no longer good.
    pub(crate) sign_ins_refused: AtomicU64,
    /// Offers handed to the link.
    pub(crate) offered: AtomicU64,
    /// Messages of machines read.
    pub(crate) messages: AtomicU64,
    /// Messages that were dropped: unknown machine, wrong signature, no frame.
    pub(crate) dropped: AtomicU64,
    /// Sealed documents served, whole or in part.
    pub(crate) fetched: AtomicU64,
    /// Documents judged at intake.
    pub(crate) judged: verdicts::Judged,
    /// Records of printed sheets.
    pub(crate) records: verdicts::Records,
    /// Questions about printed sheets.
    pub(crate) paper: verdicts::Paper,
    /// The links, in the order of the settings.
    pub(crate) links: Vec<LinkTally>,
}

/// One link: to which broker, and whether it stands.
#[derive(Debug)]
pub(crate) struct LinkTally {
    /// `host:port`, as the settings have it.
    pub(crate) broker: String,
    is_up: AtomicBool,
    /// When it came or went, milliseconds since 1970; 0 before its first change.
    changed_unix_ms: AtomicI64,
    /// Since when it stands without a break, by a clock that nobody sets.
    up_since: Mutex<Option<Instant>>,
}

impl LinkTally {
    const fn new(broker: String) -> Self {
        Self {
            broker,
            is_up: AtomicBool::new(false),
            changed_unix_ms: AtomicI64::new(0),
            up_since: Mutex::new(None),
        }
    }

    fn listened(&self, now: Instant) -> Option<Duration> {
        let since = *self.up_since.lock().unwrap_or_else(PoisonError::into_inner);
        since.map(|since| now.saturating_duration_since(since))
    }

    pub(crate) fn is_up(&self) -> bool {
        self.is_up.load(Ordering::Relaxed)
    }

    /// Since when it stands or does not; `None` where it never stood since the start.
    pub(crate) fn since(&self) -> Option<Timestamp> {
        let ms = self.changed_unix_ms.load(Ordering::Relaxed);
        (ms != 0).then(|| Timestamp::from_unix_ms(ms))
    }
}

impl Tally {
    /// For links to these brokers.
    pub(crate) fn of(brokers: Vec<String>) -> Self {
        Self {
            links: brokers.into_iter().map(LinkTally::new).collect(),
            ..Self::default()
        }
    }

    /// Notes that a link came or went.
    pub(crate) fn set_link(&self, broker: usize, is_up: bool, now: Timestamp) {
        if let Some(link) = self.links.get(broker)
            && link.is_up.swap(is_up, Ordering::Relaxed) != is_up
        {
            link.changed_unix_ms.store(now.unix_ms(), Ordering::Relaxed);
            let since = is_up.then(Instant::now);
            *link.up_since.lock().unwrap_or_else(PoisonError::into_inner) = since;
        }
    }

    /// For how long every link stands without a break; `None` while one does not. A machine is at one broker, and which
    /// ones it knows is in its own bundle: what is not heard at all of them may be said at the one that is away.
    pub(crate) fn listened(&self, now: Instant) -> Option<Duration> {
        let spans = self.links.iter().map(|link| link.listened(now));
        spans.min().flatten()
    }

    /// Whether any link stands.
    pub(crate) fn is_linked(&self) -> bool {
        self.links.iter().any(LinkTally::is_up)
    }
}

/// Counts one.
pub(crate) fn count(number: &AtomicU64) {
    number.fetch_add(1, Ordering::Relaxed);
}

/// Enrolled machines by connectivity.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fleet {
    pub(crate) online: u64,
    pub(crate) late: u64,
    pub(crate) offline: u64,
    /// Those that take trust bundles and do not hold the newest.
    pub(crate) trust_behind: u64,
    /// Those that take trust bundles.
    pub(crate) trust_taking: u64,
    /// The date of the oldest one that one of them holds.
    pub(crate) trust_oldest: Option<Timestamp>,
    /// Whether central can make no newer one.
    pub(crate) trust_failing: bool,
    /// When the newest trust bundle was made.
    pub(crate) trust_made_at: Option<Timestamp>,
    /// Documents that people had checked at machines, as their last whole heartbeats say; those with none left out.
    pub(crate) judged: Vec<(MachineId, Judged)>,
}

/// A number without labels: name, kind, help, value.
type Plain = (&'static str, &'static str, &'static str, u64);

/// What the store and the disk say.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) counts: Counts,
    pub(crate) size: StoreSize,
    pub(crate) disk: Disk,
    pub(crate) aside: BTreeMap<MachineId, AsideCount>,
}

/// Machines beyond their quota that are named; past that many the trouble is not theirs.
const MAX_NAMED: usize = 100;

/// Writes the Prometheus text format, version 0.0.4.
pub(crate) fn text(
    stored: &Stored,
    fleet: &Fleet,
    tally: &Tally,
    certificate_ends_unix_s: i64,
    now: Timestamp,
) -> Result<String, fmt::Error> {
    let counts = &stored.counts;
    let mut out = String::new();
    let ordered = ("loket_jobs", "Jobs that central ordered, by state.");
    let by_hand = (
        "loket_jobs_by_hand",
        "Jobs that were given to machines by hand, by state; not among loket_jobs.",
    );
    for ((name, help), jobs) in [(ordered, &counts.jobs), (by_hand, &counts.local_jobs)] {
        head(&mut out, name, "gauge", help)?;
        for (state, count) in jobs {
            writeln!(out, "{name}{{state=\"{state}\"}} {count}")?;
        }
    }
    head(
        &mut out,
        "loket_machines",
        "gauge",
        "Enrolled machines by connectivity.",
    )?;
    for (word, count) in [
        ("online", fleet.online),
        ("late", fleet.late),
        ("offline", fleet.offline),
    ] {
        writeln!(out, "loket_machines{{connectivity=\"{word}\"}} {count}")?;
    }
    for (name, kind, help, value) in of_store(counts, now).into_iter().chain(of_process(tally)) {
        head(&mut out, name, kind, help)?;
        writeln!(out, "{name} {value}")?;
    }
    verdicts::write(&mut out, (&tally.judged, &tally.records, &tally.paper))?;
    links(&mut out, tally)?;
    let name = "loket_certificate_end_seconds";
    head(
        &mut out,
        name,
        "gauge",
        "When central's certificate ends, Unix time.",
    )?;
    writeln!(out, "{name} {certificate_ends_unix_s}")?;
    write_trust(&mut out, fleet)?;
    write_judged(&mut out, &fleet.judged)?;
    write_room(&mut out, &stored.size, stored.disk)?;
    write_aside(&mut out, &stored.aside)?;
    Ok(out)
}

fn write_trust(out: &mut String, fleet: &Fleet) -> fmt::Result {
    let behind = "loket_machines_trust_behind";
    let help = "Enrolled machines that take trust bundles and do not hold the newest, as their last heartbeat says.";
    head(out, behind, "gauge", help)?;
    writeln!(out, "{behind} {}", fleet.trust_behind)?;
    let failing = "loket_trust_bundle_failing";
    let help = "Whether central can make no newer trust bundle: the folder is broken, or numbering or sealing failed.";
    head(out, failing, "gauge", help)?;
    writeln!(out, "{failing} {}", u64::from(fleet.trust_failing))?;
    for (name, help, at) in [
        (
            "loket_trust_bundle_made_seconds",
            "When the newest trust bundle was made, Unix time.",
            fleet.trust_made_at,
        ),
        (
            "loket_trust_bundle_oldest_held_seconds",
            "When the oldest trust bundle was made that an enrolled machine holds, Unix time.",
            fleet.trust_oldest,
        ),
    ] {
        let Some(at) = at else { continue };
        head(out, name, "gauge", help)?;
        writeln!(out, "{name} {}", at.unix_ms() / 1_000)?;
    }
    Ok(())
}

/// A machine begins again from 0 with each start of its program, as counters may.
fn write_judged(out: &mut String, judged: &[(MachineId, Judged)]) -> fmt::Result {
    let name = "loket_documents_judged_total";
    let help = "Documents that people had checked at a machine since its program started, by page and answer.";
    head(out, name, "counter", help)?;
    for (machine, counts) in judged {
        for (page, answers) in [("kiosk", counts.kiosk), ("station", counts.station)] {
            for (answer, count) in answers.each().into_iter().filter(|(_, count)| *count > 0) {
                let labels = format!("machine=\"{machine}\",page=\"{page}\",answer=\"{answer}\"");
                writeln!(out, "{name}{{{labels}}} {count}")?;
            }
        }
    }
    let name = "loket_judging_killed_total";
    let help = "Judging processes that a machine killed since its program started.";
    head(out, name, "counter", help)?;
    for (machine, counts) in judged.iter().filter(|(_, counts)| counts.killed > 0) {
        writeln!(out, "{name}{{machine=\"{machine}\"}} {}", counts.killed)?;
    }
    Ok(())
}

fn write_room(out: &mut String, size: &StoreSize, disk: Disk) -> fmt::Result {
    head(
        out,
        "loket_store_bytes",
        "gauge",
        "Size of the store by part.",
    )?;
    for (part, bytes) in [
        ("used", size.used_bytes),
        ("free", size.free_bytes),
        ("log", size.log_bytes),
    ] {
        writeln!(out, "loket_store_bytes{{part=\"{part}\"}} {bytes}")?;
    }
    let limits = [
        (
            "loket_store_limit_bytes",
            "What the store's file may grow to.",
            Some(size.limit_bytes),
        ),
        (
            "loket_store_room_for_jobs_bytes",
            "What of it new jobs may fill; the rest is for reports.",
            Some(size.room_for_jobs_bytes()),
        ),
        (
            "loket_disk_free_bytes",
            "Free disk in the state folder.",
            disk.free_bytes,
        ),
    ];
    for (name, help, bytes) in limits {
        let Some(bytes) = bytes else { continue };
        head(out, name, "gauge", help)?;
        writeln!(out, "{name} {bytes}")?;
    }
    Ok(())
}

fn write_aside(out: &mut String, aside: &BTreeMap<MachineId, AsideCount>) -> fmt::Result {
    let name = "loket_reports_counted_only_total";
    let help = "Reports set aside beyond a machine's quota: counted and not kept.";
    head(out, name, "counter", help)?;
    let beyond = aside.iter().filter(|(_id, count)| count.counted_only > 0);
    for (machine, count) in beyond.take(MAX_NAMED) {
        let value = count.counted_only;
        writeln!(out, "{name}{{machine=\"{machine}\"}} {value}")?;
    }
    Ok(())
}

/// The whole, and each broker of the settings: a handful.
fn links(out: &mut String, tally: &Tally) -> fmt::Result {
    let name = "loket_link_up";
    head(out, name, "gauge", "Whether a link to any broker stands.")?;
    writeln!(out, "{name} {}", u64::from(tally.is_linked()))?;
    let name = "loket_broker_up";
    head(
        out,
        name,
        "gauge",
        "Whether the link to this broker stands.",
    )?;
    for link in &tally.links {
        let (broker, value) = (label(&link.broker), u64::from(link.is_up()));
        writeln!(out, "{name}{{broker=\"{broker}\"}} {value}")?;
    }
    let name = "loket_broker_changed_seconds";
    head(
        out,
        name,
        "gauge",
        "When the link to this broker last came or went, Unix time; 0 for never.",
    )?;
    for link in &tally.links {
        let since_s = link.since().map_or(0, |since| since.unix_ms() / 1000);
        writeln!(
            out,
            "{name}{{broker=\"{}\"}} {since_s}",
            label(&link.broker)
        )?;
    }
    Ok(())
}

/// A label's value as the text format wants it.
fn label(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

fn of_store(counts: &Counts, now: Timestamp) -> [Plain; 5] {
    let oldest_s = counts
        .oldest_open_at
        .map_or(0, |at| now.since(at).as_secs());
    let (overdue, lost) = (counts.overdue, counts.lost_reports);
    [
        (
            "loket_oldest_open_job_seconds",
            "gauge",
            "Age of the oldest job that central ordered and that has not ended.",
            oldest_s,
        ),
        (
            "loket_jobs_overdue",
            "gauge",
            "Jobs not ended whose working day is over.",
            overdue,
        ),
        (
            "loket_reports_quarantined_total",
            "counter",
            "Reports set aside.",
            counts.quarantined,
        ),
        (
            "loket_reports_lost_total",
            "counter",
            "Reports known to be lost.",
            lost,
        ),
        (
            "loket_history_rows_total",
            "counter",
            "Rows of the history.",
            counts.history_rows,
        ),
    ]
}

fn of_process(tally: &Tally) -> [Plain; 7] {
    [
        (
            "loket_documents_taken_total",
            "counter",
            "Documents taken.",
            &tally.taken,
        ),
        (
            "loket_documents_refused_total",
            "counter",
            "Documents refused.",
            &tally.refused,
        ),
        (
            "loket_sign_ins_refused_total",
            "counter",
            "Requests with a token that is none or has ended.",
            &tally.sign_ins_refused,
        ),
        (
            "loket_offers_total",
            "counter",
            "Offers handed to the link.",
            &tally.offered,
        ),
        (
            "loket_messages_total",
            "counter",
            "Messages of machines read.",
            &tally.messages,
        ),
        (
            "loket_messages_dropped_total",
            "counter",
            "Messages dropped.",
            &tally.dropped,
        ),
        (
            "loket_fetches_total",
            "counter",
            "Sealed documents served.",
            &tally.fetched,
        ),
    ]
    .map(|(name, kind, help, number)| (name, kind, help, number.load(Ordering::Relaxed)))
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) -> fmt::Result {
    writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn central_has_listened_since_the_last_of_its_links_came_up() {
        let at = Timestamp::from_unix_ms(1_790_000_000_000);
        let hour = Duration::from_secs(3600);
        assert_eq!(Tally::of(Vec::new()).listened(Instant::now()), None);
        let tally = Tally::of(vec!["one:8883".to_owned(), "two:8883".to_owned()]);
        assert_eq!(tally.listened(Instant::now() + hour), None, "never linked");
        tally.set_link(0, true, at);
        assert_eq!(tally.listened(Instant::now() + hour), None, "one of two");
        tally.set_link(1, true, at);
        let both = tally.listened(Instant::now() + hour);
        assert!(both.is_some_and(|span| span >= hour), "{both:?}");
        tally.set_link(0, false, at);
        assert_eq!(tally.listened(Instant::now() + hour), None);
        let again = Instant::now();
        tally.set_link(0, true, at);
        // Told once more that it stands, it stands no longer than it did.
        tally.set_link(1, true, at);
        let since = tally.listened(again + hour);
        assert!(since.is_some_and(|span| span <= hour), "{since:?}");
    }
}

//! A device as a line of the console: its state, why, and what it has left.

use loket_domain::supply::Forecast;
use loket_store::DeviceRow;
use loket_wire::stock::Band;
use loket_wire::{Timestamp, Zone, device_reason};

use crate::supplies::{DeviceLeft, Left};
use crate::words::{self, Tone};

pub(super) struct DeviceLine {
    pub(super) name: String,
    pub(super) state: &'static str,
    pub(super) tone: &'static str,
    pub(super) note: String,
    pub(super) since: String,
    /// What it has left, the most urgent first.
    pub(super) left: Vec<LeftLine>,
    /// When it said so.
    pub(super) told: String,
    pub(super) is_bad: bool,
    /// Whether something must be brought or ordered.
    pub(super) is_short: bool,
}

/// A supply or tray.
pub(super) struct LeftLine {
    pub(super) what: String,
    pub(super) tone: &'static str,
    /// How long it lasts, and by when it must be ordered.
    pub(super) note: String,
    urgency: u8,
    /// Whether somebody must order it. Paper is in the office, and a printer without any says so itself.
    is_short: bool,
}

pub(super) fn device_line(device: &DeviceRow, left: Option<&DeviceLeft>, zone: Zone) -> DeviceLine {
    let (state, tone) = words::device_state(&device.state, &device.reasons);
    let reasons = device
        .reasons
        .iter()
        .map(|keyword| device_reason::in_words(keyword));
    let notes = reasons
        .chain(device.model.as_deref())
        .filter(|note| !note.is_empty());
    let told = left.map_or(Timestamp::UNIX_EPOCH, |left| left.told_at);
    let left = left.map(|left| left_lines(left, zone)).unwrap_or_default();
    DeviceLine {
        name: device.device.clone(),
        state,
        tone: tone.class(),
        note: once_each(notes).join(" · "),
        since: zone.local_text(device.since),
        is_bad: matches!(tone, Tone::Bad | Tone::Wait),
        is_short: left.iter().any(|line| line.is_short),
        told: zone.local_text(told),
        left,
    }
}

/// The order of urgency in which nobody has to act.
const CALM: u8 = 2;

fn left_lines(left: &DeviceLeft, zone: Zone) -> Vec<LeftLine> {
    let supplies = left
        .supplies
        .iter()
        .filter_map(|supply| Some(left_line(supply, supply.what.in_words()?, zone)));
    let trays = left.trays.iter().zip(1..);
    let trays = trays.map(|(tray, no)| left_line(tray, tray.what.in_words(no), zone));
    let mut lines: Vec<_> = supplies.chain(trays).collect();
    lines.sort_by_key(|line| line.urgency);
    lines
}

fn left_line<T>(left: &Left<T>, what: String, zone: Zone) -> LeftLine {
    let (tone, urgency) = match (left.band, left.must_order) {
        (Band::Empty, _) => (Tone::Bad, 0),
        (Band::Low, _) | (_, true) => (Tone::Wait, 1),
        (Band::Enough, false) => (Tone::Good, CALM),
        (Band::Unknown, false) => (Tone::Soft, CALM),
    };
    let order = match (&left.forecast, left.must_order) {
        (_, true) => Some("pesan sekarang".to_owned()),
        (Forecast::Lasts(lasts), false) if left.is_ordered => {
            let by = zone.local_text(lasts.order_by);
            let day = by.split(' ').next().unwrap_or(&by);
            Some(format!("pesan paling lambat {day}"))
        }
        (_, false) => None,
    };
    let parts = words::supply::forecast(&left.forecast).into_iter();
    LeftLine {
        what,
        tone: tone.class(),
        note: parts.chain(order).collect::<Vec<_>>().join(", "),
        urgency,
        is_short: left.is_ordered && urgency < CALM,
    }
}

/// Several keywords have one word on screen (media-empty and media-needed): it is said once.
fn once_each<'a>(notes: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut said = Vec::new();
    for note in notes {
        if !said.contains(&note) {
            said.push(note);
        }
    }
    said
}

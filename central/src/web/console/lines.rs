//! Jobs and machines as lines of the console, trouble first.

use loket_domain::dispatch::Connectivity;
use loket_store::{Counts, DeviceRow, JobRow, LastHeartbeat, MachineRow};
use loket_wire::{OfficeId, Timestamp};

use crate::dispatch::BROKER_DOWN;
use crate::metrics::LinkTally;
use crate::office::Office;
use crate::offices::Zone;
use crate::words::{self, Tone};

/// Free space below which a station should be looked at: some hundred documents and a journal still fit.
const DISK_LOW_BYTES: u64 = 500 * 1024 * 1024;

/// Days before its end at which a certificate should be renewed: a courier takes a week to a far village.
const CERTIFICATE_LOW_DAYS: i64 = 30;

/// How far a clock may be off before somebody should look: a paper's date is the day, a log's the minute.
const CLOCK_OFF_MS: u64 = 120_000;

pub(super) struct JobLine {
    pub(super) id: String,
    pub(super) short_id: String,
    pub(super) state: &'static str,
    pub(super) tone: &'static str,
    pub(super) reason: &'static str,
    pub(super) reference: String,
    pub(super) service: String,
    pub(super) machine: String,
    pub(super) office: String,
    pub(super) created: String,
    pub(super) due: String,
    pub(super) overdue: bool,
}

/// How urgently a machine needs a person; the order of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trouble {
    Offline,
    Device,
    Late,
    Health,
    Fine,
    NeverHeard,
    NotEnrolled,
}

pub(super) struct MachineLine {
    pub(super) trouble: Trouble,
    pub(super) is_enrolled: bool,
    pub(super) is_online: bool,
    pub(super) id: String,
    pub(super) office: String,
    pub(super) connectivity: &'static str,
    pub(super) tone: &'static str,
    pub(super) since: String,
    pub(super) last_seen: String,
    pub(super) devices: Vec<DeviceLine>,
    pub(super) health: Vec<HealthLine>,
    pub(super) software: String,
}

pub(super) struct DeviceLine {
    pub(super) name: String,
    pub(super) state: &'static str,
    pub(super) tone: &'static str,
    pub(super) note: String,
    pub(super) since: String,
    is_bad: bool,
}

pub(super) struct HealthLine {
    pub(super) text: String,
    pub(super) is_bad: bool,
}

/// The place's name and zone, for a line of the page.
pub(super) fn place(office: &Office, id: &OfficeId) -> (String, Zone) {
    office.offices.find(id).map_or_else(
        || (id.to_string(), Zone::Wib),
        |place| (place.name.clone(), place.zone),
    )
}

pub(super) fn job_line(office: &Office, row: &JobRow, at: Timestamp) -> JobLine {
    let (facts, job) = (&row.facts, &row.job);
    let (state, tone) = words::job_state(job.state);
    let (name, zone) = place(office, &facts.office);
    let id = facts.id.to_string();
    JobLine {
        short_id: id.rsplit('-').next().unwrap_or_default().to_owned(),
        id,
        state,
        tone: tone.class(),
        reason: job.reason.map_or("", words::reason),
        reference: facts.reference.to_string(),
        service: facts.service.as_str().to_owned(),
        machine: facts.machine.to_string(),
        office: name,
        created: zone.local_text(job.created_at),
        due: zone.local_text(facts.due_at),
        overdue: job.ended_at.is_none() && at > facts.due_at,
    }
}

/// What is wrong where central has no link at all: then no machine is to blame for its silence.
pub(super) fn link_down(office: &Office, at: Timestamp) -> Option<String> {
    let tally = &office.tally;
    if tally.is_linked() {
        return None;
    }
    let zone = office.offices.zone();
    let last = tally.links.iter().filter_map(LinkTally::since).max();
    Some(last.map_or_else(
        || format!("Pusat belum tersambung ke broker sejak dinyalakan ({BROKER_DOWN})."),
        |since| {
            let since = zone.local_text(since.min(at));
            format!("Pusat terputus dari broker sejak {since} ({BROKER_DOWN}).")
        },
    ))
}

/// The brokers that central has no link to, while it has one to another.
pub(super) fn brokers_down(office: &Office, at: Timestamp) -> Vec<String> {
    let tally = &office.tally;
    if !tally.is_linked() {
        return Vec::new();
    }
    let zone = office.offices.zone();
    let down = tally.links.iter().filter(|link| !link.is_up());
    down.map(|link| {
        let broker = &link.broker;
        match link.since() {
            None => format!(
                "Pusat belum tersambung ke broker {broker} sejak dinyalakan ({BROKER_DOWN})."
            ),
            Some(since) => {
                let since = zone.local_text(since.min(at));
                format!("Pusat terputus dari broker {broker} sejak {since} ({BROKER_DOWN}).")
            }
        }
    })
    .collect()
}

/// What was lost or set aside over all, and what ends soon; for the IT team.
pub(super) fn losses(office: &Office, counts: &Counts, at: Timestamp) -> Vec<String> {
    let mut said = Vec::new();
    if counts.quarantined > 0 {
        let count = counts.quarantined;
        said.push(format!(
            "{count} laporan mesin disisihkan karena tidak terbaca; lihat riwayat."
        ));
    }
    if counts.lost_reports > 0 {
        said.push(format!("{} laporan mesin hilang.", counts.lost_reports));
    }
    let ends = office.identity.certificate_ends_unix_s;
    let days = (ends - at.unix_ms() / 1000) / 86_400;
    if days < CERTIFICATE_LOW_DAYS {
        said.push(format!(
            "Sertifikat pusat berakhir dalam {days} hari; perbarui."
        ));
    }
    said
}

/// The machines, those in trouble first.
pub(super) fn machine_lines(
    office: &Office,
    rows: Vec<MachineRow>,
    link_is_down: bool,
    at: Timestamp,
) -> Vec<MachineLine> {
    let mut lines: Vec<_> = rows
        .iter()
        .map(|row| machine_line(office, row, link_is_down, at))
        .collect();
    lines.sort_by(|one, two| (one.trouble, &one.id).cmp(&(two.trouble, &two.id)));
    lines
}

fn machine_line(
    office: &Office,
    row: &MachineRow,
    link_is_down: bool,
    at: Timestamp,
) -> MachineLine {
    let (name, zone) = place(office, &row.office);
    let is_enrolled = office.machines.find(&row.id).is_ok();
    let state = row.connectivity(at);
    let (connectivity, tone, since) = match state {
        _any if !is_enrolled => ("tidak terdaftar", Tone::Soft, None),
        Connectivity::Offline { since: None } => ("belum pernah", Tone::Soft, None),
        _any if link_is_down => ("tidak diketahui", Tone::Soft, None),
        Connectivity::Online => ("tersambung", Tone::Good, row.presence.online_changed_at),
        Connectivity::Late { since } => ("terlambat", Tone::Wait, Some(since)),
        Connectivity::Offline { since } => ("terputus", Tone::Bad, since),
    };
    let devices: Vec<_> = row
        .devices
        .iter()
        .map(|device| device_line(device, zone))
        .collect();
    let health = health_lines(row);
    let trouble = if !is_enrolled {
        Trouble::NotEnrolled
    } else {
        match state {
            Connectivity::Offline { since: None } => Trouble::NeverHeard,
            Connectivity::Offline { since: Some(_) } if !link_is_down => Trouble::Offline,
            _any if devices.iter().any(|device| device.is_bad) => Trouble::Device,
            Connectivity::Late { .. } if !link_is_down => Trouble::Late,
            _any if health.iter().any(|line| line.is_bad) => Trouble::Health,
            Connectivity::Online | Connectivity::Late { .. } | Connectivity::Offline { .. } => {
                Trouble::Fine
            }
        }
    };
    let seen = row.presence.last_seen;
    MachineLine {
        trouble,
        is_enrolled,
        is_online: is_enrolled && !link_is_down && state == Connectivity::Online,
        id: row.id.to_string(),
        office: name,
        connectivity,
        tone: tone.class(),
        since: since
            .map(|since| zone.local_text(since))
            .unwrap_or_default(),
        last_seen: seen.map_or_else(|| "-".to_owned(), |seen| zone.local_text(seen)),
        devices,
        health,
        software: row.software.clone().unwrap_or_else(|| "-".to_owned()),
    }
}

fn device_line(device: &DeviceRow, zone: Zone) -> DeviceLine {
    let (state, tone) = words::device_state(&device.state, &device.reasons);
    let reasons = device
        .reasons
        .iter()
        .map(|keyword| words::device_reason(keyword));
    let notes = reasons
        .chain(device.model.as_deref())
        .filter(|note| !note.is_empty());
    DeviceLine {
        name: device.device.clone(),
        state,
        tone: tone.class(),
        note: once_each(notes).join(" · "),
        since: zone.local_text(device.since),
        is_bad: matches!(tone, Tone::Bad | Tone::Wait),
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

/// Disk, certificate, clock and losses of a machine.
fn health_lines(row: &MachineRow) -> Vec<HealthLine> {
    let mut lines = row
        .heartbeat
        .as_ref()
        .map(heartbeat_lines)
        .unwrap_or_default();
    let mut lost = |count: u64, what: &str| {
        if count > 0 {
            lines.push(HealthLine {
                text: format!("{count} {what}"),
                is_bad: true,
            });
        }
    };
    lost(row.lost_report_count, "laporan hilang");
    lost(row.journal_lost_count, "kali catatan mesin hilang");
    lines
}

fn heartbeat_lines(last: &LastHeartbeat) -> Vec<HealthLine> {
    let beat = &last.heartbeat;
    let mut lines = Vec::new();
    if let Some(free) = beat.disk_free_bytes {
        let tenths = free / (1024 * 1024 * 1024 / 10);
        lines.push(HealthLine {
            text: format!("ruang bebas {},{} GB", tenths / 10, tenths % 10),
            is_bad: free < DISK_LOW_BYTES,
        });
    }
    if let Some(days) = beat.certificate_days_left {
        lines.push(HealthLine {
            text: format!("sertifikat {days} hari lagi"),
            is_bad: days < CERTIFICATE_LOW_DAYS,
        });
    }
    let offset = beat
        .clock_offset_ms
        .filter(|ms| ms.unsigned_abs() > CLOCK_OFF_MS);
    if let Some(ms) = offset {
        let side = if ms > 0 {
            "lebih cepat"
        } else {
            "lebih lambat"
        };
        let minutes = ms.unsigned_abs() / 60_000;
        lines.push(HealthLine {
            text: format!("jam {minutes} menit {side}"),
            is_bad: true,
        });
    }
    lines
}

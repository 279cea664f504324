//! Jobs and machines as lines of the console, trouble first.

use std::collections::BTreeMap;

use loket_domain::dispatch::Connectivity;
use loket_store::{AsideCount, Counts, JobRow, LastHeartbeat, MachineRow, StoreError};
use loket_wire::{Heartbeat, JobState, Judged, MachineId, OfficeId, Timestamp, Zone};

use super::device::{DeviceLine, device_line};
use crate::clock::now;
use crate::dispatch::BROKER_DOWN;
use crate::metrics::LinkTally;
use crate::office::Office;
use crate::supplies::{DeviceLeft, Histories};
use crate::trust_bundle::Published;
use crate::words::{self, Tone};

/// Days before its end at which central's own certificate should be renewed; machines say so of theirs themselves.
const CERTIFICATE_LOW_DAYS: i64 = 30;

/// A clock that is off by less than this is not worth a word: a log's line is read by the minute.
const CLOCK_WORTH_A_WORD_MS: u64 = 60_000;

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
    /// Who gave it to the machine by hand; empty for what central ordered.
    pub(super) by_hand: String,
    is_unknown: bool,
}

impl JobLine {
    /// The order in which jobs need a person: paper of which nobody knows, then what somebody waits for, then the rest.
    pub(super) const fn need(&self) -> u8 {
        match (self.is_unknown, self.overdue) {
            (true, _) => 0,
            (false, true) => 1,
            (false, false) => 2,
        }
    }
}

/// How urgently a machine needs a person; the order of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trouble {
    /// It says that its work stops, or is about to.
    Severe,
    Offline,
    Device,
    Late,
    /// Something of a device is used up, or must be ordered.
    Stock,
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
    pub(super) bounds: Vec<BoundLine>,
    pub(super) facts: Vec<String>,
    pub(super) software: String,
}

/// A bound that the machine says is crossed.
pub(super) struct BoundLine {
    pub(super) what: String,
    pub(super) step: &'static str,
    pub(super) code: String,
    pub(super) tone: &'static str,
    is_severe: bool,
}

/// The place's name and zone, for a line of the page.
pub(super) fn place(office: &Office, id: &OfficeId) -> (String, Zone) {
    office.offices.current().find(id, now()).map_or_else(
        || (id.to_string(), Zone::Wib),
        |place| (place.name.clone(), place.zone),
    )
}

pub(super) fn job_line(office: &Office, row: &JobRow, at: Timestamp) -> JobLine {
    let (facts, job) = (&row.facts, &row.job);
    let (state, tone) = words::job_state(job.state);
    let (name, zone) = place(office, &facts.office);
    let id = facts.id.to_string();
    let due_at = row.intake.as_ref().map(|intake| intake.due_at);
    let local = job.local.as_deref();
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
        due: due_at.map_or_else(|| "-".to_owned(), |due_at| zone.local_text(due_at)),
        overdue: job.ended_at.is_none() && due_at.is_some_and(|due_at| at > due_at),
        by_hand: local.map(words::by_hand).unwrap_or_default(),
        is_unknown: job.state == JobState::Unknown,
    }
}

/// What is wrong where central has no link at all: then no machine is to blame for its silence.
pub(super) fn link_down(office: &Office, at: Timestamp) -> Option<String> {
    let tally = &office.tally;
    if tally.is_linked() {
        return None;
    }
    let zone = office.offices.current().zone();
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
    let zone = office.offices.current().zone();
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

/// What room is short, what is wrong with central itself, what was lost or set aside over all; for the IT team.
pub(super) fn losses(
    office: &Office,
    counts: &Counts,
    at: Timestamp,
) -> Result<Vec<String>, StoreError> {
    let short = office.shortages()?.into_iter();
    let mut said: Vec<_> = short
        .map(|short| format!("{} ({})", short.message(), short.code()))
        .collect();
    if let Some(fault) = office.offices.fault() {
        let since = office.offices.current().zone().local_text(fault.since);
        let (sentence, code) = (fault.sentence, fault.code);
        said.push(format!("{sentence} Sejak {since} (kode {code})."));
    }
    if let Some(fault) = office.trust_desk.fault() {
        let since = office.offices.current().zone().local_text(fault.since);
        let (sentence, code) = (fault.what.message(), fault.what.code());
        said.push(format!("{sentence} Sejak {since} (kode {code})."));
    }
    let ends = office.identity.certificate_ends_unix_s;
    let days = (ends - at.unix_ms() / 1000) / 86_400;
    if days < CERTIFICATE_LOW_DAYS {
        said.push(format!(
            "Sertifikat pusat berakhir dalam {days} hari; perbarui."
        ));
    }
    if counts.quarantined > 0 {
        let count = counts.quarantined;
        said.push(format!(
            "{count} laporan mesin disisihkan karena tidak terbaca; mesinnya terlihat di daftar mesin."
        ));
    }
    if counts.lost_reports > 0 {
        said.push(format!("{} laporan mesin hilang.", counts.lost_reports));
    }
    Ok(said)
}

/// The machines, those in trouble first.
pub(super) fn machine_lines(
    office: &Office,
    (rows, histories): (&[MachineRow], &Histories),
    set_aside: &BTreeMap<MachineId, AsideCount>,
    link_is_down: bool,
    at: Timestamp,
) -> Vec<MachineLine> {
    let mut lines: Vec<_> = rows
        .iter()
        .map(|row| {
            let set_aside = set_aside.get(&row.id).map_or(0, |count| count.total);
            machine_line(office, (row, histories), set_aside, link_is_down, at)
        })
        .collect();
    lines.sort_by(|one, two| (one.trouble, &one.id).cmp(&(two.trouble, &two.id)));
    lines
}

fn machine_line(
    office: &Office,
    (row, histories): (&MachineRow, &Histories),
    set_aside: u64,
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
        .map(|device| {
            let left = DeviceLeft::of(row, device, histories, at);
            device_line(device, left.as_ref(), zone)
        })
        .collect();
    let bounds = bound_lines(row);
    let trouble = if !is_enrolled {
        Trouble::NotEnrolled
    } else {
        match state {
            Connectivity::Offline { since: None } => Trouble::NeverHeard,
            _any if bounds.iter().any(|bound| bound.is_severe) => Trouble::Severe,
            Connectivity::Offline { since: Some(_) } if !link_is_down => Trouble::Offline,
            _any if devices.iter().any(|device| device.is_bad) => Trouble::Device,
            Connectivity::Late { .. } if !link_is_down => Trouble::Late,
            _any if devices.iter().any(|device| device.is_short) => Trouble::Stock,
            _any if !bounds.is_empty() => Trouble::Health,
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
        bounds,
        facts: facts(row, set_aside, office.trust_desk.newest().as_deref(), zone),
        software: row.software.clone().unwrap_or_else(|| "-".to_owned()),
    }
}

/// The bounds that the machine itself says are crossed, the worst first.
fn bound_lines(row: &MachineRow) -> Vec<BoundLine> {
    let last = row.heartbeat.as_ref();
    let said = last.map_or(&[][..], |last| &last.heartbeat.troubles);
    let mut lines: Vec<_> = said
        .iter()
        .map(|keyword| {
            let words = words::trouble(keyword);
            let tone = if words.is_severe {
                Tone::Bad
            } else {
                Tone::Wait
            };
            BoundLine {
                what: words.what.to_owned(),
                step: words.step,
                code: keyword.clone(),
                tone: tone.class(),
                is_severe: words.is_severe,
            }
        })
        .collect();
    lines.sort_by_key(|line| !line.is_severe);
    lines
}

/// Disk, certificate and clock of a machine, and what was lost of it: facts that alone need nobody.
fn facts(row: &MachineRow, set_aside: u64, newest: Option<&Published>, zone: Zone) -> Vec<String> {
    let last = row.heartbeat.as_ref();
    let mut facts = last.map(measures).unwrap_or_default();
    facts.extend(last.and_then(|last| trust_held(&last.heartbeat, newest, zone)));
    for (count, what) in [
        (
            set_aside,
            "laporan disisihkan, tidak terbaca (samakan versi mesin dan pusat)",
        ),
        (row.lost_report_count, "laporan hilang"),
        (row.journal_lost_count, "kali catatan mesin hilang"),
    ] {
        if count > 0 {
            facts.push(format!("{count} {what}"));
        }
    }
    facts
}

fn measures(last: &LastHeartbeat) -> Vec<String> {
    let beat = &last.heartbeat;
    let mut measures = Vec::new();
    if let Some(free) = beat.disk_free_bytes {
        measures.push(free_room(free));
    }
    if let Some(days) = beat.certificate_days_left {
        measures.push(if days < 0 {
            "sertifikat sudah berakhir".to_owned()
        } else {
            format!("sertifikat {days} hari lagi")
        });
    }
    let offset = beat
        .clock_offset_ms
        .filter(|ms| ms.unsigned_abs() > CLOCK_WORTH_A_WORD_MS);
    if let Some(ms) = offset {
        let side = if ms > 0 {
            "lebih cepat"
        } else {
            "lebih lambat"
        };
        let minutes = ms.unsigned_abs() / 60_000;
        measures.push(format!("jam {minutes} menit {side}"));
    }
    measures.extend(beat.judged.as_ref().and_then(judged));
    measures
}

/// Which trust bundle a machine that takes them said it holds, and whether that is the newest.
fn trust_held(beat: &Heartbeat, newest: Option<&Published>, zone: Zone) -> Option<String> {
    let serial = beat.trust_serial?;
    let Some(made_at) = beat.trust_made_at else {
        return Some("belum punya paket kepercayaan".to_owned());
    };
    let held = format!("paket kepercayaan tertanggal {}", zone.local_text(made_at));
    Some(match newest {
        Some(newest) if serial < newest.serial => {
            let since = zone.local_text(newest.made_at);
            format!("{held}, belum yang terbaru ({since})")
        }
        Some(_) | None => held,
    })
}

/// The newest trust bundle and how many machines lack it, for the list of machines.
pub(super) fn trust_line(office: &Office, at: Timestamp) -> Result<String, StoreError> {
    let Some(newest) = office.trust_desk.newest() else {
        return Ok("Belum ada paket kepercayaan untuk mesin.".to_owned());
    };
    let made = office.offices.current().zone().local_text(newest.made_at);
    let fleet = office.fleet(at)?;
    let (behind, taking) = (fleet.trust_behind, fleet.trust_taking);
    Ok(match (taking, behind) {
        (0, _) => format!(
            "Paket kepercayaan terbaru tertanggal {made}; tidak ada mesin yang mengambilnya."
        ),
        (taking, 0) => format!(
            "Paket kepercayaan terbaru tertanggal {made} ada di semua mesin yang mengambilnya ({taking})."
        ),
        (taking, behind) => format!(
            "Paket kepercayaan terbaru tertanggal {made}; {behind} dari {taking} mesin yang mengambilnya belum memegangnya."
        ),
    })
}

/// What people had checked at a machine since it started, in a few words.
fn judged(judged: &Judged) -> Option<String> {
    let mut parts = Vec::new();
    for (whose, answers) in [("warga", judged.kiosk), ("petugas", judged.station)] {
        let told = [
            (answers.valid, "asli"),
            (answers.invalid, "tidak sah"),
            (answers.indeterminate, "belum pasti"),
            (answers.paper, "foto"),
            (answers.not_judged, "tanpa hasil"),
        ];
        let told = told.into_iter().filter(|(count, _word)| *count > 0);
        let told: Vec<_> = told
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        if !told.is_empty() {
            parts.push(format!("{whose} {}", told.join(", ")));
        }
    }
    if judged.killed > 0 {
        parts.push(format!("{} pemeriksaan dihentikan", judged.killed));
    }
    (!parts.is_empty()).then(|| format!("dokumen diperiksa sejak menyala: {}", parts.join("; ")))
}

fn free_room(bytes: u64) -> String {
    const MIB: u64 = 1024 * 1024;
    if bytes < 1024 * MIB {
        return format!("ruang bebas {} MB", bytes / MIB);
    }
    let tenths = bytes / (1024 * MIB / 10);
    format!("ruang bebas {},{} GB", tenths / 10, tenths % 10)
}

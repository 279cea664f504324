//! The words of an account, in Indonesian, and its moments in the zone of the office.

use loket_wire::{Class, Reason, Timestamp, Zone};

use super::known::Ordered;
use super::lines::{Found, Outcome, SheetCount};
use crate::dispatch::LocalDay;

/// What an exercise page is called.
pub(super) const EXERCISE: &str = "lembar perawatan printer";

/// How a document ended.
pub(super) const fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Printed => "tercetak",
        Outcome::Spoiled => "rusak",
        Outcome::Failed => "gagal, tanpa kertas",
        Outcome::Rejected => "ditolak mesin",
        Outcome::Expired => "kedaluwarsa",
        Outcome::Cancelled => "dibatalkan",
    }
}

/// How a document ended, and why: of an exercise page that nobody saw, and nobody is asked about, no more is known.
pub(super) const fn ended(outcome: Outcome, reason: Option<Reason>) -> &'static str {
    if matches!(reason, Some(Reason::ExerciseUnseen)) {
        return "tidak terlihat, tidak ditanyakan";
    }
    self::outcome(outcome)
}

/// What was answered to a question.
pub(super) const fn found(found: Option<Found>) -> &'static str {
    match found {
        Some(Found::Whole) => "keluar, baik",
        Some(Found::Damaged) => "keluar, rusak",
        Some(Found::None) => "tidak keluar",
        None => "belum dijawab",
    }
}

/// Who counted sheets.
pub(super) const fn counted_by(count: SheetCount) -> &'static str {
    match count {
        SheetCount::None => "",
        SheetCount::Printer => "printer",
        SheetCount::Pages => "halaman dokumen",
        SheetCount::Officer => "petugas",
        SheetCount::Unknown => "tidak diketahui",
    }
}

/// Controlled or own.
pub(super) const fn class(class: Class) -> &'static str {
    match class {
        Class::Controlled => "dokumen",
        Class::Own => "kertas sendiri",
    }
}

/// Who gave an order.
pub(super) fn ordered(ordered: &Ordered) -> String {
    match ordered {
        Ordered::Central => "pusat".to_owned(),
        Ordered::Machine => "mesin sendiri".to_owned(),
        Ordered::ByHand { by: None } => "dengan tangan".to_owned(),
        Ordered::ByHand { by: Some(name) } => format!("dengan tangan: {name}"),
    }
}

/// Who did something, by the name that a report or central's history gives.
pub(super) fn who(by: Option<&str>) -> String {
    let Some(by) = by else {
        return "mesin".to_owned();
    };
    match by.split_once(':') {
        Some(("officer", name)) => name.to_owned(),
        Some(("token", name)) => format!("{name} (pusat)"),
        Some(_) | None => match by {
            "central" => "pusat".to_owned(),
            "folder" => "map masuk pusat".to_owned(),
            other => other.to_owned(),
        },
    }
}

/// A fact, and not what to do: the day is over.
pub(super) const fn reason(reason: Option<Reason>) -> &'static str {
    let Some(reason) = reason else {
        return "";
    };
    match reason {
        Reason::Replay => "perintah datang dua kali",
        Reason::WrongMachine => "perintah untuk mesin lain",
        Reason::Altered => "perintah atau dokumen berubah di jalan",
        Reason::KeyUnknown => "kunci mesin sudah berganti",
        Reason::Malformed => "perintah tidak terbaca",
        Reason::Poison => "perintah membuat mesin berhenti",
        Reason::NotAfter => "batas waktu lewat",
        Reason::DocumentGone => "dokumen tidak ada lagi di pusat",
        Reason::DocumentMismatch => "dokumen yang diambil tidak cocok",
        Reason::SpoolFull => "penyimpanan mesin penuh",
        Reason::SignatureInvalid => "tanda tangan tidak sah",
        Reason::SignatureIndeterminate => "tanda tangan belum dapat dipastikan",
        Reason::NoPrinter => "printer tidak ada",
        Reason::FormatUnsupported => "printer tidak mengenal format",
        Reason::NotDrawn => "dokumen tidak dapat digambar untuk printer ini",
        Reason::PrinterRefused => "printer menolak",
        Reason::AttemptsExhausted => "berkali-kali gagal",
        Reason::PrinterBusy => "printer sibuk",
        Reason::PrinterAway => "printer tidak terhubung",
        Reason::PrinterFault => "printer gangguan",
        Reason::AttributesRefused => "printer tidak mau mencetak sesuai aslinya",
        Reason::CancelledAtPrinter => "dibatalkan di printer",
        Reason::PrinterAborted => "printer berhenti di tengah jalan",
        Reason::PrinterForgot => "printer lupa pekerjaan",
        Reason::PrinterRestarted => "printer menyala ulang",
        Reason::ImpressionsDisagree => "hitungan lembar printer tidak cocok",
        Reason::FateNotSeen => "hasil tidak terlihat",
        Reason::JournalLost => "catatan mesin hilang",
        Reason::SpoolLost => "salinan di mesin hilang",
        Reason::ByOfficer => "oleh petugas",
        Reason::ByCentral => "oleh pusat",
        Reason::AlreadySending => "terlanjur dikirim ke printer",
        Reason::OfficerSaw => "petugas melihat kertasnya",
        Reason::OfficerFoundNone => "petugas tidak menemukan kertas",
        Reason::SheetDamaged => "kertas rusak",
        Reason::ExerciseUnseen => "lembar perawatan: hasil tidak terlihat",
        Reason::Other => "sebab dari versi yang lebih baru",
    }
}

const DAYS: [&str; 7] = [
    "Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu",
];

const MONTHS: [&str; 12] = [
    "Januari",
    "Februari",
    "Maret",
    "April",
    "Mei",
    "Juni",
    "Juli",
    "Agustus",
    "September",
    "Oktober",
    "November",
    "Desember",
];

/// A day, for instance `Jumat, 27 November 2026`.
pub(super) fn day(day: LocalDay) -> String {
    let text = day.to_string();
    let mut parts = text.split('-');
    let (year, month, date) = (parts.next(), parts.next(), parts.next());
    let month = month.and_then(|month| MONTHS.get(month.parse::<usize>().ok()?.checked_sub(1)?));
    // 1970-01-01 was a Thursday, index 3 from Monday.
    let weekday = day
        .days_since_1970()
        .checked_add(3)
        .map(|days| days.rem_euclid(7));
    let weekday = weekday.and_then(|at| DAYS.get(usize::try_from(at).ok()?));
    match (weekday, date, month, year) {
        (Some(weekday), Some(date), Some(month), Some(year)) => {
            format!("{weekday}, {} {month} {year}", date.trim_start_matches('0'))
        }
        _other => text,
    }
}

/// A moment, for instance `27-11-2026 08.30 WIB`.
pub(super) fn moment(zone: Zone, at: Timestamp) -> String {
    zone.local_text(at).replace(':', ".")
}

/// The hour of a moment on the day of the account, `08.30`; with its date on another.
pub(super) fn hour(zone: Zone, day: LocalDay, at: Timestamp) -> String {
    let text = moment(zone, at);
    let mut words = text.split(' ');
    let (Some(date), Some(hour)) = (words.next(), words.next()) else {
        return text;
    };
    if LocalDay::of(at, zone.utc_offset_minutes()) == day {
        return hour.to_owned();
    }
    let date = date.rsplit_once('-').map_or(date, |(date, _year)| date);
    format!("{date} {hour}")
}

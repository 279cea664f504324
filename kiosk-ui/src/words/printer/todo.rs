//! What is to be done at a printer: by what it has left, and by the reasons of its state.

use loket_wire::Stock;
use loket_wire::device_reason::{in_words, is_by_nature, keeps_from_printing};
use loket_wire::stock::{Band, Supply, SupplyKind, Tray};

use super::{Tone, band_in_words};
use crate::ports::PrinterKind;

/// Something to do at a printer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Todo {
    /// How urgent.
    pub tone: Tone,
    /// What happened.
    pub happened: String,
    /// What to do, and whom to ask.
    pub what: String,
    /// What is to be brought, where something is.
    pub bring: Option<String>,
    about: About,
}

/// What a level and a reason of the printer may both speak of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    Paper,
    Marker,
    Other,
}

/// printer-state-reasons of a printer that sleeps, which is well (PWG 5100.22 section 8.1).
const ASLEEP: [&str; 5] = ["none", "hibernate", "power-down", "standby", "suspend"];

/// All that is to be done, the most urgent first. Of a level and a reason that say the same, the level says more: which
/// colour, which tray.
pub(super) fn all(kind: PrinterKind, reasons: &[String], stock: &Stock) -> Vec<Todo> {
    let trays = stock.trays.iter().zip(1..);
    let trays = trays.filter_map(|(tray, no)| todo_of_tray(stock, tray, no));
    let supplies = stock.supplies.iter().filter_map(todo_of_supply);
    let mut todos: Vec<Todo> = trays.chain(supplies).collect();
    let of_reasons = reasons.iter();
    for todo in of_reasons.filter_map(|reason| todo_of_reason(kind, reason)) {
        let is_said = |other: &Todo| {
            let is_same = other.about == todo.about && todo.about != About::Other;
            (is_same && other.tone >= todo.tone) || other.happened == todo.happened
        };
        if !todos.iter().any(is_said) {
            todos.push(todo);
        }
    }
    todos.sort_by_key(|todo| std::cmp::Reverse(todo.tone));
    todos
}

const fn is_needed(band: Band) -> bool {
    matches!(band, Band::Empty | Band::Low)
}

fn todo_of_supply(supply: &Supply) -> Option<Todo> {
    let about = match supply.kind {
        SupplyKind::Toner | SupplyKind::Ink => About::Marker,
        SupplyKind::Drum | SupplyKind::Fuser | SupplyKind::Other => About::Other,
        SupplyKind::Waste | SupplyKind::Paper => return None,
    };
    let (bring, band) = (supply.what_in_words(), supply.band());
    let (tone, what) = if band == Band::Empty {
        (Tone::Bad, REFILL)
    } else {
        (Tone::Wait, SPARE)
    };
    is_needed(band).then(|| Todo {
        tone,
        happened: format!("{bring} {}.", band_in_words(band)),
        what: what.to_owned(),
        bring: Some(bring),
        about,
    })
}

fn todo_of_tray(stock: &Stock, tray: &Tray, no: usize) -> Option<Todo> {
    let (what, band) = (tray.what_in_words(no), tray.band());
    if tray.is_out_of_order && band != Band::Empty {
        return Some(Todo {
            tone: Tone::Wait,
            happened: format!("{what} tidak dapat dipakai."),
            what: STUCK.to_owned(),
            bring: None,
            about: About::Other,
        });
    }
    let mut others = stock.trays.iter().filter(|other| *other != tray);
    let has_other = others.any(|other| !other.is_out_of_order && other.band() == Band::Enough);
    let media = tray.media_in_words().unwrap_or_default();
    is_needed(band).then(|| Todo {
        tone: if band == Band::Empty && !has_other {
            Tone::Bad
        } else {
            Tone::Wait
        },
        happened: format!("{what} {}.", band_in_words(band)),
        what: "Isi kertasnya; printer melanjutkan sendiri.".to_owned(),
        bring: Some(format!("kertas {media}").trim_end().to_owned()),
        about: About::Paper,
    })
}

/// What a reason of the printer's state says to an officer.
struct Row {
    keywords: &'static [&'static str],
    tone: Tone,
    about: About,
    bring: Option<&'static str>,
    happened: &'static str,
    what: &'static str,
}

const REFILL: &str =
    "Ganti dengan yang baru; printer melanjutkan sendiri. Bila tetap berhenti, hubungi petugas TI.";
const STUCK: &str =
    "Tarik bakinya, rapikan kertasnya, pasang lagi. Bila tetap begitu, hubungi petugas TI.";
const SPARE: &str = "Siapkan penggantinya. Bila belum ada, minta ke petugas TI.";

/// Something that is used up.
const fn used(
    keywords: &'static [&'static str],
    (tone, about): (Tone, About),
    bring: &'static str,
    (happened, what): (&'static str, &'static str),
) -> Row {
    Row {
        keywords,
        tone,
        about,
        bring: Some(bring),
        happened,
        what,
    }
}

/// A fault that somebody mends with bare hands, or not at all.
const fn fault(
    keywords: &'static [&'static str],
    happened: &'static str,
    what: &'static str,
) -> Row {
    Row {
        keywords,
        tone: Tone::Bad,
        about: About::Other,
        bring: None,
        happened,
        what,
    }
}

const ROWS: &[Row] = &[
    used(
        &["media-empty", "media-needed"],
        (Tone::Bad, About::Paper),
        "kertas A4",
        (
            "Kertas habis.",
            "Isi kertas A4 di baki; printer melanjutkan sendiri.",
        ),
    ),
    used(
        &["media-low"],
        (Tone::Wait, About::Paper),
        "kertas A4",
        ("Kertas hampir habis.", "Siapkan kertas A4."),
    ),
    used(
        &["toner-empty"],
        (Tone::Bad, About::Marker),
        "toner",
        ("Toner habis.", REFILL),
    ),
    used(
        &["toner-low"],
        (Tone::Wait, About::Marker),
        "toner",
        ("Toner hampir habis.", SPARE),
    ),
    used(
        &["marker-supply-empty"],
        (Tone::Bad, About::Marker),
        "tinta",
        ("Tinta habis.", REFILL),
    ),
    used(
        &["marker-supply-low"],
        (Tone::Wait, About::Marker),
        "tinta",
        ("Tinta hampir habis.", SPARE),
    ),
    fault(
        &["media-jam"],
        "Kertas macet.",
        "Buka penutup printer, tarik kertasnya pelan-pelan, tutup lagi. Bila tetap macet, hubungi petugas TI.",
    ),
    fault(
        &["cover-open", "door-open"],
        "Penutup terbuka.",
        "Tutup sampai rapat. Bila tetap begitu, hubungi petugas TI.",
    ),
    fault(
        &["output-area-full"],
        "Baki keluaran penuh.",
        "Ambil kertas yang sudah keluar; printer melanjutkan sendiri.",
    ),
    fault(
        &["input-tray-missing"],
        "Baki kertas tidak terpasang.",
        "Pasang bakinya sampai masuk penuh.",
    ),
    fault(
        &["marker-waste-full"],
        "Penampung sisa penuh.",
        "Hubungi petugas TI.",
    ),
    fault(
        &["paused"],
        "Printer dijeda.",
        "Tekan tombol lanjut di printer. Bila tidak bisa, hubungi petugas TI.",
    ),
    fault(
        &["separation-cutter-jam"],
        "Pisau pemotong macet.",
        "Matikan printer, buka penutupnya, tarik kertas yang tersangkut, tutup dan nyalakan lagi. Bila tetap macet, hubungi petugas TI.",
    ),
    fault(
        &["over-temperature"],
        "Printer terlalu panas.",
        "Tunggu beberapa menit; printer melanjutkan sendiri. Bila sering, hubungi petugas TI.",
    ),
    fault(
        &["feed-button-held"],
        "Tombol kertas sedang ditekan.",
        "Lepaskan tombolnya. Bila macet, hubungi petugas TI.",
    ),
    fault(
        &["recoverable-failure", "unrecoverable-failure"],
        "Printer bermasalah.",
        "Matikan, tunggu sepuluh detik, nyalakan lagi. Bila tetap begitu, hubungi petugas TI.",
    ),
    fault(
        &["offline", "shutdown"],
        "Printer mati atau tidak tersambung.",
        "Nyalakan printer, periksa kabelnya. Bila tetap begitu, hubungi petugas TI.",
    ),
];

/// What a ticket printer says otherwise: its paper is a roll.
const OF_TICKETS: &[Row] = &[
    used(
        &["media-empty", "media-needed"],
        (Tone::Bad, About::Paper),
        "gulungan kertas tiket",
        (
            "Kertas tiket habis.",
            "Pasang gulungan baru, tutup penutupnya sampai rapat, lalu cetak tiket uji.",
        ),
    ),
    used(
        &["media-low"],
        (Tone::Wait, About::Paper),
        "gulungan kertas tiket",
        (
            "Kertas tiket hampir habis.",
            "Siapkan gulungan kertas tiket.",
        ),
    ),
];

/// What a reason wants of an officer; nothing of one that wants nothing.
pub(super) fn todo_of_reason(kind: PrinterKind, reason: &str) -> Option<Todo> {
    let bare = ["-report", "-warning", "-error"]
        .iter()
        .find_map(|suffix| reason.strip_suffix(suffix))
        .unwrap_or(reason);
    if ASLEEP.contains(&bare) || is_by_nature(bare) {
        return None;
    }
    let own = match kind {
        PrinterKind::Tickets => OF_TICKETS,
        PrinterKind::Documents => &[],
    };
    let mut rows = own.iter().chain(ROWS);
    let row = rows.find(|row| row.keywords.contains(&bare));
    Some(row.map_or_else(
        || told(bare),
        |row| Todo {
            tone: row.tone,
            happened: row.happened.to_owned(),
            what: row.what.to_owned(),
            bring: row.bring.map(str::to_owned),
            about: row.about,
        },
    ))
}

/// A reason whose words say what to do, or one that is not known here.
fn told(keyword: &str) -> Todo {
    let words = in_words(keyword);
    let (happened, what) = if words == keyword {
        (
            format!("Printer melaporkan \u{201c}{keyword}\u{201d}."),
            "Lihat layar printer. Bila tidak hilang, hubungi petugas TI.".to_owned(),
        )
    } else {
        let (happened, what) = words.split_once("; ").unwrap_or((words, ""));
        let ask = "Bila tidak berhasil, hubungi petugas TI.";
        let what = if what.contains("tim TI") {
            format!("{}.", capital(what))
        } else if what.is_empty() {
            ask.to_owned()
        } else {
            format!("{}. {ask}", capital(what))
        };
        (format!("{}.", capital(happened)), what)
    };
    let is_known_to_stop = words != keyword || keeps_from_printing(keyword);
    Todo {
        tone: if is_known_to_stop {
            Tone::Bad
        } else {
            Tone::Wait
        },
        happened,
        what,
        bring: None,
        about: About::Other,
    }
}

fn capital(words: &str) -> String {
    let mut characters = words.chars();
    let first = characters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(characters).collect()
}

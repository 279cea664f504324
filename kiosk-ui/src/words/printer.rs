//! Printers in plain Indonesian: what each is at, what to do about it, and what it has left.

mod todo;

use loket_wire::Stock;
use loket_wire::device_reason::keeps_from_printing;
use loket_wire::stock::{Band, Level, Supply, SupplyKind, Tray};

pub use todo::Todo;

use crate::ports::{PrinterKind, TestFate};

/// How urgent something is; a class of the style sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tone {
    /// Nothing is to be done.
    Good,
    /// At work.
    Note,
    /// Somebody should see to it soon.
    Wait,
    /// Nothing comes out until somebody does something.
    Bad,
}

impl Tone {
    /// The class.
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Note => "note",
            Self::Wait => "wait",
            Self::Bad => "bad",
        }
    }
}

/// A printer as an officer reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// What it is at.
    pub word: &'static str,
    /// How urgent that and all of the rest is.
    pub tone: Tone,
    /// What is wrong, and what to do: the most urgent first.
    pub todos: Vec<Todo>,
    /// What it has left, the most urgent first.
    pub left: Vec<Left>,
}

/// A tray or supply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// What it is.
    pub what: String,
    /// How much, in a word.
    pub word: &'static str,
    /// Its class: one more than those of tones, where nothing is known.
    pub class: &'static str,
    /// How much, as far as it is measured.
    pub note: String,
    /// The part of a full one that is left, where it is known.
    pub percent: Option<u32>,
    urgency: u8,
}

/// The order of urgency of what nobody has to see to.
const CALM: u8 = 2;

/// What an officer reads of a printer in this state, for these reasons, with this stock.
#[must_use]
pub fn shown(kind: PrinterKind, state: &str, reasons: &[String], stock: Option<&Stock>) -> Shown {
    let (word, tone) = state_of(state, reasons);
    let none = Stock::default();
    let stock = stock.unwrap_or(&none);
    let todos = todo::all(kind, reasons, stock);
    let worst = todos.iter().map(|todo| todo.tone).max();
    let trays = stock.trays.iter().zip(1..);
    let trays = trays.map(|(tray, no)| left_of_tray(tray, no));
    let supplies = stock.supplies.iter().filter_map(left_of_supply);
    let mut left: Vec<Left> = trays.chain(supplies).collect();
    left.sort_by_key(|left| left.urgency);
    Shown {
        word,
        tone: worst.map_or(tone, |worst| worst.max(tone)),
        todos,
        left,
    }
}

/// What became of a test ticket, as an officer reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// In a word.
    pub word: &'static str,
    /// How urgent it is.
    pub tone: Tone,
    /// What that means, and what to do.
    pub meaning: &'static str,
    /// What is wrong with the printer, and what to do.
    pub todos: Vec<Todo>,
}

/// What an officer reads of a test ticket.
#[must_use]
pub fn tried(fate: TestFate, reasons: &[String]) -> Tried {
    let (word, tone, meaning) = match fate {
        TestFate::Printed => (
            "TIKET UJI TERCETAK",
            Tone::Good,
            "Ambil tiketnya dan lihat: tulisannya jelas, kertasnya terpotong.",
        ),
        TestFate::Accepted => (
            "LIHAT PRINTERNYA",
            Tone::Wait,
            "Printer ini tidak dapat memastikan tiketnya keluar. Bila keluar utuh, printer siap.",
        ),
        TestFate::NotPrinted => (
            "TIDAK DICETAK",
            Tone::Bad,
            "Tidak ada yang keluar dan tidak ada yang menyusul. Perbaiki yang tertulis di bawah, lalu coba lagi.",
        ),
        TestFate::Unclear => (
            "BELUM PASTI",
            Tone::Bad,
            "Tiketnya mungkin keluar sebagian, atau menyusul. Buang yang terpotong, perbaiki yang tertulis di bawah, lalu coba lagi.",
        ),
    };
    Tried {
        word,
        tone,
        meaning,
        todos: todo::all(PrinterKind::Tickets, reasons, &Stock::default()),
    }
}

fn state_of(state: &str, reasons: &[String]) -> (&'static str, Tone) {
    let is_usable = matches!(state, "idle" | "processing");
    if is_usable && reasons.iter().any(|reason| keeps_from_printing(reason)) {
        return ("perlu dilihat", Tone::Bad);
    }
    match state {
        "idle" => ("siap", Tone::Good),
        "processing" => ("sedang mencetak", Tone::Note),
        "stopped" => ("berhenti", Tone::Bad),
        "unreachable" => ("tidak terjangkau", Tone::Bad),
        "refusing" => ("menolak", Tone::Bad),
        _newer => ("keadaannya tidak dikenal", Tone::Wait),
    }
}

fn left_of_supply(supply: &Supply) -> Option<Left> {
    // How full a box for waste is says nothing (RFC 3805 leaves it to the printer); that it is full is a reason.
    if matches!(supply.kind, SupplyKind::Waste | SupplyKind::Paper) {
        return None;
    }
    let percent = known(supply.level).map(|percent| percent.min(100));
    Some(left(
        supply.what_in_words(),
        (supply.level, supply.band()),
        percent,
        match supply.level {
            Level::Known(1..) => percent.map_or_else(String::new, |percent| format!("{percent} %")),
            Level::Some => UNMEASURED.to_owned(),
            Level::Known(0) | Level::Other | Level::Unknown => String::new(),
        },
    ))
}

fn left_of_tray(tray: &Tray, no: usize) -> Left {
    let sheets = known(tray.level);
    let full = tray.capacity.filter(|sheets| *sheets > 0);
    let percent = sheets.zip(full).map(|(sheets, full)| {
        let percent = u64::from(sheets.min(full)) * 100 / u64::from(full);
        u32::try_from(percent).unwrap_or(100)
    });
    let note = match tray.level {
        Level::Known(sheets @ 1..) => format!("±{sheets} lembar"),
        Level::Some => UNMEASURED.to_owned(),
        Level::Known(0) | Level::Other | Level::Unknown => String::new(),
    };
    let left = left(
        tray.what_in_words(no),
        (tray.level, tray.band()),
        percent,
        note,
    );
    if tray.is_out_of_order {
        return Left {
            word: "tidak dapat dipakai",
            class: Tone::Wait.class(),
            urgency: 0,
            ..left
        };
    }
    left
}

/// A printer that knows only that something is there.
const UNMEASURED: &str = "printer tidak mengukur sisanya";

const fn known(level: Level) -> Option<u32> {
    match level {
        Level::Known(level) => Some(level),
        Level::Other | Level::Unknown | Level::Some => None,
    }
}

fn left(what: String, (level, band): (Level, Band), percent: Option<u32>, note: String) -> Left {
    let (class, urgency) = match band {
        Band::Empty => (Tone::Bad.class(), 0),
        Band::Low => (Tone::Wait.class(), 1),
        Band::Enough => (Tone::Good.class(), CALM),
        Band::Unknown => ("soft", CALM),
    };
    Left {
        what,
        // That something is there is not that it is enough.
        word: if level == Level::Some {
            "masih ada"
        } else {
            band_in_words(band)
        },
        class,
        note,
        percent,
        urgency,
    }
}

const fn band_in_words(band: Band) -> &'static str {
    match band {
        Band::Empty => "habis",
        Band::Low => "hampir habis",
        Band::Enough => "cukup",
        Band::Unknown => "tidak diketahui",
    }
}

#[cfg(test)]
mod tests;

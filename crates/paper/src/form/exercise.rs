//! The page of a printer that has rested: each nozzle of each ink moves once, and words say that it is waste.

use super::face::{Faces, Weight};
use super::page::{Ink, Item, Page};

/// Pages of it.
pub const EXERCISE_PAGES: u32 = 1;

pub(super) const TITLE: &str = "Lembar perawatan printer: boleh dibuang";

/// What stands on it; no word of anybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exercise {
    /// The machine's name.
    pub machine: String,
    /// The printer's name in its settings.
    pub printer: String,
    /// When, in the office's zone.
    pub moment: String,
}

const LEFT: f32 = 56.0;
const WIDTH: f32 = 483.0;

/// The inks that a printer has at least, each by itself: a mixture would spare some nozzles.
const INKS: [Ink; 4] = [Ink::Cyan, Ink::Magenta, Ink::Yellow, Ink::Black];

/// Higher than the widest print head of an office printer, an inch: each of its nozzles passes over the bar.
const BAR_HEIGHT: f32 = 76.0;
/// Some turns of each nozzle, and no more ink than a word in large letters takes.
const BAR_WIDTH: f32 = 52.0;
const BAR_STEP: f32 = 64.0;

/// From one line to the next, as parts of the size.
const LEADING: f32 = 1.35;
/// Lines of one sentence; the longest has two.
const MAX_LINES: usize = 4;

const SAYS: [&str; 3] = [
    "Printer ini lama tidak mencetak. Lembar ini menggerakkan tintanya supaya tidak kering, dan dicetak sendiri oleh \
     mesin. Tidak ada yang perlu dilakukan.",
    "Lembar ini bukan dokumen dan bukan milik siapa pun. Boleh dibuang, atau dipakai sebagai kertas coretan.",
    "Bila ada kotak yang bergaris atau pucat, jalankan pembersihan kepala cetak dari menu printer. Bila tetap begitu, \
     hubungi petugas TI.",
];

pub(super) fn page(page: &Exercise, faces: &Faces) -> Page {
    let mut pen = Pen {
        faces,
        items: Vec::new(),
        y: 72.0,
    };
    pen.say(TITLE, (20.0, Weight::Bold));
    let where_and_when = format!(
        "Mesin {} · printer {} · {}",
        page.machine, page.printer, page.moment
    );
    pen.say(&where_and_when, (12.0, Weight::Regular));
    pen.bars();
    for text in SAYS {
        pen.say(text, (12.0, Weight::Regular));
    }
    Page { items: pen.items }
}

struct Pen<'a> {
    faces: &'a Faces,
    items: Vec<Item>,
    y: f32,
}

impl Pen<'_> {
    fn say(&mut self, text: &str, (size, weight): (f32, Weight)) {
        for text in self.faces.lines(text, (size, weight), WIDTH, MAX_LINES) {
            self.items.push(Item::Words {
                x: LEFT,
                y: self.y,
                size,
                weight,
                text,
            });
            self.y = size.mul_add(LEADING, self.y);
        }
        self.y += 6.0;
    }

    fn bars(&mut self) {
        let mut x = LEFT;
        for ink in INKS {
            self.items.push(Item::Bar {
                x,
                y: self.y,
                width: BAR_WIDTH,
                height: BAR_HEIGHT,
                ink,
            });
            x += BAR_STEP;
        }
        self.y += BAR_HEIGHT + 30.0;
    }
}

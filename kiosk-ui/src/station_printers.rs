//! The officers' page of printers: what each is at, what to do, what it has left and what to fetch.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::moment;
use crate::ports::{PrinterKind, PrinterSeen};
use crate::problem::html;
use crate::site::Shared;
use crate::words::printer::{self, Left, Todo, Tone};

#[derive(Template)]
#[template(path = "station_printers.html")]
struct PrintersPage {
    shown: Sum,
    printers: Vec<PrinterPart>,
}

/// All printers in one word, and what to fetch.
struct Sum {
    word: &'static str,
    tone: &'static str,
    meaning: String,
}

/// One printer.
struct PrinterPart {
    /// With what it prints.
    title: String,
    /// Whether it prints tickets, and can be tried.
    is_of_tickets: bool,
    model: String,
    word: &'static str,
    tone: &'static str,
    todos: Vec<TodoPart>,
    left: Vec<Left>,
    /// Why nothing is known of what is left, where it is not.
    unsaid: &'static str,
    seen_at: String,
}

/// Something to do.
pub(crate) struct TodoPart {
    pub(crate) tone: &'static str,
    pub(crate) happened: String,
    pub(crate) what: String,
}

impl From<Todo> for TodoPart {
    fn from(todo: Todo) -> Self {
        Self {
            tone: todo.tone.class(),
            happened: todo.happened,
            what: todo.what,
        }
    }
}

/// What other pages say of a printer that wants somebody.
pub(crate) struct Want {
    pub(crate) name: String,
    pub(crate) tone: &'static str,
    pub(crate) happened: String,
}

/// A printer whose state nobody knows: the machine has just started, or its looks do not come back.
const UNSEEN: (&str, &str) = (
    "Keadaan printer belum diketahui.",
    "Tunggu satu menit. Bila tetap begitu, hubungi petugas TI.",
);

/// A printer with what is to be read of it.
struct Read {
    seen: PrinterSeen,
    word: &'static str,
    tone: Tone,
    todos: Vec<Todo>,
    left: Vec<Left>,
}

fn read(seen: PrinterSeen) -> Read {
    let Some(state) = &seen.state else {
        return Read {
            seen,
            word: "belum terlihat",
            tone: Tone::Wait,
            todos: Vec::new(),
            left: Vec::new(),
        };
    };
    let (reasons, stock) = (&state.reasons, state.stock.as_ref());
    let shown = printer::shown(seen.kind, &state.state, reasons, stock);
    Read {
        word: shown.word,
        tone: shown.tone,
        todos: shown.todos,
        left: shown.left,
        seen,
    }
}

/// `GET /station/printer`.
pub(crate) async fn page(State(shared): State<Shared>) -> Response {
    let seen = shared.site.printers.printers().await;
    let read: Vec<Read> = seen.into_iter().map(read).collect();
    let zone = shared.site.zone;
    let shown = sum(&read);
    let printers = read.into_iter().map(|read| {
        let state = read.seen.state.as_ref();
        let at = state.map(|state| moment::in_words(zone, state.at));
        let model = state.and_then(|state| state.model.clone());
        let mut todos: Vec<TodoPart> = read.todos.into_iter().map(TodoPart::from).collect();
        if at.is_none() {
            todos.push(TodoPart {
                tone: Tone::Wait.class(),
                happened: UNSEEN.0.to_owned(),
                what: UNSEEN.1.to_owned(),
            });
        }
        PrinterPart {
            title: title(&read.seen),
            is_of_tickets: read.seen.kind == PrinterKind::Tickets,
            model: model.unwrap_or_default(),
            word: read.word,
            tone: read.tone.class(),
            todos,
            left: read.left,
            unsaid: unsaid(read.seen.kind, state.map(|state| state.state.as_str())),
            seen_at: at.unwrap_or_default(),
        }
    });
    html(&PrintersPage {
        shown,
        printers: printers.collect(),
    })
}

/// What is said where nothing is known of what a printer in this state has left.
fn unsaid(kind: PrinterKind, state: Option<&str>) -> &'static str {
    match state {
        // A ticket printer tells at most that its roll is nearly at its end.
        _any if kind == PrinterKind::Tickets => "",
        None => "",
        Some("unreachable" | "refusing") => {
            "Sisa kertas dan tinta atau tonernya tidak dapat dilihat sekarang."
        }
        Some(_answers) => "Printer ini tidak memberi tahu sisa kertas dan tinta atau tonernya.",
    }
}

/// What wants somebody, the most urgent of each printer.
pub(crate) async fn wants(shared: &Shared) -> Vec<Want> {
    let seen = shared.site.printers.printers().await;
    seen.into_iter().filter_map(want_of).collect()
}

/// What this printer wants of somebody, where it does.
pub(crate) fn want_of(seen: PrinterSeen) -> Option<Want> {
    let read = read(seen);
    let all: Vec<String> = read.todos.into_iter().map(|todo| todo.happened).collect();
    (read.tone >= Tone::Wait).then(|| Want {
        name: read.seen.name,
        tone: read.tone.class(),
        happened: if all.is_empty() {
            format!("{}.", read.word)
        } else {
            all.join(" ")
        },
    })
}

fn title(seen: &PrinterSeen) -> String {
    match seen.kind {
        PrinterKind::Documents => format!("Printer {}", seen.name),
        // A machine has one at most.
        PrinterKind::Tickets => "Printer tiket".to_owned(),
    }
}

fn sum(read: &[Read]) -> Sum {
    let worst = read.iter().map(|read| read.tone).max();
    let (word, tone) = match worst {
        None => ("TIDAK ADA PRINTER", Tone::Wait),
        Some(Tone::Good | Tone::Note) => ("PRINTER SIAP", Tone::Good),
        Some(Tone::Wait) => ("PERLU DISIAPKAN", Tone::Wait),
        Some(Tone::Bad) => ("PERLU DITANGANI SEKARANG", Tone::Bad),
    };
    let mut bring: Vec<String> = Vec::new();
    for printer in read {
        let things = printer
            .todos
            .iter()
            .filter_map(|todo| todo.bring.as_deref());
        for thing in things {
            let is_of_any = read.len() > 1 && printer.seen.kind == PrinterKind::Documents;
            let thing = if is_of_any {
                format!("{} (printer {})", small(thing), printer.seen.name)
            } else {
                small(thing)
            };
            if !bring.contains(&thing) {
                bring.push(thing);
            }
        }
    }
    let meaning = if read.is_empty() {
        "Pengaturan mesin ini tidak menyebut printer. Hubungi petugas TI.".to_owned()
    } else if !bring.is_empty() {
        format!("Ambil: {}.", bring.join(", "))
    } else if tone == Tone::Good {
        "Tidak ada yang perlu diambil.".to_owned()
    } else {
        "Lihat yang tertulis di bawah.".to_owned()
    };
    Sum {
        word,
        tone: tone.class(),
        meaning,
    }
}

/// In the middle of a sentence.
fn small(words: &str) -> String {
    let mut characters = words.chars();
    let first = characters.next().into_iter().flat_map(char::to_lowercase);
    first.chain(characters).collect()
}

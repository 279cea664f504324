//! A day's account as a table for spreadsheets, and the same for programs.
//!
//! RFC 4180: lines end in CR LF, a cell with a separator, a quote or a line break stands in quotes, and a quote in it is
//! doubled. One row a document that counts on the day, a question that was asked or answered on it, and a document that was
//! open at its end; `baris` (`row`) says which. There is no row of sums: a spreadsheet makes its own, and would count one
//! of ours twice.
//!
//! Two notations, of the same rows and columns:
//! - [`Notation::Office`], for people: semicolons, because the spreadsheets of a computer that is set to Indonesian read
//!   the comma as the sign of decimals and the semicolon as that of lists; UTF-8 with a byte order mark, because they take
//!   the characters of a file without one for those of Windows; headings and words in Indonesian, local time.
//! - [`Notation::Data`], for programs: commas, no mark, [`Field::key`]s as headings, which stay as they are for ever (a new
//!   one stands behind the last), keywords of the protocol, RFC 3339 in UTC. An empty cell is "none".
//!
//! In both, a cell that a spreadsheet would take for a formula has an apostrophe before it, within it as well where another
//! separator would begin a cell there: a reason is typed by people, and who reads the file need not be who wrote it. A
//! program takes one apostrophe away that stands before `=`, `+`, `-` or `@`.

use loket_wire::{Timestamp, Zone};

use super::day::Day;
use super::known::Ordered;
use super::lines::{JobLine, OpenLine, Outcome, QuestionLine, ReprintLine};
use super::words;

/// Who reads the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notation {
    /// People, with a spreadsheet.
    Office,
    /// Programs.
    Data,
}

impl Notation {
    const fn separator(self) -> char {
        match self {
            Self::Office => ';',
            Self::Data => ',',
        }
    }
}

macro_rules! fields {
    ($($name:ident $key:literal $heading:literal,)+) => {
        /// A column.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        enum Field { $($name,)+ }

        impl Field {
            const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// What programs call it.
            const fn key(self) -> &'static str {
                match self { $(Self::$name => $key,)+ }
            }

            /// What people read above it.
            const fn heading(self) -> &'static str {
                match self { $(Self::$name => $heading,)+ }
            }
        }
    };
}

fields! {
    Row "row" "baris",
    Machine "machine" "mesin",
    Day "day" "tanggal",
    At "at" "waktu",
    ClockTrusted "clock_trusted" "jam dipastikan",
    JobId "job_id" "pekerjaan cetak",
    Reference "reference" "nomor",
    Service "service" "layanan",
    Class "class" "golongan",
    Ordered "ordered" "perintah dari",
    Outcome "outcome" "hasil",
    Reason "reason" "sebab",
    GoodSheets "good_sheets" "lembar baik",
    SpoiledSheets "spoiled_sheets" "lembar rusak",
    CountedBy "counted_by" "dihitung oleh",
    Attempts "attempts" "percobaan",
    ReleasedBy "released_by" "dilepas oleh",
    EndedBy "ended_by" "diakhiri oleh",
    Found "found" "jawaban",
    AnsweredBy "answered_by" "dijawab oleh",
    AnsweredAt "answered_at" "dijawab pada",
    Replaces "replaces" "menggantikan",
    Because "because" "alasan cetak ulang",
    ReprintBy "reprint_by" "cetak ulang dipesan",
}

/// The day as a table.
#[must_use]
pub fn csv(day: &Day, notation: Notation) -> String {
    let mut table = Table {
        day,
        notation,
        text: String::new(),
    };
    if notation == Notation::Office {
        table.text.push('\u{feff}');
    }
    let headings = Field::ALL.iter().map(|field| match notation {
        Notation::Office => field.heading().to_owned(),
        Notation::Data => field.key().to_owned(),
    });
    table.line(headings);
    for line in &day.jobs {
        let mut reprints = day.reprints.iter();
        let reprint = reprints.find(|reprint| reprint.job_id == line.job_id);
        table.row(|field| table_cell_of_job(day, notation, field, line, reprint));
    }
    for line in &day.questions {
        table.row(|field| of_question(day, notation, field, line));
    }
    for line in &day.open {
        table.row(|field| of_open(day, notation, field, line));
    }
    table.text
}

struct Table<'a> {
    day: &'a Day,
    notation: Notation,
    text: String,
}

impl Table<'_> {
    fn row(&mut self, cell: impl Fn(Field) -> String) {
        let day = self.day;
        let cells = Field::ALL.iter().map(|field| {
            if *field == Field::Machine {
                day.machine.to_string()
            } else if *field == Field::Day {
                day.day.to_string()
            } else {
                cell(*field)
            }
        });
        self.line(cells);
    }

    fn line(&mut self, cells: impl Iterator<Item = String>) {
        let separator = self.notation.separator();
        for (at, cell) in cells.enumerate() {
            if at > 0 {
                self.text.push(separator);
            }
            self.text.push_str(&quoted(&harmless(&cell)));
        }
        self.text.push_str("\r\n");
    }
}

/// What some spreadsheet takes for the end of a cell.
const fn ends_a_cell(character: char) -> bool {
    matches!(character, ';' | ',' | '\t' | '"' | '\r' | '\n')
}

/// What some spreadsheet takes for the beginning of a formula.
const fn begins_a_formula(character: char) -> bool {
    matches!(character, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠')
}

fn harmless(cell: &str) -> String {
    let mut text = String::with_capacity(cell.len());
    let mut is_start = true;
    for character in cell.chars() {
        if is_start && begins_a_formula(character) {
            text.push('\'');
        }
        is_start = ends_a_cell(character) || (is_start && character.is_whitespace());
        text.push(character);
    }
    text
}

fn quoted(cell: &str) -> String {
    let is_padded = cell.trim() != cell;
    if is_padded || cell.contains(ends_a_cell) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

/// The word of a value as the protocol has it.
fn keyword(value: impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        // Every enum here is a word.
        Ok(_) | Err(_) => String::new(),
    }
}

/// The word for `notation` of a value that has one for people.
fn word(notation: Notation, value: impl serde::Serialize, for_people: &str) -> String {
    match notation {
        Notation::Office => for_people.to_owned(),
        Notation::Data => keyword(value),
    }
}

fn time(notation: Notation, zone: Zone, at: Timestamp) -> String {
    match notation {
        Notation::Office => words::moment(zone, at),
        Notation::Data => at.to_string(),
    }
}

fn truth(notation: Notation, value: bool) -> String {
    let said = match (notation, value) {
        (Notation::Office, true) => "ya",
        (Notation::Office, false) => "belum",
        (Notation::Data, true) => "true",
        (Notation::Data, false) => "false",
    };
    said.to_owned()
}

fn who(notation: Notation, by: Option<&str>) -> String {
    match (notation, by) {
        (_any, None) => String::new(),
        (Notation::Office, by) => words::who(by),
        (Notation::Data, Some(by)) => by.to_owned(),
    }
}

fn kind(notation: Notation, office: &str, data: &str) -> String {
    match notation {
        Notation::Office => office.to_owned(),
        Notation::Data => data.to_owned(),
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a cell that a row does not have is empty"
)]
fn table_cell_of_job(
    day: &Day,
    notation: Notation,
    field: Field,
    line: &JobLine,
    reprint: Option<&ReprintLine>,
) -> String {
    let sheets_of = |outcome| {
        if line.outcome == outcome {
            line.sheets.to_string()
        } else {
            String::new()
        }
    };
    match field {
        Field::Row => kind(notation, "dokumen", "document"),
        Field::At => time(notation, day.zone, line.at),
        Field::ClockTrusted => truth(notation, line.clock_trusted),
        Field::JobId => line.job_id.to_string(),
        Field::Reference => line.reference.to_string(),
        Field::Service => line.service.as_str().to_owned(),
        Field::Class => word(notation, line.class, words::class(line.class)),
        Field::Ordered => match (notation, &line.ordered) {
            (Notation::Office, ordered) => words::ordered(ordered),
            (Notation::Data, Ordered::Central) => "central".to_owned(),
            (Notation::Data, Ordered::Machine) => "machine".to_owned(),
            (Notation::Data, Ordered::ByHand { by: None }) => "by-hand".to_owned(),
            (Notation::Data, Ordered::ByHand { by: Some(name) }) => format!("by-hand:{name}"),
        },
        Field::Outcome => word(
            notation,
            line.outcome,
            words::ended(line.outcome, line.reason),
        ),
        Field::Reason => line.reason.map_or_else(String::new, |reason| {
            word(notation, reason, words::reason(Some(reason)))
        }),
        Field::GoodSheets => sheets_of(Outcome::Printed),
        Field::SpoiledSheets => sheets_of(Outcome::Spoiled),
        Field::CountedBy => word(
            notation,
            line.counted_by,
            words::counted_by(line.counted_by),
        ),
        Field::Attempts => line.attempt_count.to_string(),
        Field::ReleasedBy => who(notation, line.released_by.as_deref()),
        Field::EndedBy => who(notation, line.ended_by.as_deref()),
        Field::Replaces => reprint.map_or_else(String::new, |it| it.replaces.to_string()),
        Field::Because => reprint.map_or_else(String::new, |it| it.because.clone()),
        Field::ReprintBy => who(notation, reprint.map(|it| it.ordered_by.as_str())),
        _of_others => String::new(),
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a cell that a row does not have is empty"
)]
fn of_question(day: &Day, notation: Notation, field: Field, line: &QuestionLine) -> String {
    match field {
        Field::Row => kind(notation, "pertanyaan", "question"),
        Field::At => time(notation, day.zone, line.asked_at),
        Field::ClockTrusted => truth(notation, line.clock_trusted),
        Field::JobId => line.job_id.to_string(),
        Field::Reference => line.reference.to_string(),
        Field::Reason => line.reason.map_or_else(String::new, |reason| {
            word(notation, reason, words::reason(Some(reason)))
        }),
        Field::Found => match (notation, line.found) {
            (Notation::Office, found) => words::found(found).to_owned(),
            (Notation::Data, found) => found.map_or_else(String::new, keyword),
        },
        Field::AnsweredBy if line.answered_at.is_none() => String::new(),
        Field::AnsweredBy => match (notation, line.answered_by.as_deref()) {
            (Notation::Office, by) => words::who(by),
            (Notation::Data, by) => by.unwrap_or("machine").to_owned(),
        },
        Field::AnsweredAt => line
            .answered_at
            .map_or_else(String::new, |at| time(notation, day.zone, at)),
        _of_others => String::new(),
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a cell that a row does not have is empty"
)]
fn of_open(day: &Day, notation: Notation, field: Field, line: &OpenLine) -> String {
    match field {
        Field::Row => kind(notation, "terbuka", "open"),
        Field::At => time(notation, day.zone, line.since),
        Field::ClockTrusted => truth(notation, line.clock_trusted),
        Field::JobId => line.job_id.to_string(),
        Field::Reference => line.reference.to_string(),
        Field::Service => line.service.as_str().to_owned(),
        Field::Outcome => match notation {
            Notation::Office => line.state.in_words().to_owned(),
            Notation::Data => line.state.as_str().to_owned(),
        },
        Field::Reason => line.reason.map_or_else(String::new, |reason| {
            word(notation, reason, words::reason(Some(reason)))
        }),
        _of_others => String::new(),
    }
}

//! A day's account as a form for paper, and for a page.

use loket_wire::form::{Column, Form, Table};
use loket_wire::{Class, JobId, Timestamp};

use super::day::{Day, Totals};
use super::lines::{Outcome, SheetCount, Sums};
use super::words;

/// What stands behind the hour where no central had confirmed the clock.
const UNTRUSTED: &str = "*";

/// Who has the form made, and for whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Printed {
    /// The office, by its name where it is known, else by its id.
    pub office: String,
    /// When it is made.
    pub at: Timestamp,
    /// Whether that clock is trusted.
    pub clock_trusted: bool,
    /// Who has it made.
    pub by: String,
    /// Whence the account is: the station's own journal, or central.
    pub source: &'static str,
}

/// The form of a day.
#[must_use]
pub fn form(day: &Day, printed: &Printed) -> Form {
    let made = format!(
        "{}{}",
        words::moment(day.zone, printed.at),
        mark(printed.clock_trusted)
    );
    Form {
        giver: printed.office.clone(),
        title: "Laporan harian cetak dokumen".to_owned(),
        facts: vec![
            fact("Stasiun", day.machine.as_str()),
            fact("Hari", &words::day(day.day)),
            fact("Dibuat pada", &made),
            fact("Dibuat oleh", &printed.by),
            fact("Sumber", printed.source),
        ],
        tables: vec![
            summary(&day.totals),
            services(day),
            spoiled(day),
            reprints(day),
            questions(day),
            open(day),
            jobs(day),
        ],
        notes: notes(&day.totals),
        signatures: vec!["Petugas".to_owned(), "Mengetahui".to_owned()],
        foot: format!("{} · {} · dibuat {made}", day.machine, day.day),
    }
}

fn fact(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

const fn mark(clock_trusted: bool) -> &'static str {
    if clock_trusted { "" } else { UNTRUSTED }
}

/// By what people call a job: the last part of its id.
fn number(job: JobId) -> String {
    let text = job.to_string();
    text.rsplit('-').next().unwrap_or_default().to_owned()
}

fn summary(totals: &Totals) -> Table {
    let row = |what: &str, count: u32| vec![what.to_owned(), count.to_string()];
    Table {
        heading: "Ringkasan".to_owned(),
        columns: vec![Column::words("Uraian", 80), Column::numbers("Jumlah", 20)],
        rows: vec![
            row("Dokumen tercetak", totals.controlled.printed),
            row("Lembar baik", totals.controlled.good_sheets),
            row("Lembar rusak", totals.controlled.spoiled_sheets),
            row("Cetak ulang", totals.reprints),
            row(
                "Dicetak dengan tangan, tanpa perintah pusat",
                totals.by_hand,
            ),
            row(
                "Pertanyaan tentang kertas, diajukan",
                totals.questions_asked,
            ),
            row(
                "Pertanyaan tentang kertas, dijawab",
                totals.questions_answered,
            ),
            row(
                "Kertas sendiri: tiket, slip, uji coba (lembar)",
                totals.own.good_sheets,
            ),
            row(
                "Lembar perawatan printer, bukan untuk warga",
                totals.exercise.good_sheets,
            ),
            row("Terbuka saat hari dimulai", totals.carried_in),
            row("Masuk hari ini", totals.arrived),
            row("Selesai hari ini", totals.settled),
            row("Masih terbuka saat hari berakhir", totals.carried_out),
            row(
                "– di antaranya: kertas belum pasti keluar",
                totals.sheets_in_doubt,
            ),
        ],
        sums: None,
        if_empty: String::new(),
    }
}

fn sums_row(first: &str, sums: &Sums) -> Vec<String> {
    let counts = [
        sums.documents,
        sums.printed,
        sums.spoiled,
        sums.failed,
        sums.rejected,
        sums.expired,
        sums.cancelled,
        sums.good_sheets,
        sums.spoiled_sheets,
    ];
    let mut row = vec![first.to_owned()];
    row.extend(counts.iter().map(u32::to_string));
    row
}

fn services(day: &Day) -> Table {
    let mut columns = vec![Column::words("Layanan", 100)];
    for (heading, share) in [
        ("Dokumen", 51),
        ("Tercetak", 49),
        ("Rusak", 38),
        ("Gagal", 39),
        ("Ditolak", 44),
        ("Lewat waktu", 40),
        ("Dibatalkan", 59),
        ("Lembar baik", 44),
        ("Lembar rusak", 44),
    ] {
        columns.push(Column::numbers(heading, share));
    }
    let row = |line: &super::ServiceLine| {
        let name = match line.class {
            Class::Own if line.service.is_exercise() => words::EXERCISE.to_owned(),
            Class::Controlled => line.service.as_str().to_owned(),
            Class::Own => format!("{} (kertas sendiri)", line.service.as_str()),
        };
        sums_row(&name, &line.sums)
    };
    let all = day.totals.all();
    Table {
        heading: "Dokumen menurut layanan".to_owned(),
        columns,
        rows: day.services.iter().map(row).collect(),
        sums: Some(sums_row("Jumlah", &all)),
        if_empty: "Tidak ada dokumen yang selesai pada hari ini.".to_owned(),
    }
}

fn spoiled(day: &Day) -> Table {
    let rows = day.spoiled.iter().map(|line| {
        let because = match line.asked_because {
            Some(reason) => words::reason(Some(reason)),
            None => "petugas menyatakan rusak",
        };
        vec![
            words::hour(day.zone, day.day, line.at),
            line.reference.to_string(),
            number(line.job_id),
            line.sheets.to_string(),
            because.to_owned(),
            words::who(line.said_by.as_deref()),
            words::hour(day.zone, day.day, line.said_at),
        ]
    });
    let sum = day.totals.all().spoiled_sheets.to_string();
    let blank = String::new;
    Table {
        heading: "Lembar rusak".to_owned(),
        columns: vec![
            Column::words("Pukul", 12),
            Column::words("Nomor", 24),
            Column::words("Pekerjaan", 21),
            Column::numbers("Lembar", 14),
            Column::words("Sebab", 30),
            Column::words("Dinyatakan oleh", 20),
            Column::words("Pada", 12),
        ],
        rows: rows.collect(),
        sums: Some(vec![
            "Jumlah".to_owned(),
            blank(),
            blank(),
            sum,
            blank(),
            blank(),
            blank(),
        ]),
        if_empty: "Tidak ada lembar rusak.".to_owned(),
    }
}

fn reprints(day: &Day) -> Table {
    let rows = day.reprints.iter().map(|line| {
        let earlier = match line.earlier {
            Some(outcome) => {
                let by = line.earlier_by.as_deref();
                let by = by.map_or_else(String::new, |by| format!(", {}", words::who(Some(by))));
                format!("{}: {}{by}", number(line.replaces), words::outcome(outcome))
            }
            None => number(line.replaces),
        };
        vec![
            words::hour(day.zone, day.day, line.at),
            line.reference.to_string(),
            number(line.job_id),
            words::outcome(line.outcome).to_owned(),
            earlier,
            line.because.clone(),
            words::who(Some(&line.ordered_by)),
        ]
    });
    Table {
        heading: "Cetak ulang".to_owned(),
        columns: vec![
            Column::words("Pukul", 11),
            Column::words("Nomor", 20),
            Column::words("Pekerjaan", 20),
            Column::words("Hasil", 13),
            Column::words("Menggantikan", 24),
            Column::words("Alasan", 26),
            Column::words("Dipesan oleh", 18),
        ],
        rows: rows.collect(),
        sums: None,
        if_empty: "Tidak ada cetak ulang.".to_owned(),
    }
}

fn questions(day: &Day) -> Table {
    let rows = day.questions.iter().map(|line| {
        let (by, at) = match line.answered_at {
            Some(at) => (
                words::who(line.answered_by.as_deref()),
                words::hour(day.zone, day.day, at),
            ),
            None => (String::new(), String::new()),
        };
        vec![
            words::hour(day.zone, day.day, line.asked_at) + mark(line.clock_trusted),
            line.reference.to_string(),
            number(line.job_id),
            words::reason(line.reason).to_owned(),
            words::found(line.found).to_owned(),
            by,
            at,
        ]
    });
    Table {
        heading: "Pertanyaan tentang kertas".to_owned(),
        columns: vec![
            Column::words("Ditanya", 12),
            Column::words("Nomor", 22),
            Column::words("Pekerjaan", 20),
            Column::words("Sebab", 28),
            Column::words("Jawaban", 16),
            Column::words("Dijawab oleh", 18),
            Column::words("Pada", 12),
        ],
        rows: rows.collect(),
        sums: None,
        if_empty: "Tidak ada pertanyaan.".to_owned(),
    }
}

fn open(day: &Day) -> Table {
    let rows = day.open.iter().map(|line| {
        vec![
            words::hour(day.zone, day.day, line.since) + mark(line.clock_trusted),
            line.reference.to_string(),
            number(line.job_id),
            line.service.as_str().to_owned(),
            line.state.in_words().to_owned(),
            words::reason(line.reason).to_owned(),
        ]
    });
    Table {
        heading: "Belum diketahui saat hari berakhir".to_owned(),
        columns: vec![
            Column::words("Sejak", 14),
            Column::words("Nomor", 24),
            Column::words("Pekerjaan", 21),
            Column::words("Layanan", 20),
            Column::words("Keadaan", 24),
            Column::words("Sebab", 28),
        ],
        rows: rows.collect(),
        sums: None,
        if_empty: "Semua pekerjaan sudah selesai.".to_owned(),
    }
}

fn jobs(day: &Day) -> Table {
    let sheets = |is_it: bool, sheets: u32, counted_by: SheetCount| {
        let text = if counted_by == SheetCount::Unknown {
            "?".to_owned()
        } else {
            sheets.to_string()
        };
        if is_it { text } else { String::new() }
    };
    let rows = day.jobs.iter().map(|line| {
        let by = line.ended_by.as_deref().or(line.released_by.as_deref());
        vec![
            words::hour(day.zone, day.day, line.at) + mark(line.clock_trusted),
            line.reference.to_string(),
            number(line.job_id),
            line.service.as_str().to_owned(),
            words::ended(line.outcome, line.reason).to_owned(),
            sheets(
                line.outcome == Outcome::Printed,
                line.sheets,
                line.counted_by,
            ),
            sheets(
                line.outcome == Outcome::Spoiled,
                line.sheets,
                line.counted_by,
            ),
            words::ordered(&line.ordered),
            by.map_or_else(String::new, |by| words::who(Some(by))),
        ]
    });
    let all = day.totals.all();
    let blank = String::new;
    Table {
        heading: "Lembar menurut pekerjaan".to_owned(),
        columns: vec![
            Column::words("Pukul", 12),
            Column::words("Nomor", 22),
            Column::words("Pekerjaan", 20),
            Column::words("Layanan", 18),
            Column::words("Hasil", 16),
            Column::numbers("Baik", 10),
            Column::numbers("Rusak", 11),
            Column::words("Perintah dari", 20),
            Column::words("Petugas", 17),
        ],
        rows: rows.collect(),
        sums: Some(vec![
            "Jumlah".to_owned(),
            blank(),
            blank(),
            blank(),
            blank(),
            all.good_sheets.to_string(),
            all.spoiled_sheets.to_string(),
            blank(),
            blank(),
        ]),
        if_empty: "Tidak ada dokumen yang selesai pada hari ini.".to_owned(),
    }
}

fn notes(totals: &Totals) -> Vec<String> {
    let mut notes = vec![
        "Dokumen dihitung pada hari kertasnya keluar; kertas yang ditanyakan dihitung pada hari pertanyaannya, \
         walau dijawab kemudian. Laporan hari yang sama karena itu dapat bertambah sesudah pertanyaan dijawab."
            .to_owned(),
        "Pekerjaan disebut dengan dua belas tanda terakhir nomornya. Nama, NIK, dan nomor KK warga tidak dicantumkan.".to_owned(),
    ];
    if totals.by_untrusted_clock > 0 {
        notes.push(format!(
            "* {} dokumen dicatat saat jam mesin belum dipastikan pusat; harinya mungkin lain.",
            totals.by_untrusted_clock
        ));
    }
    if totals.uncounted > 0 {
        notes.push(format!(
            "? {} dokumen keluar tanpa hitungan lembar; lembarnya tidak masuk jumlah.",
            totals.uncounted
        ));
    }
    if totals.unread > 0 {
        notes.push(format!(
            "{} pekerjaan di mesin ini ditulis oleh versi program yang lain dan tidak terbaca; sebagian mungkin milik hari ini.",
            totals.unread
        ));
    }
    if totals.sheets_in_doubt > 0 {
        notes.push(format!(
            "{} pekerjaan menunggu jawaban petugas: kertasnya mungkin sudah keluar dan belum dihitung.",
            totals.sheets_in_doubt
        ));
    }
    notes
}

//! The account as tables for people and programs.

use super::*;

const OFFICE: &str = include_str!("day-office.csv");
const DATA: &str = include_str!("day-data.csv");

/// A day with one of everything.
fn example() -> Day {
    let again = Known {
        reprint: Some(Reprint {
            job: job_id(2),
            reason: "=HYPERLINK(\"x\"); kertas \"sobek\", basah".to_owned(),
            by: "token:siti".to_owned(),
        }),
        ..printed(3, 60)
    };
    let mut by_hand = printed(4, 70);
    by_hand.reference = "-LOKAL".parse().unwrap();
    by_hand.ordered = Ordered::ByHand {
        by: Some("@budi".to_owned()),
    };
    by_hand.steps[1].clock_trusted = false;
    let pending = with(
        known(5),
        [because(90, JobState::Unknown, Reason::PrinterForgot)],
    );
    let mut own = printed(6, 95);
    own.class = Class::Own;
    own.service = Service::new("tiket").unwrap();
    friday(&[printed(1, 5), spoiled(2, 10), again, by_hand, pending, own])
}

/// RFC 4180, by hand.
fn cells(text: &str, separator: char) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut characters = text.chars().peekable();
    let mut is_quoted = false;
    while let Some(character) = characters.next() {
        match character {
            '"' if is_quoted && characters.peek() == Some(&'"') => {
                cell.push('"');
                characters.next();
            }
            '"' => is_quoted = !is_quoted,
            '\r' if !is_quoted => {
                assert_eq!(characters.next(), Some('\n'));
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            other if other == separator && !is_quoted => row.push(std::mem::take(&mut cell)),
            other => cell.push(other),
        }
    }
    assert!(cell.is_empty() && row.is_empty() && !is_quoted, "cut short");
    rows
}

/// Each snapshot has the line ends of a text file.
fn check(written: &str, snapshot: &str, name: &str) {
    assert_eq!(
        written.replace("\r\n", "\n"),
        snapshot,
        "{name}:\n{written}"
    );
}

#[test]
fn the_tables_of_a_day_are_as_they_were() {
    let day = example();
    check(&csv(&day, Notation::Office), OFFICE, "day-office.csv");
    check(&csv(&day, Notation::Data), DATA, "day-data.csv");
}

#[test]
fn each_row_has_each_cell_and_the_file_says_how_it_is_written() {
    let day = example();
    let office = csv(&day, Notation::Office);
    let office = cells(office.strip_prefix('\u{feff}').unwrap(), ';');
    let data = cells(&csv(&day, Notation::Data), ',');
    assert_eq!(office.len(), data.len());
    assert_eq!(
        office.len(),
        1 + day.jobs.len() + day.questions.len() + day.open.len()
    );
    let columns = office[0].len();
    assert!(office.iter().chain(&data).all(|row| row.len() == columns));
    assert_eq!(data[0][0], "row");
    let because = data[0].iter().position(|key| key == "because").unwrap();
    assert!(
        data.iter()
            .any(|row| row[because].contains("kertas \"sobek\", basah"))
    );
}

#[test]
fn no_cell_is_a_formula_for_any_spreadsheet() {
    let day = example();
    for (notation, own) in [(Notation::Office, ';'), (Notation::Data, ',')] {
        let text = csv(&day, notation);
        assert!(
            text.contains("'-LOKAL") && text.contains("'=HYPERLINK"),
            "{text}"
        );
        // A spreadsheet with another separator cuts the file where it was not meant to be cut.
        for separator in [own, ';', ',', '\t'] {
            let cells = text.split([separator, '\n', '\r']);
            for cell in cells {
                let cell = cell.trim_start_matches(['"', ' ']);
                assert!(!cell.starts_with(['=', '+', '-', '@']), "{cell} of {text}");
            }
        }
    }
}

#[test]
fn the_form_has_the_sums_of_the_account_and_every_row_its_cells() {
    let day = example();
    let printed = Printed {
        office: "Kecamatan Contoh".to_owned(),
        at: MORNING,
        clock_trusted: true,
        by: "wati".to_owned(),
        source: "jurnal stasiun",
    };
    let form = form(&day, &printed);
    for table in &form.tables {
        let columns = table.columns.len();
        let rows = table.rows.iter().chain(&table.sums);
        assert!(
            rows.into_iter().all(|row| row.len() == columns),
            "{}",
            table.heading
        );
        assert!(table.rows.iter().all(|row| !row[0].is_empty()));
    }
    let jobs = form.tables.last().unwrap();
    assert_eq!(jobs.rows.len(), day.jobs.len());
    assert_eq!(
        jobs.sums.as_ref().unwrap()[5],
        "8",
        "good sheets with own papers"
    );
    let facts: Vec<&str> = form
        .facts
        .iter()
        .map(|(_name, value)| value.as_str())
        .collect();
    assert!(facts.contains(&"Jumat, 27 November 2026"), "{facts:?}");
    assert!(facts.contains(&"27-11-2026 09.00 WIB"), "{facts:?}");
    assert!(
        form.notes
            .iter()
            .any(|note| note.starts_with("* 1 dokumen"))
    );
    let example_day = of("2026-11-27");
    let untouched = super::form(&super::day(&example_day, &[]).unwrap(), &printed);
    assert!(
        untouched
            .tables
            .iter()
            .skip(1)
            .all(|table| table.rows.is_empty() && !table.if_empty.is_empty())
    );
}

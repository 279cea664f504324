//! Where everything stands: tables break over pages with their headings said again.

use loket_wire::form::{Column, Form, Table};

use super::face::{Faces, Weight};
use super::page::{Item, PAGE_HEIGHT, PAGE_WIDTH, Page};
use super::{FormError, MAX_PAGES};
use crate::num::float;

/// Margins in points; a hole punch takes 12 mm at the left.
const LEFT: f32 = 51.0;
const RIGHT: f32 = 40.0;
const TOP: f32 = 42.0;
/// Below it stands the foot.
const BOTTOM: f32 = PAGE_HEIGHT - 56.0;
const WIDTH: f32 = PAGE_WIDTH - LEFT - RIGHT;

/// What is read at arm's length, on paper and by tired eyes.
const TEXT_SIZE: f32 = 8.5;
const HEADING_SIZE: f32 = 11.0;
const TITLE_SIZE: f32 = 16.0;
const FOOT_SIZE: f32 = 7.5;

/// From one line to the next, as parts of the size.
const LEADING: f32 = 1.25;
/// From the upper edge of a line to its base line.
const ASCENT: f32 = 0.95;

/// Air around the words of a cell.
const CELL_PAD_X: f32 = 3.0;
const CELL_PAD_Y: f32 = 2.2;
/// Behind a number, which would else run into the words of the next column.
const NUMBER_PAD_X: f32 = 6.0;
/// Air above a table.
const TABLE_GAP: f32 = 15.0;

/// Lines of one cell: the longest reason in the narrowest column has fewer.
const MAX_CELL_LINES: usize = 24;
/// Lines of a sentence below the tables.
const MAX_NOTE_LINES: usize = 8;

/// Room for a name written by hand.
const SIGNATURE_HEIGHT: f32 = 92.0;

const REGULAR: (f32, Weight) = (TEXT_SIZE, Weight::Regular);
const BOLD: (f32, Weight) = (TEXT_SIZE, Weight::Bold);

/// Lays the form out.
pub(super) fn pages(form: &Form, faces: &Faces) -> Result<Vec<Page>, FormError> {
    let mut pen = Pen {
        faces,
        pages: vec![Page::default()],
        y: TOP,
    };
    pen.head(form);
    for table in &form.tables {
        pen.table(table)?;
    }
    pen.notes(&form.notes)?;
    pen.signatures(&form.signatures)?;
    let foot = faces.known(&form.foot);
    let mut pages = pen.pages;
    let count = pages.len();
    for (no, page) in (1_usize..).zip(&mut pages) {
        page.items
            .extend(foot_of(faces, &foot, &format!("Halaman {no} dari {count}")));
    }
    Ok(pages)
}

fn foot_of(faces: &Faces, foot: &str, number: &str) -> [Item; 3] {
    let y = BOTTOM + 22.0;
    let words = |x, text: &str| Item::Words {
        x,
        y,
        size: FOOT_SIZE,
        weight: Weight::Regular,
        text: text.to_owned(),
    };
    let width = faces.width(number, FOOT_SIZE, Weight::Regular);
    let room = WIDTH - width - 12.0;
    let foot = faces.lines(foot, (FOOT_SIZE, Weight::Regular), room, 1);
    [
        Item::Rule {
            x: LEFT,
            y: BOTTOM + 10.0,
            width: WIDTH,
            thickness: 0.5,
        },
        words(LEFT, foot.first().map_or("", String::as_str)),
        words(LEFT + WIDTH - width, number),
    ]
}

/// A cell's lines.
type Cell = Vec<String>;

/// A row that was broken into lines.
struct Row {
    cells: Vec<Cell>,
    height: f32,
    weight: Weight,
}

struct Pen<'a> {
    faces: &'a Faces,
    pages: Vec<Page>,
    y: f32,
}

impl Pen<'_> {
    fn put(&mut self, item: Item) {
        if let Some(page) = self.pages.last_mut() {
            page.items.push(item);
        }
    }

    fn words(&mut self, (x, y): (f32, f32), (size, weight): (f32, Weight), text: &str) {
        if !text.is_empty() {
            self.put(Item::Words {
                x,
                y,
                size,
                weight,
                text: text.to_owned(),
            });
        }
    }

    fn line(&mut self, x: f32, style: (f32, Weight), text: &str) {
        let y = style.0.mul_add(ASCENT, self.y);
        self.words((x, y), style, text);
        self.y = style.0.mul_add(LEADING, self.y);
    }

    const fn has_room(&self, height: f32) -> bool {
        self.y + height <= BOTTOM
    }

    fn next_page(&mut self) -> Result<(), FormError> {
        if self.pages.len() >= MAX_PAGES {
            return Err(FormError::TooLong);
        }
        self.pages.push(Page::default());
        self.y = TOP;
        Ok(())
    }

    fn head(&mut self, form: &Form) {
        let giver = (HEADING_SIZE, Weight::Regular);
        for line in self.faces.lines(&form.giver, giver, WIDTH, 2) {
            self.line(LEFT, giver, &line);
        }
        self.y += 2.0;
        let title = (TITLE_SIZE, Weight::Bold);
        for line in self.faces.lines(&form.title, title, WIDTH, 2) {
            self.line(LEFT, title, &line);
        }
        self.y += 4.0;
        let names = form
            .facts
            .iter()
            .map(|(name, _value)| self.faces.width(name, BOLD.0, BOLD.1));
        let indent = LEFT + names.fold(0.0, f32::max) + 14.0;
        for (name, value) in &form.facts {
            let y = self.y;
            let name = self.faces.known(name);
            self.line(LEFT, BOLD, &name);
            self.y = y;
            for line in self.faces.lines(value, REGULAR, LEFT + WIDTH - indent, 2) {
                self.line(indent, REGULAR, &line);
            }
            self.y += 1.5;
        }
    }

    fn row(&self, columns: &[Column], cells: &[String], weight: Weight) -> Row {
        let widths = widths(columns);
        let cells: Vec<Cell> = cells
            .iter()
            .zip(columns)
            .zip(widths)
            .map(|((cell, column), width)| {
                let room = width - CELL_PAD_X - pad_behind(column);
                self.faces
                    .lines(cell, (TEXT_SIZE, weight), room, MAX_CELL_LINES)
            })
            .collect();
        let lines = cells.iter().map(Vec::len).max().unwrap_or(1);
        let height = float(lines) * TEXT_SIZE * LEADING + 2.0 * CELL_PAD_Y;
        Row {
            cells,
            height,
            weight,
        }
    }

    fn draw(&mut self, columns: &[Column], row: &Row) {
        let mut x = LEFT;
        for ((cell, column), width) in row.cells.iter().zip(columns).zip(widths(columns)) {
            let mut y = self.y + CELL_PAD_Y;
            for line in cell {
                let wide = self.faces.width(line, TEXT_SIZE, row.weight);
                let from = if column.is_number {
                    x + width - NUMBER_PAD_X - wide
                } else {
                    x + CELL_PAD_X
                };
                let base = TEXT_SIZE.mul_add(ASCENT, y);
                self.words((from, base), (TEXT_SIZE, row.weight), line);
                y = TEXT_SIZE.mul_add(LEADING, y);
            }
            x += width;
        }
        self.y += row.height;
    }

    fn rule(&mut self, thickness: f32) {
        self.put(Item::Rule {
            x: LEFT,
            y: self.y,
            width: WIDTH,
            thickness,
        });
    }

    fn columns_head(&mut self, columns: &[Column], head: &Row) {
        self.put(Item::Fill {
            x: LEFT,
            y: self.y,
            width: WIDTH,
            height: head.height,
        });
        self.rule(0.8);
        self.draw(columns, head);
        self.rule(0.8);
    }

    /// A heading stays with the head of its columns and the first row.
    fn table(&mut self, table: &Table) -> Result<(), FormError> {
        let columns = &table.columns;
        let names: Vec<String> = columns.iter().map(|it| it.heading.clone()).collect();
        let head = self.row(columns, &names, Weight::Bold);
        let rows: Vec<Row> = table
            .rows
            .iter()
            .map(|cells| self.row(columns, cells, Weight::Regular))
            .collect();
        let heading = (HEADING_SIZE, Weight::Bold);
        let first = rows
            .first()
            .map_or(TEXT_SIZE * LEADING, |row| head.height + row.height);
        let start = HEADING_SIZE.mul_add(LEADING, TABLE_GAP + 3.0);
        if !self.has_room(start + first) {
            self.next_page()?;
        }
        self.y += TABLE_GAP;
        let title = self.faces.known(&table.heading);
        self.line(LEFT, heading, &title);
        self.y += 3.0;
        if rows.is_empty() {
            let empty = self.faces.known(&table.if_empty);
            self.line(LEFT, REGULAR, &empty);
            return Ok(());
        }
        self.columns_head(columns, &head);
        for row in &rows {
            self.below(table, &head, row)?;
        }
        if let Some(sums) = &table.sums {
            let sums = self.row(columns, sums, Weight::Bold);
            self.below(table, &head, &sums)?;
        }
        self.rule(0.8);
        Ok(())
    }

    /// A row below the one before; on another page below the heads, which are said again.
    fn below(&mut self, table: &Table, head: &Row, row: &Row) -> Result<(), FormError> {
        if !self.has_room(row.height) {
            self.rule(0.8);
            self.next_page()?;
            let again = format!("{} (lanjutan)", self.faces.known(&table.heading));
            self.line(LEFT, (HEADING_SIZE, Weight::Bold), &again);
            self.y += 3.0;
            self.columns_head(&table.columns, head);
        }
        self.draw(&table.columns, row);
        self.rule(if row.weight == Weight::Bold {
            0.8
        } else {
            0.25
        });
        Ok(())
    }

    fn notes(&mut self, notes: &[String]) -> Result<(), FormError> {
        self.y += TABLE_GAP;
        for note in notes {
            let lines = self.faces.lines(note, REGULAR, WIDTH, MAX_NOTE_LINES);
            if !self.has_room(float(lines.len()) * TEXT_SIZE * LEADING) {
                self.next_page()?;
            }
            for line in lines {
                self.line(LEFT, REGULAR, &line);
            }
            self.y += 3.0;
        }
        Ok(())
    }

    /// All in one row, on one page.
    fn signatures(&mut self, signatures: &[String]) -> Result<(), FormError> {
        if signatures.is_empty() {
            return Ok(());
        }
        if !self.has_room(SIGNATURE_HEIGHT) {
            self.next_page()?;
        }
        let share = WIDTH / float(signatures.len());
        let top = self.y + 12.0;
        for (at, who) in signatures.iter().enumerate() {
            let x = float(at).mul_add(share, LEFT);
            self.y = top;
            let who = self.faces.known(who);
            self.line(x, REGULAR, &format!("{who},"));
            self.y = top + 60.0;
            self.put(Item::Rule {
                x,
                y: self.y,
                width: share * 0.7,
                thickness: 0.5,
            });
            self.y += 3.0;
            self.line(x, REGULAR, "Nama, tanda tangan");
        }
        Ok(())
    }
}

const fn pad_behind(column: &Column) -> f32 {
    if column.is_number {
        NUMBER_PAD_X
    } else {
        CELL_PAD_X
    }
}

/// The widths of columns, in points.
fn widths(columns: &[Column]) -> Vec<f32> {
    let all: f32 = columns.iter().map(|it| f32::from(it.share)).sum();
    let of = |column: &Column| WIDTH * f32::from(column.share) / all.max(1.0);
    columns.iter().map(of).collect()
}

//! A page made of words: what one core has to say and another draws, and pages show as well.
//!
//! It holds text alone. How wide a column is in millimetres, where a page ends and what stands at its foot is the matter
//! of whoever draws it.

/// A form: a head, tables, notes, and lines for a signature.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Form {
    /// Who gives it: the office.
    pub giver: String,
    /// What it is.
    pub title: String,
    /// What it is about, as pairs of a name and a value.
    pub facts: Vec<(String, String)>,
    /// The tables, in their order.
    pub tables: Vec<Table>,
    /// Sentences below the tables.
    pub notes: Vec<String>,
    /// Who signs: each a line to sign on, with this below it.
    pub signatures: Vec<String>,
    /// What stands at the foot of each page, beside its number.
    pub foot: String,
}

/// A table with its heading.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    /// What it shows.
    pub heading: String,
    /// Its columns; each row has as many cells.
    pub columns: Vec<Column>,
    /// Its rows.
    pub rows: Vec<Vec<String>>,
    /// The row of sums, where it has one.
    pub sums: Option<Vec<String>>,
    /// What is said in place of rows where there are none.
    pub if_empty: String,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// What stands above it.
    pub heading: String,
    /// Its share of the width: parts of the sum of all.
    pub share: u16,
    /// Whether it holds numbers, which stand at the right.
    pub is_number: bool,
}

impl Column {
    /// A column of words.
    #[must_use]
    pub fn words(heading: &str, share: u16) -> Self {
        Self {
            heading: heading.to_owned(),
            share,
            is_number: false,
        }
    }

    /// A column of numbers.
    #[must_use]
    pub fn numbers(heading: &str, share: u16) -> Self {
        Self {
            is_number: true,
            ..Self::words(heading, share)
        }
    }
}

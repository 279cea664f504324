//! A ticket as lines of meaning; where they stand on the paper is for the layout.

use serde::{Deserialize, Serialize};

use crate::qr::QrPayload;
use crate::text::{Number, Text, TextError};

/// What to bring fits in a glance; more is a slip of its own.
const MAX_NOTES: usize = 8;

/// What a ticket tells its holder. It holds no name and no personal number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketDetails {
    /// The number that is called; the caller gives it away once and never again that day.
    pub number: Number,
    /// What the holder came for, for instance `Penerbitan KK Karena Rusak`.
    pub service: Text,
    /// The office.
    pub office: Text,
    /// The day, as a person writes it, for instance `Jumat, 27 November 2026`.
    pub taken_on: Text,
    /// The hour on the office's clock with its zone, for instance `08.41 WIB`; behind the day where the roll is wide enough.
    pub taken_at: Text,
    /// How many wait in front; nothing is said where it is not known.
    pub waiting: Option<u32>,
    /// What the code leads to: the page that shows the holder's turn.
    pub code: Option<QrPayload>,
    /// What to bring or to know, a line each; lines past the eighth are left out.
    pub notes: Vec<Text>,
}

/// A ticket to be printed: the one of a number, or a copy of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    details: TicketDetails,
    labels: Labels,
    is_copy: bool,
}

impl Ticket {
    /// The ticket of a number that nobody has in hand.
    #[must_use]
    pub fn new(mut details: TicketDetails, labels: Labels) -> Self {
        details.notes.truncate(MAX_NOTES);
        Self {
            details,
            labels,
            is_copy: false,
        }
    }

    /// The same ticket, marked as a copy at its top and bottom: the only way to print a number twice.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self {
            is_copy: true,
            ..self.clone()
        }
    }

    /// True for a copy.
    #[must_use]
    pub fn is_copy(&self) -> bool {
        self.is_copy
    }

    /// What it tells.
    #[must_use]
    pub fn details(&self) -> &TicketDetails {
        &self.details
    }

    /// The words around that.
    #[must_use]
    pub fn labels(&self) -> &Labels {
        &self.labels
    }
}

/// The fixed words of a ticket, as data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Labels {
    /// Over the number.
    pub number: Text,
    /// Before how many wait.
    pub waiting: Text,
    /// Behind how many wait.
    pub people: Text,
    /// Under the code.
    pub code: Text,
    /// Over the notes.
    pub notes: Text,
    /// The mark of a copy; up to ten characters stay large on every roll.
    pub copy: Text,
}

impl Labels {
    /// The words in Indonesian.
    ///
    /// # Errors
    /// [`TextError`] never, for words that fit; the type cannot say so.
    pub fn indonesian() -> Result<Self, TextError> {
        Ok(Self {
            number: Text::new("NOMOR ANTREAN")?,
            waiting: Text::new("Di depan Anda:")?,
            people: Text::new("orang")?,
            code: Text::new("Pindai untuk melihat giliran")?,
            notes: Text::new("Siapkan:")?,
            copy: Text::new("SALINAN")?,
        })
    }
}

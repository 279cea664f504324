//! The four states that a printer tells at once, as faults.

/// Which of its states a printer is asked for.
///
/// # Source
/// Epson, *ESC/POS Command Reference*, DLE EOT n, n = 1 to 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[doc(alias = "DLE EOT")]
pub enum Question {
    /// Whether it is online.
    Printer,
    /// Why it is offline.
    OfflineCause,
    /// Which error it has.
    ErrorCause,
    /// What its paper sensors see.
    Paper,
}

impl Question {
    /// All, in the order in which they are asked.
    pub const ALL: [Self; 4] = [
        Self::Printer,
        Self::OfflineCause,
        Self::ErrorCause,
        Self::Paper,
    ];

    /// The `n` of the command.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Printer => 1,
            Self::OfflineCause => 2,
            Self::ErrorCause => 3,
            Self::Paper => 4,
        }
    }

    /// What an answer to it tells.
    fn faults(self) -> &'static [(u8, Fault)] {
        match self {
            Self::Printer => &[(0x08, Fault::Offline)],
            Self::OfflineCause => &[
                (0x04, Fault::CoverOpen),
                (0x08, Fault::FeedButton),
                (0x20, Fault::PaperEnd),
                (0x40, Fault::Failure),
            ],
            Self::ErrorCause => &[
                (0x04, Fault::Failure),
                (0x08, Fault::Cutter),
                (0x20, Fault::Broken),
                (0x40, Fault::TooHot),
            ],
            Self::Paper => &[(0x0c, Fault::PaperLow), (0x60, Fault::PaperEnd)],
        }
    }
}

/// What is wrong with a printer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The roll is at its end.
    PaperEnd,
    /// Its cover stands open.
    CoverOpen,
    /// Its knife is stuck.
    Cutter,
    /// An error after which only power-off helps.
    Broken,
    /// Its head is too hot, or its voltage wrong; it goes on by itself.
    TooHot,
    /// An error that somebody can mend at the printer.
    Failure,
    /// Somebody holds its feed button.
    FeedButton,
    /// It is offline and says not why.
    Offline,
    /// The roll is nearly at its end: a warning, it prints.
    PaperLow,
}

impl Fault {
    /// A word that never changes, in the style of IPP's `printer-state-reasons`.
    ///
    /// # Source
    /// RFC 8011 section 5.4.12 and PWG 5100.9 where they have the word (media-empty, media-low,
    /// cover-open, separation-cutter-jam); the others are ours.
    #[must_use]
    pub fn keyword(self) -> &'static str {
        match self {
            Self::PaperEnd => "media-empty",
            Self::CoverOpen => "cover-open",
            Self::Cutter => "separation-cutter-jam",
            Self::Broken => "unrecoverable-failure",
            Self::TooHot => "over-temperature",
            Self::Failure => "recoverable-failure",
            Self::FeedButton => "feed-button-held",
            Self::Offline => "offline",
            Self::PaperLow => "media-low",
        }
    }

    /// True where nothing is printed while it lasts.
    #[must_use]
    pub fn stops_printing(self) -> bool {
        self != Self::PaperLow
    }
}

/// What a printer said of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PrinterStatus {
    /// What is wrong, the gravest first, each once.
    pub faults: Vec<Fault>,
    /// False where it was not asked, since it never answers: no fault means nothing then.
    pub is_known: bool,
}

impl PrinterStatus {
    /// What the four answers, in the order of [`Question::ALL`], say together.
    #[must_use]
    pub fn of(answers: [u8; 4]) -> Self {
        let mut faults = Vec::new();
        for (question, answer) in Question::ALL.into_iter().zip(answers) {
            let told = question.faults().iter();
            faults.extend(
                told.filter(|(bits, _)| answer & bits != 0)
                    .map(|(_, fault)| *fault),
            );
        }
        faults.sort_unstable();
        faults.dedup();
        // Offline is told beside its cause, and so is the error behind a broken knife.
        let causes = |fault: &Fault| fault.stops_printing() && *fault != Fault::Offline;
        if faults.iter().any(causes) {
            faults.retain(|fault| *fault != Fault::Offline);
        }
        let errors = [Fault::Cutter, Fault::Broken, Fault::TooHot];
        if faults.iter().any(|fault| errors.contains(fault)) {
            faults.retain(|fault| *fault != Fault::Failure);
        }
        Self {
            faults,
            is_known: true,
        }
    }

    /// True where it prints, as far as it said.
    #[must_use]
    pub fn can_print(&self) -> bool {
        !self.faults.iter().any(|fault| fault.stops_printing())
    }

    /// The words of its faults.
    pub fn keywords(&self) -> impl Iterator<Item = &'static str> {
        self.faults.iter().map(|fault| fault.keyword())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FINE: [u8; 4] = [0x12; 4];

    fn check(answers: [u8; 4], faults: &[Fault]) {
        let status = PrinterStatus::of(answers);
        assert_eq!(status.faults, faults, "{answers:02x?}");
    }

    #[test]
    fn each_bit_says_what_the_reference_says() {
        check(FINE, &[]);
        check([0x1a, 0x12, 0x12, 0x12], &[Fault::Offline]);
        check([0x1a, 0x16, 0x12, 0x12], &[Fault::CoverOpen]);
        check([0x1a, 0x1a, 0x12, 0x12], &[Fault::FeedButton]);
        check([0x1a, 0x32, 0x12, 0x72], &[Fault::PaperEnd]);
        check([0x1a, 0x52, 0x16, 0x12], &[Fault::Failure]);
        check([0x1a, 0x52, 0x1a, 0x12], &[Fault::Cutter]);
        check([0x1a, 0x52, 0x32, 0x12], &[Fault::Broken]);
        check([0x1a, 0x52, 0x52, 0x12], &[Fault::TooHot]);
        check([0x12, 0x12, 0x12, 0x1e], &[Fault::PaperLow]);
        check(
            [0x1a, 0x36, 0x12, 0x7e],
            &[Fault::PaperEnd, Fault::CoverOpen, Fault::PaperLow],
        );
    }

    #[test]
    fn a_drawer_and_a_button_that_was_pressed_are_no_faults() {
        check([0x16, 0x12, 0x12, 0x12], &[]);
        check([0x52, 0x12, 0x12, 0x12], &[]);
    }

    #[test]
    fn a_roll_that_is_nearly_at_its_end_prints() {
        let low = PrinterStatus::of([0x12, 0x12, 0x12, 0x1e]);
        assert!(low.can_print());
        assert_eq!(low.keywords().collect::<Vec<_>>(), ["media-low"]);
        assert!(!PrinterStatus::of([0x12, 0x12, 0x12, 0x72]).can_print());
    }
}

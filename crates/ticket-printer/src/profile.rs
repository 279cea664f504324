//! What differs from one model of ticket printer to the next, as data.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::code_page::CodePage;

/// Everything that this crate has to know about a model. Files that carry it use these names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The roll.
    pub width: Width,
    /// Characters of font A on a line.
    pub columns: u8,
    /// Dots on a line.
    pub dots: u16,
    /// The table of characters to print with.
    #[serde(default)]
    pub code_page: CodePage,
    /// The number by which the printer calls that table (`ESC t n`).
    #[serde(default)]
    pub code_page_number: u8,
    /// True for printers that start with two bytes a character: `FS .` is sent first.
    #[serde(default)]
    pub double_byte: bool,
    /// What ends a line.
    #[serde(default)]
    pub line_end: LineEnd,
    /// How the code is printed.
    #[serde(default)]
    pub qr: QrBy,
    /// How a ticket is cut off.
    #[serde(default)]
    pub cut: Cut,
    /// Lines fed before the cut, so that the last line passes the knife; 0 to 12.
    #[serde(default = "usual_feed")]
    pub feed_lines: u8,
    /// What the printer answers, and so what can be known of a ticket.
    #[serde(default)]
    pub answering: Answering,
    /// How long each wait may take.
    #[serde(default)]
    pub waits: Waits,
}

/// The width of a roll.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Width {
    /// 58 mm, of which 48 mm are printed.
    #[serde(rename = "58mm")]
    Mm58,
    /// 80 mm, of which 72 mm are printed.
    #[serde(rename = "80mm")]
    Mm80,
}

/// What ends a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LineEnd {
    /// `LF`.
    #[default]
    Lf,
    /// `CR LF`, for printers whose `LF` does not return.
    CrLf,
}

/// How a code is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QrBy {
    /// By the printer (`GS ( k`).
    Native,
    /// As dots (`GS v 0`), which older and cheaper models have too.
    #[default]
    Raster,
    /// Not at all.
    None,
}

/// How a ticket is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cut {
    /// Through.
    Full,
    /// But for a bridge, so that no ticket falls to the floor.
    #[default]
    Partial,
    /// By hand, at the tear bar.
    None,
}

/// What a printer answers, from the least to the most that can be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answering {
    /// Nothing: it is written to and never heard.
    #[default]
    Nothing,
    /// Its state at once (`DLE EOT`), and no question that stands in line.
    Status,
    /// Also a question that stands in line behind the data (`GS r`).
    InLine,
    /// Also a question in line that carries a word of ours and is answered when what stood before
    /// it was printed (`GS ( H`, function 48).
    ProcessId,
}

/// How long each wait may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Waits {
    /// Until the way to the printer stands.
    pub connect_ms: u32,
    /// Until an answer that is given at once.
    pub answer_ms: u32,
    /// Without a byte taken, while a ticket is sent.
    pub stall_ms: u32,
    /// From the last byte of a ticket to the answer behind it.
    pub printed_ms: u32,
    /// Silence after which nothing older is still on its way.
    pub quiet_ms: u32,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            // On the site's own network a dial is answered within milliseconds; a lost SYN costs 1 s.
            connect_ms: 3_000,
            // DLE EOT is answered on receipt, within some 10 ms; slow Ethernet cards take 300 ms.
            answer_ms: 1_000,
            // A printer's buffer holds 4 KiB and empties within 2 s at 50 mm/s.
            stall_ms: 4_000,
            // 15 cm of ticket at the 50 mm/s of the slowest rolls, twice over.
            printed_ms: 6_000,
            quiet_ms: 150,
        }
    }
}

impl Waits {
    pub(crate) fn connect(&self) -> Duration {
        Duration::from_millis(self.connect_ms.into())
    }

    pub(crate) fn answer(&self) -> Duration {
        Duration::from_millis(self.answer_ms.into())
    }

    pub(crate) fn stall(&self) -> Duration {
        Duration::from_millis(self.stall_ms.into())
    }

    pub(crate) fn printed(&self) -> Duration {
        Duration::from_millis(self.printed_ms.into())
    }

    pub(crate) fn quiet(&self) -> Duration {
        Duration::from_millis(self.quiet_ms.into())
    }
}

/// Most printers have 12 to 15 mm between head and knife: five lines of 30 dots are 18 mm.
const USUAL_FEED: u8 = 5;

fn usual_feed() -> u8 {
    USUAL_FEED
}

/// Says what in a profile cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// A line holds 24 to 64 characters.
    #[error("use a profile of {0} columns: a line has 24 to 64")]
    Columns(u8),
    /// A line holds 280 to 640 dots, in whole bytes.
    #[error("use a profile of {0} dots: a line has 280 to 640, in eights")]
    Dots(u16),
    /// Twelve lines past the knife waste paper.
    #[error("use a profile that feeds {0} lines: it may feed 12")]
    Feed(u8),
    /// A wait is 0 or longer than a minute.
    #[error("use a profile whose {0} is 0 or above 60 s")]
    Wait(&'static str),
}

/// Paper for which nobody waits.
const MAX_FEED_LINES: u8 = 12;

/// Nobody stands before a kiosk for longer.
const MAX_WAIT_MS: u32 = 60_000;

impl Profile {
    /// An 80 mm printer of which nothing is known but that it speaks ESC/POS: it is not asked.
    #[must_use]
    pub fn plain_80mm() -> Self {
        Self::plain(Width::Mm80, 48, 576)
    }

    /// The same for 58 mm, which is sold without a knife.
    #[must_use]
    pub fn plain_58mm() -> Self {
        Self {
            cut: Cut::None,
            ..Self::plain(Width::Mm58, 32, 384)
        }
    }

    fn plain(width: Width, columns: u8, dots: u16) -> Self {
        Self {
            width,
            columns,
            dots,
            code_page: CodePage::default(),
            code_page_number: 0,
            double_byte: false,
            line_end: LineEnd::default(),
            qr: QrBy::default(),
            cut: Cut::default(),
            feed_lines: USUAL_FEED,
            answering: Answering::default(),
            waits: Waits::default(),
        }
    }

    /// Says whether a printer can be like that.
    ///
    /// # Errors
    /// [`ProfileError`] names the first thing that cannot be.
    pub fn check(&self) -> Result<(), ProfileError> {
        if !(24..=64).contains(&self.columns) {
            return Err(ProfileError::Columns(self.columns));
        }
        if !(280..=640).contains(&self.dots) || self.dots.checked_rem(8) != Some(0) {
            return Err(ProfileError::Dots(self.dots));
        }
        if self.feed_lines > MAX_FEED_LINES {
            return Err(ProfileError::Feed(self.feed_lines));
        }
        let waits = &self.waits;
        let named = [
            ("connect_ms", waits.connect_ms),
            ("answer_ms", waits.answer_ms),
            ("stall_ms", waits.stall_ms),
            ("printed_ms", waits.printed_ms),
            ("quiet_ms", waits.quiet_ms),
        ];
        let wrong = named
            .into_iter()
            .find(|(_, ms)| *ms == 0 || *ms > MAX_WAIT_MS);
        wrong.map_or(Ok(()), |(name, _ms)| Err(ProfileError::Wait(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_read_from_a_file_and_unknown_keys_are_refused() {
        let text = "width = \"80mm\"\ncolumns = 48\ndots = 576\ncode_page = \"pc858\"\n\
                    code_page_number = 19\nqr = \"native\"\nanswering = \"process-id\"\n\
                    [waits]\nprinted_ms = 9000\n";
        let profile: Profile = toml::from_str(text).unwrap();
        assert_eq!(profile.check(), Ok(()));
        assert_eq!((profile.cut, profile.feed_lines), (Cut::Partial, 5));
        assert_eq!(
            (profile.waits.printed_ms, profile.waits.answer_ms),
            (9_000, 1_000)
        );
        assert!(toml::from_str::<Profile>(&format!("{text}cutter = 1\n")).is_err());
    }

    #[test]
    fn what_no_printer_is_like_is_refused() {
        let check = |change: fn(&mut Profile), fault| {
            let mut profile = Profile::plain_80mm();
            change(&mut profile);
            assert_eq!(profile.check(), Err(fault));
        };
        check(|it| it.columns = 10, ProfileError::Columns(10));
        check(|it| it.dots = 575, ProfileError::Dots(575));
        check(|it| it.feed_lines = 13, ProfileError::Feed(13));
        check(|it| it.waits.stall_ms = 0, ProfileError::Wait("stall_ms"));
        assert_eq!(Profile::plain_58mm().check(), Ok(()));
    }
}

//! The words in a value of `printer-supply` or `printer-input-tray`, and what they mean.

use super::{Colour, MAX_NAME_CHARS, SupplyKind};

/// Bytes of one value that are read: with every key of PWG 5100.13 it has under 300, and octetStrings may have 65,535.
const MAX_VALUE_LEN: usize = 1023;

/// Pairs of one value that are read: PWG 5100.13 has 12 keys of a supply and 14 of a tray.
const MAX_PAIRS: usize = 24;

/// The pairs of `key=value;key=value;`; what is no pair is passed over.
pub(super) struct Pairs<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Pairs<'a> {
    /// Reads as much of a value as is text and within its bounds.
    pub(super) fn read(value: &'a [u8]) -> Self {
        let value = value.get(..MAX_VALUE_LEN).unwrap_or(value);
        let text = match std::str::from_utf8(value) {
            Ok(text) => text,
            Err(broken) => value
                .get(..broken.valid_up_to())
                .and_then(|good| std::str::from_utf8(good).ok())
                .unwrap_or_default(),
        };
        let pairs = text.split(';').filter_map(|pair| pair.split_once('='));
        let is_blank = |c: char| c.is_whitespace() || c == '\0';
        let trimmed = pairs.map(|(key, value)| (key.trim(), value.trim_matches(is_blank)));
        Self(trimmed.take(MAX_PAIRS).collect())
    }

    /// The first value of this key that is not empty.
    pub(super) fn text(&self, key: &str) -> Option<&'a str> {
        let found =
            |(known, value): &&(&str, &str)| known.eq_ignore_ascii_case(key) && !value.is_empty();
        self.0.iter().find(found).map(|(_key, value)| *value)
    }

    /// The same as a number.
    pub(super) fn number(&self, key: &str) -> Option<i64> {
        self.text(key)?.parse().ok()
    }

    /// The same as a count; negative ones (unknown) count as absent.
    pub(super) fn count(&self, key: &str) -> Option<u32> {
        self.number(key)
            .and_then(|number| u32::try_from(number).ok())
    }
}

/// A name without control characters, cut to its bound; none where nothing is left of it.
pub(super) fn name_of(name: &str) -> Option<String> {
    let shown: String = name
        .chars()
        .filter(|c| !c.is_control())
        .take(MAX_NAME_CHARS)
        .collect();
    let shown = shown.trim();
    let says_nothing = shown.is_empty() || shown.eq_ignore_ascii_case("unknown");
    (!says_nothing).then(|| shown.to_owned())
}

/// The kind that a type of PrtMarkerSuppliesTypeTC or of `marker-types` stands for; CUPS writes `waste-toner` where RFC
/// 3805 has `wasteToner`.
pub(super) fn kind_of(word: &str) -> SupplyKind {
    let plain: String = word
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(MAX_NAME_CHARS)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    match plain.as_str() {
        "toner" | "tonercartridge" => SupplyKind::Toner,
        "ink" | "inkcartridge" | "inkribbon" | "solidwax" | "ribbonwax" => SupplyKind::Ink,
        "wastetoner" | "wasteink" | "wastewax" | "wastewater" | "wastepaper" => SupplyKind::Waste,
        "opc" | "drum" | "photoconductor" | "imagingunit" => SupplyKind::Drum,
        "fuser" | "fuseroil" | "fuseroilwick" | "fusercleaningpad" | "fuseroiler" => {
            SupplyKind::Fuser
        }
        "paper" | "media" => SupplyKind::Paper,
        _ => SupplyKind::Other,
    }
}

/// The colour by its word or by its `#RRGGBB`.
pub(super) fn colour_of(word: &str) -> Option<Colour> {
    let plain = word.trim().to_ascii_lowercase();
    Some(match plain.as_str() {
        "black" | "k" | "photoblack" | "#000000" => Colour::Black,
        "cyan" | "#00ffff" => Colour::Cyan,
        "magenta" | "#ff00ff" => Colour::Magenta,
        "yellow" | "#ffff00" => Colour::Yellow,
        _ => return None,
    })
}

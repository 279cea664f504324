//! Characters as a printer's bytes: its code pages, and plain letters for what they lack.

use serde::{Deserialize, Serialize};

/// A table of 128 characters above ASCII. Which number a printer calls it by is in its profile.
///
/// # Source
/// The mapping tables of IBM's code pages 437, 850 and 858 and of Windows' 1252.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CodePage {
    /// Page 437, with which every printer starts: few capitals with accents.
    #[default]
    Pc437,
    /// Page 850: the letters of western Europe.
    Pc850,
    /// Page 858: page 850 with the euro sign.
    Pc858,
    /// Windows' page 1252.
    Wpc1252,
}

/// What stands for a character that has neither a byte nor a plain letter.
const UNKNOWN: u8 = b'?';

impl CodePage {
    /// The bytes of one character on this page: itself, or plain letters like it, or `?`.
    ///
    /// No byte is a control: all are 0x20 to 0x7E, or 0x80 and above.
    pub(crate) fn encode(self, character: char, into: &mut Vec<u8>) {
        if let Some(byte) = self.byte(character) {
            return into.push(byte);
        }
        match plain(character) {
            Some(letters) => into.extend(letters.bytes()),
            None => into.push(UNKNOWN),
        }
    }

    fn byte(self, character: char) -> Option<u8> {
        if matches!(character, ' '..='~') {
            return u8::try_from(character).ok();
        }
        let hole = character == HOLE;
        let at = self
            .upper()
            .chars()
            .position(|it| it == character && !hole)?;
        u8::try_from(at).ok()?.checked_add(FIRST_UPPER)
    }

    fn upper(self) -> &'static str {
        match self {
            Self::Pc437 => PC437,
            Self::Pc850 => PC850,
            Self::Pc858 => PC858,
            Self::Wpc1252 => WPC1252,
        }
    }
}

/// Where a table begins.
const FIRST_UPPER: u8 = 0x80;

/// A place of a table that no character has.
const HOLE: char = '\u{fffd}';

/// Letters for a character that a page lacks.
fn plain(character: char) -> Option<&'static str> {
    let found = PLAIN.iter().find(|(all, _letters)| all.contains(character));
    found.map(|(_all, letters)| *letters)
}

const PC437: &str = "\
    ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒ\
    áíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐\
    └┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀\
    αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

const PC850: &str = "\
    ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒ\
    áíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐\
    └┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀\
    ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{ad}±‗¾¶§÷¸°¨·¹³²■\u{a0}";

const PC858: &str = "\
    ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒ\
    áíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐\
    └┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈ€ÍÎÏ┘┌█▄¦Ì▀\
    ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{ad}±‗¾¶§÷¸°¨·¹³²■\u{a0}";

const WPC1252: &str = "\
    €\u{fffd}‚ƒ„…†‡ˆ‰Š‹Œ\u{fffd}Ž\u{fffd}\u{fffd}‘’“”•–—˜™š›œ\u{fffd}žŸ\
    \u{a0}¡¢£¤¥¦§¨©ª«¬\u{ad}®¯°±²³´µ¶·¸¹º»¼½¾¿\
    ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞß\
    àáâãäåæçèéêëìíîïðñòóôõö÷øùúûüýþÿ";

/// Marks first, then letters by Unicode's decompositions (U+00C0 to U+024F).
const PLAIN: &[(&str, &str)] = &[
    ("\u{a0}\u{2002}\u{2003}\u{2009}\u{202f}", " "),
    ("‘’‚‛′´", "'"),
    ("“”„‟″«»", "\""),
    ("‐‑‒–—―−\u{ad}", "-"),
    ("…", "..."),
    ("•·‣▪", "*"),
    ("×", "x"),
    ("→", "->"),
    ("€", "EUR"),
    ("©", "(c)"),
    ("®", "(R)"),
    ("½", "1/2"),
    ("¼", "1/4"),
    ("¾", "3/4"),
    ("æ", "ae"),
    ("Æ", "AE"),
    ("œ", "oe"),
    ("Œ", "OE"),
    ("ß", "ss"),
    ("ø", "o"),
    ("Ø", "O"),
    ("đð", "d"),
    ("ĐÐ", "D"),
    ("łŀ", "l"),
    ("ŁĿ", "L"),
    ("¼", "14"),
    ("½", "12"),
    ("¾", "34"),
    ("Ĳ", "IJ"),
    ("ĳ", "ij"),
    ("Ǆ", "DZ"),
    ("ǅ", "Dz"),
    ("ǆ", "dz"),
    ("Ǉ", "LJ"),
    ("ǈ", "Lj"),
    ("ǉ", "lj"),
    ("Ǌ", "NJ"),
    ("ǋ", "Nj"),
    ("ǌ", "nj"),
    ("Ǳ", "DZ"),
    ("ǲ", "Dz"),
    ("ǳ", "dz"),
    ("¹", "1"),
    ("²", "2"),
    ("³", "3"),
    ("ÀÁÂÃÄÅĀĂĄǍǞǠǺȀȂȦ", "A"),
    ("ÇĆĈĊČ", "C"),
    ("Ď", "D"),
    ("ÈÉÊËĒĔĖĘĚȄȆȨ", "E"),
    ("ĜĞĠĢǦǴ", "G"),
    ("ĤȞ", "H"),
    ("ÌÍÎÏĨĪĬĮİǏȈȊ", "I"),
    ("Ĵ", "J"),
    ("ĶǨ", "K"),
    ("ĹĻĽĿ", "L"),
    ("ÑŃŅŇǸ", "N"),
    ("ÒÓÔÕÖŌŎŐƠǑǪǬȌȎȪȬȮȰ", "O"),
    ("ŔŖŘȐȒ", "R"),
    ("ŚŜŞŠȘ", "S"),
    ("ŢŤȚ", "T"),
    ("ÙÚÛÜŨŪŬŮŰŲƯǓǕǗǙǛȔȖ", "U"),
    ("Ŵ", "W"),
    ("ÝŶŸȲ", "Y"),
    ("ŹŻŽ", "Z"),
    ("ªàáâãäåāăąǎǟǡǻȁȃȧ", "a"),
    ("çćĉċč", "c"),
    ("ď", "d"),
    ("èéêëēĕėęěȅȇȩ", "e"),
    ("ĝğġģǧǵ", "g"),
    ("ĥȟ", "h"),
    ("ìíîïĩīĭįǐȉȋ", "i"),
    ("ĵǰ", "j"),
    ("ķǩ", "k"),
    ("ĺļľŀ", "l"),
    ("ñńņňŉǹ", "n"),
    ("ºòóôõöōŏőơǒǫǭȍȏȫȭȯȱ", "o"),
    ("ŕŗřȑȓ", "r"),
    ("śŝşšſș", "s"),
    ("ţťț", "t"),
    ("ùúûüũūŭůűųưǔǖǘǚǜȕȗ", "u"),
    ("ŵ", "w"),
    ("ýÿŷȳ", "y"),
    ("źżž", "z"),
];

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [CodePage; 4] = [
        CodePage::Pc437,
        CodePage::Pc850,
        CodePage::Pc858,
        CodePage::Wpc1252,
    ];

    fn check(page: CodePage, text: &str, bytes: &[u8]) {
        let mut encoded = Vec::new();
        text.chars().for_each(|it| page.encode(it, &mut encoded));
        assert_eq!(encoded, bytes, "{page:?}: {text}");
    }

    #[test]
    fn each_table_has_a_place_for_each_byte() {
        for page in ALL {
            assert_eq!(page.upper().chars().count(), 128, "{page:?}");
        }
    }

    #[test]
    fn a_character_has_the_byte_of_its_page() {
        check(CodePage::Pc437, "Café", b"Caf\x82");
        check(CodePage::Pc850, "Café É", b"Caf\x82 \x90");
        check(CodePage::Wpc1252, "Café", b"Caf\xe9");
        check(CodePage::Pc858, "€ı", b"\xd5?");
        check(CodePage::Pc850, "€ı", b"EUR\xd5");
    }

    #[test]
    fn what_a_page_lacks_is_a_plain_letter() {
        check(CodePage::Pc437, "“Ő” – À…", b"\"O\" - A...");
        check(CodePage::Pc437, "ꦗ漢\u{fffd}", b"???");
    }

    #[test]
    fn no_character_at_all_is_a_control_byte() {
        // All that any code page or any rule of replacement names, and each 61st of the others: all of them take minutes.
        let named = '\u{0}'..='\u{2fff}';
        let others = ('\u{3000}'..=char::MAX).step_by(61);
        let tried: Vec<char> = named.chain(others).collect();
        for page in ALL {
            let mut bytes = Vec::new();
            tried.iter().for_each(|it| page.encode(*it, &mut bytes));
            let control = |byte: &u8| *byte < 0x20 || *byte == 0x7f;
            assert!(!bytes.iter().any(control), "{page:?}");
        }
    }
}

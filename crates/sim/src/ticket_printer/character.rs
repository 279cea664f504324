//! What bytes above ASCII look like on the tables that the simulated printer has.

/// A cell of a table that is empty, of a table it lacks, or of two bytes that it takes for one sign.
pub(crate) const NO_CHARACTER: char = '□';

const FIRST_UPPER: u8 = 0x80;

/// The character of a byte on table `page`, as `ESC t` numbers it.
///
/// # Source
/// Epson, *ESC/POS Command Reference*, ESC t: 0 PC437, 2 PC850, 16 WPC1252, 19 PC858.
pub(crate) fn of(page: u8, byte: u8) -> char {
    let Some(at) = byte.checked_sub(FIRST_UPPER) else {
        return char::from(byte);
    };
    let table = match page {
        0 => PC437,
        2 => PC850,
        16 => return wpc1252(byte),
        19 if byte == 0xd5 => return '€',
        19 => PC850,
        _ => return NO_CHARACTER,
    };
    table.chars().nth(at.into()).unwrap_or(NO_CHARACTER)
}

fn wpc1252(byte: u8) -> char {
    // Above 0xA0 the table is Latin-1.
    if byte >= 0xa0 {
        return char::from(byte);
    }
    let at = byte.saturating_sub(FIRST_UPPER);
    WPC1252_LOW.chars().nth(at.into()).unwrap_or(NO_CHARACTER)
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

const WPC1252_LOW: &str = "\
    €□‚ƒ„…†‡ˆ‰Š‹Œ□Ž□□‘’“”•–—˜™š›œ□žŸ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_looks_as_its_table_says() {
        let check =
            |page, byte, character| assert_eq!(of(page, byte), character, "{page} {byte:x}");
        check(0, b'A', 'A');
        check(0, 0x82, 'é');
        check(0, 0xff, '\u{a0}');
        check(2, 0xd5, 'ı');
        check(19, 0xd5, '€');
        check(16, 0xe9, 'é');
        check(16, 0x80, '€');
        check(16, 0x81, NO_CHARACTER);
        check(77, 0x82, NO_CHARACTER);
    }
}

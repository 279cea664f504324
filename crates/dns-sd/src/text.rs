//! Text of strangers, made fit for a screen.

/// Text without what moves a cursor, turns the direction of letters or hides, in so many characters at most; nothing where
/// nothing is left.
pub(crate) fn clean(bytes: &[u8], max_chars: usize) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let kept = text.chars().filter(|it| !is_hidden(*it)).take(max_chars);
    let kept: String = kept.collect();
    let kept = kept.trim();
    (!kept.is_empty()).then(|| kept.to_owned())
}

/// Control characters, line and paragraph separators, marks of direction, and characters without a width.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{00AD}'
                | '\u{061C}'
                | '\u{180E}'
                | '\u{200B}'..='\u{200F}'
                | '\u{2028}'..='\u{202E}'
                | '\u{2060}'..='\u{206F}'
                | '\u{FE00}'..='\u{FE0F}'
                | '\u{FEFF}'
                | '\u{FFF9}'..='\u{FFFB}'
                | '\u{E0000}'..='\u{E0FFF}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_a_cursor_or_turns_letters_does_not_reach_a_screen() {
        let said = |text: &str| clean(text.as_bytes(), 63);
        assert_eq!(said("Ruang A\u{1b}[2J\r\n").as_deref(), Some("Ruang A[2J"));
        assert_eq!(said("gnp.\u{202e}exe").as_deref(), Some("gnp.exe"));
        assert_eq!(said("  Epson ET-5800 ").as_deref(), Some("Epson ET-5800"));
        assert_eq!(
            said("Percetakan №2 – ünïted").as_deref(),
            Some("Percetakan №2 – ünïted")
        );
        assert_eq!(said(" \u{200b}\n"), None);
        assert_eq!(
            clean(b"\xff\xfeHP", 9).as_deref(),
            Some("\u{fffd}\u{fffd}HP")
        );
        assert_eq!(clean("äöü".as_bytes(), 2).as_deref(), Some("äö"));
    }
}

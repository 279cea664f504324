//! Words into lines of so many columns.

/// Breaks a text, one byte a column, at its spaces into lines of up to `columns` bytes.
///
/// A word that is longer than a line is broken where the line ends. No line is empty.
pub(crate) fn wrap(text: &[u8], columns: usize) -> Vec<Vec<u8>> {
    let columns = columns.max(1);
    let mut lines: Vec<Vec<u8>> = Vec::new();
    let mut line: Vec<u8> = Vec::new();
    for word in text
        .split(|byte| *byte == b' ')
        .filter(|word| !word.is_empty())
    {
        let with_space = line.len().saturating_add(1).saturating_add(word.len());
        if !line.is_empty() && with_space <= columns {
            line.push(b' ');
            line.extend_from_slice(word);
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        let mut pieces = word.chunks(columns).peekable();
        while let Some(piece) = pieces.next() {
            if pieces.peek().is_some() {
                lines.push(piece.to_vec());
            } else {
                line = piece.to_vec();
            }
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// The same as a list item: `- ` before the first line, two spaces before the others.
pub(crate) fn item(text: &[u8], columns: usize) -> Vec<Vec<u8>> {
    let lines = wrap(text, columns.saturating_sub(2));
    let marked = |(at, line): (usize, Vec<u8>)| {
        let mark: &[u8] = if at == 0 { b"- " } else { b"  " };
        [mark, &line].concat()
    };
    lines.into_iter().enumerate().map(marked).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, columns: usize, lines: &[&str]) {
        let wrapped = wrap(text.as_bytes(), columns);
        let wrapped: Vec<_> = wrapped
            .iter()
            .map(|line| String::from_utf8_lossy(line))
            .collect();
        assert_eq!(wrapped, lines, "{columns}");
    }

    #[test]
    fn lines_end_between_words() {
        check(
            "Penerbitan KK Karena Rusak",
            16,
            &["Penerbitan KK", "Karena Rusak"],
        );
        check(
            "Penerbitan KK Karena Rusak",
            13,
            &["Penerbitan KK", "Karena Rusak"],
        );
        check(
            "Penerbitan KK Karena Rusak",
            12,
            &["Penerbitan", "KK Karena", "Rusak"],
        );
    }

    #[test]
    fn a_word_that_is_longer_than_a_line_is_broken() {
        check("ab Kependudukan", 6, &["ab", "Kepend", "udukan"]);
        check("Kependudukan x", 8, &["Kependud", "ukan x"]);
        check("", 8, &[]);
        check("abc", 0, &["a", "b", "c"]);
    }

    #[test]
    fn an_item_hangs_behind_its_mark() {
        let lines = item(b"KK yang rusak", 9);
        assert_eq!(lines, [b"- KK yang".to_vec(), b"  rusak".to_vec()]);
    }
}

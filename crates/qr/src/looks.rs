//! What a name looks like to a person, so that two names that look alike are found to be.

use unicode_security::confusable_detection::skeleton;

/// `text` as the eye reads it: two texts that look alike give the same one.
///
/// The skeleton of Unicode, and beside it what small sans-serif letters on a telephone add: `i` as `l`, `vv` as `w`.
///
/// # Source
/// Unicode Technical Standard 39, section 4 (skeleton).
pub(crate) fn looks_of(text: &str) -> String {
    let lower = text.to_lowercase();
    // The skeleton of some letters is a capital; folding once more makes them meet their small forms.
    let folded: String = skeleton(&lower).collect::<String>().to_lowercase();
    let mut looks = String::with_capacity(folded.len());
    for letter in folded.chars() {
        match letter {
            'i' | 'ı' | '1' | '|' | '!' => looks.push('l'),
            '0' => looks.push('o'),
            'w' => looks.push_str("vv"),
            'm' => looks.push_str("rn"),
            '\u{300}'..='\u{36f}' => {}
            other => looks.push(other),
        }
    }
    looks
}

/// `looks` without what parts its words: dots and hyphens of every kind.
pub(crate) fn flat(looks: &str) -> String {
    let parts = [
        '.', '-', '_', '\u{2010}', '\u{2011}', '\u{2013}', '\u{2014}', '\u{30fb}',
    ];
    looks
        .chars()
        .filter(|letter| !parts.contains(letter))
        .collect()
}

/// Whether `a` becomes `b` by at most `most` insertions, removals, replacements and swaps of neighbours.
///
/// The work is bounded by the length of `a` times `2 * most + 1`.
///
/// # Source
/// Optimal string alignment distance (Damerau 1964; Wagner, Fischer 1974).
pub(crate) fn is_near(a: &str, b: &str, most: usize) -> bool {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    if a.len().abs_diff(b.len()) > most {
        return false;
    }
    let far = most.saturating_add(1);
    let mut before: Vec<usize> = vec![far; b.len().saturating_add(1)];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (row, letter) in a.iter().enumerate() {
        let mut line = vec![far; b.len().saturating_add(1)];
        if let Some(first) = line.first_mut() {
            *first = row.saturating_add(1);
        }
        let from = row.saturating_sub(most);
        let to = row.saturating_add(far).min(b.len());
        for column in from..to {
            let cost = usize::from(b.get(column) != Some(letter));
            let at = |line: &[usize], at: usize| line.get(at).copied().unwrap_or(far);
            let next = column.saturating_add(1);
            let mut best = at(&last, column)
                .saturating_add(cost)
                .min(at(&last, next).saturating_add(1))
                .min(at(&line, column).saturating_add(1));
            let swapped = row > 0
                && column > 0
                && a.get(row.saturating_sub(1)) == b.get(column)
                && b.get(column.saturating_sub(1)) == Some(letter);
            if swapped {
                best = best.min(at(&before, column.saturating_sub(1)).saturating_add(1));
            }
            if let Some(cell) = line.get_mut(next) {
                *cell = best;
            }
        }
        before = std::mem::replace(&mut last, line);
    }
    last.last().is_some_and(|distance| *distance <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_alike_give_one_picture() {
        let check = |a: &str, b: &str| assert_eq!(looks_of(a), looks_of(b), "{a} {b}");
        check("dukcapil", "dukcapi1");
        check("dukcapil", "dukcapll");
        check("dukcapil", "dukсаріl"); // Cyrillic es, a, er, i
        check("kemendagri", "kernendagri");
        check("online", "0nline");
        check("www", "vvvvvv");
        check("dukcapil", "DUKCAPIL");
        check("dukcapil", "dukcapíl");
        assert_ne!(looks_of("dukcapil"), looks_of("dukcapal"));
        assert_eq!(flat(&looks_of("a.b-c")), "abc");
    }

    #[test]
    fn nearness_counts_insertions_removals_replacements_and_swaps() {
        let check = |a: &str, b: &str, most: usize, expect: bool| {
            assert_eq!(is_near(a, b, most), expect, "{a} {b} {most}");
            assert_eq!(is_near(b, a, most), expect, "{b} {a} {most}");
        };
        check("dukcapil", "dukcapil", 0, true);
        check("dukcapil", "dukcapill", 1, true);
        check("dukcapil", "dukapil", 1, true);
        check("dukcapil", "dukcapel", 1, true);
        check("dukcapil", "dukcaipl", 1, true);
        check("dukcapil", "dukcaipl", 0, false);
        check("dukcapil", "dukepil", 1, false);
        check("dukcapil", "dukepil", 2, true);
        check("dukcapil", "ukcapil", 1, true);
        check("", "ab", 1, false);
        check("", "ab", 2, true);
        check("abcdef", "badcfe", 2, false);
        check("abcdef", "badcfe", 3, true);
    }
}

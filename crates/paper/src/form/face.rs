//! The two faces, and how wide words are in them.

use printpdf::ParsedFont;

use super::FormError;

/// DejaVu Sans Condensed, cut to Latin-1 and some signs; the licence beside it allows to embed it.
const REGULAR: &[u8] = include_bytes!("fonts/regular.ttf");
/// The same, bold.
const BOLD: &[u8] = include_bytes!("fonts/bold.ttf");

/// Stands for a character that the faces do not have.
const UNKNOWN: char = '?';

/// How heavy words are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    Regular,
    Bold,
}

/// Both faces.
#[derive(Debug)]
pub(super) struct Faces {
    pub(super) regular: ParsedFont,
    pub(super) bold: ParsedFont,
}

impl Faces {
    /// Reads both.
    pub(super) fn load() -> Result<Self, FormError> {
        let read = |bytes: &[u8], name: &str| {
            let face = ParsedFont::from_bytes(bytes, 0, &mut Vec::new());
            let mut face = face.ok_or(FormError::Broken)?;
            face.font_name = Some(name.to_owned());
            Ok(face)
        };
        Ok(Self {
            regular: read(REGULAR, "DejaVuSansCondensed")?,
            bold: read(BOLD, "DejaVuSansCondensed-Bold")?,
        })
    }

    fn face(&self, weight: Weight) -> &ParsedFont {
        match weight {
            Weight::Regular => &self.regular,
            Weight::Bold => &self.bold,
        }
    }

    /// The text with what the faces have.
    pub(super) fn known(&self, text: &str) -> String {
        let known = |character: char| {
            let has = self.regular.lookup_glyph_index(u32::from(character));
            has.map_or(UNKNOWN, |_glyph| character)
        };
        text.chars().map(known).collect()
    }

    /// How wide a line of words is, in points.
    pub(super) fn width(&self, text: &str, size: f32, weight: Weight) -> f32 {
        let face = self.face(weight);
        let em = f32::from(face.units_per_em.max(1));
        let of = |character: char| {
            let glyph = face.lookup_glyph_index(u32::from(character));
            glyph.and_then(|glyph| face.get_glyph_width(glyph))
        };
        let units = text
            .chars()
            .map(|character| f32::from(of(character).unwrap_or_default()));
        units.sum::<f32>() * size / em
    }

    /// Breaks words into lines of at most `width` points, and a word that is wider than that where it must be. At least
    /// one line, and at most `limit`, the last of which then ends with dots.
    pub(super) fn lines(
        &self,
        text: &str,
        (size, weight): (f32, Weight),
        width: f32,
        limit: usize,
    ) -> Vec<String> {
        let text = self.known(text);
        let fits = |line: &str| self.width(line, size, weight) <= width;
        let mut lines = vec![String::new()];
        for word in text.split_whitespace() {
            let Some(line) = lines.last_mut() else {
                continue;
            };
            let longer = if line.is_empty() {
                word.to_owned()
            } else {
                format!("{line} {word}")
            };
            if fits(&longer) {
                *line = longer;
                continue;
            }
            if !line.is_empty() {
                lines.push(String::new());
            }
            cut(word, &mut lines, fits);
        }
        if lines.len() > limit {
            lines.truncate(limit);
            if let Some(last) = lines.last_mut() {
                last.push('…');
            }
        }
        lines
    }
}

/// Appends a word to the last line, on more lines where it is wider than one.
fn cut(word: &str, lines: &mut Vec<String>, fits: impl Fn(&str) -> bool) {
    for character in word.chars() {
        let Some(line) = lines.last_mut() else {
            continue;
        };
        line.push(character);
        if !fits(line) && line.chars().count() > 1 {
            line.pop();
            lines.push(character.to_string());
        }
    }
}

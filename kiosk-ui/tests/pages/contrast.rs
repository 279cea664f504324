//! Old eyes before a bright window: every text colour of the style sheet on every ground that it may stand on.

use std::collections::BTreeMap;

const SHEET: &str = include_str!("../../assets/pages.css");

/// Level AAA of WCAG 2.2, 1.4.6, for text of any size.
const LEAST: f64 = 7.0;

/// Colours of the sheet that no text has: lines and grounds.
const NO_TEXT: [&str; 3] = ["line", "ground", "card"];

/// Relative luminance (WCAG 2.2) of `#rgb` or `#rrggbb`.
fn luminance(colour: &str) -> f64 {
    let digits = colour.strip_prefix('#').unwrap();
    let pairs: Vec<String> = match digits.len() {
        3 => digits
            .chars()
            .map(|digit| format!("{digit}{digit}"))
            .collect(),
        _ => vec![
            digits[..2].to_owned(),
            digits[2..4].to_owned(),
            digits[4..].to_owned(),
        ],
    };
    let linear = pairs.iter().map(|pair| {
        let share = f64::from(u8::from_str_radix(pair, 16).unwrap()) / 255.0;
        if share <= 0.04045 {
            share / 12.92
        } else {
            ((share + 0.055) / 1.055).powf(2.4)
        }
    });
    let weights = [0.2126, 0.7152, 0.0722];
    linear
        .zip(weights)
        .map(|(value, weight)| value * weight)
        .sum()
}

fn contrast(text: &str, ground: &str) -> f64 {
    let (one, two) = (luminance(text), luminance(ground));
    (one.max(two) + 0.05) / (one.min(two) + 0.05)
}

/// The colours that the sheet names.
fn colours() -> BTreeMap<&'static str, &'static str> {
    let (_head, rest) = SHEET.split_once(":root {").unwrap();
    let (names, _rest) = rest.split_once('}').unwrap();
    let names = names
        .split(';')
        .filter_map(|it| it.trim().strip_prefix("--"));
    names.map(|it| it.split_once(": ").unwrap()).collect()
}

#[test]
fn every_text_is_told_from_every_ground() {
    let colours = colours();
    let is_ground = |name: &str| name == "card" || name.ends_with("ground");
    let grounds: Vec<_> = colours.iter().filter(|(name, _)| is_ground(name)).collect();
    assert!(grounds.len() >= 6, "{colours:?}");
    for (name, text) in &colours {
        if NO_TEXT.contains(name) || is_ground(name) {
            continue;
        }
        for (ground, colour) in &grounds {
            let ratio = contrast(text, colour);
            assert!(ratio >= LEAST, "{name} on {ground}: {ratio:.2}");
        }
    }
    for ground in ["brand", "brand-deep"] {
        let ratio = contrast("#fff", colours[ground]);
        assert!(ratio >= LEAST, "white on {ground}: {ratio:.2}");
    }
}

#[test]
fn no_text_has_a_colour_of_its_own() {
    let colours = colours();
    for declaration in SHEET.split(['{', ';', '}']) {
        let Some(value) = declaration.trim().strip_prefix("color: ") else {
            continue;
        };
        let name = value
            .strip_prefix("var(--")
            .and_then(|it| it.strip_suffix(')'));
        let is_text = |name: &str| colours.contains_key(name) && !NO_TEXT.contains(&name);
        assert!(
            value == "#fff" || name.is_some_and(is_text),
            "{declaration}"
        );
    }
}

//! What a job may ask for: the job template of the simulated printer.

use ipp::attribute::IppAttribute;
use ipp::value::IppValue;

use super::reply::{attribute, collection, keyword, keywords, set};

/// The paper sizes in the tray's reach, with their dimensions in hundredths of a millimetre.
const MEDIA: [(&str, i32, i32); 2] = [
    ("iso_a4_210x297mm", 21_000, 29_700),
    ("iso_a5_148x210mm", 14_800, 21_000),
];

const MEDIA_TYPES: [&str; 1] = ["stationery"];
const SIDES: [&str; 1] = ["one-sided"];
const SCALING: [&str; 5] = ["auto", "auto-fit", "fill", "fit", "none"];
const HANDLING: [&str; 2] = ["single-document", "separate-documents-collated-copies"];

/// The members of media-col that it knows.
const MEDIA_COL: [&str; 7] = [
    "media-bottom-margin",
    "media-left-margin",
    "media-right-margin",
    "media-size",
    "media-source",
    "media-top-margin",
    "media-type",
];

const MAX_COPIES: i32 = 99;

/// Margins in hundredths of a millimetre; the value common lasers say.
const MARGIN: i32 = 423;

/// 600 dots an inch, both ways (units 3, RFC 8011 section 5.1.16).
const RESOLUTION: IppValue = IppValue::Resolution {
    cross_feed: 600,
    feed: 600,
    units: 3,
};

/// The names a job may use.
const NAMES: [&str; 15] = [
    "copies",
    "finishings",
    "job-priority",
    "job-sheets",
    "media",
    "media-col",
    "multiple-document-handling",
    "number-up",
    "orientation-requested",
    "output-bin",
    "print-color-mode",
    "print-quality",
    "print-scaling",
    "printer-resolution",
    "sides",
];

/// True where the printer can give a job what this attribute asks for.
pub(crate) fn is_supported(asked: &IppAttribute) -> bool {
    let value = asked.value();
    let is_keyword = |known: &[&str]| {
        value
            .as_keyword()
            .is_some_and(|asked| known.contains(&asked.as_str()))
    };
    let in_range = |min: i32, max: i32| {
        let number = value.as_integer().or_else(|| value.as_enum());
        number.is_some_and(|number| (min..=max).contains(number))
    };
    match asked.name().as_str() {
        "copies" => in_range(1, MAX_COPIES),
        "finishings" => in_range(3, 3),
        "job-priority" => in_range(1, 100),
        "number-up" => in_range(1, 1),
        "orientation-requested" => in_range(3, 6),
        "print-quality" => in_range(3, 5),
        "job-sheets" => is_keyword(&["none"]),
        "media" => is_keyword(&MEDIA.map(|(name, ..)| name)),
        "media-col" => value.as_collection().is_some_and(is_known_media),
        "multiple-document-handling" => is_keyword(&HANDLING),
        "output-bin" => is_keyword(&["face-down"]),
        "print-color-mode" => is_keyword(&["auto", "monochrome"]),
        "print-scaling" => is_keyword(&SCALING),
        "printer-resolution" => *value == RESOLUTION,
        "sides" => is_keyword(&SIDES),
        _ => false,
    }
}

fn is_known_media(asked: &std::collections::BTreeMap<ipp::value::IppName, IppValue>) -> bool {
    asked.iter().all(|(name, value)| match name.as_str() {
        "media-size" => value.as_collection().is_some_and(|size| {
            let side = |name: &str| size.get(name).and_then(|side| side.as_integer()).copied();
            let sides = (side("x-dimension"), side("y-dimension"));
            MEDIA.iter().any(|(_, x, y)| sides == (Some(*x), Some(*y)))
        }),
        "media-type" => value
            .as_keyword()
            .is_some_and(|t| MEDIA_TYPES.contains(&t.as_str())),
        "media-source" => value
            .as_keyword()
            .is_some_and(|s| matches!(s.as_str(), "auto" | "main")),
        "media-top-margin" | "media-bottom-margin" | "media-left-margin" | "media-right-margin" => {
            value
                .as_integer()
                .is_some_and(|margin| (0..=MARGIN).contains(margin))
        }
        _ => false,
    })
}

fn media_col((_, x, y): (&str, i32, i32)) -> Option<IppValue> {
    let size = collection([
        ("x-dimension", Some(IppValue::Integer(x))),
        ("y-dimension", Some(IppValue::Integer(y))),
    ]);
    let margin = || Some(IppValue::Integer(MARGIN));
    collection([
        ("media-size", size),
        ("media-type", keyword("stationery")),
        ("media-source", keyword("main")),
        ("media-top-margin", margin()),
        ("media-bottom-margin", margin()),
        ("media-left-margin", margin()),
        ("media-right-margin", margin()),
    ])
}

/// The collection of every size: told only to those who ask for it by name (PWG 5100.7).
pub(crate) fn media_col_database() -> Option<IppAttribute> {
    attribute("media-col-database", set(MEDIA.map(media_col)))
}

/// The `-default`, `-ready` and `-supported` attributes.
pub(crate) fn attributes(has_paper: bool) -> Vec<IppAttribute> {
    let mut all = media(has_paper);
    all.extend(layout());
    all
}

fn media(has_paper: bool) -> Vec<IppAttribute> {
    let margin = || Some(IppValue::Integer(MARGIN));
    let [a4, ..] = MEDIA;
    let sizes = MEDIA.map(|(_, x, y)| {
        collection([
            ("x-dimension", Some(IppValue::Integer(x))),
            ("y-dimension", Some(IppValue::Integer(y))),
        ])
    });
    let always = [
        attribute("media-default", keyword(a4.0)),
        attribute("media-supported", keywords(&MEDIA.map(|(name, ..)| name))),
        attribute("media-col-default", media_col(a4)),
        attribute("media-col-supported", keywords(&MEDIA_COL)),
        attribute("media-size-supported", set(sizes)),
        attribute("media-source-supported", keywords(&["auto", "main"])),
        attribute("media-type-supported", keywords(&MEDIA_TYPES)),
        attribute("media-top-margin-supported", margin()),
        attribute("media-bottom-margin-supported", margin()),
        attribute("media-left-margin-supported", margin()),
        attribute("media-right-margin-supported", margin()),
    ];
    let ready = [
        attribute("media-ready", keyword(a4.0)),
        attribute("media-col-ready", media_col(a4)),
    ];
    always
        .into_iter()
        .chain(ready.into_iter().filter(|_| has_paper))
        .flatten()
        .collect()
}

fn layout() -> Vec<IppAttribute> {
    let enums = |codes: &[i32]| set(codes.iter().map(|code| Some(IppValue::Enum(*code))));
    let integer = |number: i32| Some(IppValue::Integer(number));
    let copies = IppValue::RangeOfInteger {
        min: 1,
        max: MAX_COPIES,
    };
    let all = [
        attribute("copies-default", integer(1)),
        attribute("copies-supported", Some(copies)),
        attribute("finishings-default", enums(&[3])),
        attribute("finishings-supported", enums(&[3])),
        attribute("job-creation-attributes-supported", keywords(&NAMES)),
        attribute("job-priority-default", integer(50)),
        attribute("job-priority-supported", integer(100)),
        attribute("job-sheets-default", keyword("none")),
        attribute("job-sheets-supported", keywords(&["none"])),
        attribute("multiple-document-handling-default", keyword(HANDLING[0])),
        attribute("multiple-document-handling-supported", keywords(&HANDLING)),
        attribute("number-up-default", integer(1)),
        attribute("number-up-supported", integer(1)),
        attribute("orientation-requested-default", enums(&[3])),
        attribute("orientation-requested-supported", enums(&[3, 4, 5, 6])),
        attribute("output-bin-default", keyword("face-down")),
        attribute("output-bin-supported", keywords(&["face-down"])),
        attribute("print-color-mode-default", keyword("auto")),
        attribute(
            "print-color-mode-supported",
            keywords(&["auto", "monochrome"]),
        ),
        attribute("print-quality-default", enums(&[4])),
        attribute("print-quality-supported", enums(&[3, 4, 5])),
        attribute("printer-resolution-default", Some(RESOLUTION)),
        attribute("printer-resolution-supported", Some(RESOLUTION)),
        attribute("print-scaling-default", keyword("auto")),
        attribute("print-scaling-supported", keywords(&SCALING)),
        attribute("sides-default", keyword("one-sided")),
        attribute("sides-supported", keywords(&SIDES)),
    ];
    all.into_iter().flatten().collect()
}

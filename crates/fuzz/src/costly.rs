//! Documents that are made to be dear: PDF files near the largest size that is judged, each of another shape that a
//! reader must go through before it knows that nothing is in it.

/// As large as a document may be, less what tables and the rest need.
const ROOM_BYTES: usize = 7 * 1024 * 1024;

/// Objects in one file; readers allow few more.
const MAX_OBJECTS: usize = 48_000;

/// Values in one object; likewise.
const MAX_VALUES: usize = 32_000;

/// Objects that one array names, so that all are named by few.
const NAMED: usize = 8_000;

/// The number of the first object that a shape is made of.
const FIRST: usize = 100;

/// Digits in the gap of each signature.
const GAP_DIGITS: usize = 128;

/// A byte range that is filled in when the file is made: as long as any.
const NO_RANGE: &str = "[0 0000000000 0000000000 0000000000]";

/// A document, and what is dear about it.
#[derive(Debug, Clone)]
pub struct Costly {
    /// For tables and messages.
    pub name: &'static str,
    /// The file.
    pub bytes: Vec<u8>,
}

/// One of each shape.
#[must_use]
pub fn documents() -> Vec<Costly> {
    let units = [
        ("arrays in arrays", "[]"),
        ("numbers", "1 "),
        ("fractions", ".5 "),
        ("names", "/a"),
        ("strings", "()"),
        ("dictionaries", "<<>>"),
        ("references", "1 0 R "),
        ("comments", "%e\n"),
    ];
    let of_units = units.map(|(name, unit)| {
        let array = format!("[{}]", unit.repeat(MAX_VALUES));
        (name, 1, repeated(&array))
    });
    let keys: String = (0..MAX_VALUES / 2)
        .map(|key| format!("/{key:x} 1"))
        .collect();
    let nest = format!("{}{}", "[".repeat(28), "]".repeat(28)).repeat(1_000);
    let spaced = format!("1 1{}", " ".repeat(3_000)).repeat(10);
    let note = "<</Type/Annot/Subtype/Text/Rect[0 0 1 1]/F 4/P 3 0 R>>";
    let text = "a".repeat(ROOM_BYTES / 2);
    let shapes = [
        (
            "dictionaries of many keys",
            1,
            repeated(&format!("<<{keys}>>")),
        ),
        ("deep arrays", 1, repeated(&format!("[{nest}]"))),
        (
            "numbers before much space",
            1,
            repeated(&format!("[{spaced}]")),
        ),
        ("many objects", 1, repeated("null")),
        ("many annotations", 1, repeated(note)),
        ("many references", 1, references()),
        ("many objects, sixteen signatures", 16, repeated("null")),
        (
            "long strings, sixteen signatures",
            16,
            repeated(&format!("({text})")),
        ),
        (
            "long comments, sixteen signatures",
            16,
            repeated(&format!("[%{text}\n]")),
        ),
    ];
    let all = of_units.into_iter().chain(shapes);
    all.map(|(name, signatures, objects)| Costly {
        name,
        bytes: document(signatures, &objects),
    })
    .collect()
}

/// The same object as often as there is room.
fn repeated(object: &str) -> Vec<String> {
    let count = ROOM_BYTES / (object.len() + 48);
    vec![object.to_owned(); count.clamp(1, MAX_OBJECTS)]
}

/// Objects that name each other.
fn references() -> Vec<String> {
    let count = 20_000;
    let of = |from: usize| {
        let to = (0..6).map(|step| FIRST + (from * 977 + step * 131) % count);
        let named: String = to.map(|to| format!("{to} 0 R ")).collect();
        format!("[{named}]")
    };
    (0..count).map(of).collect()
}

/// A document with `objects` that its catalog leads to, and with signatures that cover all of it.
fn document(signatures: usize, objects: &[String]) -> Vec<u8> {
    let fields: String = (0..signatures)
        .map(|own| format!("{} 0 R ", 10 + own))
        .collect();
    let lists = objects.len().div_ceil(NAMED);
    let named: String = (0..lists)
        .map(|own| format!("/X{own} {} 0 R ", 60 + own))
        .collect();
    let mut all = vec![
        (
            1,
            format!("<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[{fields}]>>{named}>>"),
        ),
        (2, "<</Type/Pages/Kids[3 0 R]/Count 1>>".to_owned()),
        (
            3,
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>".to_owned(),
        ),
    ];
    let field = |own| {
        (
            10 + own,
            format!("<</FT/Sig/T(s{own})/V {} 0 R>>", 30 + own),
        )
    };
    all.extend((0..signatures).map(field));
    let digits = "0".repeat(GAP_DIGITS);
    let signature = |own| {
        let keys = "/Type/Sig/SubFilter/ETSI.CAdES.detached";
        (
            30 + own,
            format!("<<{keys}/N {own}/ByteRange {NO_RANGE}/Contents <{digits}>>>"),
        )
    };
    all.extend((0..signatures).map(signature));
    let list = |own: usize| {
        let from = FIRST + own * NAMED;
        let to = (FIRST + objects.len()).min(from + NAMED);
        let named: String = (from..to).map(|number| format!("{number} 0 R ")).collect();
        (60 + own, format!("[{named}]"))
    };
    all.extend((0..lists).map(list));
    let numbered = objects.iter().enumerate();
    all.extend(numbered.map(|(own, object)| (FIRST + own, object.clone())));
    let text = file(&all);
    with_ranges(&text).into_bytes()
}

/// The objects and the table behind them.
fn file(objects: &[(usize, String)]) -> String {
    let mut text = String::from("%PDF-1.7\n");
    let mut table = String::new();
    for (number, object) in objects {
        table += &format!("{number} 1\n{:010} 00000 n \n", text.len());
        text += &format!("{number} 0 obj\n{object}\nendobj\n");
    }
    let size = objects
        .iter()
        .map(|(number, _)| number + 1)
        .max()
        .unwrap_or(0);
    let start = text.len();
    text += &format!("xref\n{table}trailer\n<</Size {size}/Root 1 0 R>>\n");
    text + &format!("startxref\n{start}\n%%EOF\n")
}

/// The file with the byte range of each signature filled in.
fn with_ranges(text: &str) -> String {
    let mut parts = text.split(NO_RANGE);
    let mut made = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let start = made.len() + NO_RANGE.len() + "/Contents ".len();
        let behind = start + GAP_DIGITS + 2;
        let rest = text.len() - behind;
        let range = format!("[0 {start:<10} {behind:<10} {rest:<10}]");
        made += &range;
        made += part;
    }
    made
}
